// eventlog_part: opens the parts of a log one after the other and unpacks them into the log's
// buffer. Called by eventlog.c and eventlog_lines.c; must never let one bad part spoil the others.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

void log_close_part(struct eventlog *log) {
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

// The path of the open part.
static const char *part_path(const struct eventlog *log) {
    return log->next_part > 0 ? log->parts.items[log->next_part - 1].path : log->name;
}

bool log_next_part(struct eventlog *log) {
    log_close_part(log);
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
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        err_set(&log->pending, ST_SKIP, "%s: %s", path, strerror(errno));
        return true;
    }
    input_init_fd(&log->input, fd, true);
    log->input_open = true;
    log->part_ended = false;
    return true;
}

enum status log_choose_codec(struct eventlog *log, struct err *err) {
    struct str first;
    struct err ignored = {0};
    const struct codec *codec = NULL;
    err = err == NULL ? &ignored : err;
    enum status status = input_peek(&log->input, &first, err);
    if (status == ST_OK) {
        status = codec_choose(name_base(part_path(log)), first, &codec, err);
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
        enum status status = log_choose_codec(log, err);
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

enum status log_fill(struct eventlog *log, struct err *err) {
    struct err why = {0};
    make_room(log);
    enum status status = unpack(log, &why);
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
