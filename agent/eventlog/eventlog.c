// eventlog: opens a log's parts one after the other and hands out the lines of each. Called by
// analyze, replay and demo, for every line of every log; must never let one bad part spoil the
// others.
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
    size_t next_part;   // the one to open next
    size_t checked;     // parts whose gap was spoken of
    struct err pending; // why the next part is not there; ST_OK: nothing to say
    struct reader reader;
    uint64_t done_before; // bytes of the parts read already
    uint64_t total_bytes;
};

static void close_part(struct eventlog *log) {
    if (log->reader.is_open) {
        log->done_before += log->reader.input.read_total;
        reader_close(&log->reader);
    }
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
    log->pending.status = reader_open(&log->reader, path, &log->pending);
    return true;
}

enum status eventlog_next(struct eventlog *log, struct str *line, size_t *readable,
                          struct err *err) {
    size_t ignored = 0;
    readable = readable == NULL ? &ignored : readable;
    for (;;) {
        enum status status = reader_next(&log->reader, line, readable, err);
        if (status != ST_OK || line->p != NULL) {
            return status;
        }
        if (log->pending.status != ST_OK) {
            status = err_set(err, log->pending.status, "%s", log->pending.text);
            log->pending.status = ST_OK;
            return status;
        }
        if (!next_part(log)) {
            return ST_OK;
        }
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
    reader_init(&log->reader, log->name, read_bytes);
    return log;
}

void eventlog_free(struct eventlog *log) {
    if (log == NULL) {
        return;
    }
    reader_fini(&log->reader);
    parts_fini(&log->parts);
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
    if (!log->reader.is_open) {
        return err_set(err, ST_SKIP, "%s", log->pending.text);
    }
    return look ? reader_choose(&log->reader, err) : ST_OK;
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
        enum status status = input_init_path(&log->reader.input, NULL, err);
        reader_begin(&log->reader, log->name);
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
    input_init_memory(&log->reader.input, bytes, len, read_bytes);
    reader_begin(&log->reader, log->name);
    return finish_open(log, reader_choose(&log->reader, err), out);
}

void eventlog_set_max_line(struct eventlog *log, size_t bytes) {
    log->reader.max_line = bytes;
}

bool eventlog_cut(const struct eventlog *log) {
    return log->reader.cut;
}

bool eventlog_in_progress(const struct eventlog *log) {
    return log->in_progress;
}

uint64_t eventlog_long_lines(const struct eventlog *log) {
    return log->reader.long_lines;
}

void eventlog_progress(const struct eventlog *log, uint64_t *done_bytes, uint64_t *total_bytes) {
    *done_bytes = log->done_before + (log->reader.is_open ? log->reader.input.read_total : 0);
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
