// keep: see the header. Called by engine and fleet for their state, by present for the kinds of
// keys.
#include "keep/keep.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

struct keep_walk {
    enum { WALK_ALL, WALK_CHANGES, WALK_FORGET } what;
    struct keep *keep; // NULL: WALK_ALL
    keep_each_fn each;
    void *ctx;
    struct buf key, value;
};

const struct keep_kind *keep_kind_of(const struct keep_kinds *kinds, struct str key) {
    for (size_t i = 0; i < kinds->count && key.len > 0; i++) {
        const struct keep_kind *kind = &kinds->list[i];
        if (kind->letter == key.p[0] && (kind->owned || str_is(key, kind->form))) {
            return kind;
        }
    }
    return NULL;
}

static void write_key(const struct keep_key *key, struct buf *out) {
    const struct keep_kind *kind = key->kind;
    require(kind != NULL && kind->owned == (key->owner.len > 0) && kind->numbers <= 2);
    buf_clear(out);
    buf_add_char(out, kind->letter);
    for (unsigned i = 0; i < kind->numbers; i++) {
        char number[24];
        int n = snprintf(number, sizeof number, "%lld.", (long long)key->numbers[i]);
        buf_add(out, number, (size_t)n);
    }
    if (kind->word) {
        buf_add_str(out, key->word);
        buf_add_char(out, '.');
    }
    buf_add_str(out, key->owner);
}

// The text up to the next dot, which is passed over; false if there is none.
static bool cut(struct str *rest, struct str *part) {
    const char *dot = memchr(rest->p, '.', rest->len);
    if (dot == NULL) {
        return false;
    }
    *part = (struct str){rest->p, (size_t)(dot - rest->p)};
    rest->len -= part->len + 1;
    rest->p = dot + 1;
    return true;
}

// False if the text is none of its kind.
static bool read_key(const struct keep_kind *kind, struct str text, struct keep_key *key) {
    struct str rest = {text.p + 1, text.len - 1}, part;
    *key = (struct keep_key){.kind = kind, .text = text};
    for (unsigned i = 0; i < kind->numbers; i++) {
        if (!cut(&rest, &part) || !str_to_i64(part, &key->numbers[i])) {
            return false;
        }
    }
    if (kind->word && !cut(&rest, &key->word)) {
        return false;
    }
    key->owner = rest;
    return !kind->owned || rest.len > 0;
}

static void note_gone(struct keep *keep, struct str key) {
    if (keep->gone == NULL) {
        keep->gone = keep_table_new();
    }
    keep_table_put(keep->gone, key, STR("gone"));
}

void keep_fini(struct keep *keep) {
    keep_table_free(keep->gone);
    keep->gone = NULL;
}

bool keep_only_changes(const struct keep_walk *walk) {
    return walk->what == WALK_CHANGES;
}

bool keep_wants(const struct keep_walk *walk, const struct kept *kept) {
    return walk->what != WALK_CHANGES || kept->touched;
}

void keep_visit(struct keep_walk *walk, const struct keep_key *key, struct kept *kept,
                const void *object) {
    if (walk->what == WALK_FORGET ? !kept->written : !keep_wants(walk, kept)) {
        return;
    }
    if (!kept->touched && !kept->written) {
        return;
    }
    write_key(key, &walk->key);
    if (walk->what == WALK_FORGET) {
        note_gone(walk->keep, buf_str(&walk->key));
        return;
    }
    value_write(key->kind->record, object, &walk->value);
    if (walk->what == WALK_CHANGES) {
        kept->touched = false;
        kept->written = true;
        if (walk->keep->gone != NULL) { // what went under this key is replaced
            keep_table_put(walk->keep->gone, buf_str(&walk->key), (struct str){NULL, 0});
        }
    }
    walk->each(walk->ctx, buf_str(&walk->key), buf_str(&walk->value));
}

static struct keep_key part_key(const struct keep_kinds *kinds, struct kept_part part,
                                struct str owner) {
    return (struct keep_key){.kind = keep_kind_of(kinds, (struct str){&part.letter, 1}),
                             .numbers = {part.numbers[0], part.numbers[1]},
                             .owner = owner};
}

void keep_visit_part(struct keep_walk *walk, const struct keep_kinds *kinds, struct kept_part part,
                     struct str owner, struct kept *kept, const void *object) {
    if (keep_wants(walk, kept)) {
        struct keep_key key = part_key(kinds, part, owner);
        keep_visit(walk, &key, kept, object);
    }
}

void keep_visit_gone(struct keep_walk *walk, const struct keep_kinds *kinds, struct kept_gone *gone,
                     struct str owner) {
    if (walk->what == WALK_ALL) {
        return;
    }
    for (uint32_t i = 0; i < gone->count; i++) {
        struct keep_key key = part_key(kinds, gone->parts[i], owner);
        write_key(&key, &walk->key);
        note_gone(walk->keep, buf_str(&walk->key));
    }
    gone->count = 0;
}

static void end_walk(struct keep_walk *walk) {
    buf_fini(&walk->key);
    buf_fini(&walk->value);
}

static void tell_gone(void *ctx, struct str key, struct str value) {
    const struct keep_walk *walk = ctx;
    (void)value;
    walk->each(walk->ctx, key, (struct str){NULL, 0});
}

void keep_changes(struct keep *keep, void *stage, keep_visit_fn *visit, keep_each_fn each,
                  void *ctx) {
    struct keep_walk walk = {.what = WALK_CHANGES, .keep = keep, .each = each, .ctx = ctx};
    visit(stage, NULL, &walk);
    if (keep->gone != NULL) { // last: what came back under its key is not gone
        keep_table_each(keep->gone, tell_gone, &walk);
    }
    keep_fini(keep);
    end_walk(&walk);
}

void keep_all(void *stage, keep_visit_fn *visit, keep_each_fn each, void *ctx) {
    struct keep_walk walk = {.what = WALK_ALL, .each = each, .ctx = ctx};
    visit(stage, NULL, &walk);
    end_walk(&walk);
}

void keep_forget(struct keep *keep, void *stage, keep_visit_fn *visit, void *thing) {
    struct keep_walk walk = {.what = WALK_FORGET, .keep = keep};
    require(thing != NULL);
    visit(stage, thing, &walk);
    end_walk(&walk);
}

void keep_forget_one(struct keep *keep, const struct keep_key *key, const struct kept *kept) {
    if (kept->written) {
        struct buf text = {0};
        write_key(key, &text);
        note_gone(keep, buf_str(&text));
        buf_fini(&text);
    }
}

struct item {
    const struct keep_kind *kind;
    struct str key, value;
};

struct loading {
    const struct keep_kinds *kinds;
    struct item *items; // owned
    size_t count, cap;
};

static void sort_out(void *ctx, struct str key, struct str value) {
    struct loading *loading = ctx;
    const struct keep_kind *kind = keep_kind_of(loading->kinds, key);
    if (kind != NULL) {
        MEM_GROW(loading->items, loading->count, loading->cap);
        loading->items[loading->count++] = (struct item){kind, key, value};
    }
}

static bool load_item(void *stage, const struct item *item, struct err *err) {
    struct keep_key key;
    err_set(err, ST_SKIP, "damaged state, or state of which a part is missing");
    if (!read_key(item->kind, item->key, &key)) {
        return false;
    }
    void *object = item->kind->open(stage, &key);
    if (object == NULL) {
        return false;
    }
    bool good = value_read(item->kind->record, item->value, object, err) == ST_OK;
    return item->kind->close(stage, &key, object, good) && good;
}

enum status keep_load(const struct keep_kinds *kinds, void *stage, const struct keep_table *table,
                      bool (*whole)(void *stage, struct err *err), struct err *err) {
    struct err unused = {0};
    struct loading loading = {.kinds = kinds};
    err = err == NULL ? &unused : err;
    bool good = true;
    keep_table_each(table, sort_out, &loading);
    for (size_t k = 0; k < kinds->count; k++) {
        for (size_t i = 0; i < loading.count && good; i++) {
            const struct item *item = &loading.items[i];
            good = item->kind != &kinds->list[k] || load_item(stage, item, err);
            if (!good) {
                struct buf key = {0};
                buf_add_printable(&key, item->key);
                err_wrap(err, "key %.200s", buf_text(&key));
                buf_fini(&key);
            }
        }
    }
    mem_free(loading.items);
    if (good) {
        err_set(err, ST_SKIP, "state of which a part is missing");
        good = whole(stage, err);
    }
    return good ? ST_OK : ST_SKIP;
}
