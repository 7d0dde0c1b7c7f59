// annotation: see the header. Called by alert_doors.c, and by the check of the settings.
#include "alert/annotation.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

// The value of a label by its name; NULL: there is none of that name.
static const char *value_of(const struct alert *alert, struct str name) {
    const struct {
        const char *name, *value;
    } values[] = {{"alertname", alert->name},
                  {"severity", alert->severity},
                  {"cluster", alert->cluster},
                  {"pipeline", alert->pipeline},
                  {"kind", alert->kind}};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (str_is(name, values[i].name)) {
            return values[i].value;
        }
    }
    return NULL;
}

// From an opening brace: the name in it, with *end behind the closing one; p NULL: there is none.
static struct str name_at(const char *brace, const char **end) {
    const char *close = strchr(brace, '}');
    if (close == NULL) {
        return (struct str){NULL, 0};
    }
    *end = close + 1;
    return (struct str){brace + 1, (size_t)(close - brace - 1)};
}

enum status annotation_check(const char *text, struct err *err) {
    static const struct alert any = {.severity = "", .kind = ""};
    const char *at = text;
    while ((at = strchr(at, '{')) != NULL) {
        struct str name = name_at(at, &at);
        if (name.p == NULL) {
            return err_set(err, ST_FATAL, "{ without a }");
        }
        if (value_of(&any, name) == NULL) {
            return err_set(err, ST_FATAL,
                           "{%.*s}: may hold {alertname}, {severity}, {cluster}, {pipeline} and "
                           "{kind}",
                           (int)(name.len < 40 ? name.len : 40), name.p);
        }
    }
    return ST_OK;
}

// RFC 3986, 2.3: what is not unreserved is encoded.
static void add_encoded(struct buf *out, const char *value) {
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL);
        if (plain) {
            buf_add_char(out, (char)c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}

void annotation_add(const char *text, const struct alert *alert, struct buf *out) {
    bool link =
        str_starts(str_of(text), STR("http://")) || str_starts(str_of(text), STR("https://"));
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        buf_add(out, text, plain);
        text += plain;
        if (*text == '{') {
            const char *value = value_of(alert, name_at(text, &text));
            require(value != NULL); // it was checked
            if (link) {
                add_encoded(out, value);
            } else {
                buf_add_text(out, value);
            }
        }
    }
}
