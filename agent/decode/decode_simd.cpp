// decode_simd: the decoder itself: getters, the top level of a message, wrappers. See decode.h.
#include "decode_simd.h"

#include <cstring>
#include <new>

#include "base/mem.h"

using namespace decode;

namespace decode {

str text(value v) {
    std::string_view s;
    return v.get_string().get(s) ? str{"", 0} : view(s);
}

str text(value v, size_t max) {
    str s = text(v);
    s.len = str_cut_utf8(s, max);
    return s;
}

int64_t integer(value v, int64_t missing) {
    int64_t number;
    if (!v.get_int64().get(number)) {
        return number;
    }
    simdjson::ondemand::json_type type;
    if (v.type().get(type)) {
        return missing;
    }
    if (type == simdjson::ondemand::json_type::string) {
        return str_to_i64(text(v), &number) ? number : missing;
    }
    double real_number;
    if (type == simdjson::ondemand::json_type::number && !v.get_double().get(real_number)) {
        uint64_t big;
        if (!v.get_uint64().get(big)) {
            return missing; // an integer beyond int64
        }
        bool fits = real_number > -9.2e18 && real_number < 9.2e18;
        return fits ? static_cast<int64_t>(real_number) : missing;
    }
    return missing;
}

int64_t metric(value v) {
    int64_t number = integer(v, 0);
    return number < 0 ? 0 : number;
}

int32_t id(value v) {
    int64_t number = integer(v, -1);
    return number < 0 || number > INT32_MAX ? -1 : static_cast<int32_t>(number);
}

double real(value v) {
    double number;
    return v.get_double().get(number) ? 0 : number;
}

bool boolean(value v) {
    bool b;
    return !v.get_bool().get(b) && b;
}

void properties(context &c, value v) {
    c.properties.clear();
    fields(c, v, [&](std::string_view key, value inner) {
        str name = view(key);
        if (c.properties.size() < EVENT_PROPERTIES_MAX && event_property_allowed(name)) {
            str content = text(inner, 256);
            c.properties.push_back({name, content});
            if (str_is(name, "spark.app.id")) {
                c.out->app_id = content;
            } else if (str_is(name, "spark.app.attempt.id")) {
                c.out->app_attempt = content;
            }
        }
    });
}

} // namespace decode

struct decoder {
    simdjson::ondemand::parser outer, inner;
    context c;
    decode_options options;
    decode_error error;
    char *padded[2];
    size_t padded_cap[2];
};

extern "C" struct decoder *decoder_new(const struct decode_options *options) {
    decoder *d = new (std::nothrow) decoder{};
    if (d == nullptr) {
        abort();
    }
    d->options = *options;
    return d;
}

extern "C" void decoder_free(struct decoder *decoder) {
    if (decoder != nullptr) {
        mem_free(decoder->padded[0]);
        mem_free(decoder->padded[1]);
        delete decoder;
    }
}

static status refuse(decoder *d, decode_error error, struct err *err, const char *words) {
    d->error = error;
    return err_set(err, ST_SKIP, "%s", words);
}

static str pad(decoder *d, int which, str text) {
    if (d->padded_cap[which] < text.len + DECODE_PADDING) {
        d->padded_cap[which] = (text.len + DECODE_PADDING) * 2;
        d->padded[which] =
            static_cast<char *>(mem_resize(d->padded[which], d->padded_cap[which], 1));
    }
    memcpy(d->padded[which], text.p, text.len);
    return {d->padded[which], text.len};
}

static void reset(decoder *d, const idmap *wanted, event *out) {
    memset(out, 0, sizeof *out);
    d->c.broken = d->c.essential = false;
    d->c.wanted = wanted;
    d->c.out = out;
    d->c.properties.clear();
    d->c.ints.clear();
    d->c.parents.clear();
    d->c.accums.clear();
    d->c.nodes.clear();
    d->c.metrics.clear();
}

// Ids start at -1 where absent.
static void begin_kind(event *out) {
    switch (out->kind) {
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        out->task.stage = out->task.index = out->task.attempt = -1;
        out->task.task_id = -1;
        out->task.exit_caused_by_app = -1;
        out->task.result = TASK_UNKNOWN_REASON;
        break;
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        out->stage.id = out->stage.profile_id = -1;
        out->stage.tasks = -1;
        break;
    case EVENT_JOB_START:
    case EVENT_JOB_END:
        out->job.id = -1;
        out->job.succeeded = out->kind == EVENT_JOB_END;
        break;
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        out->sql.execution_id = out->sql.root_execution_id = -1;
        break;
    case EVENT_EXECUTOR_ADDED:
        out->executor.profile_id = -1;
        break;
    case EVENT_RESOURCE_PROFILE:
        out->profile.id = -1;
        break;
    default:
        break;
    }
}

using field_function = void (*)(context &, std::string_view, value);

static field_function function_of(event_kind kind) {
    switch (kind) {
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        return task_field;
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        return stage_field;
    case EVENT_JOB_START:
    case EVENT_JOB_END:
        return job_field;
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        return sql_field;
    default:
        return world_field;
    }
}

static bool is_app_key(std::string_view key) {
    return key == "appId" || key == "applicationId" || key == "application-id" || key == "app_id";
}

static status finish(decoder *d, event *out, struct err *err) {
    context &c = d->c;
    if (c.broken) {
        return refuse(d, DECODE_MALFORMED, err, "not valid JSON");
    }
    bool needs = function_of(out->kind) == task_field || function_of(out->kind) == stage_field ||
                 function_of(out->kind) == job_field;
    if (needs && !c.essential) {
        return refuse(d, DECODE_INVALID_FIELD, err,
                      "the event lacks the id that says what it is about");
    }
    if (function_of(out->kind) == job_field) {
        out->job.stages = c.ints.data();
        out->job.stage_count = static_cast<uint32_t>(c.ints.size());
        out->job.properties = c.properties.data();
        out->job.property_count = static_cast<uint32_t>(c.properties.size());
    } else if (function_of(out->kind) == stage_field) {
        out->stage.parents = c.parents.data();
        out->stage.parent_count = static_cast<uint32_t>(c.parents.size());
        out->stage.properties = c.properties.data();
        out->stage.property_count = static_cast<uint32_t>(c.properties.size());
    } else if (function_of(out->kind) == task_field) {
        out->task.accums = c.accums.data();
        out->task.accum_count = static_cast<uint32_t>(c.accums.size());
    } else if (function_of(out->kind) == sql_field) {
        out->sql.accums = c.accums.data();
        out->sql.accum_count = static_cast<uint32_t>(c.accums.size());
        out->sql.plan.nodes = c.nodes.data();
        out->sql.plan.node_count = static_cast<uint32_t>(c.nodes.size());
        out->sql.plan.metrics = c.metrics.data();
        out->sql.plan.metric_count = static_cast<uint32_t>(c.metrics.size());
    } else if (out->kind == EVENT_ENVIRONMENT) {
        out->environment.properties = c.properties.data();
        out->environment.property_count = static_cast<uint32_t>(c.properties.size());
    }
    return ST_OK;
}

extern "C" enum event_kind decode_sniff(struct str value) {
    static const char head[] = "{\"Event\":\"";
    if (!str_starts(value, STR("{\"Event\":\""))) {
        return EVENT_OTHER;
    }
    const char *name = value.p + sizeof head - 1;
    size_t left = value.len - (sizeof head - 1);
    const char *end = static_cast<const char *>(memchr(name, '"', left < 128 ? left : 128));
    return end == nullptr ? EVENT_OTHER : event_kind_of({name, static_cast<size_t>(end - name)});
}

struct envelope {
    bool has_event;
    std::string_view name;
    std::string_view nested;
    bool nested_is_text;
    str app_id, attempt;
};

static status decode_raw(decoder *d, simdjson::ondemand::parser &parser, str value_text,
                         size_t readable, const idmap *wanted, int depth, event *out,
                         struct err *err);

// What a message without "Event" in front holds: an event further down, or a wrapper.
static bool look_inside(decoder *d, object &o, envelope &e) {
    const decode_options &opt = d->options;
    context &c = d->c;
    for (auto field : o) {
        std::string_view key;
        value v;
        if (field.error() || field.unescaped_key().get(key) || field.value().get(v)) {
            c.broken = true;
            return false;
        }
        simdjson::ondemand::json_type type;
        if (v.type().get(type)) {
            c.broken = true;
            return false;
        }
        bool is_text = type == simdjson::ondemand::json_type::string;
        bool holder = opt.wrapper_event_key[0] != '\0' ? key == opt.wrapper_event_key
                                                       : key == "event" || key == "spark-event" ||
                                                             key == "value" || key == "body";
        if (key == "Event" && is_text) {
            e.has_event = !v.get_string().get(e.name);
        } else if (holder && (is_text || type == simdjson::ondemand::json_type::object)) {
            e.nested_is_text = is_text;
            object nested;
            bool unreadable = is_text
                                  ? v.get_string().get(e.nested) != simdjson::SUCCESS
                                  : v.get_object().get(nested) || nested.raw_json().get(e.nested);
            if (unreadable) {
                c.broken = true;
                return false;
            }
        } else if (opt.wrapper_app_key[0] != '\0' ? key == opt.wrapper_app_key : is_app_key(key)) {
            e.app_id = text(v, 256);
        } else if (opt.wrapper_attempt_key[0] != '\0' && key == opt.wrapper_attempt_key) {
            e.attempt = text(v, 32);
        }
    }
    return true;
}

static status decode_slow(decoder *d, simdjson::ondemand::parser &parser, str value_text,
                          size_t readable, const idmap *wanted, int depth, event *out,
                          struct err *err) {
    simdjson::ondemand::document document;
    object o;
    envelope e = {};
    if (parser.iterate(value_text.p, value_text.len, readable).get(document)) {
        return refuse(d, DECODE_MALFORMED, err, "not valid JSON");
    }
    simdjson::ondemand::json_type type;
    if (document.type().get(type)) {
        return refuse(d, DECODE_MALFORMED, err, "not valid JSON");
    }
    if (type != simdjson::ondemand::json_type::object) {
        return refuse(d, DECODE_NOT_AN_EVENT, err, "not a JSON object");
    }
    if (document.get_object().get(o) || !look_inside(d, o, e)) {
        return refuse(d, DECODE_MALFORMED, err, "not valid JSON");
    }
    if (e.has_event) {
        out->kind = event_kind_of(view(e.name));
        return decode_raw(d, parser, value_text, readable, wanted, 2, out, err);
    }
    if (e.nested.empty() || depth > 0) {
        return refuse(d, DECODE_NOT_AN_EVENT, err, "no \"Event\" in it");
    }
    str nested = pad(d, 1, view(e.nested));
    str app_id = e.app_id,
        attempt = e.attempt; // views into this parser: the inner one leaves them alone
    enum status status =
        decode_raw(d, d->inner, nested, nested.len + DECODE_PADDING, wanted, 1, out, err);
    if (status == ST_OK) {
        out->app_id = out->app_id.len > 0 ? out->app_id : app_id;
        out->app_attempt = out->app_attempt.len > 0 ? out->app_attempt : attempt;
    }
    return status;
}

// depth: 0 raw, 1 inside a wrapper, 2 the kind is known already.
static status decode_raw(decoder *d, simdjson::ondemand::parser &parser, str value_text,
                         size_t readable, const idmap *wanted, int depth, event *out,
                         struct err *err) {
    event_kind kind = depth == 2 ? out->kind : decode_sniff(value_text);
    if (depth != 2 && kind == EVENT_OTHER) {
        return decode_slow(d, parser, value_text, readable, wanted, depth, out, err);
    }
    reset(d, wanted, out);
    out->kind = kind;
    out->name = str_of(event_kind_name(kind));
    begin_kind(out);
    simdjson::ondemand::document document;
    object o;
    if (parser.iterate(value_text.p, value_text.len, readable).get(document) ||
        document.get_object().get(o)) {
        return refuse(d, DECODE_MALFORMED, err, "not valid JSON");
    }
    field_function f = function_of(kind);
    for (auto field : o) {
        std::string_view key;
        value v;
        if (field.error() || field.unescaped_key().get(key) || field.value().get(v)) {
            d->c.broken = true;
            break;
        }
        if (is_app_key(key)) {
            out->app_id = text(v, 256);
        } else {
            f(d->c, key, v);
        }
    }
    return finish(d, out, err);
}

extern "C" enum status decoder_decode(struct decoder *d, struct str value_text, size_t readable,
                                      const struct idmap *wanted, struct event *out,
                                      struct err *err) {
    reset(d, wanted, out);
    if (value_text.len > d->options.max_bytes) {
        return refuse(d, DECODE_TOO_LARGE, err, "larger than input.max_message_bytes");
    }
    if (readable < value_text.len + DECODE_PADDING) {
        value_text = pad(d, 0, value_text);
        readable = value_text.len + DECODE_PADDING;
    }
    return decode_raw(d, d->outer, value_text, readable, wanted, 0, out, err);
}

extern "C" enum decode_error decoder_last_error(const struct decoder *decoder) {
    return decoder->error;
}
