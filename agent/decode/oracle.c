// oracle: the oracle's door: which JSON object of a message is the event, whose it is, and which
// reader fills it. See decode_oracle.h.
#include "oracle_priv.h"

struct oracle *oracle_new(const struct decode_options *options) {
    struct oracle *o = mem_zalloc(1, sizeof *o);
    o->options = options;
    return o;
}

static void drop_trees(struct oracle *o) {
    json_decref(o->inside);
    json_decref(o->root);
    o->inside = o->root = NULL;
}

void oracle_free(struct oracle *o) {
    if (o == NULL) {
        return;
    }
    drop_trees(o);
    mem_free(o->properties);
    mem_free(o->ids);
    mem_free(o->accums);
    mem_free(o->nodes);
    mem_free(o->metrics);
    mem_free(o);
}

void oracle_time(struct event *out, int64_t ms) {
    if (ms > 0 && (out->first_ms == 0 || ms < out->first_ms)) {
        out->first_ms = ms;
    }
    out->time_ms = ms > out->time_ms ? ms : out->time_ms;
}

static bool fill(struct oracle *o, const json_t *event, const struct idmap *wanted,
                 struct event *out) {
    switch (out->kind) {
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        return oracle_task(o, event, wanted, out);
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        oracle_sql(o, event, out);
        return true;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
        oracle_stream(event, out);
        return true;
    default:
        return oracle_other(o, event, out);
    }
}

// The first text that is not empty under one of the usual names, in the order they stand in.
static struct str usual_app_id(const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (strcmp(key, "appId") == 0 || strcmp(key, "app_id") == 0 ||
            strcmp(key, "applicationId") == 0 || strcmp(key, "application-id") == 0) {
            struct str id = oracle_text_of(value, 256);
            if (id.len > 0) {
                return id;
            }
        }
    }
    return STR("");
}

// The first property of that name that says something.
static struct str property(const struct oracle *o, const char *key) {
    for (size_t i = 0; i < o->property_count; i++) {
        if (str_is(o->properties[i].key, key) && o->properties[i].value.len > 0) {
            return o->properties[i].value;
        }
    }
    return STR("");
}

static struct str better(struct str a, struct str b) {
    return a.len > 0 ? a : b;
}

static void place(const struct oracle *o, const json_t *event, struct event *out) {
    bool start = out->kind == EVENT_APP_START;
    struct str own = start ? out->app_start.app_id : STR("");
    struct str own_attempt = start ? out->app_start.attempt : STR("");
    out->app_id = better(own, better(usual_app_id(event), property(o, "spark.app.id")));
    out->app_attempt = better(own_attempt, property(o, "spark.app.attempt.id"));
}

static bool read_event(struct oracle *o, const json_t *event, struct str name,
                       const struct idmap *wanted, struct event *out) {
    static const char *const times[] = {"Timestamp", "time", "Submission Time", "Completion Time"};
    out->kind = event_kind_of(name);
    out->name = name;
    out->name.len = str_cut_utf8(name, 256);
    for (unsigned i = 0; i < ARRAY_LEN(times); i++) {
        oracle_time(out, oracle_metric(event, times[i]));
    }
    bool whole = fill(o, event, wanted, out);
    place(o, event, out);
    return whole;
}

static bool may_be_event(const json_t *value) {
    const char *text = json_string_value(value);
    return json_is_object(value) || (text != NULL && text[strspn(text, " \t\r\n")] == '{');
}

static const json_t *find_inside(const struct oracle *o, const json_t *root) {
    static const char *const keys[] = {"event", "spark-event", "value", "body"};
    if (o->options->wrapper_event_key[0] != '\0') {
        const json_t *value = oracle_field(root, o->options->wrapper_event_key);
        return may_be_event(value) ? value : NULL;
    }
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const json_t *value = oracle_field(root, keys[i]);
        if (may_be_event(value)) {
            return value;
        }
    }
    return NULL;
}

static enum status refuse(struct oracle *o, enum decode_error error, struct err *err) {
    o->error = error;
    return err_set(err, ST_SKIP, "refused for reason %d", (int)error);
}

static enum status read_wrapper(struct oracle *o, const struct idmap *wanted, struct event *out,
                                struct err *err) {
    const struct decode_options *opt = o->options;
    const json_t *value = find_inside(o, o->root), *event = value;
    if (value == NULL) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    if (json_is_string(value)) {
        event = o->inside = oracle_parse(oracle_text_of(value, SIZE_MAX), &o->error);
        if (event == NULL) {
            return refuse(o, o->error, err);
        }
    }
    const json_t *name = oracle_field(event, "Event");
    if (!json_is_string(name)) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    if (!read_event(o, event, oracle_text_of(name, SIZE_MAX), wanted, out)) {
        return refuse(o, DECODE_INVALID_FIELD, err);
    }
    bool named = opt->wrapper_app_key[0] != '\0';
    struct str app =
        named ? oracle_text(o->root, opt->wrapper_app_key, 256) : usual_app_id(o->root);
    out->app_id = better(out->app_id, app);
    if (opt->wrapper_attempt_key[0] != '\0') {
        struct str attempt = oracle_text(o->root, opt->wrapper_attempt_key, 32);
        out->app_attempt = better(out->app_attempt, attempt);
    }
    return ST_OK;
}

enum status oracle_decode(struct oracle *o, struct str value, const struct idmap *wanted,
                          struct event *out, struct err *err) {
    drop_trees(o);
    memset(out, 0, sizeof *out);
    o->property_count = o->id_count = o->accum_count = o->node_count = o->metric_count = 0;
    if (value.len > o->options->max_bytes) {
        return refuse(o, DECODE_TOO_LARGE, err);
    }
    o->root = oracle_parse(value, &o->error);
    if (o->root == NULL) {
        return refuse(o, o->error, err);
    }
    if (!json_is_object(o->root)) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    const json_t *name = oracle_field(o->root, "Event");
    if (!json_is_string(name)) {
        return read_wrapper(o, wanted, out, err);
    }
    struct str text = oracle_text_of(name, SIZE_MAX);
    return read_event(o, o->root, text, wanted, out) ? ST_OK : refuse(o, DECODE_INVALID_FIELD, err);
}

enum decode_error oracle_last_error(const struct oracle *o) {
    return o->error;
}
