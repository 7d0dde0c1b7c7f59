// facts: see the header. Called by the advisors.
#include "facts.h"

#include <stdlib.h>
#include <string.h>

#include "advise/setting.h"
#include "advise/sizing.h"
#include "base/span.h"

#define MIB_BYTES (INT64_C(1) << 20)

static bool master_is(const struct app *app, const char *beginning) {
    return str_starts(app_property(app, PROPERTY_MASTER), str_of(beginning));
}

bool facts_is_local(const struct app *app) {
    return master_is(app, "local") && !master_is(app, "local-cluster");
}

bool facts_has_containers(const struct app *app) {
    return !master_is(app, "local") && !master_is(app, "spark");
}

int64_t facts_heap_mib(const struct app *app) {
    bool local = facts_is_local(app);
    enum setting setting = local ? SETTING_DRIVER_MEMORY : SETTING_EXECUTOR_MEMORY;
    double bytes = 0;
    bool known = setting_number(app, setting, &bytes);
    if (!local && setting_told(app, setting).len == 0 && app->executor_memory_mib > 0) {
        return app->executor_memory_mib;
    }
    return known && bytes >= MIB_BYTES ? (int64_t)bytes / MIB_BYTES : 1;
}

// 0 if the property says nothing that is a share.
static double share_of(const struct app *app, enum property property) {
    char text[32], *end;
    struct str value = app_property(app, property);
    if (value.len == 0 || value.len >= sizeof text) {
        return 0;
    }
    str_copy(text, sizeof text, value);
    double share = strtod(text, &end);
    return *end == '\0' && share > 0 && share <= 1 ? share : 0;
}

int64_t facts_overhead_mib(const struct app *app) {
    double bytes;
    int64_t least_bytes;
    if (setting_number(app, SETTING_EXECUTOR_MEMORY_OVERHEAD, &bytes) && bytes >= MIB_BYTES) {
        return (int64_t)bytes / MIB_BYTES;
    }
    double share = share_of(app, PROPERTY_EXECUTOR_MEMORY_OVERHEAD_FACTOR);
    if (share == 0 && master_is(app, "k8s")) {
        share = share_of(app, PROPERTY_KUBERNETES_MEMORY_OVERHEAD_FACTOR);
    }
    bool least = span_parse_bytes(app_property(app, PROPERTY_EXECUTOR_MIN_MEMORY_OVERHEAD),
                                  MIB_BYTES, &least_bytes);
    return sizing_overhead_mib(facts_heap_mib(app), share > 0 ? share : 0.1,
                               least ? least_bytes / MIB_BYTES : SIZING_OVERHEAD_LEAST_MIB);
}

// Executors that are gone by now had the slots that stages saw.
int64_t facts_executor_cores(const struct app *app) {
    bool local = facts_is_local(app); // one executor with all the slots
    double set;
    if (!local && setting_told(app, SETTING_EXECUTOR_CORES).len > 0 &&
        setting_number(app, SETTING_EXECUTOR_CORES, &set) && set >= 1) {
        return set < INT32_MAX ? (int64_t)set : INT32_MAX;
    }
    int64_t slots = executors_live_slots(&app->executors);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        int64_t live = app->stages[i]->live_slots;
        slots = live > slots ? live : slots;
    }
    int64_t executors = app->executors.added > 0 && !local ? app->executors.added : 1;
    int64_t each = slots * slots_task_cpus(&app->executors.slots, PROFILE_DEFAULT) / executors;
    return each > 0 ? each : 1;
}

int64_t facts_tasks_at_once(const struct app *app) {
    int64_t tasks =
        facts_executor_cores(app) / slots_task_cpus(&app->executors.slots, PROFILE_DEFAULT);
    return tasks > 0 ? tasks : 1;
}

bool facts_cut_by_setting(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    double partitions;
    return s->shuffle_read_bytes > s->input_bytes &&
           setting_number(app, SETTING_SQL_SHUFFLE_PARTITIONS, &partitions) &&
           (double)s->tasks_expected == partitions;
}

double facts_evidence(const struct bottleneck *verdict, const char *name) {
    for (uint32_t i = 0; i < verdict->evidence_count; i++) {
        if (strcmp(verdict->evidence[i].name, name) == 0) {
            return verdict->evidence[i].value;
        }
    }
    return -1;
}
