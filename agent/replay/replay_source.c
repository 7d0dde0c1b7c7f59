// replay_source: reads one log ahead to learn whose it is, then line by line. Called by replay.c;
// must never stop at a bad line: it is noted and passed over.
#include "replay/replay_source.h"

#include <string.h>

#include "replay/replay_scan.h"

#define AHEAD_LINES 100
#define AHEAD_BYTES ((size_t)8 << 20)
// A time farther than this from the beginning is a broken number, not a long run: obeying it would
// hold the play up for years.
#define RUN_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

static void set_identity(struct source *s, struct str app_id, struct str attempt) {
    buf_clear(&s->app_id);
    buf_clear(&s->attempt);
    buf_clear(&s->key);
    buf_add_str(&s->app_id, app_id);
    buf_add_str(&s->attempt, attempt);
    buf_add_str(&s->key, app_id);
    if (attempt.len > 0) {
        buf_add_char(&s->key, '/');
        buf_add_str(&s->key, attempt);
    }
}

// The next line of the log itself; line->p == NULL at its end. Faults are noted.
static enum status read_line(struct source *s, const struct replay_options *options,
                             struct str *line, struct err *err) {
    struct err why = {0};
    for (;;) {
        enum status status = eventlog_next(s->log, line, NULL, &why);
        if (status != ST_SKIP) {
            return status == ST_OK ? ST_OK : err_set(err, status, "%s", why.text);
        }
        s->faults += line->p == NULL;
        if (options->note != NULL) {
            options->note(options->note_ctx, why.text);
        }
    }
}

static enum status look_ahead(struct source *s, const struct replay_options *options,
                              struct err *err) {
    bool found = false;
    for (int i = 0; i < AHEAD_LINES && s->ahead.len < AHEAD_BYTES && !found; i++) {
        struct str line, app_id, attempt;
        enum status status = read_line(s, options, &line, err);
        if (status != ST_OK) {
            return status;
        }
        if (line.p == NULL) {
            return ST_OK;
        }
        int64_t ms = replay_scan_time(line);
        if (ms > 0 && (s->start_ms == 0 || ms < s->start_ms)) {
            s->start_ms = ms;
        }
        found = replay_scan_identity(line, &app_id, &attempt);
        if (found) {
            set_identity(s, app_id, attempt);
        }
        buf_add_str(&s->ahead, line);
        buf_add_char(&s->ahead, '\n');
    }
    return ST_OK;
}

enum status source_open(struct source *s, const char *path, size_t index,
                        const struct replay_options *options, struct err *err) {
    struct str app_id, attempt;
    *s = (struct source){.index = index, .need_line = true};
    enum status status = eventlog_open(path, &s->log, err);
    if (status != ST_OK) {
        return status;
    }
    (void)eventlog_name_app_id(s->log, &app_id, &attempt);
    set_identity(s, app_id, attempt);
    status = look_ahead(s, options, err);
    s->line_ms = s->start_ms;
    return status;
}

void source_close(struct source *s) {
    eventlog_free(s->log);
    buf_fini(&s->ahead);
    buf_fini(&s->app_id);
    buf_fini(&s->attempt);
    buf_fini(&s->key);
    *s = (struct source){.ended = true};
}

// Takes the next of the lines that were read ahead. False if there is none left.
static bool take_ahead(struct source *s, struct str *line) {
    if (s->ahead_pos == s->ahead.len) {
        buf_fini(&s->ahead);
        s->ahead_pos = 0;
        return false;
    }
    const char *at = s->ahead.data + s->ahead_pos;
    const char *end = memchr(at, '\n', s->ahead.len - s->ahead_pos);
    *line = (struct str){at, (size_t)(end - at)};
    s->ahead_pos += line->len + 1;
    return true;
}

enum status source_advance(struct source *s, const struct replay_options *options,
                           struct err *err) {
    struct str app_id, attempt;
    if (!take_ahead(s, &s->line)) {
        enum status status = read_line(s, options, &s->line, err);
        if (status != ST_OK) {
            return status;
        }
    }
    s->need_line = false;
    s->ended = s->line.p == NULL;
    if (s->ended) {
        return ST_OK;
    }
    if (replay_scan_identity(s->line, &app_id, &attempt)) {
        set_identity(s, app_id, attempt); // logs may be joined: what follows belongs to this one
    }
    int64_t ms = replay_scan_time(s->line);
    if (ms > 0 && s->start_ms == 0) {
        s->start_ms = s->line_ms = ms;
    }
    if (ms > s->line_ms && ms - s->start_ms <= RUN_MAX_MS) {
        s->line_ms = ms;
    }
    return ST_OK;
}
