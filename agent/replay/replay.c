// replay: reads each log line by line, knowing of a line only when it happened and whose it is, and
// merges the logs by event time (a heap of them, the one whose line comes next on top). Called by
// the commands replay and demo; must never decode a line, nor stop at a bad one: it is noted and
// passed over.
#include "replay/replay.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog.h"
#include "replay/line.h"

#define AHEAD_LINES 100
#define AHEAD_BYTES ((size_t)8 << 20)
// A time farther than this from the beginning is a broken number, not a long run: obeying it would
// hold the play up for years.
#define RUN_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)

// One log that is being played.
struct source {
    struct eventlog *log;
    size_t index;     // of its path
    struct str line;  // the one to send next
    int64_t line_ms;  // when it happened, monotone; 0 = nothing told a time yet
    int64_t start_ms; // the earliest time of the lines looked at first; 0 = none
    bool need_line;   // `line` was sent: fetch the next before anything else
    bool ended;
    struct buf ahead; // lines read while looking for the application id, each with a line end
    size_t ahead_pos;
    struct buf app_id, attempt, key;
    uint64_t faults; // damaged, missing or unreadable parts met
};

struct replay {
    struct replay_options options;
    struct source *sources;
    size_t count;
    struct source **heap; // the logs not at their end
    size_t heap_len;
    int64_t origin_ms; // what play_ms is due when the play begins
    bool have_origin;
    int64_t began_ms; // the caller's clock at the first step
    bool began;
    struct replay_totals totals; // events and bytes; the rest is asked of the logs
};

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
        int64_t ms = line_time_ms(line);
        if (ms > 0 && (s->start_ms == 0 || ms < s->start_ms)) {
            s->start_ms = ms;
        }
        found = line_identity(line, &app_id, &attempt);
        if (found) {
            set_identity(s, app_id, attempt);
        }
        buf_add_str(&s->ahead, line);
        buf_add_char(&s->ahead, '\n');
    }
    return ST_OK;
}

// Opens the log and looks ahead. Statuses as replay_new.
static enum status source_open(struct source *s, const char *path, size_t index,
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

static void source_close(struct source *s) {
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

// Fetches the next line, or sets `ended`. ST_OK or ST_RETRY (a signal: call again).
static enum status source_advance(struct source *s, const struct replay_options *options,
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
    if (line_identity(s->line, &app_id, &attempt)) {
        set_identity(s, app_id, attempt); // logs may be joined: what follows belongs to this one
    }
    int64_t ms = line_time_ms(s->line);
    if (ms > 0 && s->start_ms == 0) {
        s->start_ms = s->line_ms = ms;
    }
    if (ms > s->line_ms && ms - s->start_ms <= RUN_MAX_MS) {
        s->line_ms = ms;
    }
    return ST_OK;
}

// The place of the log's next line on the common scale. A log that told no time yet comes first.
static int64_t play_ms(const struct replay *r, const struct source *s) {
    return r->options.align_starts ? s->line_ms - s->start_ms : s->line_ms;
}

static bool has_time(const struct replay *r, const struct source *s) {
    return r->options.align_starts || s->line_ms > 0;
}

static bool before(const struct replay *r, const struct source *a, const struct source *b) {
    int64_t x = play_ms(r, a), y = play_ms(r, b);
    return x != y ? x < y : a->index < b->index;
}

static void sift_down(struct replay *r, size_t at) {
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < r->heap_len; child++) {
            if (before(r, r->heap[child], r->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        struct source *s = r->heap[at];
        r->heap[at] = r->heap[least];
        r->heap[least] = s;
        at = least;
    }
}

void replay_free(struct replay *r) {
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        source_close(&r->sources[i]);
    }
    mem_free(r->sources);
    mem_free(r->heap);
    mem_free(r);
}

enum status replay_new(const char *const *paths, size_t count, const struct replay_options *options,
                       struct replay **out, struct err *err) {
    require(options->speed >= 0);
    struct replay *r = mem_zalloc(1, sizeof *r);
    r->options = *options;
    r->sources = mem_zalloc(count + 1, sizeof *r->sources);
    r->heap = mem_zalloc(count + 1, sizeof(struct source *));
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        enum status status = source_open(&r->sources[i], paths[i], i, options, err);
        r->count++;
        if (status == ST_OK) {
            status = source_advance(&r->sources[i], options, err);
        }
        if (status != ST_OK) {
            replay_free(r);
            return status;
        }
        if (!r->sources[i].ended) {
            r->heap[r->heap_len++] = &r->sources[i];
        }
    }
    for (size_t i = r->heap_len; i > 0; i--) {
        sift_down(r, i - 1);
    }
    *out = r;
    return ST_OK;
}

// The first event that tells a time is due now, and sets the scale for all others.
static void set_origin(struct replay *r, int64_t now_ms) {
    if (!r->have_origin && r->heap_len > 0 && has_time(r, r->heap[0])) {
        double played = (double)(now_ms - r->began_ms) * r->options.speed;
        r->origin_ms = play_ms(r, r->heap[0]) - (int64_t)fmin(played, 1e15);
        r->have_origin = true;
    }
}

// Brings the log whose line should come next to the top, fetching the line behind the one sent.
static enum status settle(struct replay *r, struct err *err) {
    while (r->heap_len > 0 && r->heap[0]->need_line) {
        enum status status = source_advance(r->heap[0], &r->options, err);
        if (status != ST_OK) {
            return status;
        }
        if (r->heap[0]->ended) {
            r->heap[0] = r->heap[--r->heap_len];
        }
        sift_down(r, 0);
    }
    return ST_OK;
}

int64_t replay_wait_ms(const struct replay *r, int64_t now_ms) {
    if (!r->began || r->heap_len == 0 || r->heap[0]->need_line || r->options.speed <= 0) {
        return 0;
    }
    double due = (double)(play_ms(r, r->heap[0]) - r->origin_ms) / r->options.speed;
    double wait = ceil(due - (double)(now_ms - r->began_ms));
    return wait > 0 ? (int64_t)fmin(wait, 1e15) : 0;
}

enum status replay_step(struct replay *r, int64_t now_ms,
                        enum status (*emit)(void *ctx, const struct replay_event *event,
                                            struct err *err),
                        void *ctx, bool *done, struct err *err) {
    if (!r->began) {
        r->began = true;
        r->began_ms = now_ms;
    }
    require(now_ms >= r->began_ms);
    *done = false;
    for (int i = 0; i < REPLAY_STEP_EVENTS; i++) {
        enum status status = settle(r, err);
        if (status != ST_OK) {
            return status;
        }
        set_origin(r, now_ms);
        *done = r->heap_len == 0;
        if (*done || replay_wait_ms(r, now_ms) > 0) {
            return ST_OK;
        }
        struct source *s = r->heap[0];
        require(!s->need_line && s->line.p != NULL); // settle left a line to send on top
        struct replay_event event = {.app_id = buf_str(&s->app_id),
                                     .attempt = buf_str(&s->attempt),
                                     .key = buf_str(&s->key),
                                     .value = s->line,
                                     .event_ms = s->line_ms,
                                     .log = s->index};
        status = emit(ctx, &event, err);
        if (status != ST_OK) {
            return status;
        }
        r->totals.events++;
        r->totals.bytes += s->line.len;
        s->need_line = true;
    }
    return ST_OK;
}

struct replay_totals replay_totals(const struct replay *r) {
    struct replay_totals totals = r->totals;
    for (size_t i = 0; i < r->count; i++) {
        totals.long_lines += eventlog_long_lines(r->sources[i].log);
        totals.faults += r->sources[i].faults;
    }
    return totals;
}

void replay_progress(const struct replay *r, uint64_t *done_bytes, uint64_t *total_bytes) {
    bool pipe = false;
    *done_bytes = *total_bytes = 0;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t done, total;
        eventlog_progress(r->sources[i].log, &done, &total);
        *done_bytes += done;
        *total_bytes += total;
        pipe = pipe || total == 0;
    }
    *total_bytes = pipe ? 0 : *total_bytes;
}
