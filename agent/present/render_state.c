// render_state: kept state for `stoker state`: a line per owner, or every value. Called by
// cmd_state; everything shown comes from a message and is escaped, and what cannot be read is said,
// never taken for something else.
#include "present/render_state.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "keep/position.h"
#include "keep/shipped.h"

// What is under the same run key or pipeline key.
struct owner {
    struct str key; // of the owner, borrowed from the table
    struct str run; // its own value
    bool app;       // an application, else a pipeline
    int64_t stages, runs, panes, keys, bytes, unreadable;
    UT_hash_handle hh;
};

struct showing {
    struct render_state *render;
    const char *topic;
    int32_t partition;
    struct owner *owners;
};

// Does a key begin with one of these letters? A NUL, which strchr would find, is none.
static bool begins(struct str key, const char *letters) {
    return key.len > 0 && key.p[0] != '\0' && strchr(letters, key.p[0]) != NULL;
}

// Does it name a run or a pipeline behind its letter?
static bool is_owned(struct str key) {
    return key.len > 1 && begins(key, "rsjaxpkw");
}

// The key of what a value belongs to: behind the letter and its numbers.
static struct str owner_key(struct str key) {
    int dots = key.p[0] == 's' ? 2 : begins(key, "jaxkw") ? 1 : 0;
    size_t at = 1;
    for (; dots > 0 && at < key.len; dots--) {
        const char *dot = memchr(key.p + at, '.', key.len - at);
        at = dot == NULL ? key.len : (size_t)(dot - key.p) + 1;
    }
    return (struct str){key.p + at, key.len - at};
}

// An application's id, or a pipeline's name, in an owner's key: id newline attempt, cluster newline
// name.
static struct str first_line(struct str key) {
    const char *newline = memchr(key.p, '\n', key.len);
    return newline == NULL ? key : (struct str){key.p, (size_t)(newline - key.p)};
}

static struct str second_line(struct str key) {
    struct str first = first_line(key);
    size_t skip = first.len < key.len ? first.len + 1 : key.len;
    return (struct str){key.p + skip, key.len - skip};
}

static bool is_stage_1(struct str key) {
    return begins(key, "ersjax");
}

static bool is_wanted(const struct render_state *render, struct str key) {
    if (!is_owned(key)) {
        return render->app == NULL && render->pipeline == NULL;
    }
    struct str owner = owner_key(key);
    if (is_stage_1(key)) {
        return render->pipeline == NULL &&
               (render->app == NULL || str_is(first_line(owner), render->app));
    }
    return render->app == NULL &&
           (render->pipeline == NULL || str_is(second_line(owner), render->pipeline));
}

// The kind of a key; NULL: of a later release.
static const struct keep_kind *kind_of(struct str key) {
    static const struct keep_kinds position = {&keep_kind_position, 1};
    const struct keep_kinds *const all[] = {&position, &engine_kinds, &pipelines_kinds};
    const struct keep_kind *kind = str_eq(key, STR(ROOT_KEY)) ? &keep_kind_position : NULL;
    for (size_t i = 0; i < ARRAY_LEN(all) && kind == NULL; i++) {
        kind = keep_kind_of(all[i], key);
    }
    return kind;
}

// Appends a value as JSON; false, with the reason, if this release cannot read it.
static bool read_value(struct str key, struct str value, struct buf *json, struct err *err) {
    const struct keep_kind *kind = kind_of(key);
    if (kind == NULL) {
        err_set(err, ST_SKIP, "a key of a later release");
        return false;
    }
    return value_to_json(kind->record, value, json, err) == ST_OK;
}

// Every line for programs says first where it was found.
static void begin_line(struct json_writer *json, const struct showing *showing) {
    json_begin_object(json);
    json_member_text(json, "topic", showing->topic);
    json_member_i64(json, "partition", showing->partition);
}

static void show_value(struct showing *showing, struct str key, struct str value) {
    struct buf json = {0}, line = {0};
    struct err err = {0};
    bool good = read_value(key, value, &json, &err);
    showing->render->unreadable += !good;
    if (showing->render->json) {
        struct json_writer out = {.out = &line};
        begin_line(&out, showing);
        json_member_str(&out, "key", key);
        if (good) {
            json_put_key(&out, STR("value"));
            json_put_raw(&out, buf_str(&json));
        } else {
            json_member_text(&out, "unreadable", err.text);
        }
        json_end_object(&out);
    } else {
        buf_printf(&line, "%d ", (int)showing->partition);
        buf_add_printable(&line, key);
        buf_printf(&line, "\n    %s", good ? buf_text(&json) : err.text);
    }
    showing->render->line(showing->render->ctx, buf_text(&line));
    buf_fini(&json);
    buf_fini(&line);
}

static struct owner *owner_of(struct showing *showing, struct str key) {
    struct str name = owner_key(key);
    struct owner *owner;
    HASH_FIND(hh, showing->owners, name.p, name.len, owner);
    if (owner == NULL) {
        owner = mem_zalloc(1, sizeof *owner);
        owner->key = name;
        owner->app = is_stage_1(key);
        HASH_ADD_KEYPTR(hh, showing->owners, owner->key.p, owner->key.len, owner);
    }
    return owner;
}

static void take(void *ctx, struct str key, struct str value) {
    struct showing *showing = ctx;
    struct render_state *render = showing->render;
    if (!is_wanted(render, key)) {
        return;
    }
    render->keys++;
    render->bytes += (int64_t)(key.len + value.len);
    if (render->values) {
        show_value(showing, key, value);
        return;
    }
    struct buf json = {0};
    struct err err = {0};
    bool good = read_value(key, value, &json, &err); // also what no line shows: a restart needs it
    buf_fini(&json);
    render->unreadable += !good;
    if (!is_owned(key)) {
        return;
    }
    struct owner *owner = owner_of(showing, key);
    owner->unreadable += !good;
    owner->keys++;
    owner->bytes += (int64_t)(key.len + value.len);
    owner->stages += key.p[0] == 's';
    owner->runs += key.p[0] == 'k';
    owner->panes += key.p[0] == 'w';
    if (key.p[0] == 'r' || key.p[0] == 'p') {
        owner->run = value;
    }
}

// A member of the owner's own value, as JSON: a text in its quotes, a number; empty if it is not
// there.
static struct str member(struct str json, const char *name) {
    char mark[64];
    int n = snprintf(mark, sizeof mark, "\"%s\":", name);
    const char *at = memmem(json.p, json.len, mark, (size_t)n);
    if (at == NULL) {
        return (struct str){"", 0};
    }
    at += n;
    size_t left = (size_t)(json.p + json.len - at), len = 0;
    bool text = left > 0 && at[0] == '"';
    for (len = text; len < left && (text ? at[len] != '"' : strchr(",}]", at[len]) == NULL);
         len++) {
        len += text && at[len] == '\\';
    }
    return (struct str){at, len + text};
}

// The same of a text, without its quotes.
static struct str text_member(struct str json, const char *name) {
    struct str text = member(json, name);
    return text.len < 2 ? (struct str){"", 0} : (struct str){text.p + 1, text.len - 2};
}

static int64_t count_alerts(struct str json) {
    struct str rest;
    const char *list = memmem(json.p, json.len, "\"alerts\":[", 10);
    int64_t count = 0;
    if (list == NULL) {
        return 0;
    }
    rest = (struct str){list, (size_t)(json.p + json.len - list)};
    for (const char *at; (at = memmem(rest.p, rest.len, "\"description\":", 14)) != NULL; count++) {
        rest = (struct str){at + 14, (size_t)(rest.p + rest.len - at - 14)};
    }
    return count;
}

// Empty: the run's own value is missing or cannot be read.
static const char *status_of(struct str json) {
    return json.len == 0 ? "unknown" : member(json, "ended_ms").len > 0 ? "ended" : "running";
}

static void add_owner_text(struct buf *line, const struct showing *showing,
                           const struct owner *owner, struct str json, bool app) {
    struct str first = first_line(owner->key), second = second_line(owner->key);
    buf_printf(line, "%9d  ", (int)showing->partition);
    buf_add_printable(line, app ? first : second);
    if (app && second.len > 0) {
        buf_add_text(line, " attempt ");
        buf_add_printable(line, second);
    }
    if (app) {
        buf_add_text(line, "  of ");
        buf_add_printable(line, text_member(json, "pipeline"));
        buf_printf(line, ": %s, %lld stages", status_of(json), (long long)owner->stages);
    } else {
        buf_add_text(line, "  in ");
        buf_add_printable(line, first);
        buf_printf(line, ": %lld runs, %lld panes, %lld alerts", (long long)owner->runs,
                   (long long)owner->panes, (long long)count_alerts(json));
    }
    buf_printf(line, ", %lld keys, %lld bytes", (long long)owner->keys, (long long)owner->bytes);
    if (owner->unreadable > 0) {
        buf_printf(line, ", %lld UNREADABLE (see --values)", (long long)owner->unreadable);
    }
}

static void add_owner_json(struct buf *line, const struct showing *showing,
                           const struct owner *owner, struct str json, bool app) {
    struct json_writer out = {.out = line};
    begin_line(&out, showing);
    json_member_str(&out, app ? "app_id" : "cluster", first_line(owner->key));
    json_member_str(&out, app ? "attempt" : "pipeline", second_line(owner->key));
    json_member_i64(&out, app ? "stages" : "runs", app ? owner->stages : owner->runs);
    if (app) {
        struct str pipeline = member(json, "pipeline"), last = member(json, "now_ms");
        json_member_text(&out, "status", status_of(json));
        json_put_key(&out, STR("last_event_ms"));
        json_put_raw(&out, last.len > 0 ? last : STR("null"));
        json_put_key(&out, STR("pipeline"));
        json_put_raw(&out, pipeline.len > 0 ? pipeline : STR("\"\""));
    } else {
        json_member_i64(&out, "panes", owner->panes);
        json_member_i64(&out, "alerts", count_alerts(json));
    }
    json_member_i64(&out, "keys", owner->keys);
    json_member_i64(&out, "bytes", owner->bytes);
    json_member_i64(&out, "unreadable", owner->unreadable);
    json_end_object(&out);
}

static void show_owner(struct showing *showing, const struct owner *owner) {
    struct render_state *render = showing->render;
    bool app = owner->app;
    struct buf json = {0}, line = {0};
    struct err err;
    if (owner->run.p == NULL) {
        render->unreadable++; // its other values are of no use without
    } else if (!read_value(app ? STR("r.") : STR("p."), owner->run, &json, &err)) {
        buf_clear(&json); // half of it; counted when it was taken
    }
    render->applications += app;
    render->pipelines += !app;
    render->alerts += app ? 0 : count_alerts(buf_str(&json));
    (render->json ? add_owner_json : add_owner_text)(&line, showing, owner, buf_str(&json), app);
    showing->render->line(showing->render->ctx, buf_text(&line));
    buf_fini(&json);
    buf_fini(&line);
}

void render_state_partition(struct render_state *render, const char *topic, int32_t partition,
                            const struct keep_table *table) {
    require(render->line != NULL && (render->app == NULL || render->pipeline == NULL));
    struct showing showing = {.render = render, .topic = topic, .partition = partition};
    struct owner *owner, *next;
    keep_table_each(table, take, &showing);
    HASH_ITER(hh, showing.owners, owner, next) {
        show_owner(&showing, owner);
        HASH_DEL(showing.owners, owner);
        mem_free(owner);
    }
}

static void add_kinds(const struct keep_kind *kinds, size_t count, struct buf *out) {
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "\n## `%s`: %s\n\n", kinds[i].form, kinds[i].holds);
        value_to_markdown(kinds[i].record, out);
    }
}

static void add_words(struct buf *out) {
    buf_add_text(out, "\n## Words\n");
    for (const struct vocabulary *const *words = vocabularies; *words != NULL; words++) {
        buf_printf(out, "\n### %s\n\n| number | word |\n|---|---|\n", (*words)->name);
        for (unsigned i = 0; i < (*words)->count; i++) {
            if ((*words)->words[i] != NULL) {
                buf_printf(out, "| %u | %s |\n", i, (*words)->words[i]);
            }
        }
    }
}

void render_state_schema(struct buf *out) {
    buf_add_text(
        out,
        "# State\n\n"
        "What the agent keeps in its compacted state topics. This page is written from "
        "the program's own\ntables (`stoker state --schema`); a test fails when the two "
        "differ.\n\n"
        "A value is one byte, the version (1), and then fields: number, length and bytes, "
        "the first two as\nvarints. A number is a zig-zag varint, a boolean the number 0 "
        "or 1, a word its number in the vocabulary\nnamed behind it, a real eight bytes of "
        "IEEE 754 (little-endian), a text its UTF-8. Numbers by place\nare fields of their own, "
        "numbered from 1; in a list of place and number, 1 is the place, from 0, and 2\nthe "
        "number. What is zero or empty is left out, an unknown number is passed over, a retired "
        "one is\nnever used again. A run key is application id, newline, attempt; a pipeline key "
        "is cluster, newline,\nname; a log key is cluster, newline, shipper, newline, name of the "
        "log.\n\n"
        "A value that is larger than its topic takes is kept in pieces: under its key the byte "
        "254 and how many\nthere are in digits, then under `#0.<key>`, `#1.<key>`, ... what makes "
        "the value again, one behind the other.\n");
    add_kinds(&keep_kind_position, 1, out);
    add_kinds(engine_kinds.list, engine_kinds.count, out);
    add_kinds(pipelines_kinds.list, pipelines_kinds.count, out);
    add_kinds(shipped_kinds.list, shipped_kinds.count, out);
    add_words(out);
}
