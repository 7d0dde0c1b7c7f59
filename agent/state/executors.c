// executors: two small hash tables per application. Called by app; bounded: beyond the limits an
// executor is not remembered and its tasks count under the host "other".
#include "state/executors.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "value_priv.h"

enum { HOSTS_MAX = EXECUTORS_MAX };

struct host {
    char name[HOST_NAME_KEPT_MAX + 1];
    int32_t index;
    UT_hash_handle hh;
};

struct executor {
    char id[EXECUTOR_ID_MAX + 1];
    int32_t number; // place in the list
    int32_t host;
    int64_t cores; // 0 until ExecutorAdded
    int64_t tasks;
    bool alive;
    UT_hash_handle hh;
};

const struct wire_row value_rows_executor[] = {
    {1, WIRE_CHARS, offsetof(struct executor, id), EXECUTOR_ID_MAX + 1, "id"},
    {2, WIRE_I32, offsetof(struct executor, host), 0, "host"},
    {3, WIRE_I64, offsetof(struct executor, cores), 0, "cores"},
    {4, WIRE_I64, offsetof(struct executor, tasks), 0, "tasks"},
    {5, WIRE_BOOL, offsetof(struct executor, alive), 0, "alive"},
    {6, WIRE_I32, offsetof(struct executor, number), 0, "number"},
};
const struct wire_row value_rows_host[] = {
    {1, WIRE_I32, offsetof(struct host, index), 0, "index"},
    {2, WIRE_CHARS, offsetof(struct host, name), HOST_NAME_KEPT_MAX + 1, "name"},
};
const size_t value_rows_executor_count = ARRAY_LEN(value_rows_executor);
const size_t value_rows_host_count = ARRAY_LEN(value_rows_host);

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
    mem_free(executors->list);
    *executors = (struct executors){0};
}

void executors_set_task_cpus(struct executors *executors, int64_t cpus) {
    executors->task_cpus = cpus < 1 ? 1 : cpus;
    executors->slots_stale = true;
}

static void touch(struct executors *executors, int32_t number) {
    executors->touched[number / EXECUTORS_PER_CHUNK] = true;
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
    touch(executors, executor->number);
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
    touch(executors, executor->number);
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
    if (*cold) { // beyond its first tasks the count tells nothing
        executor->tasks++;
        touch(executors, executor->number);
    }
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

void executors_write(const struct executors *executors, uint32_t chunk, struct buf *value) {
    uint32_t first = chunk * EXECUTORS_PER_CHUNK, end = first + EXECUTORS_PER_CHUNK;
    wire_begin(value);
    for (uint32_t i = first; i < end && i < executors->host_count; i++) {
        wire_put_nested(value, VALUE_HOST, executors->hosts[i], value_rows_host,
                        value_rows_host_count);
    }
    for (uint32_t i = first; i < end && i < executors->count; i++) {
        wire_put_nested(value, VALUE_EXECUTOR, executors->list[i], value_rows_executor,
                        value_rows_executor_count);
    }
}

// Makes room for place `number` of a list, with NULLs up to it.
#define MAKE_ROOM(list, count, cap, number)                                                        \
    while ((count) <= (uint32_t)(number)) {                                                        \
        MEM_GROW(list, count, cap);                                                                \
        (list)[(count)++] = NULL;                                                                  \
    }

static bool read_host(struct executors *executors, struct str field) {
    struct host *host = mem_zalloc(1, sizeof *host), *same = NULL;
    bool good = wire_take_all(host, value_rows_host, value_rows_host_count, field) &&
                host->index >= 0 && host->index < HOSTS_MAX;
    if (good) {
        MAKE_ROOM(executors->hosts, executors->host_count, executors->host_cap, host->index);
        HASH_FIND_STR(executors->by_name, host->name, same);
    }
    if (!good || same != NULL || executors->hosts[host->index] != NULL) {
        mem_free(host);
        return false;
    }
    executors->hosts[host->index] = host;
    HASH_ADD_STR(executors->by_name, name, host);
    return true;
}

static bool read_executor(struct executors *executors, struct str field) {
    struct executor *executor = mem_zalloc(1, sizeof *executor), *same = NULL;
    bool good = wire_take_all(executor, value_rows_executor, value_rows_executor_count, field) &&
                executor->cores >= 0 && executor->tasks >= 0 && executor->host >= -1 &&
                executor->number >= 0 && executor->number < EXECUTORS_MAX;
    if (good) {
        MAKE_ROOM(executors->list, executors->count, executors->list_cap, executor->number);
        HASH_FIND_STR(executors->by_id, executor->id, same);
    }
    if (!good || same != NULL || executors->list[executor->number] != NULL) {
        mem_free(executor);
        return false;
    }
    executors->list[executor->number] = executor;
    HASH_ADD_STR(executors->by_id, id, executor);
    return true;
}

bool executors_read(struct executors *executors, unsigned number, struct str field) {
    executors->slots_stale = true;
    return number == VALUE_HOST       ? read_host(executors, field)
           : number == VALUE_EXECUTOR ? read_executor(executors, field)
                                      : true;
}

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
