// agent: see the header. Starts and ends the workers, watches them, keeps the pages fresh. What a
// message does is in worker_take.c, when it counts in worker_commit.c.
#include "agent_priv.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum {
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
            status = err_set(err, ST_FATAL, "the system gives no thread for worker %d", i);
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
        status = http_new(options->http_listen, &agent->http, err);
    }
    if (status == ST_OK) {
        status = alertmanager_new(&options->alerts, &agent->alerts, err);
    }
    if (status == ST_OK) {
        status = start_workers(agent, err);
    }
    if (status != ST_OK) {
        agent_free(agent);
        return ST_FATAL;
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
        agent_publish_pages(agent, now_ms);
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
        alertmanager_drain(agent->alerts, DRAIN_MS);
    }
    alertmanager_free(agent->alerts);
    http_free(agent->http);
    exposition_free(agent->exposition);
    mem_free(agent);
}

uint16_t agent_http_port(const struct agent *agent) {
    return agent->http == NULL ? 0 : http_port(agent->http);
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
