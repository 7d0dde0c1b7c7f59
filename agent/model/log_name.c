// log_name: see the header. A table of the forms of application ids and one of endings; must never
// take any name for an id that a cluster manager would not give, since all events under one wrong
// id would become one run.
#include "model/log_name.h"

#include <ctype.h>

#include "base/check.h"

// '#': one or more digits; '%': one or more letters or digits; '~': 32 hexadecimal digits, as
// Spark on Kubernetes makes them; others stand for themselves.
static const char *const forms[] = {
    "local-#", "app-#-#", "application_#_#", "spark-application-#", "spark-~",
};
static const char *const packings[] = {".zst", ".zstd", ".gz", ".lz4", ".snappy", ".lzf"};

static size_t count_class(struct str text, size_t from, int (*is)(int)) {
    size_t n = 0;
    while (from + n < text.len && is((unsigned char)text.p[from + n])) {
        n++;
    }
    return n;
}

// How many bytes of `text` match a form from its start; 0 if it does not.
static size_t match_form(struct str text, const char *form) {
    enum { UUID_DIGITS = 32 };
    size_t at = 0;
    for (const char *f = form; *f != '\0'; f++) {
        size_t n;
        if (*f == '#') {
            n = count_class(text, at, isdigit);
        } else if (*f == '%') {
            n = count_class(text, at, isalnum);
        } else if (*f == '~') {
            n = count_class(text, at, isxdigit) == UUID_DIGITS ? UUID_DIGITS : 0;
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

static struct str from(struct str text, size_t at) {
    return (struct str){text.p + at, text.len - at};
}

// Splits "<app id>[_<attempt>]". False if the id has none of the forms.
static bool split(struct str stem, struct log_name *out) {
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        size_t n = match_form(stem, forms[i]);
        struct str rest = from(stem, n);
        if (n > 0 && rest.len == 0) {
            return true;
        }
        if (n > 0 && match_form(rest, "_%") == rest.len) {
            out->app_id.len = n;
            out->attempt = from(rest, 1);
            return true;
        }
    }
    return false;
}

static bool cut_ending(struct str *text, struct str ending) {
    if (text->len <= ending.len ||
        memcmp(text->p + text->len - ending.len, ending.p, ending.len) != 0) {
        return false;
    }
    text->len -= ending.len;
    return true;
}

static bool cut_start(struct str *text, struct str start) {
    if (!str_starts(*text, start)) {
        return false;
    }
    *text = from(*text, start.len);
    return true;
}

// "events_<n>_" and what follows it.
static bool cut_part(struct str *base, int64_t *number) {
    struct str rest = *base;
    if (!cut_start(&rest, STR("events_"))) {
        return false;
    }
    size_t digits = count_class(rest, 0, isdigit);
    if (digits == 0 || digits == rest.len || rest.p[digits] != '_' ||
        !str_to_i64((struct str){rest.p, digits}, number)) {
        return false;
    }
    *base = from(rest, digits + 1);
    return true;
}

struct str log_name_base(struct str path) {
    while (path.len > 0 && path.p[path.len - 1] == '/') {
        path.len--;
    }
    const char *slash = path.len == 0 ? NULL : memrchr(path.p, '/', path.len);
    return slash == NULL ? path : from(path, (size_t)(slash + 1 - path.p));
}

// Letters, digits, '-' and '.': an id in which no attempt can hide.
static bool is_plain(struct str id) {
    size_t n = 0;
    while (n < id.len && (isalnum((unsigned char)id.p[n]) || id.p[n] == '-' || id.p[n] == '.')) {
        n++;
    }
    return id.len > 0 && n == id.len;
}

static void read_base(struct str base, struct log_name *out) {
    *out = (struct log_name){.attempt = {"", 0}, .packing = {"", 0}};
    out->in_progress = cut_ending(&base, STR(".inprogress"));
    out->compact = cut_ending(&base, STR(".compact"));
    for (size_t i = 0; i < ARRAY_LEN(packings) && out->packing.len == 0; i++) {
        struct str ending = str_of(packings[i]);
        if (cut_ending(&base, ending)) {
            out->packing = (struct str){base.p + base.len, ending.len};
        }
    }
    out->status = cut_start(&base, STR("appstatus_"));
    out->rolled =
        out->status || cut_start(&base, STR("eventlog_v2_")) || cut_part(&base, &out->part);
    out->app_id = base;
    out->known = split(base, out) || (out->rolled && is_plain(base));
}

void log_name_read(struct str path, struct log_name *out) {
    struct str base = log_name_base(path);
    read_base(base, out);
    if (!out->status && out->part == 0) {
        return;
    }
    struct log_name folder;
    read_base(log_name_base((struct str){path.p, (size_t)(base.p - path.p)}), &folder);
    if (out->attempt.len == 0 && folder.rolled && str_eq(folder.app_id, out->app_id)) {
        out->attempt = folder.attempt;
    }
}
