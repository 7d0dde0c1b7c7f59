// fake_alertmanager: an HTTP server on loopback that keeps what is posted to it and answers as it
// is told, or not at all. For the tests of this folder; one thread per connection.
#pragma once

#include <jansson.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "alert/alert_doors.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

struct fake {
    struct MHD_Daemon *daemon;
    char url[64];
    pthread_mutex_t lock;
    pthread_cond_t news;
    unsigned status;        // answered
    const char *answer;     // body of the answer
    const char *refuse;     // requests that hold this text are answered 400
    bool hang;              // no answer until it is false again
    struct buf bodies[512]; // as they came
    size_t count;
    struct buf head; // method, path and headers of the last request
};

static inline enum MHD_Result fake_header(void *ctx, enum MHD_ValueKind kind, const char *key,
                                          const char *value) {
    (void)kind;
    buf_printf(ctx, "%s: %s\n", key, value);
    return MHD_YES;
}

static inline enum MHD_Result fake_finish(struct fake *fake, struct MHD_Connection *connection,
                                          const char *url, const char *method, struct buf *body) {
    pthread_mutex_lock(&fake->lock);
    buf_clear(&fake->head);
    buf_printf(&fake->head, "%s %s\n", method, url);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, fake_header, &fake->head);
    if (fake->count < sizeof fake->bodies / sizeof fake->bodies[0]) {
        buf_add_str(&fake->bodies[fake->count++], buf_str(body));
    }
    pthread_cond_broadcast(&fake->news);
    while (fake->hang) {
        pthread_cond_wait(&fake->news, &fake->lock);
    }
    bool refused = fake->refuse != NULL && strstr(buf_text(body), fake->refuse) != NULL;
    unsigned status = refused ? 400 : fake->status;
    const char *text = fake->answer;
    pthread_mutex_unlock(&fake->lock);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static inline enum MHD_Result fake_request(void *ctx, struct MHD_Connection *connection,
                                           const char *url, const char *method, const char *version,
                                           const char *data, size_t *size, void **state) {
    (void)version;
    if (*state == NULL) {
        *state = mem_zalloc(1, sizeof(struct buf));
        return MHD_YES;
    }
    if (*size > 0) {
        buf_add(*state, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return fake_finish(ctx, connection, url, method, *state);
}

static inline void fake_done(void *ctx, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode code) {
    (void)ctx, (void)connection, (void)code;
    if (*state != NULL) {
        buf_fini(*state);
        mem_free(*state);
    }
}

static inline struct fake *fake_new(void) {
    struct fake *fake = mem_zalloc(1, sizeof *fake);
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->news, NULL);
    fake->status = 200;
    fake->answer = "";
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fake->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
                                    0, NULL, NULL, fake_request, fake, MHD_OPTION_SOCK_ADDR, &any,
                                    MHD_OPTION_NOTIFY_COMPLETED, fake_done, NULL, MHD_OPTION_END);
    require(fake->daemon != NULL);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%d",
             MHD_get_daemon_info(fake->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return fake;
}

static inline void fake_set(struct fake *fake, unsigned status, const char *answer, bool hang) {
    pthread_mutex_lock(&fake->lock);
    fake->status = status;
    fake->answer = answer;
    fake->hang = hang;
    pthread_cond_broadcast(&fake->news);
    pthread_mutex_unlock(&fake->lock);
}

// Waits for request number `count` (from 1), 30 s at most, and returns its body parsed, or NULL.
static inline json_t *fake_wait(struct fake *fake, size_t count) {
    int64_t until_ms = clock_wall_ms() + 30000;
    struct timespec at = {.tv_sec = until_ms / 1000};
    json_t *body = NULL;
    pthread_mutex_lock(&fake->lock);
    while (fake->count < count && pthread_cond_timedwait(&fake->news, &fake->lock, &at) == 0) {
    }
    if (fake->count >= count) {
        body = json_loadb(fake->bodies[count - 1].data, fake->bodies[count - 1].len, 0, NULL);
    }
    pthread_mutex_unlock(&fake->lock);
    return body;
}

static inline size_t fake_count(struct fake *fake) {
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->count;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

static inline void fake_free(struct fake *fake) {
    fake_set(fake, 200, "", false);
    MHD_stop_daemon(fake->daemon);
    for (size_t i = 0; i < fake->count; i++) {
        buf_fini(&fake->bodies[i]);
    }
    buf_fini(&fake->head);
    pthread_cond_destroy(&fake->news);
    pthread_mutex_destroy(&fake->lock);
    mem_free(fake);
}

static inline struct alert alert_of(const char *name, const char *pipeline, int64_t ended_ms) {
    struct alert alert = {.severity = "warning",
                          .kind = "data_skew",
                          .cluster = "prod",
                          .summary = "Pipeline slowed by skewed data",
                          .description = "numbers",
                          .started_ms = 1767323045678,
                          .ended_ms = ended_ms};
    snprintf(alert.name, sizeof alert.name, "%s", name);
    snprintf(alert.pipeline, sizeof alert.pipeline, "%s", pipeline);
    return alert;
}

// An open door to Alertmanagers with these settings; the defaults where they say nothing.
static inline struct alert_doors *open_door(const struct alert_settings *settings) {
    unsigned count;
    struct alert_target target = {alert_door_table(&count)[0], *settings};
    struct alert_doors *doors = NULL;
    struct err err;
    assert_string_equal(target.door->name, "alertmanager");
    assert_int_equal(alert_doors_new(&target, 1, &doors, &err), ST_OK);
    return doors;
}

static inline struct alert_doors *door_to(const char *url, const char *second, int64_t resend_ms) {
    const char *urls[] = {url, second};
    return open_door(&(struct alert_settings){.urls = urls,
                                              .url_count = second != NULL ? 2 : 1,
                                              .resend_interval_ms = resend_ms,
                                              .timeout_ms = 20000});
}

static inline void tell(struct alert_doors *doors, const char *pipeline, int64_t ended_ms) {
    struct alert alert = alert_of("PipelineDataSkew", pipeline, ended_ms);
    alert_doors_update(doors, NULL, &alert, 1, clock_wall_ms());
}

// Waits until the doors' health lines say `text`; 30 s at most.
static inline void wait_health(struct alert_doors *doors, const char *text) {
    struct buf seen = {0};
    for (int i = 0; i < 3000 && strstr(buf_text(&seen), text) == NULL; i++) {
        buf_clear(&seen);
        (void)alert_doors_health(doors, &seen);
        clock_sleep_ms(10);
    }
    if (strstr(buf_text(&seen), text) == NULL) {
        print_error("health: %s, wanted: %s\n", buf_text(&seen), text);
        fail();
    }
    buf_fini(&seen);
}
