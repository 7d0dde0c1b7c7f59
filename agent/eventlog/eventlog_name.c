// eventlog_name: what the names of files and folders tell: application, attempt, place in a rolled
// log. Called when a log is opened; a name is a hint only, the content wins.
#include <ctype.h>
#include <string.h>

#include "eventlog/eventlog_priv.h"

static size_t count_class(struct str text, size_t from, int (*is)(int)) {
    size_t n = 0;
    while (from + n < text.len && is((unsigned char)text.p[from + n])) {
        n++;
    }
    return n;
}

// Matches `text` against a form: '#' = one or more digits, '%' = one or more letters or digits,
// other characters themselves. Returns how many bytes matched, 0 if not.
static size_t match_form(struct str text, const char *form) {
    size_t at = 0;
    for (const char *f = form; *f != '\0'; f++) {
        size_t n;
        if (*f == '#') {
            n = count_class(text, at, isdigit);
        } else if (*f == '%') {
            n = count_class(text, at, isalnum);
        } else {
            n = at < text.len && text.p[at] == *f;
        }
        if (n == 0) {
            return 0;
        }
        at += n;
    }
    return at;
}

bool name_split(struct str stem, struct str *app_id, struct str *attempt) {
    static const char *const forms[] = {
        "local-#", "app-#-#", "application_#_#", "spark-application-#", "spark-%",
    };
    *app_id = stem;
    *attempt = (struct str){"", 0};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        size_t n = match_form(stem, forms[i]);
        if (n == 0) {
            continue;
        }
        struct str rest = {stem.p + n, stem.len - n};
        if (rest.len == 0) {
            return true;
        }
        if (match_form(rest, "_%") == rest.len) {
            *app_id = (struct str){stem.p, n};
            *attempt = (struct str){rest.p + 1, rest.len - 1};
            return true;
        }
    }
    return false;
}

struct str name_base(const char *path) {
    struct str base = str_of(path);
    while (base.len > 0 && base.p[base.len - 1] == '/') {
        base.len--;
    }
    for (size_t i = base.len; i > 0; i--) {
        if (base.p[i - 1] == '/') {
            return (struct str){base.p + i, base.len - i};
        }
    }
    return base;
}

bool name_is_rolled(struct str base, int64_t *number) {
    static const struct str prefix = {"events_", 7};
    if (!str_starts(base, prefix)) {
        return false;
    }
    size_t digits = count_class(base, prefix.len, isdigit);
    size_t after = prefix.len + digits;
    return digits > 0 && after < base.len && base.p[after] == '_' &&
           str_to_i64((struct str){base.p + prefix.len, digits}, number);
}
