// eventlog_lines: cuts the text of a log into lines, in place. Called for every line of every log,
// so it must do nothing per line but look for its end.
#include <string.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

// Hands out the head of a line beyond the limit, from a copy: the line itself is being dropped.
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
    enum status status;
    size_t ignored = 0;
    readable = readable == NULL ? &ignored : readable;
    for (;;) {
        if (take_line(log, line, readable, &status, err)) {
            return status;
        }
        if (!log->part_ended) {
            status = log_fill(log, err);
            if (status == ST_OK) {
                continue;
            }
        } else if (take_rest(log, line, readable, &status, err)) {
            return status;
        } else if (log->pending.status != ST_OK) {
            status = err_set(err, log->pending.status, "%s", log->pending.text);
            log->pending.status = ST_OK;
        } else if (log_next_part(log)) {
            continue;
        } else {
            status = ST_OK;
        }
        *line = (struct str){NULL, 0};
        *readable = 0;
        return status;
    }
}
