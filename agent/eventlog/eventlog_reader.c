// eventlog_reader: the lines of one part: its bytes are unpacked into one buffer and cut into lines
// there, in place. Called for every line of every log, by eventlog and follow: it must do nothing
// per line but look for its end, and never keep more of a line than the limit.
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

void reader_init(struct reader *r, const char *name, size_t read_bytes) {
    *r = (struct reader){.name = name, .read_bytes = read_bytes, .cap = read_bytes};
    r->data = mem_zalloc(r->cap + EVENTLOG_PADDING, 1);
    r->max_line = EVENTLOG_MAX_LINE_BYTES;
    r->part_ended = true; // of no part
}

void reader_fini(struct reader *r) {
    reader_close(r);
    mem_free(r->data);
    mem_free(r->head);
    buf_fini(&r->start);
}

static void drop_codec(struct reader *r) {
    if (r->codec != NULL) {
        r->codec->destroy(r->codec_state);
    }
    r->codec = NULL;
}

void reader_close(struct reader *r) {
    drop_codec(r);
    if (r->is_open) {
        input_fini(&r->input);
    }
    r->is_open = false;
}

void reader_begin(struct reader *r, const char *path) {
    r->path = path;
    r->is_open = true;
    r->part_ended = false;
    r->fresh = true;
    r->text_total = r->skip_to = 0;
    r->mark = r->next_mark = (struct mark){0};
    r->start.len = 0;
}

enum status reader_open(struct reader *r, const char *path, struct err *err) {
    reader_close(r);
    enum status status = input_init_path(&r->input, path, err);
    if (status == ST_OK) {
        r->input.read_bytes = r->read_bytes;
        reader_begin(r, path);
    }
    return status;
}

// Chooses how to unpack the open part by its first bytes.
enum status reader_choose(struct reader *r, struct err *err) {
    struct str first;
    struct err ignored = {0};
    const struct codec *codec = NULL;
    err = err == NULL ? &ignored : err;
    enum status status = input_peek(&r->input, &first, err);
    if (status == ST_RETRY && first.len > 0 && first.p[0] == '{') {
        status = ST_OK; // no packing begins so
    }
    if (status == ST_OK) {
        status = codec_choose(log_name_base(str_of(r->path)), first, &codec, err);
    }
    if (status == ST_SKIP) {
        return err_wrap(err, "%s", r->path);
    }
    if (status == ST_OK) {
        r->codec = codec;
        r->codec_state = codec->create(false);
    }
    return status;
}

// Makes room behind r->end. Lines beyond the limit are never kept, so this stays bounded.
static void make_room(struct reader *r) {
    if (r->pos > 0) {
        memmove(r->data, r->data + r->pos, r->end - r->pos);
        r->end -= r->pos;
        r->scanned -= r->pos;
        r->pos = 0;
    }
    if (r->end == r->cap) {
        size_t limit = r->max_line + 2 + r->read_bytes;
        size_t cap = r->cap * 2 < limit ? r->cap * 2 : limit;
        r->data = mem_resize(r->data, cap + EVENTLOG_PADDING, 1);
        memset(r->data + r->cap, 0, cap + EVENTLOG_PADDING - r->cap);
        r->cap = cap;
    }
}

// Text came behind `at`: remembers the first of it, and where unpacking could begin again.
static void note_text(struct reader *r, size_t at) {
    uint64_t before = r->text_total;
    r->text_total += r->end - at;
    size_t have = r->start.len;
    if (have < FOLLOW_HEAD_BYTES && before <= have && have < r->text_total) {
        size_t n = (size_t)(r->text_total - have), room = FOLLOW_HEAD_BYTES - have;
        buf_add(&r->start, r->data + at + (have - before), n < room ? n : room);
    }
    if (r->next_mark.text <= r->mark.text && r->codec->between != NULL &&
        r->codec->between(r->codec_state)) {
        r->next_mark = (struct mark){r->text_total, input_offset(&r->input)};
    }
}

uint64_t reader_offset(const struct reader *r) {
    return r->text_total - (r->end - r->pos);
}

struct mark reader_mark(struct reader *r) {
    if (r->next_mark.text > r->mark.text && r->next_mark.text <= reader_offset(r)) {
        r->mark = r->next_mark;
    }
    return r->mark;
}

static enum status unpack(struct reader *r, struct err *err) {
    if (r->codec == NULL) {
        enum status status = reader_choose(r, err);
        if (status != ST_OK) {
            return status;
        }
    }
    size_t got = 0, at = r->end;
    enum status status =
        r->codec->read(r->codec_state, &r->input, r->data + at, r->cap - at, &got, err);
    r->end += got;
    note_text(r, at);
    if (status == ST_SKIP) {
        return err_wrap(err, "%s: damaged near byte %llu", r->path,
                        (unsigned long long)input_offset(&r->input));
    }
    r->part_ended = status == ST_OK && got == 0;
    return status;
}

// Looks at the first two bytes of a part's text, once they are there. ST_SKIP, and the text is
// dropped, if they are of an encoding that writes a brace with a NUL.
static enum status look_at_start(struct reader *r, struct err *err) {
    const char *at = r->data + r->pos;
    if (r->end - r->pos < 2) {
        r->fresh = !r->part_ended;
        return ST_OK;
    }
    r->fresh = false;
    if (memcmp(at, "\xff\xfe", 2) != 0 && memcmp(at, "\xfe\xff", 2) != 0 &&
        memcmp(at, "{\0", 2) != 0 && at[0] != '\0') {
        return ST_OK;
    }
    r->pos = r->scanned = r->end;
    return err_set(err, ST_SKIP, "%s: not UTF-8 text, UTF-16 perhaps: convert it first, as with %s",
                   r->path, "iconv -f UTF-16 -t UTF-8");
}

// Drops text that was handed out before.
static void pass_over(struct reader *r) {
    uint64_t at = reader_offset(r);
    if (!r->fresh && at < r->skip_to) {
        uint64_t left = r->skip_to - at;
        r->pos += left < r->end - r->pos ? (size_t)left : r->end - r->pos;
        r->scanned = r->pos;
    }
}

// Adds text behind r->end, or notes the end of the part and what was wrong with it. ST_RETRY only
// if the wait for input was interrupted.
static enum status fill(struct reader *r, struct err *err) {
    struct err why = {0};
    make_room(r);
    enum status status = unpack(r, &why);
    r->part_ended |= status == ST_SKIP;
    if (r->fresh && status != ST_RETRY && look_at_start(r, &why) != ST_OK) {
        status = ST_SKIP;
    }
    pass_over(r);
    if (status == ST_SKIP) {
        r->pending = why;
        r->part_ended = true;
        return ST_OK;
    }
    if (status != ST_OK && err != NULL) {
        *err = why;
    }
    return status;
}

static enum status give_long(struct reader *r, struct str *line, size_t *readable,
                             struct err *err) {
    r->passing = false;
    r->long_lines++;
    *line = (struct str){r->head,
                         EVENTLOG_HEAD_BYTES < r->max_line ? EVENTLOG_HEAD_BYTES : r->max_line};
    *readable = EVENTLOG_HEAD_BYTES + EVENTLOG_PADDING;
    return err_set(err, ST_SKIP, "%s: a line is longer than %zu bytes", r->name, r->max_line);
}

static void keep_head(struct reader *r) {
    if (r->head == NULL) {
        r->head = mem_zalloc(EVENTLOG_HEAD_BYTES + EVENTLOG_PADDING, 1);
    }
    size_t len = r->end - r->pos;
    memcpy(r->head, r->data + r->pos, len < EVENTLOG_HEAD_BYTES ? len : EVENTLOG_HEAD_BYTES);
}

// Takes the text up to `end` (a line end, or the end of the text) as a line. False if it is empty.
static bool give_line(struct reader *r, size_t end, struct str *line, size_t *readable,
                      enum status *status, struct err *err) {
    char *at = r->data + r->pos;
    size_t len = end - r->pos;
    if (r->passing) {
        *status = give_long(r, line, readable, err);
        return true;
    }
    if (len > 0 && at[len - 1] == '\r') {
        len--;
    }
    if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) { // a file begins here, perhaps of several
        at += 3;
        len -= 3;
    }
    if (len > r->max_line) {
        keep_head(r);
        *status = give_long(r, line, readable, err);
        return true;
    }
    *line = (struct str){at, len};
    *readable = (size_t)(r->data + r->cap + EVENTLOG_PADDING - at);
    *status = ST_OK;
    return len > 0;
}

// The next line that has a line end, if the buffer holds one.
static bool take_line(struct reader *r, struct str *line, size_t *readable, enum status *status,
                      struct err *err) {
    for (;;) {
        const char *from = r->data + r->scanned;
        const char *nl = memchr(from, '\n', r->end - r->scanned);
        if (nl == NULL) {
            break;
        }
        size_t end = (size_t)(nl - r->data);
        bool given = give_line(r, end, line, readable, status, err);
        r->pos = r->scanned = end + 1;
        if (given) {
            r->cut = false;
            return true;
        }
    }
    r->scanned = r->end;
    if (!r->passing && r->end - r->pos > r->max_line + 1) { // + 1: a CR may be its last
        keep_head(r);
        r->passing = true;
    }
    if (r->passing) {
        r->pos = r->scanned = r->end = 0;
    }
    return false;
}

// What stands behind the last line end of a part.
static bool take_rest(struct reader *r, struct str *line, size_t *readable, enum status *status,
                      struct err *err) {
    bool given =
        (r->end > r->pos || r->passing) && give_line(r, r->end, line, readable, status, err);
    r->pos = r->scanned = r->end;
    r->cut = r->cut || given;
    return given;
}

enum status reader_next(struct reader *r, struct str *line, size_t *readable, struct err *err) {
    require(r->pos <= r->scanned && r->scanned <= r->end && r->end <= r->cap);
    enum status status = ST_OK;
    for (;;) {
        if (!r->fresh && take_line(r, line, readable, &status, err)) {
            return status;
        }
        if (!r->part_ended) {
            status = fill(r, err);
            if (status == ST_OK) {
                continue;
            }
        } else if (take_rest(r, line, readable, &status, err)) {
            return status;
        } else if (r->pending.status != ST_OK) {
            status = err_set(err, r->pending.status, "%s", r->pending.text);
            r->pending.status = ST_OK;
        } else {
            status = ST_OK;
        }
        *line = (struct str){NULL, 0};
        *readable = 0;
        return status;
    }
}

enum status reader_look(struct reader *r, size_t want, struct err *err) {
    enum status status = ST_OK;
    while (status == ST_OK && r->start.len < want && !r->part_ended) {
        status = fill(r, err);
        r->pos = r->scanned = r->end = 0;
    }
    return status;
}

enum status reader_seek(struct reader *r, struct mark mark, uint64_t text, struct err *err) {
    enum status status = input_seek(&r->input, mark.packed, err);
    if (status != ST_OK || r->codec == NULL) {
        return status;
    }
    r->codec->destroy(r->codec_state);
    r->codec_state = r->codec->create(mark.packed > 0);
    r->pos = r->scanned = r->end = 0;
    r->passing = r->cut = r->part_ended = false;
    r->pending.status = ST_OK;
    r->fresh = mark.text == 0;
    r->text_total = mark.text;
    r->mark = r->next_mark = mark;
    r->skip_to = text;
    return ST_OK;
}
