// eventlog_parts: which files of a folder make up a log, and in which order. Called when a log is
// opened; must never take two logs for one: what is not clear is refused in words. A name is a hint
// only (model/log_name.h), the content wins.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

#define MAX_ENTRIES 100000 // of a folder: no rolled log has as many
#define MAX_PROBES 1000    // files opened to find the one that is a log

void parts_fini(struct parts *parts) {
    for (size_t i = 0; i < parts->len; i++) {
        mem_free(parts->items[i].path);
    }
    mem_free(parts->items);
    *parts = (struct parts){0};
}

void parts_add(struct parts *parts, const char *path, int64_t number, bool compact) {
    MEM_GROW(parts->items, parts->len, parts->cap);
    parts->items[parts->len++] = (struct part){mem_strdup(path), number, compact};
}

// A compacted part stands after the plain part of its number: it replaces it.
static int by_number(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    return x->compact != y->compact ? x->compact - y->compact : strcmp(x->path, y->path);
}

void parts_sort(struct parts *parts) {
    if (parts->len > 0) {
        qsort(parts->items, parts->len, sizeof *parts->items, by_number);
    }
}

static int by_path(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static void drop_first(struct parts *parts, size_t n) {
    for (size_t i = 0; i < n; i++) {
        mem_free(parts->items[i].path);
    }
    parts->len -= n;
    memmove(parts->items, parts->items + n, parts->len * sizeof *parts->items);
}

// What came before the last compacted part is contained in it.
static void drop_compacted(struct parts *parts) {
    for (size_t i = parts->len; i > 0; i--) {
        if (parts->items[i - 1].compact) {
            drop_first(parts, i - 1);
            return;
        }
    }
}

// The files of the folder by kind: Spark's parts, Databricks' dated parts, anything else.
struct listing {
    struct parts rolled;
    struct parts dated;
    struct parts current; // Databricks' "eventlog": the part being written, read last
    struct parts other;
};

static void sort_entry(struct listing *l, const char *path, struct str name) {
    struct log_name says;
    log_name_read(name, &says);
    struct str stem = says.app_id;
    if (says.part > 0) {
        parts_add(&l->rolled, path, says.part, says.compact);
    } else if (says.status) {
        l->rolled.in_progress = l->rolled.in_progress || says.in_progress;
    } else if (str_is(stem, "eventlog")) {
        parts_add(&l->current, path, 0, false);
    } else if (str_starts(stem, STR("eventlog-")) && stem.len > 9 && stem.p[9] >= '0' &&
               stem.p[9] <= '9') {
        parts_add(&l->dated, path, 0, false);
    } else {
        parts_add(&l->other, path, 0, false);
    }
}

static enum status list_folder(const char *path, struct listing *l, struct err *err) {
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return err_set(err, ST_SKIP, "%s: %s", path, strerror(errno));
    }
    size_t count = 0;
    struct buf full = {0};
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0) != 0 ||
            !S_ISREG(st.st_mode)) {
            continue;
        }
        if (++count > MAX_ENTRIES) {
            break;
        }
        buf_clear(&full);
        buf_printf(&full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", e->d_name);
        sort_entry(l, buf_text(&full), str_of(e->d_name));
    }
    buf_fini(&full);
    closedir(dir);
    return count > MAX_ENTRIES
               ? err_set(err, ST_SKIP, "%s: more than %d files: not a log", path, MAX_ENTRIES)
               : ST_OK;
}

// True if the file begins as event logs do.
static bool is_event_log(const char *path) {
    struct eventlog *log = NULL;
    struct str line = {0};
    if (eventlog_open_file(path, &log, NULL) != ST_OK) {
        return false;
    }
    eventlog_set_max_line(log, EVENTLOG_HEAD_BYTES);
    enum status status = eventlog_next(log, &line, NULL, NULL);
    bool yes = (status == ST_OK || status == ST_SKIP) && line.p != NULL && line.p[0] == '{' &&
               str_contains(line, STR("\"Event\""));
    eventlog_free(log);
    return yes;
}

// A folder that is not rolled: exactly one file of it must be a log.
static enum status pick_single(const char *path, const struct parts *files, struct parts *out,
                               struct err *err) {
    size_t found = 0;
    const char *which[2] = {"", ""};
    for (size_t i = 0; i < files->len && i < MAX_PROBES && found < 2; i++) {
        if (is_event_log(files->items[i].path)) {
            which[found++] = files->items[i].path;
        }
    }
    if (found == 0) {
        return err_set(err, ST_SKIP,
                       "%s: holds no event log (neither a rolled log's events_<n>_... files nor a "
                       "file that begins as a log)",
                       path);
    }
    if (found == 2) {
        struct str a = log_name_base(str_of(which[0])), b = log_name_base(str_of(which[1]));
        return err_set(err, ST_SKIP,
                       "%s: holds more than one event log (%.*s, %.*s): name the one to read", path,
                       (int)a.len, a.p, (int)b.len, b.p);
    }
    parts_add(out, which[0], 0, false);
    return ST_OK;
}

static void move_all(struct parts *from, struct parts *to) {
    for (size_t i = 0; i < from->len; i++) {
        parts_add(to, from->items[i].path, from->items[i].number, from->items[i].compact);
    }
}

enum status parts_scan(const char *path, struct parts *out, struct err *err) {
    struct listing l = {0};
    enum status status = list_folder(path, &l, err);
    if (status == ST_OK && l.rolled.len > 0) {
        parts_sort(&l.rolled);
        drop_compacted(&l.rolled);
        move_all(&l.rolled, out);
        out->in_progress = l.rolled.in_progress;
    } else if (status == ST_OK && l.dated.len > 0 && l.current.len <= 1) {
        qsort(l.dated.items, l.dated.len, sizeof *l.dated.items, by_path);
        move_all(&l.dated, out);
        move_all(&l.current, out);
    } else if (status == ST_OK) {
        move_all(&l.dated, &l.other);
        move_all(&l.current, &l.other);
        if (l.other.len > 0) {
            qsort(l.other.items, l.other.len, sizeof *l.other.items, by_path);
        }
        status = pick_single(path, &l.other, out, err);
    }
    parts_fini(&l.rolled);
    parts_fini(&l.dated);
    parts_fini(&l.current);
    parts_fini(&l.other);
    return status;
}

enum status parts_check(const struct parts *parts, size_t at, struct err *err) {
    const struct part *p = &parts->items[at];
    int64_t before = at > 0 ? parts->items[at - 1].number : 0;
    struct str name = log_name_base(str_of(p->path));
    if (p->number == 0 || (at == 0 && p->compact) || p->number == before + 1) {
        return ST_OK;
    }
    if (at > 0 && p->number == before) {
        return err_set(err, ST_SKIP, "part %lld is there twice, %.*s is the second one",
                       (long long)p->number, (int)name.len, name.p);
    }
    if (p->number == before + 2) {
        return err_set(err, ST_SKIP, "part %lld is missing before %.*s", (long long)before + 1,
                       (int)name.len, name.p);
    }
    return err_set(err, ST_SKIP, "parts %lld to %lld are missing before %.*s",
                   (long long)before + 1, (long long)p->number - 1, (int)name.len, name.p);
}
