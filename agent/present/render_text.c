// render_text: a judged run for a person at a terminal: what it was, what held it up, what to do.
// Called by cmd_analyze and the demo, and by the other forms for the verdicts that stand; prints
// nothing of a log unescaped.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/span.h"
#include "present/render.h"

static int worse_first(const void *a, const void *b) {
    const struct bottleneck *x = *(const struct bottleneck *const *)a;
    const struct bottleneck *y = *(const struct bottleneck *const *)b;
    if ((x->rule_met == TRI_NULL) != (y->rule_met == TRI_NULL)) {
        return x->rule_met == TRI_NULL ? 1 : -1;
    }
    if (x->severity != y->severity) {
        return x->severity > y->severity ? -1 : 1;
    }
    if (x->saving_s != y->saving_s) {
        return x->saving_s > y->saving_s ? -1 : 1;
    }
    if (x->stage != y->stage) {
        return x->stage < y->stage ? -1 : 1;
    }
    if (x->stage_attempt != y->stage_attempt) {
        return x->stage_attempt < y->stage_attempt ? -1 : 1;
    }
    return (int)x->kind - (int)y->kind;
}

uint32_t render_verdicts(const struct app *app, const struct bottleneck ***out) {
    const struct bottleneck **found = NULL;
    uint32_t len = 0, cap = 0;
    for (uint32_t i = 0; i <= app->stage_count; i++) {
        bool on_run = i == app->stage_count;
        uint32_t count = on_run ? app->verdict_count : app->stages[i]->verdict_count;
        struct bottleneck *const *list = on_run ? app->verdicts : app->stages[i]->verdicts;
        for (uint32_t v = 0; v < count; v++) {
            if (list[v]->life != LIFE_RETRACTED) {
                MEM_GROW(found, len, cap);
                found[len++] = list[v];
            }
        }
    }
    if (len > 0) {
        qsort(found, len, sizeof *found, worse_first);
    }
    *out = found;
    return len;
}

bool render_loss(const struct app *app, struct buf *out) {
    struct delivery_loss loss = delivery_loss(&app->delivery);
    if (loss.lost > 0) {
        buf_printf(
            out, "events_lost: %lld of the %lld events that its listener had to send did not come",
            (long long)loss.lost, (long long)loss.sent);
        if (loss.task_ends > 0 || loss.unread > 0) {
            buf_printf(out, ", among them %lld ends of tasks and %lld that are of no use here",
                       (long long)loss.task_ends, (long long)loss.unread);
        }
    }
    if (loss.cut > 0) {
        buf_printf(out, "%sevents_cut: %lld were too large and came without some of what they said",
                   loss.lost > 0 ? "; " : "", (long long)loss.cut);
    }
    return loss.lost > 0 || loss.cut > 0;
}

const char *render_severity(enum severity severity, bool color) {
    static const char *const colored[SEVERITY_COUNT] = {
        "\033[2mnegligible\033[0m", "\033[36mlow\033[0m", "\033[33mmoderate\033[0m",
        "\033[31msevere\033[0m", "\033[1;31mcritical\033[0m"};
    return color ? colored[severity] : severity_name(severity);
}

// Appends words of `text` wrapped at `width` columns, every line after `indent` spaces.
static void add_wrapped(struct buf *out, const char *text, int indent, int width) {
    struct buf clean = {0};
    buf_add_printable(&clean, str_of(text));
    int column = 0;
    for (const char *word = buf_text(&clean); *word != '\0';) {
        size_t len = strcspn(word, " ");
        int columns = 0;
        for (size_t i = 0; i < len; i++) {
            columns += ((unsigned char)word[i] & 0xC0) != 0x80;
        }
        if (column > 0 && column + 1 + columns > width - indent) {
            buf_add_char(out, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_printf(out, "%*s", indent, "");
        } else {
            buf_add_char(out, ' ');
            column++;
        }
        buf_add(out, word, len);
        column += columns;
        word += len + strspn(word + len, " ");
    }
    buf_add_char(out, '\n');
    buf_fini(&clean);
}

static void add_head(struct buf *out, const struct app *app, enum run_status status, bool color) {
    struct run_totals t;
    app_totals(app, &t);
    double duration_s = app_duration_s(app);
    char took[SPAN_TEXT_SIZE], data[SPAN_TEXT_SIZE], moved[SPAN_TEXT_SIZE];
    buf_add_text(out, color ? "\033[1m" : "");
    buf_add_printable(out, str_of(app->identity.pipeline));
    buf_add_text(out, color ? "\033[0m" : "");
    buf_add_text(out, "  run ");
    buf_add_printable(out, str_of(app->identity.app_id));
    if (app->identity.attempt[0] != '\0') {
        buf_add_text(out, " attempt ");
        buf_add_printable(out, str_of(app->identity.attempt));
    }
    buf_printf(out, "  %s, %s\n", run_status_name(status), span_format_seconds(duration_s, took));
    buf_printf(out, "  %lld task%s in %lld stage%s, ", (long long)t.tasks, t.tasks == 1 ? "" : "s",
               (long long)t.stages, t.stages == 1 ? "" : "s");
    if (t.records_from == RECORDS_UNKNOWN) {
        buf_add_text(out, "records unknown");
    } else {
        buf_printf(out, "%lld records (%s), %.0f/s", (long long)t.records,
                   records_from_name(t.records_from),
                   duration_s > 0 ? (double)t.records / duration_s : 0);
    }
    buf_printf(
        out, ", input %s, shuffle %s", span_format_bytes((double)t.data_size_bytes, data),
        span_format_bytes((double)t.shuffle_read_bytes + (double)t.shuffle_write_bytes, moved));
    double seen = app_tasks_seen(app);
    if (seen < 1) {
        buf_printf(out, "\n  only %.1f %% of the expected task ends were seen", 100 * seen);
    }
    buf_add_text(out, "\n");
    if (status == RUN_FAILED && app->failure[0] != '\0') {
        buf_add_text(out, "  failed: ");
        buf_add_printable(out, str_of(app->failure));
        buf_add_text(out, "\n");
    }
}

static void add_loss(struct buf *out, const struct app *app, int width) {
    struct buf line = {0};
    if (render_loss(app, &line)) {
        add_wrapped(out, buf_text(&line), 2, width);
    }
    buf_fini(&line);
}

static void add_limits(struct buf *out, uint32_t limits, int width) {
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(limits, (enum limit)limit)) {
            struct buf line = {0};
            buf_printf(&line, "limit hit: %s: %s", limit_name((enum limit)limit),
                       limit_means((enum limit)limit));
            add_wrapped(out, buf_text(&line), 2, width);
            buf_fini(&line);
        }
    }
}

static void add_verdict(struct buf *out, const struct bottleneck *b,
                        const struct render_style *style) {
    char saving[SPAN_TEXT_SIZE];
    int pad = 10 - (int)strlen(severity_name(b->severity));
    buf_printf(out, "\n  %s%*s %s", render_severity(b->severity, style->color), pad, "",
               kind_name(b->kind));
    if (b->cause != CAUSE_NONE) {
        buf_printf(out, " (%s)", cause_name(b->cause));
    }
    if (b->saving_s > 0) {
        buf_printf(out, ", up to %s", span_format_seconds(b->saving_s, saving));
        buf_printf(out, " or %.0f %% of the run", 100 * b->saving_share);
    }
    buf_add_char(out, '\n');
    add_wrapped(out, b->summary, 13, style->width);
}

static void add_nulls(struct buf *out, const struct bottleneck *const *verdicts, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (verdicts[i]->rule_met == TRI_NULL) {
            buf_printf(out, "  not judged: %s (%s)\n", kind_name(verdicts[i]->kind),
                       verdicts[i]->reason);
        }
    }
}

void render_text(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count,
                 const struct render_style *style) {
    require(style->width >= 40);
    add_head(out, app, status, style->color);
    add_loss(out, app, style->width);
    add_limits(out, app->limits, style->width);
    const struct bottleneck **verdicts;
    uint32_t n = render_verdicts(app, &verdicts);
    unsigned shown = 0, hidden = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (verdicts[i]->rule_met == TRI_NULL) {
            continue;
        }
        if (verdicts[i]->severity == SEVERITY_NEGLIGIBLE && !style->all) {
            hidden++;
        } else {
            add_verdict(out, verdicts[i], style);
            shown++;
        }
    }
    if (shown == 0) {
        buf_add_text(out, "\n  Nothing here costs time worth saving.\n");
    }
    if (hidden > 0) {
        buf_printf(out, "\n  %u more rule%s met at negligible cost (--all shows them).\n", hidden,
                   hidden == 1 ? "" : "s");
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(out, "\n  %sAdvice: %s%s\n", style->color ? "\033[1m" : "",
                   recommendations[i].kind, style->color ? "\033[0m" : "");
        add_wrapped(out, recommendations[i].action, 4, style->width);
    }
    if (style->all) {
        buf_add_char(out, '\n');
        add_nulls(out, verdicts, n);
    }
    mem_free(verdicts);
}
