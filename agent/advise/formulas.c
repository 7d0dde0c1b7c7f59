// formulas: see the header. Called by `stoker advise` when it has no run to look at.
#include "advise/formulas.h"

#include <stdio.h>

#include "advise/join_code.h"
#include "advise/setting.h"
#include "advise/sizing.h"
#include "base/mem.h"
#include "base/span.h"

enum { HEAP_MAX_MIB = 1 << 20 };
#define MIB 1048576.0

static int64_t larger_of_one(int64_t count) {
    return count > 1 ? count : 1;
}

static const char unknown[] = "not known without a run: stoker advise LOG says what one loses";

static struct recommendation *add(struct advice *out, enum advice_kind kind, const char *how) {
    struct recommendation *r = &out->list[out->count++];
    *r = (struct recommendation){.kind = advice_kind_name(kind), .revision = 1};
    snprintf(r->saving_how, sizeof r->saving_how, "%s", how);
    return r;
}

static void finish(struct recommendation *r, struct buf *action) {
    r->action = mem_strdup(buf_text(action));
    r->remedy_bytes = action->len;
    buf_fini(action);
}

static void add_executors(const struct formulas *numbers, int64_t partitions,
                          struct recommendation *r, struct buf *what) {
    int64_t cores = larger_of_one(numbers->executor_cores);
    int64_t slots = numbers->executors * cores;
    if (numbers->executor_cores > 0) {
        advice_set_int(r, SETTING_EXECUTOR_CORES, (double)cores);
    }
    if (numbers->executors == 0) {
        return;
    }
    advice_set_int(r, SETTING_EXECUTOR_INSTANCES, (double)numbers->executors);
    buf_printf(what, " %lld executor%s of %lld core%s run%s %lld tasks at once",
               (long long)numbers->executors, numbers->executors == 1 ? "" : "s", (long long)cores,
               cores == 1 ? "" : "s", numbers->executors == 1 ? "s" : "", (long long)slots);
    if (slots > partitions) {
        int64_t enough = (partitions + cores - 1) / cores;
        buf_printf(what, ": %lld would do", (long long)enough);
    } else {
        buf_printf(what, ": %.1f waves of them", (double)partitions / (double)slots);
    }
    buf_add_char(what, '.');
}

static void say_partitions(double bytes, int64_t count, struct buf *what) {
    char size[SPAN_TEXT_SIZE], each[SPAN_TEXT_SIZE];
    span_format_bytes(bytes, size);
    span_format_bytes(bytes / (double)count, each);
    if (count == 1) {
        buf_printf(what, "Keep %s in one partition: there is one for every 128 MiB.", size);
    } else if (count < SIZING_PARTITIONS_MAX) {
        buf_printf(what, "Cut %s into %lld partitions of %s: one for every 128 MiB.", size,
                   (long long)count, each);
    } else {
        buf_printf(what,
                   "Cut %s into %lld partitions of %s: more of them cost more than they bring.",
                   size, (long long)count, each);
    }
}

static void add_partitions(const struct formulas *numbers, struct advice *out) {
    int64_t target = sizing_partitions(numbers->data_bytes);
    struct recommendation *r = add(out, ADVICE_PARTITIONING, unknown);
    struct buf what = {0};
    double now = (double)numbers->partitions;
    bool near = now > 0 && !sizing_differs(now, (double)target);
    if (near) {
        buf_printf(&what,
                   "Leave the %.0f partitions as they are: %lld would be within a fifth of "
                   "them.",
                   now, (long long)target);
    } else {
        say_partitions(numbers->data_bytes, target, &what);
        advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, (double)target);
        advice_set_int(r, SETTING_DEFAULT_PARALLELISM, (double)target);
    }
    add_executors(numbers, target, r, &what);
    r->when_not = "Not for a shuffle that moves far less than all of the data.";
    finish(r, &what);
}

// The formula knows no node: what none has is not given.
static void say_memory(const struct sizing_memory *memory, bool beyond, struct buf *what) {
    char executor[SPAN_TEXT_SIZE], driver[SPAN_TEXT_SIZE], overhead[SPAN_TEXT_SIZE];
    span_format_bytes((double)memory->executor_mib * MIB, executor);
    span_format_bytes((double)memory->driver_mib * MIB, driver);
    span_format_bytes((double)memory->overhead_mib * MIB, overhead);
    if (beyond) {
        buf_printf(
            what,
            "The formula gives %s to each executor, %s beside it, and %s to the driver, which "
            "no node has: have as many more executors of %d GiB.",
            executor, overhead, driver, SIZING_HEAP_MOST_MIB / 1024);
        return;
    }
    buf_printf(what, "Give each executor %s of heap and %s beside it, the driver %s.", executor,
               overhead, driver);
    if (memory->executor_mib > SIZING_HEAP_MOST_MIB) {
        buf_printf(what, " Heaps beyond %d GiB take long to collect: rather have more executors.",
                   SIZING_HEAP_MOST_MIB / 1024);
    }
}

static void add_memory(const struct formulas *numbers, struct advice *out) {
    struct sizing_memory memory = sizing_memory(numbers->data_bytes);
    struct recommendation *r = add(out, ADVICE_MEMORY, unknown);
    struct buf what = {0};
    bool beyond = memory.executor_mib > HEAP_MAX_MIB;
    say_memory(&memory, beyond, &what);
    if (beyond) {
        memory = sizing_memory(10.0 * SIZING_HEAP_MOST_MIB * MIB); // for a heap of that size
    }
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, (double)memory.executor_mib * MIB);
    advice_set_bytes(r, SETTING_DRIVER_MEMORY, (double)memory.driver_mib * MIB);
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY_OVERHEAD, (double)memory.overhead_mib * MIB);
    advice_set_text(r, SETTING_SERIALIZER, "org.apache.spark.serializer.KryoSerializer");
    advice_set_bool(r, SETTING_SHUFFLE_COMPRESS, true);
    advice_set_bool(r, SETTING_SHUFFLE_SPILL_COMPRESS, true);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_COALESCE_PARTITIONS_ENABLED, true);
    r->when_not = "Not less than a run was seen to need, and not more than a node has.";
    finish(r, &what);
}

// The rules that numbers of a data size alone do not decide.
static void add_join(struct advice *out) {
    struct recommendation *r = add(out, ADVICE_JOIN, unknown);
    struct buf what = {0}, code = {0};
    buf_add_text(&what,
                 "Broadcast a side of fewer than 100,000 rows; where one key has more than a "
                 "tenth of the rows, let adaptive execution split it (Spark 3.0 and later), "
                 "or salt it with 10 buckets.");
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED, true);
    buf_printf(&code, "%s%s", join_broadcast_code(), join_salt_code());
    r->code = mem_strdup(buf_text(&code));
    buf_fini(&code);
    r->when_not = "Not a hint for a side that may grow beyond what every executor can hold.";
    finish(r, &what);
}

void formulas_advise(const struct formulas *numbers, struct advice *out) {
    add_partitions(numbers, out);
    add_memory(numbers, out);
    add_join(out);
}
