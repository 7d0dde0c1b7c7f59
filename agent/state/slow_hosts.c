// slow_hosts: in how many stages of its run a host was slow. Called by app as a stage ends, once; a
// single stage may be uneven for many reasons, but a host that is slow again and again is slow. The
// sums per host that the stage keeps suffice: O(hosts), of which a stage keeps few.
#include "app_priv.h"
#include "base/sat.h"

// So many tasks there and elsewhere at least, so many times as long, and so much longer in all:
// what differs by less says nothing of a host.
enum { TASKS_LEAST = 2, TIMES_LEAST = 2, EXTRA_LEAST_MS = 1000 };

static double mean(int64_t sum, int64_t n) {
    return n > 0 ? (double)sum / (double)n : 0;
}

// One long task is no slow host: its longest is left out, those elsewhere are not. `all`: the sums
// over all hosts, this one included.
static bool was_slow(const struct stage_host *host, const struct stage_host *all) {
    struct stage_host rest = {.tasks = all->tasks - host->tasks,
                              .task_ms = all->task_ms - host->task_ms,
                              .bytes = all->bytes - host->bytes};
    double there_ms = mean(host->task_ms - host->longest_ms, host->tasks - 1);
    double else_ms = mean(rest.task_ms, rest.tasks);
    double there_bytes = mean(host->bytes, host->tasks), else_bytes = mean(rest.bytes, rest.tasks);
    double extra_ms = (there_ms - else_ms) * (double)(host->tasks - 1);
    bool more_data = there_bytes > 0 && there_bytes >= TIMES_LEAST * else_bytes;
    return host->tasks >= TASKS_LEAST && rest.tasks >= TASKS_LEAST && !more_data &&
           there_ms >= TIMES_LEAST * else_ms && extra_ms >= EXTRA_LEAST_MS;
}

void app_count_slow_hosts(struct app *app, const struct stage *stage) {
    const struct stage_detail *detail = stage->detail;
    struct stage_host all = {0};
    for (uint32_t i = 0; detail != NULL && i < detail->host_count; i++) {
        all.tasks = sat_add(all.tasks, detail->hosts[i].tasks);
        all.task_ms = sat_add(all.task_ms, detail->hosts[i].task_ms);
        all.bytes = sat_add(all.bytes, detail->hosts[i].bytes);
    }
    for (uint32_t i = 0; detail != NULL && i < detail->host_count; i++) {
        if (was_slow(&detail->hosts[i], &all)) {
            executors_note_slow_stage(&app->executors, detail->hosts[i].host);
        }
    }
}
