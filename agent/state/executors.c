// executors: two small hash tables per application. Called by app; bounded: beyond the limits an
// executor is not remembered and its tasks count under the host "other".
#include "state/executors.h"

#include <uthash.h>

#include "value_priv.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"

enum { EXECUTORS_MAX = 10000, HOSTS_MAX = 10000 };

struct host {
    char name[HOST_NAME_KEPT_MAX + 1];
    int32_t index;
    UT_hash_handle hh;
};

struct executor {
    char id[EXECUTOR_ID_MAX + 1];
    int32_t host;
    int64_t cores; // 0 until ExecutorAdded
    int64_t tasks;
    bool alive;
    UT_hash_handle hh;
};

static const struct wire_row executor_rows[] = {
    {1, WIRE_CHARS, offsetof(struct executor, id), EXECUTOR_ID_MAX + 1, "id"},
    {2, WIRE_I32, offsetof(struct executor, host), 0, "host"},
    {3, WIRE_I64, offsetof(struct executor, cores), 0, "cores"},
    {4, WIRE_I64, offsetof(struct executor, tasks), 0, "tasks"},
    {5, WIRE_BOOL, offsetof(struct executor, alive), 0, "alive"},
};

void executors_fini(struct executors *executors) {
    struct executor *executor, *next_executor;
    HASH_ITER(hh, executors->by_id, executor, next_executor) {
        HASH_DEL(executors->by_id, executor);
        mem_free(executor);
    }
    struct host *host, *next_host;
    HASH_ITER(hh, executors->by_name, host, next_host) {
        HASH_DEL(executors->by_name, host);
        mem_free(host);
    }
    mem_free(executors->hosts);
    *executors = (struct executors){0};
}

void executors_set_task_cpus(struct executors *executors, int64_t cpus) {
    executors->task_cpus = cpus < 1 ? 1 : cpus;
    executors->slots_stale = true;
}

static int32_t host_index(struct executors *executors, struct str name) {
    char key[HOST_NAME_KEPT_MAX + 1];
    str_copy(key, sizeof key, name);
    struct host *host;
    HASH_FIND_STR(executors->by_name, key, host);
    if (host != NULL) {
        return host->index;
    }
    if (executors->host_count >= HOSTS_MAX) {
        metrics_add(METRIC_LIMIT_HITS, 1);
        return -1;
    }
    host = mem_zalloc(1, sizeof *host);
    memcpy(host->name, key, sizeof key);
    host->index = (int32_t)executors->host_count;
    HASH_ADD_STR(executors->by_name, name, host);
    MEM_GROW(executors->hosts, executors->host_count, executors->host_cap);
    executors->hosts[executors->host_count++] = host;
    return host->index;
}

static struct executor *find_or_add(struct executors *executors, struct str id, struct str host) {
    if (executors->recent != NULL && str_is(id, executors->recent->id)) {
        return executors->recent;
    }
    char key[EXECUTOR_ID_MAX + 1];
    str_copy(key, sizeof key, id);
    struct executor *executor;
    HASH_FIND_STR(executors->by_id, key, executor);
    if (executor == NULL && executors->count < EXECUTORS_MAX) {
        executor = mem_zalloc(1, sizeof *executor);
        memcpy(executor->id, key, sizeof key);
        executor->host = host_index(executors, host);
        HASH_ADD_STR(executors->by_id, id, executor);
        executors->count++;
    }
    if (executor == NULL) {
        metrics_add(METRIC_LIMIT_HITS, 1);
        return NULL;
    }
    executors->recent = executor;
    return executor;
}

void executors_add(struct executors *executors, struct str id, struct str host, int64_t cores,
                   int64_t time_ms) {
    struct executor *executor = find_or_add(executors, id, host);
    if (executor == NULL || executor->alive) {
        return;
    }
    executor->host = host_index(executors, host);
    executor->cores = cores < 1 ? 1 : cores;
    executor->alive = true;
    executors->added++;
    if (executors->first_added_ms == 0) {
        executors->first_added_ms = time_ms;
    }
    executors->last_added_ms =
        time_ms > executors->last_added_ms ? time_ms : executors->last_added_ms;
    executors->slots_stale = true;
}

void executors_remove(struct executors *executors, struct str id, struct str reason) {
    char key[EXECUTOR_ID_MAX + 1];
    str_copy(key, sizeof key, id);
    struct executor *executor;
    HASH_FIND_STR(executors->by_id, key, executor);
    if (executor == NULL || !executor->alive) {
        return;
    }
    executor->alive = false;
    executors->slots_stale = true;
    switch (executors_classify_loss(reason)) {
    case LOSS_NONE:
        break;
    case LOSS_MEMORY:
        executors->lost_memory++;
        break;
    case LOSS_INFRA:
        executors->lost_infra++;
        break;
    case LOSS_UNKNOWN:
        executors->lost_unknown++;
        break;
    }
}

static int64_t slots_of(const struct executors *executors, const struct executor *executor) {
    int64_t cpus = executors->task_cpus < 1 ? 1 : executors->task_cpus;
    return executor->cores / cpus < 1 ? 1 : executor->cores / cpus;
}

int32_t executors_task(struct executors *executors, struct str id, struct str host, bool *cold) {
    struct executor *executor = find_or_add(executors, id, host);
    if (executor == NULL) {
        *cold = false;
        return -1;
    }
    *cold = executor->tasks < slots_of(executors, executor);
    executor->tasks++;
    return executor->host;
}

int64_t executors_live_slots(struct executors *executors) {
    if (executors->slots_stale) {
        executors->live_slots = 0;
        struct executor *executor, *next;
        HASH_ITER(hh, executors->by_id, executor, next) {
            if (executor->alive) {
                sat_inc(&executors->live_slots, slots_of(executors, executor));
            }
        }
        executors->slots_stale = false;
    }
    return executors->live_slots < 1 ? 1 : executors->live_slots;
}

const char *executors_host_name(const struct executors *executors, int32_t host) {
    bool known = host >= 0 && (uint32_t)host < executors->host_count;
    return known ? executors->hosts[host]->name : "";
}

enum executor_loss executors_classify_loss(struct str reason) {
    static const struct {
        const char *text;
        enum executor_loss loss;
    } texts[] = {
        {"killed by driver", LOSS_NONE},
        {"explicit termination request", LOSS_NONE},
        {"exceeding memory limits", LOSS_MEMORY},
        {"exceeding physical memory", LOSS_MEMORY},
        {"exceeding virtual memory", LOSS_MEMORY},
        {"OOM", LOSS_MEMORY},
        {"exit code 52", LOSS_MEMORY},
        {"exited with code 52", LOSS_MEMORY},
        {"decommission", LOSS_INFRA},
        {"preempted", LOSS_INFRA},
        {"bad node", LOSS_INFRA},
        {"worker lost", LOSS_INFRA},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (str_contains(reason, str_of(texts[i].text))) {
            return texts[i].loss;
        }
    }
    return LOSS_UNKNOWN;
}

void executors_write(const struct executors *executors, struct buf *value) {
    wire_put_nested(value, VALUE_EXECUTORS, executors, value_rows_executors,
                    value_rows_executors_count);
    for (uint32_t i = 0; i < executors->host_count; i++) {
        wire_put(value, VALUE_HOST, str_of(executors->hosts[i]->name));
    }
    for (const struct executor *e = executors->by_id; e != NULL; e = e->hh.next) {
        wire_put_nested(value, VALUE_EXECUTOR, e, executor_rows, ARRAY_LEN(executor_rows));
    }
}

static bool read_executor(struct executors *executors, struct str field) {
    struct executor *executor = mem_zalloc(1, sizeof *executor);
    struct executor *same = NULL;
    bool good = executors->count < EXECUTORS_MAX &&
                wire_take_all(executor, executor_rows, ARRAY_LEN(executor_rows), field) &&
                executor->cores >= 0 && executor->tasks >= 0 && executor->host >= -1 &&
                executor->host < (int32_t)executors->host_count;
    if (good) {
        HASH_FIND_STR(executors->by_id, executor->id, same);
    }
    if (!good || same != NULL) {
        mem_free(executor);
        return false;
    }
    HASH_ADD_STR(executors->by_id, id, executor);
    executors->count++;
    return true;
}

bool executors_read(struct executors *executors, unsigned number, struct str field) {
    switch (number) {
    case VALUE_EXECUTORS:
        return wire_take_all(executors, value_rows_executors, value_rows_executors_count, field);
    case VALUE_HOST:
        return host_index(executors, field) == (int32_t)executors->host_count - 1;
    case VALUE_EXECUTOR:
        return read_executor(executors, field);
    default:
        return true; // of a later release
    }
}
