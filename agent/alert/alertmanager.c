// alertmanager: hands every alert to the queue of every URL. Called by the agent's loop. Must never
// wait for the network, drain aside.
#include "alert/alertmanager.h"

#include <curl/curl.h>
#include <pthread.h>
#include <unistd.h>

#include "alert_body.h"
#include "alert_queue.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

enum { BATCH_MAX = 256 };

struct alertmanager {
    struct queue **queues;
    size_t count;
    struct alertmanager_label *external; // owned texts
    size_t external_count;
    bool drained;
};

static bool has_control(const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return true;
        }
    }
    return false;
}

static enum status check_settings(const struct alertmanager_settings *settings, struct err *err) {
    if (settings->username != NULL && settings->bearer != NULL) {
        return err_set(err, ST_FATAL,
                       "alertmanager: basic authentication and a bearer token "
                       "exclude each other");
    }
    if (has_control(settings->bearer) || has_control(settings->user_agent)) {
        return err_set(err, ST_FATAL,
                       "alertmanager: the bearer token or user agent holds a "
                       "line end or another control character");
    }
    if (settings->ca_file != NULL && access(settings->ca_file, R_OK) != 0) {
        return err_set(err, ST_FATAL, "alertmanager: cannot read the CA file %s",
                       settings->ca_file);
    }
    return ST_OK;
}

static void copy_external(struct alertmanager *am, const struct alertmanager_settings *settings) {
    am->external_count = settings->external_count;
    am->external = mem_zalloc(settings->external_count + 1, sizeof *am->external);
    for (size_t i = 0; i < settings->external_count; i++) {
        am->external[i].name = mem_strdup(settings->external[i].name);
        am->external[i].value = mem_strdup(settings->external[i].value);
    }
}

static int64_t either(int64_t value, int64_t otherwise) {
    return value > 0 ? value : otherwise;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_start(void) {
    require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

enum status alertmanager_new(const struct alertmanager_settings *given, struct alertmanager **out,
                             struct err *err) {
    struct alertmanager_settings settings = *given;
    settings.timeout_ms = either(given->timeout_ms, 10000);
    enum status status = check_settings(&settings, err);
    if (status != ST_OK) {
        return status;
    }
    pthread_once(&curl_once, curl_start);
    struct alert_table_options options = {
        .resend_interval_ms = either(given->resend_interval_ms, 60000),
        .keep_resolved_ms = either(given->keep_resolved_ms, 900000),
        .alerts_max = given->alerts_max > 0 ? given->alerts_max : 10000,
        .batch_max = BATCH_MAX};
    struct alertmanager *am = mem_zalloc(1, sizeof *am);
    copy_external(am, &settings);
    am->queues = mem_zalloc(settings.url_count + 1, sizeof(struct queue *));
    while (am->count < settings.url_count) {
        size_t i = am->count;
        status =
            alert_queue_new(&settings, settings.urls[i], &options, i == 0, &am->queues[i], err);
        if (status != ST_OK) {
            alertmanager_free(am);
            return err_wrap(err, "alertmanager.urls[%zu]", i);
        }
        am->count++;
    }
    *out = am;
    return ST_OK;
}

void alertmanager_update(struct alertmanager *am, const void *holder, const struct alert *alerts,
                         size_t count, int64_t now_ms) {
    for (size_t i = 0; i < count; i++) {
        char *labels = alert_labels_render(&alerts[i], am->external, am->external_count);
        char *annotations = alert_annotations_render(&alerts[i]);
        for (size_t k = 0; k < am->count; k++) {
            alert_queue_put(am->queues[k], holder, labels, annotations, alerts[i].started_ms,
                            alerts[i].ended_ms, now_ms);
        }
        mem_free(annotations);
        mem_free(labels);
    }
}

void alertmanager_forget(struct alertmanager *am, const void *holder, const struct alert *alerts,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *labels = alert_labels_render(&alerts[i], am->external, am->external_count);
        for (size_t k = 0; k < am->count; k++) {
            alert_queue_remove(am->queues[k], holder, labels);
        }
        mem_free(labels);
    }
}

bool alertmanager_health(struct alertmanager *am, struct buf *out) {
    bool any = am->count == 0;
    for (size_t i = 0; i < am->count; i++) {
        any |= alert_queue_health(am->queues[i], out);
    }
    return any;
}

size_t alertmanager_firing(struct alertmanager *am) {
    return am->count == 0 ? 0 : alert_queue_firing(am->queues[0]);
}

bool alertmanager_drain(struct alertmanager *am, int64_t timeout_ms) {
    require(!am->drained);
    am->drained = true;
    int64_t deadline_ms = clock_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    for (size_t i = 0; i < am->count; i++) {
        alert_queue_stop(am->queues[i], deadline_ms);
    }
    bool all = true;
    for (size_t i = 0; i < am->count; i++) {
        all &= alert_queue_join(am->queues[i]);
    }
    return all;
}

void alertmanager_free(struct alertmanager *am) {
    if (am == NULL) {
        return;
    }
    if (!am->drained) {
        alertmanager_drain(am, 0);
    }
    for (size_t i = 0; i < am->count; i++) {
        alert_queue_free(am->queues[i]);
    }
    for (size_t i = 0; i < am->external_count; i++) {
        mem_free((char *)am->external[i].name);
        mem_free((char *)am->external[i].value);
    }
    mem_free(am->external);
    mem_free(am->queues);
    mem_free(am);
}
