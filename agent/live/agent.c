// agent: see the header. Starts and ends the workers, watches them, and shows what they say of
// themselves: readiness, /metrics, the landing page. Pages are built whole once a second and handed
// over, so a request never waits for the loop. What a message does and when it counts is in
// worker.c.
#include "live/agent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "live/due.h"
#include "serve/exposition.h"
#include "serve/http.h"
#include "serve/landing.h"
#include "worker.h"

struct agent {
    struct agent_options options;
    struct alert_doors *alerts;
    struct http *http;
    struct exposition *exposition;
    struct worker **workers; // owned
    int worker_count, threads;
    int64_t started_ms, added_up_ms; // the second: monotonic
    struct due_memory memory;
    int64_t stuck_since_ms; // monotonic time since when a worker stands still, 0: none does
};

enum {
    ADD_UP_EVERY_MS = 1000,
    TURN_MS = 100,
    DRAIN_MS = 5000,
    STEP_MS = 50,
    SILENT_MS = 5000,     // a turn that takes longer waits for something
    ANSWERING_MS = 15000, // brokers are asked for something more often than that
    STUCK_MS = 60000
};

static void *run_worker(void *arg) {
    struct worker *worker = arg;
    struct err err = {0};
    enum status status = ST_OK;
    while (!atomic_load(&worker->stop) && status == ST_OK) {
        status = worker_turn(worker, TURN_MS, &err);
    }
    if (status != ST_OK) {
        pthread_mutex_lock(&worker->lock);
        worker->view.status = status;
        str_copy(worker->view.fatal, sizeof worker->view.fatal, str_of(err.text));
        pthread_mutex_unlock(&worker->lock);
    }
    return NULL;
}

static enum status start_workers(struct agent *agent, struct err *err) {
    int count = agent->options.workers > 0 ? agent->options.workers : 1;
    agent->workers = mem_zalloc((size_t)count, sizeof *agent->workers);
    enum status status = ST_OK;
    while (agent->worker_count < count && status == ST_OK) {
        struct worker *worker = NULL;
        status = worker_new(&agent->options, agent->alerts, agent->worker_count, &worker, err);
        if (status == ST_OK) {
            agent->workers[agent->worker_count++] = worker;
        }
    }
    for (int i = 0; i < agent->options.workers && status == ST_OK; i++) {
        if (pthread_create(&agent->workers[i]->thread, NULL, run_worker, agent->workers[i]) != 0) {
            status = err_set(err, ST_RETRY, "the system gives no thread for worker %d", i);
        } else {
            agent->threads++;
        }
    }
    return status;
}

enum status agent_new(const struct agent_options *options, struct agent **out, struct err *err) {
    struct agent *agent = mem_zalloc(1, sizeof *agent);
    agent->options = *options;
    agent->started_ms = clock_wall_ms();
    agent->exposition = exposition_new(options->metrics_pipelines_max);
    enum status status = ST_OK;
    if (options->http_listen[0] != '\0') {
        struct http_options http = {.listen = options->http_listen,
                                    .hosts = options->http_hosts,
                                    .host_count = options->http_host_count,
                                    .web = options->http_web};
        status = http_new(&http, &agent->http, err);
    }
    if (status == ST_OK) {
        status = alert_doors_new(options->alert_targets, options->alert_target_count,
                                 &agent->alerts, err);
    }
    if (status == ST_OK) {
        status = start_workers(agent, err);
    }
    if (status != ST_OK) {
        agent_free(agent);
        return status == ST_RETRY ? ST_RETRY : ST_FATAL;
    }
    *out = agent;
    return ST_OK;
}

// A call of the library may never return (librdkafka #5456, #5511). It cannot be ended, nor can the
// thread in it be joined. What it was about was not committed, so the process ends as if it was
// killed: whoever supervises it starts it again. While the brokers are away it is right to wait.
static void watch_turns(struct agent *agent, const struct worker *worker, int64_t now_ms) {
    int64_t stuck_ms = agent->options.stuck_ms > 0 ? agent->options.stuck_ms : STUCK_MS;
    if (worker == NULL || now_ms - kafka_answered_ms() > ANSWERING_MS) {
        agent->stuck_since_ms = 0;
    } else if (agent->stuck_since_ms == 0) {
        agent->stuck_since_ms = now_ms;
    } else if (now_ms - agent->stuck_since_ms > stuck_ms) {
        log_error("worker_stuck", "worker=%s librdkafka=%s error=%s", worker->id,
                  kafka_library_version(),
                  "a call of the library does not return although the brokers answer: ending, to "
                  "be started again");
        _exit(EXIT_FAILURE);
    }
}

// ST_FATAL if a worker has ended.
static enum status watch(struct agent *agent, int64_t now_ms, struct err *err) {
    enum status status = ST_OK;
    struct worker *silent = NULL;
    for (int i = 0; i < agent->worker_count && status == ST_OK; i++) {
        struct worker *worker = agent->workers[i];
        if (now_ms - atomic_load(&worker->beat_ms) > SILENT_MS) {
            silent = worker;
        }
        pthread_mutex_lock(&worker->lock);
        if (worker->view.status != ST_OK) {
            status = err_set(err, ST_FATAL, "%s", worker->view.fatal);
        }
        pthread_mutex_unlock(&worker->lock);
    }
    if (status == ST_OK) {
        watch_turns(agent, silent, now_ms);
    }
    return status;
}

void agent_each_pipeline(struct agent *agent,
                         void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker *worker = agent->workers[i];
        pthread_mutex_lock(&worker->lock);
        for (size_t s = 0; s < worker->view.stats_count; s++) {
            each(ctx, &worker->view.stats[s]);
        }
        pthread_mutex_unlock(&worker->lock);
    }
}

bool agent_ready(struct agent *agent, struct buf *reason) {
    bool ready = true;
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker *worker = agent->workers[i];
        pthread_mutex_lock(&worker->lock);
        const struct worker_view *view = &worker->view;
        if (!view->ready &&
            !memmem(buf_text(reason), reason->len, view->reason, strlen(view->reason))) {
            buf_add_text(reason, reason->len > 0 ? "; " : "");
            buf_add_text(reason, view->reason[0] == '\0' ? "starting" : view->reason);
        }
        ready = ready && view->ready;
        pthread_mutex_unlock(&worker->lock);
    }
    struct buf one = {0};
    const char *silent = alert_doors_health(agent->alerts, &one);
    if (silent != NULL) {
        buf_printf(reason, "%sno %s answers", reason->len > 0 ? "; " : "", silent);
        ready = false;
    }
    buf_fini(&one);
    if (agent->options.also_ready != NULL) {
        ready = agent->options.also_ready(agent->options.ready_ctx, reason) && ready;
    }
    return ready;
}

// What all workers show, added up.
struct agent_view {
    int64_t lag, newest_event_ms, partitions, loading, changelog_messages;
    int64_t events_read, events_skipped, records_loaded;
    const char *full; // a setting whose limit is reached
    int64_t partitions_full;
    struct pipeline_stats *stats;
    size_t stats_count, stats_cap;
};

static void add_stats(void *ctx, const struct pipeline_stats *stats) {
    struct agent_view *sum = ctx;
    MEM_GROW(sum->stats, sum->stats_count, sum->stats_cap);
    sum->stats[sum->stats_count++] = *stats;
}

static void add_up(struct agent *agent, struct agent_view *sum) {
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker *worker = agent->workers[i];
        pthread_mutex_lock(&worker->lock);
        const struct worker_view *view = &worker->view;
        sum->lag += view->lag;
        sum->partitions += view->partitions;
        sum->loading += view->loading;
        sum->changelog_messages += view->changelog_messages;
        sum->events_read += view->events_read;
        sum->events_skipped += view->events_skipped;
        sum->records_loaded += view->records_loaded;
        sum->partitions_full += view->partitions_full;
        sum->full = view->partitions_full > 0 ? view->full : sum->full;
        if (view->newest_event_ms > sum->newest_event_ms) {
            sum->newest_event_ms = view->newest_event_ms;
        }
        pthread_mutex_unlock(&worker->lock);
    }
    agent_each_pipeline(agent, add_stats, sum);
}

static void set_gauges(const struct agent_view *sum) {
    metrics_set(METRIC_NEWEST_EVENT_SECONDS, sum->newest_event_ms / 1000);
    metrics_set(METRIC_PARTITIONS, sum->partitions);
    metrics_set(METRIC_INPUT_LAG, sum->lag);
    metrics_set(METRIC_RESTORING, sum->loading);
    metrics_set(METRIC_CHANGELOG_MESSAGES, sum->changelog_messages);
}

static void publish_landing(struct agent *agent, const struct agent_view *sum, bool ready,
                            const char *reason, const char *details) {
    struct landing_pipeline *rows = mem_zalloc(sum->stats_count, sizeof *rows);
    for (size_t i = 0; i < sum->stats_count; i++) {
        const struct pipeline_stats *s = &sum->stats[i];
        rows[i] = (struct landing_pipeline){
            .name = s->pipeline,
            .runs = s->runs,
            .last_status = s->runs > 0 ? run_status_name(s->last_status) : "",
            .last_duration_s = s->runs > 0 ? s->last_duration_s : -1,
            .records_per_s = s->runs > 0 ? s->records_per_s : -1};
        memcpy(rows[i].open, s->open_bottlenecks, sizeof rows[i].open);
    }
    struct landing landing = {.version = STOKER_VERSION,
                              .cluster = agent->options.cluster,
                              .instance = agent->options.instance,
                              .now_ms = clock_wall_ms(),
                              .started_ms = agent->started_ms,
                              .ready = ready,
                              .reason = reason,
                              .details = details,
                              .partitions = sum->partitions,
                              .events_read = sum->events_read,
                              .events_skipped = sum->events_skipped,
                              .input_lag = sum->lag,
                              .newest_event_ms = sum->newest_event_ms / 1000 * 1000,
                              .alerts_active = (int64_t)alert_doors_firing(agent->alerts),
                              .pipelines = rows,
                              .pipeline_count = sum->stats_count};
    struct buf page = {0};
    landing_render_html(&landing, &page);
    http_publish(agent->http, HTTP_LANDING, &page);
    buf_clear(&page);
    landing_render_json(&landing, &page);
    http_publish(agent->http, HTTP_STATUS_JSON, &page);
    buf_fini(&page);
    mem_free(rows);
}

static void publish_pages(struct agent *agent, const struct agent_view *sum) {
    struct buf reason = {0}, details = {0}, page = {0};
    set_gauges(sum);
    bool ready = agent_ready(agent, &reason);
    (void)alert_doors_health(agent->alerts, &details);
    if (sum->partitions_full > 0) {
        buf_printf(&details,
                   "%s is reached in %lld partitions: what is new pushes out what is old\n",
                   sum->full, (long long)sum->partitions_full);
    }
    http_set_ready(agent->http, ready, buf_text(&reason), buf_text(&details));
    struct exposition_input input = {
        .version = STOKER_VERSION, .pipelines = sum->stats, .pipeline_count = sum->stats_count};
    exposition_read_process(&input.process);
    exposition_render(agent->exposition, &input, &page);
    http_publish(agent->http, HTTP_METRICS, &page);
    publish_landing(agent, sum, ready, buf_text(&reason), buf_text(&details));
    buf_fini(&reason);
    buf_fini(&details);
    buf_fini(&page);
}

// What fetched events took, and state while it was read back, stays with the allocator: it would be
// paid for ever after.
static void give_memory_back(struct agent *agent, const struct agent_view *sum, int64_t now_ms) {
    int64_t events_read = sum->events_read + sum->records_loaded;
    if (due_for_memory(&agent->memory, now_ms, events_read, sum->lag)) {
        kafka_give_memory_back();
        log_debug("memory_given_back", "events=%lld", (long long)events_read);
    }
}

static void each_second(struct agent *agent, int64_t now_ms) {
    if (now_ms - agent->added_up_ms < ADD_UP_EVERY_MS) {
        return;
    }
    agent->added_up_ms = now_ms;
    struct agent_view sum = {0};
    add_up(agent, &sum);
    if (agent->http != NULL) {
        publish_pages(agent, &sum);
    }
    give_memory_back(agent, &sum, now_ms);
    mem_free(sum.stats);
}

enum status agent_step(struct agent *agent, int budget_ms, struct err *err) {
    int64_t start_ms = clock_mono_ms(), now_ms;
    enum status status = ST_OK;
    if (agent->options.workers == 0) {
        status = worker_turn(agent->workers[0], budget_ms, err);
    }
    do {
        now_ms = clock_mono_ms();
        if (status == ST_OK) {
            status = watch(agent, now_ms, err);
        }
        if (agent->http != NULL) {
            http_beat(agent->http, now_ms);
        }
        each_second(agent, now_ms);
        int64_t left_ms = start_ms + budget_ms - now_ms;
        if (status == ST_OK && agent->options.workers > 0 && left_ms > 0) {
            clock_sleep_ms(left_ms < STEP_MS ? (int)left_ms : STEP_MS);
        }
    } while (status == ST_OK && agent->options.workers > 0 &&
             clock_mono_ms() - start_ms < budget_ms);
    return status;
}

static void stop_workers(struct agent *agent) {
    for (int i = 0; i < agent->worker_count; i++) {
        atomic_store(&agent->workers[i]->stop, true);
    }
    for (int i = 0; i < agent->threads; i++) {
        pthread_join(agent->workers[i]->thread, NULL);
    }
    for (int i = 0; i < agent->worker_count; i++) {
        worker_free(agent->workers[i]);
    }
    mem_free(agent->workers);
}

void agent_free(struct agent *agent) {
    if (agent == NULL) {
        return;
    }
    stop_workers(agent);
    if (agent->alerts != NULL) {
        alert_doors_drain(agent->alerts, DRAIN_MS);
    }
    alert_doors_free(agent->alerts);
    http_free(agent->http);
    exposition_free(agent->exposition);
    mem_free(agent);
}

uint16_t agent_http_port(const struct agent *agent) {
    return agent->http == NULL ? 0 : http_port(agent->http);
}
