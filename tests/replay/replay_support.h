// replay_support: scratch logs and a sink that writes down what was sent. Included by
// the tests of replay only.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "replay/replay.h"

static char root[] = "/tmp/stoker-replay-XXXXXX";
static char paths[3][64];
static const char *const path_list[] = {paths[0], paths[1], paths[2]};

static inline int make_root(void **state) {
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    return mkdtemp(root) == NULL;
}

static inline int remove_root(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        unlink(paths[i]);
    }
    return rmdir(root);
}

static inline void put(size_t i, const char *name, const char *text) {
    snprintf(paths[i], sizeof paths[i], "%s/%s", root, name);
    FILE *f = fopen(paths[i], "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

#define T "1700000000"
#define START(id, attempt, ms)                                                                     \
    "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"x\",\"App ID\":\"" id             \
    "\",\"Timestamp\":" T ms attempt "}\n"
#define AT(ms) "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":" T ms "}\n"
#define LOG_START "{\"Event\":\"SparkListenerLogStart\"}\n"

struct sink {
    struct buf text; // key, time after T, and the log's index, a line each
    struct buf values;
    struct buf notes;
    int fail_after; // emits that succeed before one fails; -1: none fails
};

static inline enum status emit(void *ctx, const struct replay_event *event, struct err *err) {
    struct sink *sink = ctx;
    if (sink->fail_after == 0) {
        sink->fail_after = -1;
        return err_set(err, ST_RETRY, "full");
    }
    sink->fail_after--;
    buf_printf(&sink->text, "%.*s@%lld/%zu ", (int)event->key.len, event->key.p,
               event->event_ms > 0 ? (long long)(event->event_ms - 1700000000000) : -1, event->log);
    buf_add_str(&sink->values, event->value);
    buf_add_char(&sink->values, '\n');
    return ST_OK;
}

static inline void note(void *ctx, const char *words) {
    struct sink *sink = ctx;
    buf_printf(&sink->notes, "%s\n", words);
}

static inline void sink_fini(struct sink *sink) {
    buf_fini(&sink->text);
    buf_fini(&sink->values);
    buf_fini(&sink->notes);
}

static inline struct replay *open_logs(size_t count, double speed, bool align, struct sink *sink) {
    struct replay_options options = {
        .speed = speed, .align_starts = align, .note = note, .note_ctx = sink};
    struct replay *replay = NULL;
    struct err err = {0};
    *sink = (struct sink){.fail_after = -1};
    if (replay_new(path_list, count, &options, &replay, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return replay;
}

// Plays `count` logs as fast as possible and compares what was sent.
static inline void expect(size_t count, bool align, const char *want) {
    struct sink sink;
    struct replay *replay = open_logs(count, 0, align, &sink);
    bool done = false;
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_true(done);
    assert_string_equal(buf_text(&sink.text), want);
    sink_fini(&sink);
    replay_free(replay);
}

// More lines than one step takes, then `last`, as log 0.
static inline void put_many(struct buf *text, const char *last) {
    for (int i = 0; i < REPLAY_STEP_EVENTS + 5; i++) {
        buf_add_text(text, LOG_START);
    }
    buf_add_text(text, last);
    put(0, "local-1", buf_text(text));
}
