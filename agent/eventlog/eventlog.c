// eventlog: opens logs and answers for them; the lines are cut in eventlog_lines.c. Called by
// analyze, replay and demo.
#include "eventlog/eventlog.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

// Takes from `path` what its name tells, unless a better name told it.
static void learn_from_name(struct eventlog *log, const char *path) {
    int64_t number;
    bool in_progress;
    struct str id, attempt;
    struct str base = codec_strip_name(name_base(path), &in_progress);
    log->in_progress = log->in_progress || in_progress;
    if (str_starts(base, STR("eventlog_v2_"))) {
        base = (struct str){base.p + 12, base.len - 12};
    } else if (name_is_rolled(base, &number)) {
        const char *second = memchr(base.p + 7, '_', base.len - 7);
        base = (struct str){second + 1, (size_t)(base.p + base.len - second - 1)};
    }
    bool known = name_split(base, &id, &attempt);
    if (log->app_id.p == NULL || (known && !log->known_form)) {
        log->app_id = id;
        log->attempt = attempt;
        log->known_form = known;
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
    log_close_part(log);
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
    (void)log_next_part(log);
    if (!log->input_open) {
        return err_set(err, ST_SKIP, "%s", log->pending.text);
    }
    return look ? log_choose_codec(log, err) : ST_OK;
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
        input_init_fd(&log->input, STDIN_FILENO, false);
        log->input_open = true;
        log->part_ended = false;
        *out = log;
        return ST_OK;
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
    log->input_open = true;
    log->part_ended = false;
    return finish_open(log, log_choose_codec(log, err), out);
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
