// families: the table itself. Called by exposition*.c and metrics_doc.c.
#include "families.h"

#include "base/check.h"

static const struct family families[FAMILY_COUNT] = {
    [FAMILY_BUILD_INFO] = {"stoker_build_info", "gauge", "version",
                           "Always 1; the version of the running agent is the label."},
    [FAMILY_CPU] = {"process_cpu_seconds_total", "counter", "",
                    "User and system CPU time of the agent in seconds."},
    [FAMILY_START] = {"process_start_time_seconds", "gauge", "",
                      "Unix time at which the agent started."},
    [FAMILY_RESIDENT] = {"process_resident_memory_bytes", "gauge", "",
                         "Memory of the agent that is in RAM."},
    [FAMILY_VIRTUAL] = {"process_virtual_memory_bytes", "gauge", "", "Address space of the agent."},
    [FAMILY_OPEN_FDS] = {"process_open_fds", "gauge", "", "Open file descriptors of the agent."},
    [FAMILY_MAX_FDS] = {"process_max_fds", "gauge", "",
                        "Most file descriptors the agent may open."},
    [FAMILY_THREADS] = {"process_threads", "gauge", "", "Threads of the agent."},
    [FAMILY_MEMORY] = {"stoker_memory_bytes", "gauge", "room",
                       "Memory held now, by the part of the program that asked for it; that of "
                       "libraries, such as the Kafka client's queues, is only in "
                       "process_resident_memory_bytes."},
    [FAMILY_COMMIT] = {"stoker_commit_duration_seconds", "histogram", "",
                       "How long commits took, from their begin to the broker's answer."},
    [FAMILY_DURATION] = {"stoker_pipeline_duration_seconds", "histogram", "pipeline",
                         "Duration of the pipeline's ended runs."},
    [FAMILY_RUNS] = {"stoker_pipeline_runs_total", "counter", "pipeline",
                     "Ended runs of the pipeline."},
    [FAMILY_RECORDS] = {"stoker_pipeline_records_total", "counter", "pipeline",
                        "Records the pipeline's runs went through, running ones included."},
    [FAMILY_ERRORS] = {"stoker_pipeline_errors_total", "counter", "pipeline",
                       "Runs of the pipeline that failed or were lost."},
    [FAMILY_THROUGHPUT] = {"stoker_pipeline_throughput_records_per_second", "gauge", "pipeline",
                           "Records a second of the pipeline's newest ended run."},
    [FAMILY_OPEN] = {"stoker_pipeline_open_bottlenecks", "gauge", "pipeline, severity",
                     "Bottlenecks of the pipeline that are open now, by severity."},
};

const struct family *family_of(enum family_id id) {
    require((unsigned)id < FAMILY_COUNT);
    return &families[id];
}
