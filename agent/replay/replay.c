// replay: reads each log line by line, knowing of a line only when it happened and whose it is, and
// merges the logs by event time (a heap of them, the one whose line comes next on top). Called by
// the commands replay and demo; must never decode a line, nor stop at a bad one: it is noted and
// passed over.
#include "replay/replay.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "eventlog/eventlog.h"

#define ID_MAX_BYTES 256
#define TIME_MIN_MS INT64_C(946684800000)    // 2000: anything before is not a time
#define TIME_MAX_MS INT64_C(253402300799999) // the end of the year 9999
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

struct kind_key {
    struct str event; // as the line begins
    struct str key;
};

#define CORE "{\"Event\":\"SparkListener"
#define SQL "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListener"

// Where the kind says which of several times is meant. The most frequent kinds come first.
static const struct kind_key kind_keys[] = {
    {{CORE "TaskEnd\"", sizeof CORE "TaskEnd\"" - 1}, {"\"Finish Time\":", 14}},
    {{CORE "TaskStart\"", sizeof CORE "TaskStart\"" - 1}, {"\"Launch Time\":", 14}},
    {{CORE "StageCompleted\"", sizeof CORE "StageCompleted\"" - 1}, {"\"Completion Time\":", 18}},
    {{CORE "StageSubmitted\"", sizeof CORE "StageSubmitted\"" - 1}, {"\"Submission Time\":", 18}},
    {{CORE "JobStart\"", sizeof CORE "JobStart\"" - 1}, {"\"Submission Time\":", 18}},
    {{CORE "JobEnd\"", sizeof CORE "JobEnd\"" - 1}, {"\"Completion Time\":", 18}},
    {{SQL, sizeof SQL - 1}, {"\"time\":", 7}},
};

static const struct str any_keys[] = {
    {"\"Timestamp\":", 12},   {"\"Submission Time\":", 18}, {"\"Completion Time\":", 18},
    {"\"Finish Time\":", 14}, {"\"Launch Time\":", 14},     {"\"time\":", 7},
};

// The text behind the first `key` of the line, blanks passed over; p == NULL if there is none.
static struct str behind(struct str line, struct str key) {
    const char *at = memmem(line.p, line.len, key.p, key.len);
    if (at == NULL) {
        return (struct str){NULL, 0};
    }
    const char *end = line.p + line.len;
    for (at += key.len; at < end && (*at == ' ' || *at == '\t'); at++) {
    }
    return (struct str){at, (size_t)(end - at)};
}

static int64_t time_behind(struct str line, struct str key) {
    struct str rest = behind(line, key);
    size_t digits = 0;
    int64_t ms = 0;
    while (digits < rest.len && digits < 20 && isdigit((unsigned char)rest.p[digits])) {
        digits++;
    }
    if (digits == 0 || !str_to_i64((struct str){rest.p, digits}, &ms) || ms < TIME_MIN_MS ||
        ms > TIME_MAX_MS) {
        return 0;
    }
    return ms;
}

// The time of the event in ms since 1970, 0 if the line tells none, by the key that fits the kind
// of event, else by any key that holds a time. A key in quotes followed by a colon cannot occur
// inside a JSON string (its quotes would be escaped), so searching for it is safe.
static int64_t scan_time(struct str line) {
    for (size_t i = 0; i < ARRAY_LEN(kind_keys); i++) {
        if (str_starts(line, kind_keys[i].event)) {
            int64_t ms = time_behind(line, kind_keys[i].key);
            if (ms > 0) {
                return ms;
            }
            break;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(any_keys); i++) {
        int64_t ms = time_behind(line, any_keys[i]);
        if (ms > 0) {
            return ms;
        }
    }
    return 0;
}

// The string behind `key`, empty if there is none or it needs unescaping.
static struct str text_behind(struct str line, struct str key) {
    struct str rest = behind(line, key);
    if (rest.len == 0 || rest.p[0] != '"') {
        return STR("");
    }
    for (size_t i = 1; i < rest.len && i <= ID_MAX_BYTES; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if (c == '"') {
            return (struct str){rest.p + 1, i - 1};
        }
        if (c == '\\' || c < ' ') {
            break;
        }
    }
    return STR("");
}

// If `line` is an ApplicationStart that tells a usable application id: true, and the id and attempt
// ("" if none) as views into the line.
static bool scan_identity(struct str line, struct str *app_id, struct str *attempt) {
    if (!str_starts(line, STR("{\"Event\":\"SparkListenerApplicationStart\""))) {
        return false;
    }
    *app_id = text_behind(line, STR("\"App ID\":"));
    *attempt = text_behind(line, STR("\"App Attempt ID\":"));
    return app_id->len > 0;
}

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
        int64_t ms = scan_time(line);
        if (ms > 0 && (s->start_ms == 0 || ms < s->start_ms)) {
            s->start_ms = ms;
        }
        found = scan_identity(line, &app_id, &attempt);
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
    if (scan_identity(s->line, &app_id, &attempt)) {
        set_identity(s, app_id, attempt); // logs may be joined: what follows belongs to this one
    }
    int64_t ms = scan_time(s->line);
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
