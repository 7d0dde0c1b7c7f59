// eventlog: opens a log's parts one after the other, unpacks them into the log's buffer and cuts
// that into lines, in place. Called by analyze, replay and demo, for every line of every log: it
// must do nothing per line but look for its end, and never let one bad part spoil the others.
#include "eventlog/eventlog.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

struct eventlog {
    char *name;
    struct str app_id, attempt; // views into `name`
    bool known_form;
    bool in_progress;

    struct parts parts;
    size_t next_part; // the one to open next
    size_t checked;   // parts whose gap was spoken of
    struct input input;
    bool input_open;
    const struct codec *codec; // NULL until the first bytes were seen
    void *codec_state;
    bool part_ended;    // no more text will come from the open part
    bool fresh;         // its first bytes of text were not looked at yet
    struct err pending; // words to hand out when the lines before are gone; ST_OK: none

    char *data; // text not handed out yet is [pos, end), [pos, scanned) holds no line end
    size_t cap, read_bytes, pos, scanned, end;
    size_t max_line;
    char *head;   // of a line beyond the limit
    bool passing; // within such a line: drop text until its end
    bool cut;
    uint64_t long_lines;
    uint64_t done_before; // bytes of the parts read already
    uint64_t total_bytes;
};

static void close_part(struct eventlog *log) {
    if (log->codec != NULL) {
        log->codec->destroy(log->codec_state);
    }
    if (log->input_open) {
        log->done_before += log->input.read_total;
        input_fini(&log->input);
    }
    log->codec = NULL;
    log->input_open = false;
}

// The input of one is there.
static void begin_part(struct eventlog *log) {
    log->input_open = true;
    log->part_ended = false;
    log->fresh = true;
}

// The path of the open part.
static const char *part_path(const struct eventlog *log) {
    return log->next_part > 0 ? log->parts.items[log->next_part - 1].path : log->name;
}

// Opens the next part, or sets log->pending to why not (a gap is said first). False: there is none.
static bool next_part(struct eventlog *log) {
    close_part(log);
    if (log->next_part == log->parts.len) {
        return false;
    }
    if (log->checked == log->next_part) {
        log->checked++;
        if (parts_check(&log->parts, log->next_part, &log->pending) != ST_OK) {
            err_wrap(&log->pending, "%s", log->name);
            return true;
        }
    }
    const char *path = log->parts.items[log->next_part++].path;
    if (input_init_path(&log->input, path, &log->pending) == ST_OK) {
        begin_part(log);
    }
    return true;
}

// Chooses how to unpack the open part by its first bytes.
static enum status choose_codec(struct eventlog *log, struct err *err) {
    struct str first;
    struct err ignored = {0};
    const struct codec *codec = NULL;
    err = err == NULL ? &ignored : err;
    enum status status = input_peek(&log->input, &first, err);
    if (status == ST_OK) {
        status = codec_choose(log_name_base(str_of(part_path(log))), first, &codec, err);
    }
    if (status == ST_SKIP) {
        return err_wrap(err, "%s", part_path(log));
    }
    if (status == ST_OK) {
        log->codec = codec;
        log->codec_state = codec->create();
    }
    return status;
}

// Makes room behind log->end. Lines beyond the limit are never kept, so this stays bounded.
static void make_room(struct eventlog *log) {
    if (log->pos > 0) {
        memmove(log->data, log->data + log->pos, log->end - log->pos);
        log->end -= log->pos;
        log->scanned -= log->pos;
        log->pos = 0;
    }
    if (log->end == log->cap) {
        size_t limit = log->max_line + 2 + log->read_bytes;
        size_t cap = log->cap * 2 < limit ? log->cap * 2 : limit;
        log->data = mem_resize(log->data, cap + EVENTLOG_PADDING, 1);
        memset(log->data + log->cap, 0, cap + EVENTLOG_PADDING - log->cap);
        log->cap = cap;
    }
}

static enum status unpack(struct eventlog *log, struct err *err) {
    if (log->codec == NULL) {
        enum status status = choose_codec(log, err);
        if (status != ST_OK) {
            return status;
        }
    }
    size_t got = 0;
    enum status status = log->codec->read(log->codec_state, &log->input, log->data + log->end,
                                          log->cap - log->end, &got, err);
    log->end += got;
    if (status == ST_SKIP) {
        return err_wrap(err, "%s: damaged near byte %llu", part_path(log),
                        (unsigned long long)input_offset(&log->input));
    }
    log->part_ended = status == ST_OK && got == 0;
    return status;
}

// Looks at the first two bytes of a part's text, once they are there. ST_SKIP, and the text is
// dropped, if they are of an encoding that writes a brace with a NUL.
static enum status look_at_start(struct eventlog *log, struct err *err) {
    const char *at = log->data + log->pos;
    if (log->end - log->pos < 2) {
        log->fresh = !log->part_ended;
        return ST_OK;
    }
    log->fresh = false;
    if (memcmp(at, "\xff\xfe", 2) != 0 && memcmp(at, "\xfe\xff", 2) != 0 &&
        memcmp(at, "{\0", 2) != 0 && at[0] != '\0') {
        return ST_OK;
    }
    log->pos = log->scanned = log->end;
    return err_set(err, ST_SKIP, "%s: not UTF-8 text, UTF-16 perhaps: convert it first, as with %s",
                   part_path(log), "iconv -f UTF-16 -t UTF-8");
}

// Adds text behind log->end, or notes the end of the part and what was wrong with it. ST_RETRY only
// if the wait for input was interrupted.
static enum status fill(struct eventlog *log, struct err *err) {
    struct err why = {0};
    make_room(log);
    enum status status = unpack(log, &why);
    log->part_ended |= status == ST_SKIP;
    if (log->fresh && status != ST_RETRY && look_at_start(log, &why) != ST_OK) {
        status = ST_SKIP;
    }
    if (status == ST_SKIP) {
        log->pending = why;
        log->part_ended = true;
        return ST_OK;
    }
    if (status != ST_OK && err != NULL) {
        *err = why;
    }
    return status;
}

static enum status give_long(struct eventlog *log, struct str *line, size_t *readable,
                             struct err *err) {
    log->passing = false;
    log->long_lines++;
    *line = (struct str){log->head,
                         EVENTLOG_HEAD_BYTES < log->max_line ? EVENTLOG_HEAD_BYTES : log->max_line};
    *readable = EVENTLOG_HEAD_BYTES + EVENTLOG_PADDING;
    return err_set(err, ST_SKIP, "%s: a line is longer than %zu bytes", log->name, log->max_line);
}

static void keep_head(struct eventlog *log) {
    if (log->head == NULL) {
        log->head = mem_zalloc(EVENTLOG_HEAD_BYTES + EVENTLOG_PADDING, 1);
    }
    size_t len = log->end - log->pos;
    memcpy(log->head, log->data + log->pos, len < EVENTLOG_HEAD_BYTES ? len : EVENTLOG_HEAD_BYTES);
}

// Takes the text up to `end` (a line end, or the end of the text) as a line. False if it is empty.
static bool give_line(struct eventlog *log, size_t end, struct str *line, size_t *readable,
                      enum status *status, struct err *err) {
    char *at = log->data + log->pos;
    size_t len = end - log->pos;
    if (log->passing) {
        *status = give_long(log, line, readable, err);
        return true;
    }
    if (len > 0 && at[len - 1] == '\r') {
        len--;
    }
    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) { // a file begins here, perhaps of several
        at += 3;
        len -= 3;
    }
    if (len > log->max_line) {
        keep_head(log);
        *status = give_long(log, line, readable, err);
        return true;
    }
    *line = (struct str){at, len};
    *readable = (size_t)(log->data + log->cap + EVENTLOG_PADDING - at);
    *status = ST_OK;
    return len > 0;
}

// The next line that has a line end, if the buffer holds one.
static bool take_line(struct eventlog *log, struct str *line, size_t *readable, enum status *status,
                      struct err *err) {
    for (;;) {
        const char *from = log->data + log->scanned;
        const char *nl = memchr(from, '\n', log->end - log->scanned);
        if (nl == NULL) {
            break;
        }
        size_t end = (size_t)(nl - log->data);
        bool given = give_line(log, end, line, readable, status, err);
        log->pos = log->scanned = end + 1;
        if (given) {
            log->cut = false;
            return true;
        }
    }
    log->scanned = log->end;
    if (!log->passing && log->end - log->pos > log->max_line + 1) { // + 1: a CR may be its last
        keep_head(log);
        log->passing = true;
    }
    if (log->passing) {
        log->pos = log->scanned = log->end = 0;
    }
    return false;
}

// What stands behind the last line end of a part.
static bool take_rest(struct eventlog *log, struct str *line, size_t *readable, enum status *status,
                      struct err *err) {
    bool given = (log->end > log->pos || log->passing) &&
                 give_line(log, log->end, line, readable, status, err);
    log->pos = log->scanned = log->end;
    log->cut = log->cut || given;
    return given;
}

enum status eventlog_next(struct eventlog *log, struct str *line, size_t *readable,
                          struct err *err) {
    require(log->pos <= log->scanned && log->scanned <= log->end && log->end <= log->cap);
    enum status status;
    size_t ignored = 0;
    readable = readable == NULL ? &ignored : readable;
    for (;;) {
        if (!log->fresh && take_line(log, line, readable, &status, err)) {
            return status;
        }
        if (!log->part_ended) {
            status = fill(log, err);
            if (status == ST_OK) {
                continue;
            }
        } else if (take_rest(log, line, readable, &status, err)) {
            return status;
        } else if (log->pending.status != ST_OK) {
            status = err_set(err, log->pending.status, "%s", log->pending.text);
            log->pending.status = ST_OK;
        } else if (next_part(log)) {
            continue;
        } else {
            status = ST_OK;
        }
        *line = (struct str){NULL, 0};
        *readable = 0;
        return status;
    }
}

static void learn_from_name(struct eventlog *log, const char *path) {
    struct log_name says;
    log_name_read(str_of(path), &says);
    log->in_progress = log->in_progress || says.in_progress;
    if (log->app_id.p == NULL || (says.known && !log->known_form)) {
        log->app_id = says.app_id;
        log->attempt = says.attempt;
        log->known_form = says.known;
    }
}

static struct eventlog *log_new(const char *name, size_t read_bytes) {
    struct eventlog *log = mem_zalloc(1, sizeof *log);
    log->name = mem_strdup(name);
    log->read_bytes = read_bytes;
    log->cap = read_bytes;
    log->data = mem_zalloc(log->cap + EVENTLOG_PADDING, 1);
    log->max_line = EVENTLOG_MAX_LINE_BYTES;
    log->part_ended = true; // of no part
    return log;
}

void eventlog_free(struct eventlog *log) {
    if (log == NULL) {
        return;
    }
    close_part(log);
    parts_fini(&log->parts);
    mem_free(log->data);
    mem_free(log->head);
    mem_free(log->name);
    mem_free(log);
}

// Hands the log out if all went well, else frees it.
static enum status finish_open(struct eventlog *log, enum status status, struct eventlog **out) {
    *out = log;
    if (status != ST_OK) {
        eventlog_free(log);
        *out = NULL;
    }
    return status;
}

// Opens a log of one part at once, so that what is wrong with it is said by eventlog_open.
static enum status open_only_part(struct eventlog *log, bool look, struct err *err) {
    (void)next_part(log);
    if (!log->input_open) {
        return err_set(err, ST_SKIP, "%s", log->pending.text);
    }
    return look ? choose_codec(log, err) : ST_OK;
}

enum status eventlog_open_file(const char *path, struct eventlog **out, struct err *err) {
    struct stat st;
    *out = NULL;
    if (stat(path, &st) != 0) {
        return err_set(err, ST_SKIP, "%s: %s", path, strerror(errno));
    }
    struct eventlog *log = log_new(path, INPUT_READ_BYTES);
    learn_from_name(log, log->name);
    parts_add(&log->parts, path, 0, false);
    log->total_bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return finish_open(log, open_only_part(log, S_ISREG(st.st_mode), err), out);
}

static enum status open_folder(const char *path, struct eventlog **out, struct err *err) {
    struct eventlog *log = log_new(path, INPUT_READ_BYTES);
    enum status status = parts_scan(path, &log->parts, err);
    if (status != ST_OK) {
        return finish_open(log, status, out);
    }
    learn_from_name(log, log->name);
    learn_from_name(log, log->parts.items[0].path);
    log->in_progress = log->in_progress || log->parts.in_progress;
    for (size_t i = 0; i < log->parts.len; i++) {
        struct stat st;
        if (stat(log->parts.items[i].path, &st) == 0) {
            log->total_bytes += (uint64_t)st.st_size;
        }
    }
    if (log->parts.len == 1 && log->parts.items[0].number == 0) {
        status = open_only_part(log, true, err);
    }
    return finish_open(log, status, out);
}

enum status eventlog_open(const char *path, struct eventlog **out, struct err *err) {
    struct stat st;
    *out = NULL;
    if (strcmp(path, "-") == 0) {
        struct eventlog *log = log_new("stdin", INPUT_READ_BYTES);
        log->app_id = log->attempt = STR("");
        enum status status = input_init_path(&log->input, NULL, err);
        begin_part(log);
        return finish_open(log, status, out);
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return open_folder(path, out, err);
    }
    return eventlog_open_file(path, out, err);
}

enum status eventlog_open_memory(const char *name, const void *bytes, size_t len, size_t read_bytes,
                                 struct eventlog **out, struct err *err) {
    struct eventlog *log = log_new(name, read_bytes);
    learn_from_name(log, log->name);
    log->total_bytes = len;
    input_init_memory(&log->input, bytes, len, read_bytes);
    begin_part(log);
    return finish_open(log, choose_codec(log, err), out);
}

void eventlog_set_max_line(struct eventlog *log, size_t bytes) {
    log->max_line = bytes;
}

bool eventlog_cut(const struct eventlog *log) {
    return log->cut;
}

bool eventlog_in_progress(const struct eventlog *log) {
    return log->in_progress;
}

uint64_t eventlog_long_lines(const struct eventlog *log) {
    return log->long_lines;
}

void eventlog_progress(const struct eventlog *log, uint64_t *done_bytes, uint64_t *total_bytes) {
    *done_bytes = log->done_before + (log->input_open ? log->input.read_total : 0);
    *total_bytes = log->total_bytes;
}

const char *eventlog_name(const struct eventlog *log) {
    return log->name;
}

bool eventlog_name_app_id(const struct eventlog *log, struct str *app_id, struct str *attempt) {
    *app_id = log->app_id;
    *attempt = log->attempt;
    return log->known_form;
}
