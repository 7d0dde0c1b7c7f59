// limit: what each limit is counted by and what it means. Called wherever a bound is reached, and
// by everything that shows a run; the bounds themselves are where what they bound is kept.
#include "model/limit.h"

#include "base/check.h"
#include "base/compiler.h"
#include "base/metrics.h"

static const struct {
    enum metric metric;
    const char *means;
} limits_by_number[] = {
    [LIMIT_UNNAMED] = {METRIC_COUNT, "noted by a release that did not say which"},
    [LIMIT_STAGES] = {METRIC_LIMIT_STAGES,
                      "too many stages: the oldest were let go; they count in the totals"},
    [LIMIT_JOBS] = {METRIC_LIMIT_JOBS, "too many open jobs: the oldest were let go, and whether "
                                       "their SQL execution failed may not be seen"},
    [LIMIT_EXECUTORS] = {METRIC_LIMIT_EXECUTORS,
                         "too many executors or hosts: tasks of the rest count without a host, "
                         "and their slots do not count"},
    [LIMIT_ACCUMULATORS] = {METRIC_LIMIT_ACCUMULATORS,
                            "too many SQL metrics: of the rest no rows, scan times and file sizes "
                            "are known"},
    [LIMIT_TASK_IDS] = {METRIC_LIMIT_TASK_IDS,
                        "too many gaps between the ids of tasks or jobs: those in the oldest gaps "
                        "count as seen"},
    [LIMIT_PROPERTIES] = {METRIC_LIMIT_PROPERTIES,
                          "too many Spark properties, or too long ones: advice may miss some"},
    [LIMIT_FAILED_JOBS] = {METRIC_LIMIT_FAILED_JOBS,
                           "too many SQL executions with a failed job: more of them are not seen"},
    [LIMIT_NAMES] = {METRIC_LIMIT_NAMES, "a name was too long and is cut"},
    [LIMIT_PLANS] = {METRIC_LIMIT_PLANS,
                     "a SQL plan or a list of metrics was too large: its end was not read"},
    [LIMIT_HEADERS] = {METRIC_LIMIT_HEADERS,
                       "a message had too many bytes of headers: the last were not read"},
    [LIMIT_APPLICATIONS] = {METRIC_LIMIT_APPLICATIONS,
                            "more applications at once than limits.applications: the run was given "
                            "up before it ended"},
    [LIMIT_MEMORY] = {METRIC_LIMIT_MEMORY,
                      "limits.memory was reached: detail was let go, or the whole run"},
    [LIMIT_RECORD] = {METRIC_LIMIT_RECORD,
                      "the record was too large for its topic: its lists were shortened"},
};
_Static_assert(ARRAY_LEN(limits_by_number) == LIMIT_COUNT && LIMIT_COUNT <= 32,
               "a row and a bit each");

void limit_hit(uint32_t *limits, enum limit limit) {
    require(limit > LIMIT_UNNAMED && limit < LIMIT_COUNT);
    *limits |= 1u << limit;
    metrics_add(limits_by_number[limit].metric, 1);
}

bool limit_in(uint32_t limits, enum limit limit) {
    return (limits >> limit & 1) != 0;
}

const char *limit_means(enum limit limit) {
    require(limit >= 0 && limit < LIMIT_COUNT);
    return limits_by_number[limit].means;
}
