// decode_properties: Spark and job properties. Only allow-listed ones are kept, and only their
// text; hundreds of others, some of them secrets, are never copied.
#include "decode_simd.h"

extern "C" {
#include "base/secret.h"
}

namespace decode {

static bool may_keep(const context &c, str key) {
    for (unsigned i = 0; i < c.more_property_count; i++) {
        if (str_is(key, c.more_properties[i])) {
            return !secret_property(key);
        }
    }
    return event_property_allowed(key);
}

// The key, in the parser's buffer, if it is one that may be kept.
static bool allowed_key(context &c, field &f, str *out) {
    const char *raw = f.key().raw();
    size_t len = 0;
    while (raw[len] != '"' && raw[len] != '\\') {
        len++;
    }
    bool escaped = raw[len] == '\\';
    if (!escaped && !may_keep(c, {raw, len})) {
        return false;
    }
    std::string_view name;
    if (f.unescaped_key().get(name)) {
        c.broken = true;
        return false;
    }
    *out = view(name);
    return !escaped || may_keep(c, *out);
}

// Of spark.master only what it is, not where: "spark", "k8s", "local".
static str kind_of_master(str master) {
    size_t len = 0;
    while (len < master.len && master.p[len] != ':' && master.p[len] != '[') {
        len++;
    }
    return {master.p, len};
}

static void add_property(context &c, str key, str content) {
    if (c.properties.len == EVENT_PROPERTIES_MAX) {
        return;
    }
    if (str_is(key, "spark.master")) {
        content = kind_of_master(content);
    }
    c.properties.push({key, content});
    if (str_is(key, "spark.app.id")) {
        see_app_id(c, content, RANK_PROPERTY);
    } else if (str_is(key, "spark.app.attempt.id")) {
        see_attempt(c, content, RANK_PROPERTY);
    }
}

void read_properties(context &c, value v) {
    object o;
    if (!open_object(c, v, &o)) {
        return;
    }
    for (auto result : o) {
        field f;
        str key, content;
        if (std::move(result).get(f)) {
            c.broken = true;
            return;
        }
        if (allowed_key(c, f, &key) && get_text(f.value(), 256, &content)) {
            add_property(c, key, content);
        }
        if (c.broken) {
            return;
        }
    }
}

} // namespace decode
