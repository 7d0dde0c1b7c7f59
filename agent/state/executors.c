// executors: two small hash tables per application. Called by app, and by detect for a host's name;
// bounded: beyond the limits an executor is not remembered and its tasks count under the host
// "other".
#include "app_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/sat.h"
#include "state/failure.h"

enum { HOSTS_MAX = EXECUTORS_MAX };
// More than any machine has, and few enough for the sum over all executors.
enum { CORES_MAX = 1 << 20 };

struct host {
    char name[HOST_NAME_KEPT_MAX + 1];
    int32_t index;
    int32_t slow_stages; // in which its tasks took far longer than those elsewhere
    UT_hash_handle hh;
};

struct executor {
    char id[EXECUTOR_ID_MAX + 1];
    bool alive;
    int32_t number; // place in the list
    int32_t host;
    struct slot_executor slot;
    int64_t tasks;
    UT_hash_handle hh;
};

enum { PLACES_BYTES = 2 * sizeof(void *) + 32 }; // in the list, and the block of memory
_Static_assert(sizeof(struct executor) + PLACES_BYTES <= EXECUTOR_BYTES &&
                   sizeof(struct host) + PLACES_BYTES <= HOST_BYTES,
               "counted for what they are");

static void release_all(struct executors *executors) {
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
    mem_free(executors->list);
    executors->hosts = NULL;
    executors->list = NULL;
    executors->recent = NULL;
    executors->host_count = executors->host_cap = executors->count = executors->list_cap = 0;
}

void executors_fini(struct executors *executors) {
    release_all(executors);
    slots_fini(&executors->slots);
    *executors = (struct executors){0};
}

void executors_let_go(struct executors *executors, struct kept_gone *gone) {
    if (executors->count + executors->host_count == 0) {
        return;
    }
    executors->gone_slots = executors_live_slots(executors);
    for (uint32_t i = 0; i < executors->slots.count; i++) {
        executors->slots.profiles[i].pool = executors->slots.profiles[i].live;
    }
    for (uint32_t i = 0; i < executors_chunks(executors); i++) {
        keep_gone(gone, &executors->kept[i], (struct kept_part){'x', {i}});
        executors->kept[i] = (struct kept){0};
    }
    release_all(executors);
}

// The slots of a profile anew, over all executors.
static void count_again(struct executors *executors, struct slot_profile *profile, int64_t now_ms) {
    int64_t live = profile->pool;
    struct executor *executor = NULL, *next = NULL;
    HASH_ITER(hh, executors->by_id, executor, next) {
        live += executor->alive ? slots_on(&executors->slots, profile, &executor->slot) : 0;
    }
    slots_set(&executors->slots, profile, live, now_ms);
}

static void count_all_again(struct executors *executors, int64_t now_ms) {
    for (uint32_t i = 0; i < executors->slots.count; i++) {
        count_again(executors, &executors->slots.profiles[i], now_ms);
    }
}

const struct slot_profile *executors_slots_of(struct executors *executors, int32_t profile,
                                              int64_t now_ms) {
    uint32_t count = executors->slots.count;
    struct slot_profile *of = slots_profile(&executors->slots, profile);
    if (executors->slots.count > count) {
        count_again(executors, of, now_ms);
    }
    return of;
}

int64_t executors_live_slots(const struct executors *executors) {
    int64_t live = 0;
    for (uint32_t i = 0; i < executors->slots.count; i++) {
        const struct slot_profile *profile = &executors->slots.profiles[i];
        // Of tasks only: it shares the executors of the default one.
        bool shares = profile->told && profile->tasks_only && !executors->slots.dynamic;
        live += profile->id == PROFILE_DEFAULT || !shares ? profile->live : 0;
    }
    return live;
}

// "gpu.amount" of a family.
static bool note_resource(struct slots *slots, const struct event_property *property,
                          enum property family) {
    static const struct str end = {".amount", 7};
    size_t own = strlen(property_key(family));
    struct str name = {property->key.p + own, property->key.len - own};
    char text[64], *rest;
    str_copy(text, sizeof text, property->value);
    double amount = strtod(text, &rest);
    if (rest == text || !isfinite(amount) || amount <= 0 || name.len <= end.len ||
        !str_eq((struct str){name.p + name.len - end.len, end.len}, end)) {
        return false;
    }
    name.len -= end.len;
    return slots_property(slots, name, family == PROPERTY_TASK_RESOURCE, amount);
}

void executors_environment(struct executors *executors, const struct event_environment *environment,
                           int64_t now_ms) {
    struct slots *slots = &executors->slots;
    bool changed = false;
    for (uint32_t i = 0; i < environment->property_count; i++) {
        const struct event_property *property = &environment->properties[i];
        enum property which = event_property_of(property->key);
        int64_t cpus;
        if (which == PROPERTY_TASK_CPUS && str_to_i64(property->value, &cpus)) {
            cpus = cpus < 1 ? 1 : cpus;
            changed |= cpus != slots->task_cpus;
            slots->task_cpus = cpus;
        } else if (which == PROPERTY_TASK_RESOURCE || which == PROPERTY_EXECUTOR_RESOURCE) {
            changed |= note_resource(slots, property, which);
        } else if (str_is(property->key, "spark.dynamicAllocation.enabled")) {
            bool dynamic = str_is(property->value, "true");
            changed |= dynamic != slots->dynamic;
            slots->dynamic = dynamic;
        }
    }
    if (changed) {
        count_all_again(executors, now_ms);
    }
}

void executors_profile(struct executors *executors, const struct event_resource_profile *profile,
                       int64_t now_ms) {
    if (slots_tell(&executors->slots, profile)) {
        count_all_again(executors, now_ms);
    }
}

static void touch(struct executors *executors, int32_t number) {
    keep_touch(&executors->kept[number / EXECUTORS_PER_CHUNK]);
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
        limit_hit(&executors->limits, LIMIT_EXECUTORS);
        return -1;
    }
    host = mem_zalloc(1, sizeof *host);
    memcpy(host->name, key, sizeof key);
    host->index = (int32_t)executors->host_count;
    HASH_ADD_STR(executors->by_name, name, host);
    MEM_GROW(executors->hosts, executors->host_count, executors->host_cap);
    executors->hosts[executors->host_count++] = host;
    touch(executors, host->index);
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
        executor->number = (int32_t)executors->count;
        MEM_GROW(executors->list, executors->count, executors->list_cap);
        executors->list[executors->count++] = executor;
        touch(executors, executor->number);
    }
    if (executor == NULL) {
        limit_hit(&executors->limits, LIMIT_EXECUTORS);
        return NULL;
    }
    executors->recent = executor;
    return executor;
}

bool executors_all_told(const struct executors *executors) {
    return executors->gone_slots == 0 && executors->added >= (int64_t)executors->count;
}

// An executor comes (sign 1) or goes (-1). In local mode the driver runs the tasks: no cores are
// held for them. The sum is the same in whatever order executors come and go.
static void count_cores(struct executors *executors, const struct executor *executor, int sign,
                        int64_t time_ms) {
    if (strcmp(executor->id, "driver") == 0 || time_ms <= 0) {
        return;
    }
    int64_t cores = executor->slot.cores < CORES_MAX ? executor->slot.cores : CORES_MAX;
    cores = cores < 1 ? 1 : cores;
    if (executors->cores_from_ms == 0) {
        executors->cores_from_ms = time_ms;
    }
    executors->cores += sign * cores;
    sat_inc(&executors->cores_ms,
            -sign * sat_mul(cores, sat_sub0(time_ms, executors->cores_from_ms)));
}

int64_t executors_cores_ms(const struct executors *executors, int64_t until_ms) {
    if (executors->gone_slots > 0 || executors->cores < 0) {
        return -1;
    }
    int64_t alive_ms = sat_mul(executors->cores, sat_sub0(until_ms, executors->cores_from_ms));
    int64_t sum_ms = sat_add(executors->cores_ms, alive_ms);
    return sum_ms > 0 ? sum_ms : 0;
}

void executors_add(struct executors *executors, const struct event_executor *added, int64_t time_ms,
                   int64_t now_ms) {
    struct executor *executor = find_or_add(executors, added->id, added->host);
    if (executor == NULL || executor->alive) {
        return;
    }
    executor->host = host_index(executors, added->host);
    struct slot_executor *slot = &executor->slot;
    *slot = (struct slot_executor){.cores = added->cores,
                                   .profile = added->profile_id < 0 ? 0 : added->profile_id};
    for (uint32_t i = 0; i < added->resource_count && i < SLOT_HAS_MAX; i++) {
        int64_t amount = added->resources[i].executor;
        slot->has[i].resource = added->resources[i].id;
        slot->has[i].amount = amount < INT32_MAX ? (int32_t)amount : INT32_MAX;
    }
    executors->slots.from_ms = executors->slots.from_ms == 0 ? now_ms : executors->slots.from_ms;
    executors_slots_of(executors, slot->profile, now_ms);
    slots_change(&executors->slots, slot, 1, now_ms);
    executor->alive = true;
    count_cores(executors, executor, 1, time_ms);
    touch(executors, executor->number);
    executors->added++;
    if (executors->first_added_ms == 0) {
        executors->first_added_ms = time_ms;
    }
    executors->last_added_ms =
        time_ms > executors->last_added_ms ? time_ms : executors->last_added_ms;
}

void executors_remove(struct executors *executors, const struct event_executor *removed,
                      int64_t time_ms, int64_t now_ms) {
    char key[EXECUTOR_ID_MAX + 1];
    str_copy(key, sizeof key, removed->id);
    struct executor *executor;
    HASH_FIND_STR(executors->by_id, key, executor);
    if (executor == NULL || !executor->alive) {
        return;
    }
    executor->alive = false;
    slots_change(&executors->slots, &executor->slot, -1, now_ms);
    count_cores(executors, executor, -1, time_ms);
    touch(executors, executor->number);
    switch (executors_classify_loss(removed->reason)) {
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

int32_t executors_task(struct executors *executors, struct str id, struct str host, bool *cold) {
    struct executor *executor = find_or_add(executors, id, host);
    if (executor == NULL) {
        *cold = false;
        return -1;
    }
    const struct slot_profile *own = slots_known(&executors->slots, executor->slot.profile);
    int64_t slots = own != NULL ? slots_on(&executors->slots, own, &executor->slot) : 1;
    *cold = executor->tasks < (slots < 1 ? 1 : slots);
    if (*cold) { // beyond its first tasks the count tells nothing
        executor->tasks++;
        touch(executors, executor->number);
    }
    return executor->host;
}

int32_t executors_host(struct executors *executors, struct str id, struct str host) {
    const struct executor *executor = find_or_add(executors, id, host);
    return executor == NULL ? -1 : executor->host;
}

static struct host *host_of(const struct executors *executors, int32_t host) {
    bool known = host >= 0 && (uint32_t)host < executors->host_count;
    return known ? executors->hosts[host] : NULL;
}

const char *executors_host_name(const struct executors *executors, int32_t host) {
    const struct host *known = host_of(executors, host);
    return known != NULL ? known->name : "";
}

void executors_note_slow_stage(struct executors *executors, int32_t host) {
    struct host *known = host_of(executors, host);
    if (known != NULL && known->slow_stages < INT32_MAX) {
        known->slow_stages++;
        touch(executors, host);
    }
}

int32_t executors_slow_stages(const struct executors *executors, int32_t host) {
    const struct host *known = host_of(executors, host);
    return known != NULL ? known->slow_stages : 0;
}

enum executor_loss executors_classify_loss(struct str reason) {
    static const struct {
        const char *text;
        enum executor_loss loss;
    } texts[] = {
        {"decommission", LOSS_INFRA},
        {"preempted", LOSS_INFRA},
        {"bad node", LOSS_INFRA},
        {"worker lost", LOSS_INFRA},
    };
    if (str_contains(reason, STR("killed by driver")) ||
        str_contains(reason, STR("explicit termination request"))) {
        return LOSS_NONE; // whatever code it ended with
    }
    if (failure_of_loss(reason) != FAILURE_EXECUTOR_LOST) {
        return LOSS_MEMORY;
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (str_contains(reason, str_of(texts[i].text))) {
            return texts[i].loss;
        }
    }
    return LOSS_UNKNOWN;
}

static const struct record_row sums_rows[] = {
    RECORD_AS(1, I64, executors, slots.task_cpus, "task_cpus"),
    RECORD_ROW(2, I64, executors, added),
    RECORD_ROW(3, I64, executors, lost_memory),
    RECORD_ROW(4, I64, executors, lost_infra),
    RECORD_ROW(5, I64, executors, lost_unknown),
    RECORD_ROW(6, I64, executors, first_added_ms),
    RECORD_ROW(7, I64, executors, last_added_ms),
    RECORD_ROW(8, I64, executors, gone_slots),
    RECORD_AS(10, I64, executors, slots.from_ms, "slots_from_ms"),
    RECORD_AS(11, BOOL, executors, slots.dynamic, "dynamic"),
    RECORD_HOOKED(12, LIST, "profiles", &slot_profile_list, .item = &record_slot_profile,
                  .max = SLOT_PROFILES_MAX),
    RECORD_ROW(20, I64, executors, cores),
    RECORD_ROW(21, I64, executors, cores_ms),
    RECORD_ROW(22, I64, executors, cores_from_ms),
};
const struct record record_executor_sums = RECORD_OF("sums", executors, sums_rows);

static const struct record_row host_rows[] = {
    RECORD_ROW(1, I32, host, index, .most = HOSTS_MAX - 1),
    RECORD_ROW(2, CHARS, host, name),
    RECORD_ROW(3, I32, host, slow_stages, .most = INT32_MAX),
};
static const struct record record_host = RECORD_OF("host", host, host_rows);

static const struct record_row executor_rows[] = {
    RECORD_ROW(1, CHARS, executor, id),
    RECORD_ROW(2, I32, executor, host, .least = -1, .most = HOSTS_MAX),
    RECORD_AS(3, I64, executor, slot.cores, "cores", .most = INT64_MAX),
    RECORD_ROW(4, I64, executor, tasks, .most = INT64_MAX),
    RECORD_ROW(5, BOOL, executor, alive),
    RECORD_ROW(6, I32, executor, number, .most = EXECUTORS_MAX - 1),
    RECORD_AS(10, I32, executor, slot.profile, "profile", .most = INT32_MAX),
    RECORD_AS(11, I32, executor, slot.has[0].resource, "resource", .most = INT32_MAX),
    RECORD_AS(12, I32, executor, slot.has[0].amount, "amount", .most = INT32_MAX),
    RECORD_AS(13, I32, executor, slot.has[1].resource, "resource_2", .most = INT32_MAX),
    RECORD_AS(14, I32, executor, slot.has[1].amount, "amount_2", .most = INT32_MAX),
};
static const struct record record_executor = RECORD_OF("executor", executor, executor_rows);

static uint32_t chunk_size(const void *chunk) {
    (void)chunk;
    return EXECUTORS_PER_CHUNK;
}

static const void *host_at(const void *of, uint32_t i, union record_scratch *scratch) {
    const struct executor_chunk *chunk = of;
    (void)scratch;
    i += chunk->number * EXECUTORS_PER_CHUNK;
    return i < chunk->executors->host_count ? chunk->executors->hosts[i] : NULL;
}

static const void *executor_at(const void *of, uint32_t i, union record_scratch *scratch) {
    const struct executor_chunk *chunk = of;
    (void)scratch;
    i += chunk->number * EXECUTORS_PER_CHUNK;
    return i < chunk->executors->count ? chunk->executors->list[i] : NULL;
}

// What is read goes to the scratch first: its place is known when it is whole.
static void *in_scratch(void *chunk, uint32_t count, union record_scratch *scratch) {
    (void)chunk, (void)count;
    return scratch;
}
_Static_assert(sizeof(struct host) <= sizeof(union record_scratch) &&
                   sizeof(struct executor) <= sizeof(union record_scratch),
               "read into the scratch");

// Makes room for place `number` of a list, with NULLs up to it.
#define MAKE_ROOM(list, count, cap, number)                                                        \
    while ((count) <= (uint32_t)(number)) {                                                        \
        MEM_GROW(list, count, cap);                                                                \
        (list)[(count)++] = NULL;                                                                  \
    }

static bool host_added(void *of, void *item) {
    struct executors *executors = ((const struct executor_chunk *)of)->executors;
    struct host *host, *same;
    int32_t index = ((const struct host *)item)->index;
    HASH_FIND_STR(executors->by_name, ((const struct host *)item)->name, same);
    MAKE_ROOM(executors->hosts, executors->host_count, executors->host_cap, index);
    if (same != NULL || executors->hosts[index] != NULL) {
        return false;
    }
    host = executors->hosts[index] = mem_zalloc(1, sizeof *host);
    *host = *(const struct host *)item;
    HASH_ADD_STR(executors->by_name, name, host);
    return true;
}

static bool executor_added(void *of, void *item) {
    struct executors *executors = ((const struct executor_chunk *)of)->executors;
    struct executor *executor, *same;
    int32_t number = ((const struct executor *)item)->number;
    HASH_FIND_STR(executors->by_id, ((const struct executor *)item)->id, same);
    MAKE_ROOM(executors->list, executors->count, executors->list_cap, number);
    if (same != NULL || executors->list[number] != NULL) {
        return false;
    }
    executor = executors->list[number] = mem_zalloc(1, sizeof *executor);
    *executor = *(const struct executor *)item;
    HASH_ADD_STR(executors->by_id, id, executor);
    return true;
}

static const struct record_list host_list = {chunk_size, host_at, in_scratch, host_added};
static const struct record_list executor_list = {chunk_size, executor_at, in_scratch,
                                                 executor_added};
static const struct record_row chunk_rows[] = {
    RECORD_HOOKED(212, LIST, "hosts", &host_list, .item = &record_host, .max = EXECUTORS_PER_CHUNK),
    RECORD_HOOKED(211, LIST, "executors", &executor_list, .item = &record_executor,
                  .max = EXECUTORS_PER_CHUNK),
};
const struct record record_executors = RECORD_OF("executors", executor_chunk, chunk_rows);

bool executors_complete(const struct executors *executors) {
    bool complete = true;
    for (uint32_t i = 0; i < executors->host_count; i++) {
        complete = complete && executors->hosts[i] != NULL;
    }
    for (uint32_t i = 0; i < executors->count && complete; i++) {
        complete =
            executors->list[i] != NULL && executors->list[i]->host < (int32_t)executors->host_count;
    }
    return complete;
}
