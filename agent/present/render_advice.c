// render_advice: see the header. Called by `stoker advise` for a run or for numbers; prints nothing
// of a log unescaped.
#include "present/render_advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "present/render_settings.h"
#include "wrap.h"

enum { INDENT = 13 };
static const char in_this_run[] = " In this run: ";

// "  What       words ..., wrapped"
static void add_part(struct buf *out, const char *name, struct str words,
                     const struct render_style *style) {
    struct buf lines = {0}, text = {0};
    buf_add_str(&text, words);
    wrap_words(&lines, buf_text(&text), INDENT, style->width);
    size_t len = strlen(name);
    if (lines.len > len + 2) { // into the indent of the first line
        memcpy(lines.data + 2, name, len);
    }
    buf_add_str(out, buf_str(&lines));
    buf_fini(&lines);
    buf_fini(&text);
}

static void add_saving(struct buf *out, const struct recommendation *r, double duration_s,
                       const struct render_style *style) {
    struct buf line = {0};
    char saving[SPAN_TEXT_SIZE];
    if (r->saving_s > 0) {
        buf_printf(&line, "up to %s", span_format_seconds(r->saving_s, saving));
        if (duration_s > 0 && r->saving_s >= 0.01 * duration_s) {
            buf_printf(&line, " or %.0f %% of the run", 100 * r->saving_s / duration_s);
        }
        buf_add_text(&line, ": ");
    }
    buf_add_text(&line, r->saving_how);
    add_part(out, "Saves", buf_str(&line), style);
    buf_fini(&line);
}

static void add_lines(struct buf *out, const char *name, const char *lines) {
    bool first = true;
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        buf_printf(out, "  %-*s", INDENT - 2, first ? name : "");
        buf_add_printable(out, (struct str){lines, len});
        buf_add_char(out, '\n');
        lines += len + (lines[len] == '\n');
        first = false;
    }
}

static void add_settings(struct buf *out, const struct recommendation *r) {
    struct buf lines = {0};
    render_advised_settings(&lines, r, 0);
    add_lines(out, "Settings", buf_text(&lines));
    buf_fini(&lines);
}

static void add_one(struct buf *out, const struct recommendation *r, double duration_s,
                    const struct render_style *style) {
    size_t len = strlen(r->action);
    size_t what = r->remedy_bytes > 0 && r->remedy_bytes < len ? r->remedy_bytes : len;
    struct str why = {r->action + what, len - what};
    if (str_starts(why, str_of(in_this_run))) {
        why.p += strlen(in_this_run);
        why.len -= strlen(in_this_run);
    }
    buf_printf(out, "\n%s%s%s\n", style->color ? "\033[1m" : "", r->kind,
               style->color ? "\033[0m" : "");
    add_part(out, "What", (struct str){r->action, what}, style);
    if (why.len > 0) {
        add_part(out, "Why", why, style);
    }
    add_saving(out, r, duration_s, style);
    if (r->when_not != NULL) {
        add_part(out, "When not", str_of(r->when_not), style);
    }
    add_settings(out, r);
    add_lines(out, "Code", r->code != NULL ? r->code : "");
}

// The dearest first.
static int by_saving(const void *a, const void *b) {
    const struct recommendation *x = *(const struct recommendation *const *)a;
    const struct recommendation *y = *(const struct recommendation *const *)b;
    return x->saving_s != y->saving_s ? (x->saving_s > y->saving_s ? -1 : 1) : x < y ? -1 : 1;
}

// The whole in one form, under its title; nothing if it has no place for any of them.
static void add_form(struct buf *out, const char *title, enum settings_form form,
                     const struct setting_advice *all, uint32_t count) {
    struct buf lines = {0};
    (void)!render_settings(&lines, form, all, count, 4);
    if (lines.len > 0) {
        buf_printf(out, "\n  %s\n", title);
        buf_add_str(out, buf_str(&lines));
    }
    buf_fini(&lines);
}

static void add_set(struct buf *out, const struct recommendation *list, uint32_t count,
                    const struct render_style *style) {
    static const char *const titles[] = {
        [SETTINGS_CONF] = "spark-submit, spark-shell, pyspark:",
        [SETTINGS_DEFAULTS] = "spark-defaults.conf:",
        [SETTINGS_SQL] = "SQL, those that a session may set:",
        [SETTINGS_OPERATOR] = "Spark operator, in spec:",
    };
    struct setting_advice *all = NULL; // borrows what they say
    uint32_t len = 0, cap = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < list[i].setting_count; k++) {
            MEM_GROW(all, len, cap);
            all[len++] = list[i].settings[k];
        }
    }
    if (len > 0) {
        buf_printf(out, "\n%sall settings, as one set%s\n", style->color ? "\033[1m" : "",
                   style->color ? "\033[0m" : "");
    }
    for (size_t form = 0; form < ARRAY_LEN(titles) && len > 0; form++) {
        add_form(out, titles[form], (enum settings_form)form, all, len);
    }
    mem_free(all);
}

void render_advice(struct buf *out, const struct recommendation *list, uint32_t count,
                   double duration_s, const struct render_style *style) {
    const struct recommendation **sorted = mem_alloc((count + 1) * sizeof(*sorted));
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = &list[i];
    }
    if (count > 0) {
        qsort(sorted, count, sizeof(*sorted), by_saving);
    }
    for (uint32_t i = 0; i < count; i++) {
        add_one(out, sorted[i], duration_s, style);
    }
    mem_free(sorted);
    add_set(out, list, count, style);
    buf_add_text(out, count == 0 ? "\n  Nothing to advise.\n" : "");
}
