// agent_pages: what the agent shows of itself: readiness, /metrics, the landing page. Called by the
// agent's loop once a second; builds whole pages and hands them over, so a request never waits for
// the loop.
#include <string.h>

#include "agent_priv.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/landing.h"

enum { PAGE_EVERY_MS = 1000 };

struct stats_list {
    struct pipeline_stats *items;
    size_t len, cap;
};

static void add_stats(void *ctx, const struct pipeline_stats *stats) {
    struct stats_list *list = ctx;
    MEM_GROW(list->items, list->len, list->cap);
    list->items[list->len++] = *stats;
}

static int64_t skipped_events(void) {
    static const enum metric reasons[] = {METRIC_SKIP_MALFORMED,     METRIC_SKIP_NOT_AN_EVENT,
                                          METRIC_SKIP_INVALID_FIELD, METRIC_SKIP_TOO_LARGE,
                                          METRIC_SKIP_TOO_DEEP,      METRIC_SKIP_UNPLACED};
    int64_t sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        sum += metrics_get(reasons[i]);
    }
    return sum;
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
    if (!alertmanager_health(agent->alerts, &one)) {
        buf_printf(reason, "%sno Alertmanager answers", reason->len > 0 ? "; " : "");
        ready = false;
    }
    buf_fini(&one);
    return ready;
}

static void render_landing(struct agent *agent, const struct stats_list *stats, bool ready,
                           const char *reason, const char *details) {
    struct landing_pipeline *rows = mem_zalloc(stats->len, sizeof *rows);
    for (size_t i = 0; i < stats->len; i++) {
        const struct pipeline_stats *s = &stats->items[i];
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
                              .partitions = metrics_get(METRIC_PARTITIONS),
                              .events_read = metrics_get(METRIC_EVENTS_READ),
                              .events_skipped = skipped_events(),
                              .input_lag = metrics_get(METRIC_INPUT_LAG),
                              .newest_event_ms = metrics_get(METRIC_NEWEST_EVENT_SECONDS) * 1000,
                              .alerts_active = metrics_get(METRIC_ALERTS_ACTIVE),
                              .pipelines = rows,
                              .pipeline_count = stats->len};
    struct buf page = {0};
    landing_render_html(&landing, &page);
    http_publish(agent->http, HTTP_LANDING, &page);
    buf_clear(&page);
    landing_render_json(&landing, &page);
    http_publish(agent->http, HTTP_STATUS_JSON, &page);
    buf_fini(&page);
    mem_free(rows);
}

static void update_gauges(struct agent *agent) {
    struct worker_view sum = {0};
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker *worker = agent->workers[i];
        pthread_mutex_lock(&worker->lock);
        const struct worker_view *view = &worker->view;
        sum.lag += view->lag;
        sum.partitions += view->partitions;
        sum.loading += view->loading;
        sum.changelog_messages += view->changelog_messages;
        if (view->newest_event_ms > sum.newest_event_ms) {
            sum.newest_event_ms = view->newest_event_ms;
        }
        pthread_mutex_unlock(&worker->lock);
    }
    metrics_set(METRIC_NEWEST_EVENT_SECONDS, sum.newest_event_ms / 1000);
    metrics_set(METRIC_PARTITIONS, sum.partitions);
    metrics_set(METRIC_INPUT_LAG, sum.lag);
    metrics_set(METRIC_RESTORING, sum.loading);
    metrics_set(METRIC_CHANGELOG_MESSAGES, sum.changelog_messages);
}

void agent_publish_pages(struct agent *agent, int64_t now_ms) {
    if (agent->http == NULL || now_ms - agent->page_ms < PAGE_EVERY_MS) {
        return;
    }
    agent->page_ms = now_ms;
    update_gauges(agent);
    struct stats_list stats = {0};
    struct buf reason = {0}, details = {0}, page = {0};
    agent_each_pipeline(agent, add_stats, &stats);
    bool ready = agent_ready(agent, &reason);
    alertmanager_health(agent->alerts, &details);
    http_set_ready(agent->http, ready, buf_text(&reason), buf_text(&details));
    struct exposition_input input = {
        .version = STOKER_VERSION, .pipelines = stats.items, .pipeline_count = stats.len};
    exposition_read_process(&input.process);
    exposition_render(agent->exposition, &input, &page);
    http_publish(agent->http, HTTP_METRICS, &page);
    render_landing(agent, &stats, ready, buf_text(&reason), buf_text(&details));
    mem_free(stats.items);
    buf_fini(&reason);
    buf_fini(&details);
    buf_fini(&page);
}
