// follow_text: what the tests of the follower share: a scratch folder to write logs in, and a
// reader that keeps, per log, the lines that came and what was told. Included by tests/eventlog/
// only.
#pragma once

#include "log_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eventlog/follow.h"

static char root[] = "/tmp/stoker-follow-XXXXXX";

static inline int make_root(void **state) {
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    return mkdtemp(root) == NULL;
}

static inline void remove_below(const char *path) {
    DIR *dir = opendir(path);
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        char below[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (unlink(below) != 0) {
            remove_below(below);
            rmdir(below);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static inline int remove_root(void **state) {
    (void)state;
    chmod(root, 0700);
    remove_below(root);
    return rmdir(root);
}

static inline const char *at(const char *name) {
    static char paths[4][1024];
    static unsigned n;
    char *path = paths[n++ % 4];
    snprintf(path, 1024, "%s/%s", root, name);
    return path;
}

static inline void put(const char *name, const char *text) {
    write_file(at(name), text, strlen(text));
}

static inline void append(const char *name, const void *bytes, size_t len) {
    FILE *f = fopen(at(name), "ab");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline void add(const char *name, const char *text) {
    append(name, text, strlen(text));
}

static inline void rename_log(const char *from, const char *to) {
    assert_int_equal(rename(at(from), at(to)), 0);
}

// What came of one log.
struct came {
    char *name;
    struct buf text; // its lines, a line end each
    char id[64], attempt[64];
    struct follow_position position;
    unsigned long_lines, ended, gone, again, trouble;
    bool known_form;
};

// A follower and what it gave. Starts anew from the positions kept when it is told to.
struct tail {
    struct follower *f;
    struct follow_options options;
    const char *dirs[4];
    size_t dirs_len;
    struct came came[64];
    size_t len;
    struct buf words; // everything told, one a line
    uint64_t unread;
};

static inline struct came *came_of(struct tail *t, const char *name) {
    for (size_t i = 0; i < t->len; i++) {
        if (strcmp(t->came[i].name, name) == 0) {
            return &t->came[i];
        }
    }
    assert_true(t->len < 64);
    t->came[t->len] = (struct came){.name = mem_strdup(name)};
    return &t->came[t->len++];
}

static inline const char *text_of(struct tail *t, const char *name) {
    return buf_text(&came_of(t, name)->text);
}

// Takes one item. False if there was none.
static inline bool take_item(struct tail *t) {
    struct follow_item item;
    follower_next(t->f, 0, &item);
    if (item.kind == FOLLOW_IDLE) {
        return false;
    }
    assert_non_null(item.words);
    if (item.kind == FOLLOW_TROUBLE || item.kind == FOLLOW_AGAIN || item.kind == FOLLOW_GONE) {
        assert_true(item.words[0] != '\0');
        buf_printf(&t->words, "%s\n", item.words);
    }
    if (item.log == NULL) {
        return true;
    }
    struct came *c = came_of(t, item.log->name);
    snprintf(c->id, sizeof c->id, "%.*s", (int)item.log->app_id.len, item.log->app_id.p);
    snprintf(c->attempt, sizeof c->attempt, "%.*s", (int)item.log->attempt.len,
             item.log->attempt.p);
    c->known_form = item.log->known_form;
    c->position = item.position;
    c->long_lines += item.kind == FOLLOW_LONG_LINE;
    c->ended += item.kind == FOLLOW_ENDED;
    c->gone += item.kind == FOLLOW_GONE;
    c->again += item.kind == FOLLOW_AGAIN;
    c->trouble += item.kind == FOLLOW_TROUBLE;
    if (item.kind == FOLLOW_LINE) {
        assert_true(item.readable >= item.line.len + EVENTLOG_PADDING);
        buf_add_str(&c->text, item.line);
        buf_add_char(&c->text, '\n');
    }
    return true;
}

static inline void take_all(struct tail *t) {
    while (take_item(t)) {
    }
}

// Begins, or begins again as a process would that kept the positions as text.
static inline void start(struct tail *t) {
    struct err err = {0};
    follower_free(t->f);
    if (t->dirs_len == 0) {
        t->dirs[t->dirs_len++] = root;
    }
    assert_int_equal(follower_new(t->dirs, t->dirs_len, &t->options, &t->f, &err), ST_OK);
    for (size_t i = 0; i < t->len; i++) {
        struct buf kept = {0}, again = {0};
        struct follow_position back;
        follow_position_add(&kept, &t->came[i].position);
        assert_true(follow_position_read(buf_str(&kept), &back));
        follow_position_add(&again, &back);
        assert_string_equal(buf_text(&kept), buf_text(&again));
        assert_true(follower_resume(t->f, t->dirs[0], t->came[i].name, &back));
        buf_fini(&again);
        buf_fini(&kept);
    }
}

static inline void stop(struct tail *t) {
    follower_free(t->f);
    for (size_t i = 0; i < t->len; i++) {
        mem_free(t->came[i].name);
        buf_fini(&t->came[i].text);
    }
    buf_fini(&t->words);
    *t = (struct tail){0};
}
