// follow: whose turn it is among the logs that have something new. Called by whoever feeds events;
// must never let one log keep the others waiting, nor hold more files open than it may.
#include "eventlog/follow.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "eventlog/follow_priv.h"

enum {
    MAX_OPEN = 64,
    TURN_BYTES = 256 << 10,
    // With more logs waiting than may be open each turn opens a file.
    LONG_TURN_BYTES = 4 << 20,
    // A buffer that a long line left behind is not kept for logs that wait.
    KEPT_BUFFER_BYTES = 1 << 20,
};

struct follower {
    struct watch watch;
    unsigned next_ring;
    struct tailed *turn; // whose it is; in no ring
    size_t turn_left;    // bytes
    int64_t next_look_ms;
};

static bool are_same(const char *a, const char *b) {
    struct stat x, y;
    return strcmp(a, b) == 0 ||
           (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

enum status follower_new(const char *const *dirs, size_t count,
                         const struct follow_options *options, struct follower **out,
                         struct err *err) {
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (are_same(dirs[i], dirs[k])) {
                return err_set(err, ST_SKIP, "%s is given twice, as %s too", dirs[i], dirs[k]);
            }
        }
    }
    struct follow_options own = *options;
    own.max_open = own.max_open > 0 ? own.max_open : MAX_OPEN;
    *out = mem_zalloc(1, sizeof **out);
    watch_init(&(*out)->watch, dirs, count, &own);
    return ST_OK;
}

void follower_free(struct follower *f) {
    if (f != NULL) {
        if (f->turn != NULL) {
            f->turn->ready = false;
        }
        watch_fini(&f->watch);
        mem_free(f);
    }
}

bool follower_resume(struct follower *f, const char *dir, const char *name,
                     const struct follow_position *position) {
    return watch_expect(&f->watch, dir, name, position);
}

// The next log, from either ring in turn.
static struct tailed *take_turn(struct follower *f) {
    f->next_ring = !f->next_ring;
    struct ring *ring = &f->watch.rings[f->next_ring];
    if (TAILQ_EMPTY(ring)) {
        ring = &f->watch.rings[!f->next_ring];
    }
    struct tailed *log = TAILQ_FIRST(ring);
    if (log != NULL) {
        TAILQ_REMOVE(ring, log, in_ring);
        f->turn_left =
            f->watch.ready_len > f->watch.options.max_open ? LONG_TURN_BYTES : TURN_BYTES;
        f->watch.ready_len--;
    }
    return log;
}

// `more`: it may have another line, so it gets another turn.
static void end_turn(struct follower *f, bool more) {
    struct tailed *log = f->turn;
    f->turn = NULL;
    log->ready = false;
    if (log->reader != NULL && log->reader->cap > KEPT_BUFFER_BYTES && !log->moved && !log->gone) {
        tailed_close(log, &f->watch);
    }
    if (more) {
        watch_stir(&f->watch, log);
    }
}

// Makes this the open log used last, and closes the ones beyond the limit.
static void use(struct follower *f, struct tailed *log) {
    if (log->reader != NULL && TAILQ_LAST(&f->watch.open, ring) != log) {
        TAILQ_REMOVE(&f->watch.open, log, in_open);
        TAILQ_INSERT_TAIL(&f->watch.open, log, in_open);
    }
    while (f->watch.open_len > f->watch.options.max_open) {
        tailed_close(TAILQ_FIRST(&f->watch.open), &f->watch);
    }
}

static bool give_trouble(struct follower *f, struct follow_item *out) {
    if (f->watch.trouble.len == 0) {
        return false;
    }
    buf_clear(&f->watch.words);
    buf_add_text(&f->watch.words, f->watch.trouble.items[--f->watch.trouble.len].path);
    mem_free(f->watch.trouble.items[f->watch.trouble.len].path);
    *out = (struct follow_item){.kind = FOLLOW_TROUBLE, .words = buf_text(&f->watch.words)};
    return true;
}

// An item that is there without waiting.
static bool next_item(struct follower *f, struct follow_item *out) {
    for (;;) {
        if (give_trouble(f, out)) {
            return true;
        }
        if (f->turn == NULL) {
            f->turn = take_turn(f);
        }
        if (f->turn == NULL) {
            return false;
        }
        bool given = tailed_next(f->turn, &f->watch, out);
        use(f, f->turn);
        if (given && out->line.len < f->turn_left) {
            f->turn_left -= out->line.len;
            return true;
        }
        if (given) {
            f->turn_left = 0;
            return true;
        }
        end_turn(f, false);
    }
}

static void look(struct follower *f, int64_t now_ms) {
    watch_look(&f->watch, now_ms);
    f->next_look_ms = now_ms + f->watch.options.poll_ms;
}

void follower_next(struct follower *f, int64_t timeout_ms, struct follow_item *out) {
    int64_t now_ms = clock_mono_ms(), until_ms = now_ms + timeout_ms;
    *out = (struct follow_item){.kind = FOLLOW_IDLE, .words = ""};
    if (f->turn != NULL && f->turn_left == 0) { // its line was valid until now
        end_turn(f, true);
        if (f->watch.options.poll_ms > 0 && now_ms >= f->next_look_ms) {
            look(f, now_ms);
        }
    }
    if (next_item(f, out)) {
        return;
    }
    for (;;) {
        if (now_ms >= f->next_look_ms) {
            look(f, now_ms);
            if (next_item(f, out)) {
                return;
            }
        }
        if (now_ms >= until_ms) {
            return;
        }
        int64_t wait_ms = until_ms < f->next_look_ms ? until_ms - now_ms : f->next_look_ms - now_ms;
        clock_sleep_ms(wait_ms > 0 ? wait_ms : 1);
        int64_t before_ms = now_ms;
        now_ms = clock_mono_ms();
        if (now_ms < before_ms + wait_ms) {
            return; // a signal
        }
    }
}

void follower_progress(const struct follower *f, struct follow_progress *out) {
    *out = (struct follow_progress){0};
    for (const struct tailed *log = f->watch.logs; log != NULL; log = log->hh.next) {
        uint64_t at = log->packed_at < log->size_bytes ? log->packed_at : log->size_bytes;
        if (log->gone) {
            continue;
        }
        out->logs++;
        out->growing += !log->position.ended;
        out->known_bytes += log->before_bytes + log->size_bytes + log->behind_bytes;
        out->read_bytes += log->before_bytes + at;
        if (at < log->size_bytes + log->behind_bytes) {
            out->unread++;
            if (out->oldest_unread_ms == 0 || log->changed_ms < out->oldest_unread_ms) {
                out->oldest_unread_ms = log->changed_ms;
            }
        }
    }
}
