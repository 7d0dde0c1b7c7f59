// decode_owner: see the header: a table of names, and what is made of their values. Must take
// any key and any value.
#include "decode_owner.h"

#include <cctype>
#include <cstdio>

namespace decode {

#define NAME(literal)                                                                              \
    { literal, sizeof(literal) - 1 }

struct envelope_key {
    str name; // as fold() gives it
    uint8_t roles;
};
// Those that hold an event come first, in the order in which it is looked for.
static constexpr envelope_key keys[] = {
    {NAME("event"), ROLE_EVENT},
    {NAME("sparkevent"), ROLE_EVENT},
    {NAME("value"), ROLE_EVENT},
    {NAME("body"), ROLE_EVENT},
    {NAME("properties"), ROLE_EVENT},
    {NAME("payload"), ROLE_EVENT},
    {NAME("message"), ROLE_EVENT},
    {NAME("msg"), ROLE_EVENT},
    {NAME("log"), ROLE_EVENT | ROLE_HOLDER},
    {NAME("line"), ROLE_EVENT},
    {NAME("data"), ROLE_EVENT},
    {NAME("record"), ROLE_EVENT},
    {NAME("records"), ROLE_EVENT | ROLE_MANY},
    {NAME("logevents"), ROLE_EVENT | ROLE_MANY},
    {NAME("events"), ROLE_EVENT | ROLE_MANY},
    {NAME("content"), ROLE_EVENT},
    {NAME("text"), ROLE_EVENT},
    {NAME("raw"), ROLE_EVENT},
    {NAME("original"), ROLE_EVENT},
    {NAME("fullmessage"), ROLE_EVENT},
    {NAME("jsonpayload"), ROLE_EVENT},
    {NAME("textpayload"), ROLE_EVENT},
    {NAME("fields"), ROLE_EVENT | ROLE_HOLDER},
    {NAME("file"), ROLE_PATH | ROLE_HOLDER},
    {NAME("path"), ROLE_PATH},
    {NAME("filepath"), ROLE_PATH},
    {NAME("filename"), ROLE_PATH},
    {NAME("logfile"), ROLE_PATH},
    {NAME("logpath"), ROLE_PATH},
    {NAME("logfilepath"), ROLE_PATH},
    {NAME("logfilename"), ROLE_PATH},
    {NAME("tailedpath"), ROLE_PATH},
    {NAME("source"), ROLE_PATH | ROLE_HOLDER},
    {NAME("attributes"), ROLE_HOLDER},
    {NAME("metadata"), ROLE_HOLDER},
    {NAME("labels"), ROLE_HOLDER},
    {NAME("resource"), ROLE_HOLDER},
    {NAME("appid"), ROLE_APP},
    {NAME("applicationid"), ROLE_APP},
    {NAME("sparkappid"), ROLE_APP},
    {NAME("appattempt"), ROLE_ATTEMPT},
    {NAME("appattemptid"), ROLE_ATTEMPT},
    {NAME("applicationattemptid"), ROLE_ATTEMPT},
    {NAME("sparkappattemptid"), ROLE_ATTEMPT},
    {NAME("category"), ROLE_CATEGORY},
};
static_assert((keys[EVENT_ROWS - 1].roles & ROLE_EVENT) != 0 &&
                  (keys[EVENT_ROWS].roles & ROLE_EVENT) == 0,
              "say how many hold an event");

// The letters and digits of a raw key, small; 0 if it has a blank or is longer than any of ours.
static size_t fold(const char *raw, char *out, size_t max) {
    size_t n = 0;
    for (; *raw != '"'; raw++) {
        if (*raw == '_' || *raw == '-' || *raw == '.' || *raw == '@') {
            continue;
        }
        if (n == max || isalnum(static_cast<unsigned char>(*raw)) == 0) {
            return 0;
        }
        out[n++] = static_cast<char>(tolower(static_cast<unsigned char>(*raw)));
    }
    return n;
}

static uint8_t usual_roles(const char *raw, size_t *row) {
    char folded[20];
    size_t len = fold(raw, folded, sizeof folded);
    *row = 0;
    for (const envelope_key &k : keys) {
        if (len == k.name.len && memcmp(folded, k.name.p, len) == 0) {
            return k.roles;
        }
        ++*row;
    }
    return 0;
}

uint8_t envelope_roles(const named_keys *named, const char *raw, size_t *row) {
    uint8_t roles = usual_roles(raw, row);
    if (named != nullptr && named->event.len > 0) {
        bool is = key_is(raw, named->event);
        *row = is ? 0 : *row;
        roles = is ? ROLE_EVENT | ROLE_MANY : roles & ~ROLE_EVENT;
    }
    if (named != nullptr && named->app.len > 0) {
        roles = key_is(raw, named->app) ? ROLE_APP : roles & ~ROLE_APP;
    }
    if (named != nullptr && named->attempt.len > 0) {
        roles = key_is(raw, named->attempt) ? ROLE_ATTEMPT : roles & ~ROLE_ATTEMPT;
    }
    return roles;
}

static void note_attempt(context &c, owner *o, value v) {
    int64_t number;
    if (o->attempt.len > 0) {
        return;
    }
    if (!v.get_int64().get(number)) {
        int n = snprintf(o->number, sizeof o->number, "%lld", static_cast<long long>(number));
        o->attempt = {o->number, static_cast<size_t>(n)};
    } else {
        o->attempt = name(c, v, 32);
    }
}

static void note_path(owner *o, value v) {
    log_name says;
    std::string_view path;
    if (o->log.known || v.get_string().get(path)) {
        return;
    }
    log_name_read(view(path), &says);
    if (says.known) {
        o->log = says;
    }
}

// Looks into an object beside the event, and one below it (log.file.path).
static void search_holder(context &c, owner *o, object &holder, unsigned depth) {
    members(c, holder, [&](field &f) {
        char plain[key::BYTES * 2];
        size_t row;
        uint8_t roles = envelope_roles(nullptr, plain_key(c, f, plain), &row);
        object inner;
        if (!c.broken && (roles & ROLE_HOLDER) != 0 && depth > 0 &&
            open_object(c, f.value(), &inner)) {
            search_holder(c, o, inner, depth - 1);
        } else if (!c.broken) {
            owner_note(o, c, roles & ~ROLE_HOLDER, f.value());
        }
        return true;
    });
}

void owner_note(struct owner *o, context &c, uint8_t roles, value v) {
    object holder;
    if ((roles & ROLE_HOLDER) != 0 && open_object(c, v, &holder)) {
        search_holder(c, o, holder, 1);
        if (!c.broken && holder.reset().error()) {
            c.broken = true;
        }
    } else if (c.broken) {
        return;
    } else if ((roles & ROLE_APP) != 0) {
        o->app_id = o->app_id.len > 0 ? o->app_id : name(c, v, 256);
    } else if ((roles & ROLE_ATTEMPT) != 0) {
        note_attempt(c, o, v);
    } else if ((roles & ROLE_PATH) != 0) {
        note_path(o, v);
    }
}

void owner_settle(const struct owner *o, event *out) {
    bool named = o->app_id.len > 0;
    if (!named && !o->log.known) {
        out->app_attempt = o->attempt.len > 0 ? o->attempt : out->app_attempt;
        return;
    }
    out->app_id = named ? o->app_id : o->log.app_id;
    out->app_attempt = o->attempt;
    if (o->attempt.len == 0 && o->log.known && str_eq(out->app_id, o->log.app_id)) {
        out->app_attempt = o->log.attempt;
    }
}

} // namespace decode
