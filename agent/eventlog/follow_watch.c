// follow_watch: finds logs in the folders that are followed, and notices which of them changed.
// Called between turns; must never open a log, nor ask the file system for each log each time: a
// listing is read when the folder changed, a log is looked at the less often the longer it is
// quiet.
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "eventlog/follow_priv.h"

enum {
    MAX_LOGS = 1 << 20,
    // A folder that changed is listed again for so long: what comes within the grain of its time
    // does not change it.
    GRAIN_MS = 3000,
    // Some file systems never change a folder's time: it is listed again after so long, by how
    // long it was quiet.
    LIST_SOON_MS = 10000,
    LIST_AT_LAST_MS = 60000,
    // A log is looked at again after a part of the time it was quiet, at most
    QUIET_PART = 8,
    GROWING_LOOK_MS = 15000,
    ENDED_LOOK_MS = 600000,
    MISSING_LISTINGS = 3, // in a row: it is gone; a file may be overlooked while it is renamed
    GONE_KEPT_MS = 86400000,
};

// A part of the time for which it was quiet; `spread` (any number) keeps many from being looked at
// together.
static int64_t next_look(const struct watch *w, int64_t now_ms, int64_t quiet_ms,
                         int64_t at_most_ms, unsigned spread) {
    int64_t wait = quiet_ms / QUIET_PART;
    wait = wait < at_most_ms ? wait : at_most_ms;
    wait -= wait / 64 * (spread % 16);
    return now_ms + (wait > w->options.poll_ms && w->options.poll_ms > 0 ? wait : 0);
}

// When something whose time is `changed_ms`, seen for the first time, changed by our own clock.
static int64_t first_change(int64_t now_ms, int64_t changed_ms) {
    int64_t age_ms = clock_wall_ms() - changed_ms;
    return now_ms - (age_ms > 0 ? age_ms : 0);
}

void watch_stir(struct watch *w, struct tailed *log) {
    if (!log->ready) {
        log->ready = true;
        log->ring = log->grew || log->view.in_progress ? 1 : 0;
        TAILQ_INSERT_TAIL(&w->rings[log->ring], log, in_ring);
        w->ready_len++;
    }
}

static void say(struct watch *w, const char *path, const char *why) {
    struct buf text = {0};
    buf_printf(&text, "%s: %s", path, why);
    parts_add(&w->trouble, buf_text(&text), 0, false);
    buf_fini(&text);
}

// ---- logs --------------------------------------------------------------------------------------

// What the name tells of the application: for Databricks' parts that of their folder.
static void learn_app(struct tailed *log) {
    size_t cut = log->form == LOG_DATED ? strlen("eventlog") : 0;
    struct str name = {log->view.name, strlen(log->view.name) - cut};
    struct log_name says;
    log_name_read(name.len > 0 ? name : str_of(log->view.dir), &says);
    log->view.app_id = says.app_id;
    log->view.attempt = says.attempt;
    log->view.known_form = says.known;
}

static struct tailed *find_log(struct watch *w, size_t root, const char *name) {
    struct buf key = {0};
    struct tailed *log = NULL;
    buf_printf(&key, "%zu:%s", root, name);
    HASH_FIND(hh, w->logs, key.data, key.len, log);
    if (log == NULL && HASH_COUNT(w->logs) < MAX_LOGS) {
        log = mem_zalloc(1, sizeof *log);
        log->key = mem_strndup(key.data, key.len);
        log->view.dir = w->dirs[root];
        log->view.name = strchr(log->key, ':') + 1;
        log->view.path = log->view.name;
        HASH_ADD_KEYPTR(hh, w->logs, log->key, key.len, log);
    }
    buf_fini(&key);
    return log;
}

static void free_log(struct watch *w, struct tailed *log) {
    tailed_close(log, w);
    if (log->ready) {
        TAILQ_REMOVE(&w->rings[log->ring], log, in_ring);
        w->ready_len--;
    }
    HASH_DEL(w->logs, log);
    if (log->folder != NULL) {
        LIST_REMOVE(log, in_folder);
    }
    parts_fini(&log->parts);
    parts_fini(&log->listed);
    mem_free(log->at.path);
    mem_free(log->key);
    mem_free(log);
}

// The name of the entry's log below the given folder.
static void log_name(struct buf *out, const struct folder *folder, const struct entry *e) {
    size_t below = strlen(folder->below);
    buf_clear(out);
    if (e->stem.len > 0) {
        buf_printf(out, "%s%.*s", folder->below, (int)e->stem.len, e->stem.p);
    } else if (below > 0) {
        buf_add(out, folder->below, below - 1);
    } else {
        buf_add_str(out, log_name_base(str_of(folder->path)));
    }
}

static bool is_wanted(const struct watch *w, const struct folder *folder, const char *name) {
    if (folder->only != NULL) {
        return strcmp(name, folder->only) == 0;
    }
    if (w->pattern == NULL) {
        return true;
    }
    struct str base = log_name_base(str_of(name));
    char *copy = mem_strndup(base.p, base.len);
    bool wanted = fnmatch(w->pattern, copy, 0) == 0;
    mem_free(copy);
    return wanted;
}

static void settle_in(struct folder *folder, struct tailed *log, enum log_form form) {
    if (log->folder != folder) {
        if (log->folder != NULL) {
            LIST_REMOVE(log, in_folder);
        }
        log->folder = folder;
        LIST_INSERT_HEAD(&folder->logs, log, in_folder);
    }
    if (log->view.app_id.p == NULL) {
        log->form = form;
        learn_app(log);
    }
}

// Notes a file of a log.
static void note_file(struct watch *w, struct folder *folder, const struct entry *e,
                      const char *path, struct buf *name) {
    log_name(name, folder, e);
    struct tailed *log =
        is_wanted(w, folder, buf_text(name)) ? find_log(w, folder->root, buf_text(name)) : NULL;
    if (log == NULL) {
        return;
    }
    settle_in(folder, log, e->form);
    if (log->listing != folder->listing) {
        log->listing = folder->listing;
        log->listed_in_progress = false;
        parts_fini(&log->listed);
    }
    log->listed_in_progress = log->listed_in_progress || e->in_progress;
    if (!e->status_file) {
        parts_add(&log->listed, path, e->number, e->compact);
    }
}

static bool is_in_progress(const char *path) {
    struct log_name says;
    log_name_read(str_of(path), &says);
    return says.in_progress;
}

// Of several files under one name: the one that is read stays; else one that is finished.
static void keep_one(struct tailed *log) {
    struct parts *all = &log->listed;
    size_t keep = 0;
    for (size_t i = 0; i < all->len; i++) {
        if (log->at.path != NULL && strcmp(log->at.path, all->items[i].path) == 0) {
            keep = i;
            break;
        }
        keep = is_in_progress(all->items[i].path) ? keep : i;
    }
    struct part kept = all->items[keep];
    all->items[keep] = all->items[0];
    all->items[0] = kept;
    while (all->len > 1) {
        mem_free(all->items[--all->len].path);
    }
    log->listed_in_progress = is_in_progress(kept.path);
}

static bool same_parts(const struct parts *a, const struct parts *b) {
    bool same = a->len == b->len;
    for (size_t i = 0; same && i < a->len; i++) {
        same = strcmp(a->items[i].path, b->items[i].path) == 0;
    }
    return same;
}

// Takes over what the listing gave of the log.
static void take_listed(struct tailed *log) {
    if (log->form == LOG_FILE && log->listed.len > 0) {
        keep_one(log);
    } else {
        parts_sort(&log->listed);
    }
    bool ended = log->view.in_progress && !log->listed_in_progress;
    log->view.in_progress = log->listed_in_progress;
    log->was_in_progress = log->was_in_progress || log->view.in_progress;
    if (ended || log->gone || !same_parts(&log->parts, &log->listed)) {
        log->next_look_ms = 0;
        log->listed_news = log->looked || log->gone;
    }
    log->missing = 0;
    log->looked = log->looked && !log->gone;
    log->gone = log->gone_told = false;
    parts_fini(&log->parts);
    log->parts = log->listed;
    log->listed = (struct parts){0};
    tailed_renamed(log);
}

// Not in the listing: once is not enough to believe it.
static void miss(struct watch *w, struct tailed *log, int64_t now_ms) {
    if (!log->gone) {
        log->folder->changed = true;
    }
    if (!log->gone && ++log->missing == MISSING_LISTINGS) {
        log->gone = true;
        log->gone_ms = now_ms;
        watch_stir(w, log);
    } else if (log->gone_told && now_ms - log->gone_ms > GONE_KEPT_MS) {
        free_log(w, log);
    }
}

static void finish_listing(struct watch *w, struct folder *folder, int64_t now_ms) {
    struct tailed *next;
    for (struct tailed *log = LIST_FIRST(&folder->logs); log != NULL; log = next) {
        next = LIST_NEXT(log, in_folder);
        if (log->listing == folder->listing) {
            take_listed(log);
        } else {
            miss(w, log, now_ms);
        }
    }
}

// ---- folders -----------------------------------------------------------------------------------

static struct folder *add_folder(struct watch *w, size_t root, const char *path, const char *below,
                                 unsigned depth) {
    struct folder *folder;
    HASH_FIND_STR(w->by_key, path, folder);
    if (folder != NULL) {
        return folder;
    }
    folder = mem_zalloc(1, sizeof *folder);
    folder->key = mem_strdup(path);
    folder->path = mem_strdup(path);
    folder->below = mem_strdup(below);
    folder->root = root;
    folder->depth = depth;
    folder->changed = true;
    LIST_INIT(&folder->logs);
    TAILQ_INSERT_TAIL(&w->folders, folder, in_all);
    HASH_ADD_KEYPTR(hh, w->by_key, folder->key, strlen(folder->key), folder);
    return folder;
}

static void free_folder(struct watch *w, struct folder *folder) {
    TAILQ_REMOVE(&w->folders, folder, in_all);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash keeps the links
    HASH_DEL(w->by_key, folder);
    mem_free(folder->key);
    mem_free(folder->path);
    mem_free(folder->below);
    mem_free(folder->only);
    mem_free(folder);
}

static void add_root(struct watch *w, size_t root) {
    struct stat st;
    const char *dir = w->dirs[root];
    struct folder *folder = add_folder(w, root, dir, "", w->options.depth);
    folder->is_root = true;
    if (stat(dir, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    struct entry e = {0}; // a file: its folder, and of that this log alone
    struct str base = log_name_base(str_of(dir));
    struct str stem = entry_read(&e, base) ? e.stem : base;
    size_t above = strlen(dir) - base.len;
    mem_free(folder->path);
    folder->path = above > 0 ? mem_strndup(dir, above) : mem_strdup(".");
    folder->only = mem_strndup(stem.p, stem.len);
    folder->depth = 0;
}

// A folder within one: rolled logs always, others as deep as was asked for.
static void note_folder(struct watch *w, const struct folder *in, const char *name,
                        const char *path) {
    bool rolled = str_starts(str_of(name), STR("eventlog_v2_"));
    if (in->only != NULL || (in->depth == 0 && !rolled)) {
        return;
    }
    struct buf below = {0};
    buf_printf(&below, "%s%s/", in->below, name);
    (void)add_folder(w, in->root, path, buf_text(&below), in->depth > 0 ? in->depth - 1 : 0);
    buf_fini(&below);
}

static void note_entry(struct watch *w, struct folder *folder, int fd, const struct dirent *d,
                       struct buf *path, struct buf *name) {
    struct stat st;
    bool is_file = d->d_type == DT_REG, is_folder = d->d_type == DT_DIR;
    struct entry e;
    if (!entry_read(&e, str_of(d->d_name))) {
        return;
    }
    if (!is_file && !is_folder) {
        if ((d->d_type != DT_LNK && d->d_type != DT_UNKNOWN) ||
            fstatat(fd, d->d_name, &st, 0) != 0) {
            return;
        }
        is_file = S_ISREG(st.st_mode);
        is_folder = S_ISDIR(st.st_mode);
    }
    buf_clear(path);
    buf_printf(path, "%s%s%s", folder->path,
               folder->path[strlen(folder->path) - 1] == '/' ? "" : "/", d->d_name);
    if (is_folder) {
        note_folder(w, folder, d->d_name, buf_text(path));
    } else if (is_file) {
        note_file(w, folder, &e, buf_text(path), name);
    }
}

// Reads the folder. False, and it is told, if that cannot be done.
static bool list_folder(struct watch *w, struct folder *folder, int64_t now_ms) {
    DIR *dir = opendir(folder->path);
    if (dir == NULL) {
        return false;
    }
    struct buf path = {0}, name = {0};
    folder->changed = false;
    folder->listing++;
    folder->listed_ms = now_ms;
    errno = 0;
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        note_entry(w, folder, dirfd(dir), d, &path, &name);
        errno = 0;
    }
    bool whole = errno == 0;
    closedir(dir);
    buf_fini(&path);
    buf_fini(&name);
    if (whole) {
        finish_listing(w, folder, now_ms);
    }
    return whole;
}

// True if the folder given by the user cannot be read now: nothing below it is missing.
static bool is_cut_off(const struct watch *w, const struct folder *folder) {
    const struct folder *given;
    TAILQ_FOREACH(given, &w->folders, in_all) {
        if (given->is_root && given->root == folder->root) {
            return given->told;
        }
    }
    return false;
}

// The folder cannot be read, for `code`.
static void lose_folder(struct watch *w, struct folder *folder, int code, int64_t now_ms) {
    folder->changed = true;
    if (!folder->is_root && code == ENOENT) {
        if (!is_cut_off(w, folder)) {
            folder->listing++;
            finish_listing(w, folder, now_ms);
            folder->removed = LIST_EMPTY(&folder->logs);
        }
    } else if (!folder->told) {
        folder->told = true;
        say(w, folder->path, strerror(code));
    }
}

// Stats the folder and reads it if it changed.
static void look_folder(struct watch *w, struct folder *folder, int64_t now_ms) {
    struct stat st;
    if (stat(folder->path, &st) != 0) {
        lose_folder(w, folder, errno, now_ms);
        return;
    }
    int64_t changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (changed_ns != folder->changed_ns) {
        folder->seen_mono_ms =
            folder->changed_ns == 0 ? first_change(now_ms, changed_ns / 1000000) : now_ms;
        folder->changed_ns = changed_ns;
    }
    int64_t quiet_ms = now_ms - folder->seen_mono_ms;
    int64_t again_ms =
        quiet_ms / QUIET_PART < LIST_AT_LAST_MS ? quiet_ms / QUIET_PART : LIST_AT_LAST_MS;
    again_ms = again_ms > LIST_SOON_MS ? again_ms : LIST_SOON_MS;
    if (folder->changed || quiet_ms < GRAIN_MS || now_ms - folder->listed_ms >= again_ms) {
        if (list_folder(w, folder, now_ms)) {
            folder->told = false;
        } else {
            lose_folder(w, folder, errno, now_ms);
        }
    }
    if (!folder->is_root) {
        folder->next_look_ms = next_look(w, now_ms, quiet_ms, GROWING_LOOK_MS, 0);
    }
}

// ---- looking -----------------------------------------------------------------------------------

// What the file system says of the part's file, taken over. True if it is other than before.
static bool take_stat(struct tailed *log, const struct stat *st) {
    bool same_file = log->inode == st->st_ino && log->device == st->st_dev;
    bool same = same_file && log->size_bytes == (uint64_t)st->st_size &&
                log->changed_ms == follow_ms_of(st->st_mtim);
    bool known = log->looked;
    if (known && log->reader != NULL &&
        (!same_file || (uint64_t)st->st_size < log->reader->input.read_total)) {
        log->moved = true;
    }
    log->grew = log->grew || (known && !same);
    log->looked = true;
    log->device = st->st_dev;
    log->inode = st->st_ino;
    log->size_bytes = (uint64_t)st->st_size;
    log->changed_ms = follow_ms_of(st->st_mtim);
    return !known || !same;
}

// When the newest part of the log changed.
static int64_t newest_ms(const struct tailed *log) {
    struct stat st;
    bool known = log->parts.len > 1 && stat(log->parts.items[log->parts.len - 1].path, &st) == 0;
    return known ? follow_ms_of(st.st_mtim) : log->changed_ms;
}

// A log seen for the first time: what was read of it before, or is too old, is not opened.
static bool is_done(const struct watch *w, struct tailed *log) {
    struct follow_position *p = &log->position;
    bool untouched = p->part == 0 && p->text_bytes == 0 && !p->ended;
    if (untouched && newest_ms(log) < w->options.since_ms) {
        p->ended = true;
        p->seen_bytes = log->size_bytes;
        p->seen_ms = log->changed_ms;
    }
    return p->ended && p->seen_bytes == log->size_bytes && p->seen_ms == log->changed_ms &&
           log->parts.items[log->parts.len - 1].number <= log->at.number;
}

// Bytes of the parts that will be read after this one.
static uint64_t bytes_behind(const struct tailed *log) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < log->parts.len; i++) {
        struct stat st;
        const struct part *p = &log->parts.items[i];
        if (p->number > log->position.part && p->number > log->at.number &&
            stat(p->path, &st) == 0) {
            bytes += (uint64_t)st.st_size;
        }
    }
    return bytes;
}

static void look_log(struct watch *w, struct tailed *log, int64_t now_ms) {
    struct stat st;
    bool first = !log->looked;
    if (log->gone || !tailed_choose(log)) {
        log->next_look_ms = now_ms + GROWING_LOOK_MS;
        return;
    }
    if (stat(log->at.path, &st) != 0) { // the listing will tell; an open file is read on
        log->folder->changed = true;
        if (log->listed_news && log->reader != NULL) {
            watch_stir(w, log);
        }
        log->listed_news = false;
        return;
    }
    if (log->parts.len > 1 && (first || log->listed_news)) {
        log->behind_bytes = bytes_behind(log);
    }
    bool news = take_stat(log, &st);
    if (news) {
        log->seen_mono_ms = first ? first_change(now_ms, log->changed_ms) : now_ms;
    }
    if (first && is_done(w, log)) {
        log->packed_at = log->size_bytes;
        news = false;
    }
    if (news || log->listed_news || log->retry ||
        (!log->position.ended && tailed_is_final(log, w, now_ms))) {
        watch_stir(w, log);
    }
    log->listed_news = log->retry = false;
    log->next_look_ms =
        next_look(w, now_ms, now_ms - log->seen_mono_ms,
                  log->position.ended ? ENDED_LOOK_MS : GROWING_LOOK_MS, log->hh.hashv);
}

void watch_look(struct watch *w, int64_t now_ms) {
    struct folder *folder, *next_folder;
    for (folder = TAILQ_FIRST(&w->folders); folder != NULL; folder = next_folder) {
        if (folder->next_look_ms <= now_ms) {
            look_folder(w, folder, now_ms);
        }
        next_folder = TAILQ_NEXT(folder, in_all); // what it added comes behind it
        if (folder->removed) {
            free_folder(w, folder);
        }
    }
    struct tailed *log, *next;
    HASH_ITER(hh, w->logs, log, next) {
        if (log->next_look_ms <= now_ms) {
            look_log(w, log, now_ms);
        }
    }
}

static void expect(struct watch *w, size_t root, const char *name,
                   const struct follow_position *position) {
    struct tailed *log = find_log(w, root, name);
    struct folder *folder;
    if (log == NULL) {
        return;
    }
    log->position = *position;
    TAILQ_FOREACH(folder, &w->folders, in_all) {
        if (folder->root == root && log->folder == NULL) {
            log->folder = folder;
            LIST_INSERT_HEAD(&folder->logs, log, in_folder);
        }
    }
}

bool watch_expect(struct watch *w, const char *dir, const char *name,
                  const struct follow_position *position) {
    for (size_t i = 0; i < w->dirs_len; i++) {
        if (strcmp(w->dirs[i], dir) == 0) {
            expect(w, i, name, position);
            return true;
        }
    }
    return false;
}

void watch_init(struct watch *w, const char *const *dirs, size_t count,
                const struct follow_options *options) {
    *w = (struct watch){.options = *options, .dirs_len = count};
    w->pattern = options->pattern != NULL ? mem_strdup(options->pattern) : NULL;
    w->dirs = mem_zalloc(count, sizeof *w->dirs);
    TAILQ_INIT(&w->folders);
    TAILQ_INIT(&w->rings[0]);
    TAILQ_INIT(&w->rings[1]);
    TAILQ_INIT(&w->open);
    for (size_t i = 0; i < count; i++) {
        w->dirs[i] = mem_strdup(dirs[i]);
        add_root(w, i);
    }
}

void watch_fini(struct watch *w) {
    struct tailed *log, *next;
    HASH_ITER(hh, w->logs, log, next) {
        free_log(w, log);
    }
    while (!TAILQ_EMPTY(&w->folders)) {
        free_folder(w, TAILQ_FIRST(&w->folders));
    }
    for (size_t i = 0; i < w->dirs_len; i++) {
        mem_free(w->dirs[i]);
    }
    mem_free(w->dirs);
    mem_free(w->pattern);
    parts_fini(&w->trouble);
    buf_fini(&w->words);
}
