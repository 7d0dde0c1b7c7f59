// follow_tailed: one log that is followed: which of its parts is read, whether the file is still
// the one that was read before, and where it ends. Called in the log's turn; must never hand out a
// line twice or half, nor take another file for the rest of this one.
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "eventlog/follow_priv.h"

#define FOLLOW_READ_BYTES ((size_t)64 << 10)

// ---- parts -------------------------------------------------------------------------------------

static bool is_started(const struct follow_position *p) {
    return p->part != 0 || p->text_bytes != 0;
}

static void set_at(struct tailed *log, const struct part *part) {
    char *path = mem_strdup(part->path);
    mem_free(log->at.path);
    log->at = (struct part){path, part->number, part->compact};
    log->view.path = path;
    if (log->reader != NULL) {
        log->reader->path = path;
    }
}

// The part behind number `n`, NULL if there is none. A compacted part stands for all that came
// before it, so where it is the next, the last of its kind is.
static const struct part *part_behind(const struct tailed *log, int64_t n) {
    const struct part *next = NULL;
    for (size_t i = 0; i < log->parts.len; i++) {
        const struct part *p = &log->parts.items[i];
        if (p->number > n && (next == NULL || (next->compact && p->compact))) {
            next = p;
        }
    }
    return next;
}

// The `nth` part with the number; of a dated log whose current part was read, that part is under
// its number now: the newest first.
static const struct part *candidate(const struct tailed *log, size_t nth) {
    const struct parts *all = &log->parts;
    if (log->form == LOG_DATED && log->position.part == PART_CURRENT) {
        return nth < all->len ? &all->items[all->len - 1 - nth] : NULL;
    }
    for (size_t i = 0; i < all->len; i++) {
        if (all->items[i].number == log->position.part && nth-- == 0) {
            return &all->items[i];
        }
    }
    return NULL;
}

bool tailed_choose(struct tailed *log) {
    const struct parts *all = &log->parts;
    const struct part *chosen = NULL;
    if (log->at.path != NULL || all->items == NULL) {
        return log->at.path != NULL;
    }
    if (is_started(&log->position)) {
        chosen = candidate(log, 0);
        chosen = chosen != NULL ? chosen : part_behind(log, log->position.part);
    } else {
        for (size_t i = 0; i < all->len; i++) {
            chosen = all->items[i].compact ? &all->items[i] : chosen;
        }
    }
    set_at(log, chosen != NULL ? chosen : &all->items[0]);
    return true;
}

void tailed_renamed(struct tailed *log) {
    const struct parts *all = &log->parts;
    if (log->at.path == NULL) {
        return;
    }
    for (size_t i = 0; i < all->len; i++) {
        if (strcmp(all->items[i].path, log->at.path) == 0) {
            return;
        }
    }
    if (log->form == LOG_FILE && all->len > 0) {
        set_at(log, &all->items[0]);
    } else if (log->reader == NULL) {
        mem_free(log->at.path);
        log->at.path = NULL;
    }
}

bool tailed_is_final(const struct tailed *log, const struct watch *w, int64_t now_ms) {
    if (log->gone || part_behind(log, log->at.number) != NULL) {
        return true;
    }
    if (log->view.in_progress || (log->form == LOG_DATED && log->at.number == PART_CURRENT)) {
        return false;
    }
    return log->was_in_progress || w->options.settle_ms == 0 ||
           now_ms - log->seen_mono_ms >= w->options.settle_ms;
}

// ---- the file ----------------------------------------------------------------------------------

void tailed_close(struct tailed *log, struct watch *w) {
    if (log->reader == NULL) {
        return;
    }
    TAILQ_REMOVE(&w->open, log, in_open);
    w->open_len--;
    reader_fini(log->reader);
    mem_free(log->reader);
    log->reader = NULL;
}

static void new_reader(struct watch *w, struct tailed *log) {
    log->reader = mem_alloc(sizeof *log->reader);
    reader_init(log->reader, log->view.name, FOLLOW_READ_BYTES);
    if (w->options.max_line_bytes > 0) {
        log->reader->max_line = w->options.max_line_bytes;
    }
    TAILQ_INSERT_TAIL(&w->open, log, in_open);
    w->open_len++;
    log->moved = log->reread = false;
}

static size_t head_bytes(uint64_t text_bytes) {
    return text_bytes < FOLLOW_HEAD_BYTES ? (size_t)text_bytes : FOLLOW_HEAD_BYTES;
}

static uint64_t head_print(const struct reader *r, size_t bytes) {
    return bytes > 0 ? (uint64_t)XXH64(r->start.data, bytes, 0) : 0;
}

// The place to unpack from, if the file is still packed as it was.
static struct mark kept_mark(const struct tailed *log) {
    const struct follow_position *p = &log->position;
    bool usable = log->reader->codec != NULL && log->reader->codec->number == p->packing &&
                  log->reader->codec->between != NULL && p->mark_bytes <= p->text_bytes;
    return usable ? (struct mark){p->mark_bytes, p->mark_packed} : (struct mark){0, 0};
}

// What is known of a file that was opened.
enum match {
    MATCH_SAME,  // begins as what was read: goes on behind it
    MATCH_OTHER, // begins otherwise
    MATCH_SHORT, // too little is there to tell
};

// Opens a file of the log and looks whether it is the one that was read before.
static enum status open_file(struct tailed *log, enum match *match, struct err *err) {
    const struct follow_position *p = &log->position;
    struct reader *r = log->reader;
    size_t want = head_bytes(p->text_bytes);
    enum status status = reader_open(r, log->at.path, err);
    if (status != ST_OK) {
        return status;
    }
    r->input.growing = true;
    *match = MATCH_SAME;
    if (want == 0) {
        return ST_OK;
    }
    status = reader_look(r, want, err); // ST_RETRY: there is no more
    if (status != ST_OK && status != ST_RETRY) {
        return status;
    }
    *match = r->start.len < want                    ? MATCH_SHORT
             : head_print(r, want) == p->head_print ? MATCH_SAME
                                                    : MATCH_OTHER;
    struct mark from = *match == MATCH_SAME ? kept_mark(log) : (struct mark){0, 0};
    uint64_t text = *match == MATCH_SAME ? p->text_bytes : 0;
    return reader_seek(r, from, text, err);
}

// ---- items -------------------------------------------------------------------------------------

static bool tell(struct watch *w, struct tailed *log, enum follow_kind kind,
                 struct follow_item *out, const char *words) {
    buf_clear(&w->words);
    buf_add_text(&w->words, words);
    *out = (struct follow_item){
        .kind = kind, .log = &log->view, .words = buf_text(&w->words), .position = log->position};
    return true;
}

// The part at hand is another than the one `behind` which it stands. True if some are missing.
static bool begin_part(struct tailed *log, struct watch *w, int64_t behind,
                       struct follow_item *out) {
    struct err err = {0};
    struct part two[] = {{NULL, behind, false}, log->at};
    const struct parts both = {.items = two, .len = ARRAY_LEN(two)};
    log->position = (struct follow_position){.part = log->at.number};
    log->packed_at = 0;
    log->told_short = log->told_damaged = false;
    return log->form == LOG_ROLLED && !log->at.compact && parts_check(&both, 1, &err) != ST_OK &&
           tell(w, log, FOLLOW_TROUBLE, out, err.text);
}

// Its file cannot be read now, or is not there: tried again when it is looked at.
static bool cannot_open(struct watch *w, struct tailed *log, struct follow_item *out,
                        const char *words) {
    struct stat st;
    bool there = stat(log->at.path, &st) == 0 || errno != ENOENT;
    bool told = log->told || !there; // under another name perhaps: the listing tells
    log->told = log->told || there;
    log->retry = true;
    log->folder->changed = log->folder->changed || !there;
    tailed_close(log, w);
    return !told && tell(w, log, FOLLOW_TROUBLE, out, words);
}

// None of the files is the one that was read before.
static bool begin_again(struct watch *w, struct tailed *log, struct follow_item *out) {
    struct err err = {0};
    tailed_close(log, w);
    if (log->form == LOG_DATED) {
        set_at(log, &log->parts.items[0]);
    } else if (candidate(log, 0) != NULL) {
        set_at(log, candidate(log, 0));
    }
    (void)err_set(&err, ST_SKIP, "%s: not the file that was read before: read from its start",
                  log->at.path);
    log->position = (struct follow_position){.part = log->at.number};
    log->packed_at = 0;
    return tell(w, log, FOLLOW_AGAIN, out, err.text);
}

// Opens the file that is the one read before, of those it may be. ST_OK and *match as the best.
static enum status open_any(struct tailed *log, enum match *match, struct err *err) {
    enum status status = open_file(log, match, err);
    enum match first = *match;
    for (size_t nth = 0; status == ST_OK && *match != MATCH_SAME; nth++) {
        const struct part *other = candidate(log, nth);
        if (other == NULL) {
            *match = first;
            break;
        }
        set_at(log, other);
        status = open_file(log, match, err);
    }
    return status;
}

// Opens the part to be read. True if there is something to tell, now or instead.
static bool open_log(struct watch *w, struct tailed *log, struct follow_item *out) {
    struct err err = {0};
    enum match match = MATCH_SHORT;
    new_reader(w, log);
    if (open_any(log, &match, &err) != ST_OK) {
        return cannot_open(w, log, out, err.text);
    }
    log->told = false;
    if (match == MATCH_SAME) {
        log->position.part = log->at.number;
        return false;
    }
    if (match == MATCH_SHORT && !tailed_is_final(log, w, clock_mono_ms())) {
        tailed_close(log, w);
        return false;
    }
    return begin_again(w, log, out);
}

// Where the log is, behind what the reader gave last.
static void note_position(struct tailed *log) {
    struct reader *r = log->reader;
    struct follow_position *p = &log->position;
    size_t before = head_bytes(p->text_bytes);
    p->text_bytes = reader_offset(r);
    size_t now = head_bytes(p->text_bytes);
    if (now != before) {
        p->head_print = head_print(r, now);
    }
    struct mark mark = reader_mark(r);
    p->mark_bytes = mark.text;
    p->mark_packed = mark.packed;
    p->packing = r->codec != NULL ? r->codec->number : 0;
    p->ended = false;
}

// The part was read to its end: on to the next one, or the log has ended. True if that is told.
static bool end_part(struct watch *w, struct tailed *log, struct follow_item *out) {
    const struct part *next = part_behind(log, log->at.number);
    struct stat st;
    bool known = fstat(log->reader->input.fd, &st) == 0;
    // What came behind the end just now is not passed over, what stands behind damage is.
    bool whole = !known || !log->told_damaged;
    log->position.seen_bytes = whole ? log->reader->input.read_total : (uint64_t)st.st_size;
    log->position.seen_ms = known ? follow_ms_of(st.st_mtim) : log->changed_ms;
    log->size_bytes = log->packed_at = log->position.seen_bytes;
    tailed_close(log, w);
    if (next != NULL) {
        int64_t behind = log->at.number;
        set_at(log, next);
        log->before_bytes += log->size_bytes;
        log->size_bytes = 0;
        log->looked = false;
        log->next_look_ms = 0;
        return begin_part(log, w, behind, out);
    }
    bool told = log->position.ended;
    log->position.ended = true;
    return !told && tell(w, log, FOLLOW_ENDED, out, "");
}

static bool end_gone(struct watch *w, struct tailed *log, struct follow_item *out) {
    struct err err = {0};
    bool unread = log->packed_at < log->size_bytes && !log->position.ended;
    tailed_close(log, w);
    log->gone_told = true;
    (void)err_set(&err, ST_OK, unread ? "%s: removed, with %llu bytes not read" : "%s: removed",
                  log->view.path, (unsigned long long)(log->size_bytes - log->packed_at));
    (void)tell(w, log, FOLLOW_GONE, out, err.text);
    log->view.user = NULL;
    return true;
}

// Something is wrong with the part. True if it is to be told.
static bool end_badly(struct watch *w, struct tailed *log, struct follow_item *out,
                      const char *words) {
    struct reader *r = log->reader;
    if (r->input.failed) { // the file may be as good as ever: tried again when it is looked at
        return cannot_open(w, log, out, words);
    }
    if (!log->reread && r->mark.packed > 0 && r->text_total == r->mark.text) {
        log->reread = true; // was the mark that of another file?
        if (reader_seek(r, (struct mark){0, 0}, log->position.text_bytes, NULL) == ST_OK) {
            return false;
        }
    }
    bool told = log->told_damaged;
    log->told_damaged = true;
    return !told && tell(w, log, FOLLOW_TROUBLE, out, words);
}

// There is less than was handed out before: told once.
static bool is_short(struct watch *w, struct tailed *log, struct follow_item *out) {
    struct err err = {0};
    if (reader_offset(log->reader) >= log->position.text_bytes || log->told_short) {
        return false;
    }
    log->told_short = true;
    (void)err_set(&err, ST_SKIP, "%s: shorter than what was read of it before: %llu of %llu bytes",
                  log->at.path, (unsigned long long)reader_offset(log->reader),
                  (unsigned long long)log->position.text_bytes);
    return tell(w, log, FOLLOW_TROUBLE, out, err.text);
}

static bool is_as_it_ended(const struct tailed *log) {
    const struct follow_position *p = &log->position;
    return !log->looked || (p->seen_bytes == log->size_bytes && p->seen_ms == log->changed_ms);
}

// Makes the file to read from available. True if something is to be told; without a reader then,
// there is nothing to read.
static bool make_reader(struct watch *w, struct tailed *log, struct follow_item *out) {
    const struct follow_position *p = &log->position;
    if (log->reader != NULL || log->gone_told) {
        return false;
    }
    if (log->gone) {
        return end_gone(w, log, out);
    }
    if (!tailed_choose(log) ||
        (p->ended && is_as_it_ended(log) && part_behind(log, log->at.number) == NULL)) {
        return false;
    }
    bool other = log->at.number != p->part;
    bool renamed = log->form == LOG_DATED && p->part == PART_CURRENT;
    return (other && !renamed && begin_part(log, w, p->part, out)) || open_log(w, log, out);
}

static bool give_line(struct tailed *log, enum status status, struct str line, size_t readable,
                      struct follow_item *out) {
    note_position(log);
    log->told_short = false;
    *out = (struct follow_item){.kind = status == ST_OK ? FOLLOW_LINE : FOLLOW_LONG_LINE,
                                .log = &log->view,
                                .line = line,
                                .readable = readable,
                                .words = "",
                                .position = log->position};
    return true;
}

// What to do when the reader has no line. True: something is told; *again: look for a line again.
static bool no_line(struct watch *w, struct tailed *log, enum status status, bool final,
                    const char *words, struct follow_item *out, bool *again) {
    *again = true;
    if (status == ST_SKIP) {
        return end_badly(w, log, out, words);
    }
    if (is_short(w, log, out)) {
        return true;
    }
    if (log->moved && !log->gone) {
        tailed_close(log, w);
        return false;
    }
    *again = status == ST_OK && final;
    if (!*again) {
        return false;
    }
    return log->gone ? end_gone(w, log, out) : end_part(w, log, out);
}

bool tailed_next(struct tailed *log, struct watch *w, struct follow_item *out) {
    for (bool again = true; again;) {
        struct err err = {0};
        struct str line = {0};
        size_t readable = 0;
        if (make_reader(w, log, out)) {
            return true;
        }
        if (log->reader == NULL) {
            return false;
        }
        bool final = tailed_is_final(log, w, clock_mono_ms());
        log->reader->input.growing = !final || log->moved;
        enum status status = reader_next(log->reader, &line, &readable, &err);
        log->packed_at = input_offset(&log->reader->input);
        if (line.p != NULL) {
            return give_line(log, status, line, readable, out);
        }
        if (no_line(w, log, status, final, err.text, out, &again)) {
            return true;
        }
    }
    return false;
}
