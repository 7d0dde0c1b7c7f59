// render_text: a judged run for a person at a terminal: what it was, what held it up, what to do.
// Called by cmd_analyze and the demo, and by the other forms for the verdicts that stand; prints
// nothing of a log unescaped.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/span.h"
#include "findings.h"
#include "present/render.h"
#include "present/render_settings.h"
#include "wrap.h"

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

static void add_head(struct buf *out, const struct app *app, enum run_status status, bool color) {
    struct run_totals t;
    app_totals(app, &t);
    double duration_s = app_duration_s(app);
    char took[SPAN_TEXT_SIZE], data[SPAN_TEXT_SIZE], moved[SPAN_TEXT_SIZE];
    char tasks[SPAN_TEXT_SIZE], records[SPAN_TEXT_SIZE], rate[SPAN_TEXT_SIZE];
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
    buf_printf(out, "  %s task%s in %lld stage%s, ", span_format_count((double)t.tasks, tasks),
               t.tasks == 1 ? "" : "s", (long long)t.stages, t.stages == 1 ? "" : "s");
    if (t.records_from == RECORDS_UNKNOWN) {
        buf_add_text(out, "records unknown");
    } else {
        buf_printf(out, "%s record%s (%s), %s a second",
                   span_format_count((double)t.records, records), t.records == 1 ? "" : "s",
                   records_from_name(t.records_from),
                   span_format_count(duration_s > 0 ? (double)t.records / duration_s : 0, rate));
    }
    buf_printf(
        out, ", input %s, shuffle %s", span_format_bytes((double)t.data_size_bytes, data),
        span_format_bytes((double)t.shuffle_read_bytes + (double)t.shuffle_write_bytes, moved));
    double seen = app_tasks_seen(app);
    if (seen < 1) {
        buf_printf(out, "\n  only %.1f %% of the expected task ends were seen", 100 * seen);
    }
    buf_add_text(out, "\n");
    const struct bottleneck *failure = app_verdict(app, KIND_PIPELINE_FAILURE);
    bool told = failure != NULL && failure->life != LIFE_RETRACTED;
    if ((status == RUN_FAILED || status == RUN_KILLED) && app->failure[0] != '\0' && !told) {
        buf_add_text(out, status == RUN_FAILED ? "  failed: " : "  killed: ");
        buf_add_printable(out, str_of(app->failure));
        buf_add_text(out, "\n");
    }
}

static void add_loss(struct buf *out, const struct app *app, int width) {
    struct buf line = {0};
    if (render_loss(app, &line)) {
        wrap_words(out, buf_text(&line), 2, width);
    }
    buf_fini(&line);
}

static void add_limits(struct buf *out, uint32_t limits, int width) {
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(limits, (enum limit)limit)) {
            struct buf line = {0};
            buf_printf(&line, "limit hit: %s: %s", limit_name((enum limit)limit),
                       limit_means((enum limit)limit));
            wrap_words(out, buf_text(&line), 2, width);
            buf_fini(&line);
        }
    }
}

enum { INDENT = 13, LIKEWISE_MAX = 8 };

static void add_share(struct buf *out, const struct bottleneck *b) {
    char saving[SPAN_TEXT_SIZE];
    buf_printf(out, "up to %s", span_format_seconds(b->saving_s, saving));
    if (b->saving_share >= 0.01) {
        buf_printf(out, " or %.0f %% of the run", 100 * b->saving_share);
    }
}

static void add_title(struct buf *out, const struct bottleneck *b,
                      const struct render_style *style) {
    int pad = 10 - (int)strlen(severity_name(b->severity));
    buf_printf(out, "\n  %s%*s %s", render_severity(b->severity, style->color), pad, "",
               kind_name(b->kind));
    if (b->cause != CAUSE_NONE) {
        buf_printf(out, " (%s)", cause_name(b->cause));
    }
    if (b->saving_s > 0 && b->cap > SEVERITY_NEGLIGIBLE) { // else it costs nothing worth a number
        buf_add_text(out, ", ");
        add_share(out, b);
    }
    buf_add_char(out, '\n');
}

// The others of the same kind and cause, in a line: "likewise: stage 3 (low, up to 0.5 s), ...".
static void add_likewise(struct buf *out, const struct findings *findings, uint32_t head,
                         const struct render_style *style) {
    struct buf line = {0};
    unsigned count = 0;
    for (uint32_t i = head + 1; i < findings->judged; i++) {
        const struct bottleneck *b = findings->verdicts[i];
        if (findings->head[i] != head || b->explained_by[0] != '\0' ||
            (b->severity == SEVERITY_NEGLIGIBLE && !style->all)) {
            continue;
        }
        char saving[SPAN_TEXT_SIZE];
        if (count++ < LIKEWISE_MAX) {
            buf_printf(&line, "%s stage %d (%s, up to %s)", count == 1 ? "likewise:" : ",",
                       (int)b->stage, severity_name(b->severity),
                       span_format_seconds(b->saving_s, saving));
        }
    }
    if (count > LIKEWISE_MAX) {
        buf_printf(&line, " and %u more", count - LIKEWISE_MAX);
    }
    if (count > 0) {
        wrap_words(out, buf_text(&line), INDENT, style->width);
    }
    buf_fini(&line);
}

// What it explains and is worth a word, the first few of as many stages.
static void add_explained(struct buf *out, const struct findings *findings, uint32_t head,
                          const struct render_style *style) {
    unsigned count = 0;
    for (uint32_t i = 0; i < findings->judged && count < LIKEWISE_MAX; i++) {
        if (findings_is_explained(findings, head, i)) {
            struct buf line = {0};
            findings_explained_words(findings->verdicts[i], &line);
            wrap_words(out, buf_text(&line), INDENT, style->width);
            buf_fini(&line);
            count++;
        }
    }
}

// What explains it, if that is told elsewhere.
static void add_root(struct buf *out, const struct findings *findings, uint32_t head,
                     const struct render_style *style) {
    struct buf line = {0};
    if (findings_root_words(findings, head, &line)) {
        wrap_words(out, buf_text(&line), INDENT, style->width);
    }
    buf_fini(&line);
}

static void add_confidence(struct buf *out, const struct bottleneck *b,
                           const struct render_style *style) {
    if (b->confidence != CONFIDENCE_HIGH && b->severity > SEVERITY_NEGLIGIBLE) {
        struct buf line = {0};
        buf_printf(&line, "%s confidence: %s", confidence_name(b->confidence),
                   b->confidence_why != NULL ? b->confidence_why : "");
        wrap_words(out, buf_text(&line), INDENT, style->width);
        buf_fini(&line);
    }
}

// What helps, without the numbers, which stand above it.
static void add_help(struct buf *out, const struct recommendation *r,
                     const struct render_style *style) {
    struct buf line = {0};
    size_t len = r->remedy_bytes > 0 ? r->remedy_bytes : strlen(r->action);
    buf_add_text(&line, "What helps: ");
    buf_add(&line, r->action, len);
    wrap_words(out, buf_text(&line), INDENT, style->width);
    render_advised_settings(out, r, INDENT);
    buf_fini(&line);
}

static void add_finding(struct buf *out, const struct findings *findings, uint32_t index,
                        const struct render_style *style) {
    const struct bottleneck *b = findings->verdicts[index];
    add_title(out, b, style);
    wrap_words(out, b->summary, INDENT, style->width);
    add_likewise(out, findings, index, style);
    add_root(out, findings, index, style);
    add_explained(out, findings, index, style);
    add_confidence(out, b, style);
}

// What was met without costing anything, and what could not be judged: why, if all is asked for.
static void add_rest(struct buf *out, const struct findings *findings, unsigned hidden,
                     const struct render_style *style) {
    unsigned unjudged = findings->count - findings->judged;
    if (!style->all && hidden + unjudged > 0) {
        struct buf line = {0};
        if (hidden > 0) {
            buf_printf(&line, "%u more rule%s met at negligible cost", hidden,
                       hidden == 1 ? "" : "s");
        }
        if (unjudged > 0) {
            buf_printf(&line, "%s%u rule%s could not be judged", hidden > 0 ? ", " : "", unjudged,
                       unjudged == 1 ? "" : "s");
        }
        buf_printf(&line, " (--all shows %s).", hidden + unjudged == 1 ? "it" : "them");
        buf_add_char(out, '\n');
        wrap_words(out, buf_text(&line), 2, style->width);
        buf_fini(&line);
    }
    for (uint32_t i = findings->judged; i < findings->count && style->all; i++) {
        const struct bottleneck *b = findings->verdicts[i];
        buf_printf(out, "%s  not judged: %s (%s)\n", i == findings->judged ? "\n" : "",
                   kind_name(b->kind), b->reason);
    }
}

// The index of the head under which advice stands: the first shown one of what it answers, else of
// its kind; `count` if none is.
static uint32_t head_of_advice(const struct findings *findings, const struct recommendation *r,
                               bool negligible) {
    uint32_t found = findings->count;
    for (uint32_t i = 0; i < findings->judged && found == findings->count; i++) {
        const struct bottleneck *b = findings->verdicts[i];
        if (!findings_is_head(findings, i) || (b->severity == SEVERITY_NEGLIGIBLE && !negligible)) {
            continue;
        }
        bool answered = strcmp(r->kind, kind_name(b->kind)) == 0;
        for (uint32_t k = 0; k < r->bottleneck_count && !answered; k++) {
            answered = strcmp(r->bottlenecks[k], b->id) == 0;
        }
        found = answered ? i : found;
    }
    return found;
}

// Advice on what is no finding shown above.
static void add_advice(struct buf *out, const struct findings *findings,
                       const struct recommendation *r, const struct render_style *style) {
    if (head_of_advice(findings, r, style->all) == findings->count) {
        buf_printf(out, "\n  %sAdvice: %s%s\n", style->color ? "\033[1m" : "", r->kind,
                   style->color ? "\033[0m" : "");
        wrap_words(out, r->action, INDENT, style->width);
        render_advised_settings(out, r, INDENT);
    }
}

void render_text(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count,
                 const struct render_style *style) {
    require(style->width >= 40);
    struct findings findings;
    findings_collect(&findings, app);
    add_head(out, app, status, style->color);
    add_loss(out, app, style->width);
    add_limits(out, app->limits, style->width);
    unsigned shown = 0, hidden = 0;
    for (uint32_t i = 0; i < findings.judged; i++) {
        const struct bottleneck *b = findings.verdicts[i];
        bool small = b->severity == SEVERITY_NEGLIGIBLE && !style->all;
        hidden += small && b->explained_by[0] == '\0';
        if (!small && findings_is_head(&findings, i)) {
            add_finding(out, &findings, i, style);
            for (uint32_t r = 0; r < count; r++) {
                if (head_of_advice(&findings, &recommendations[r], style->all) == i) {
                    add_help(out, &recommendations[r], style);
                }
            }
            shown++;
        }
    }
    if (shown == 0) {
        buf_printf(out, "\n  Nothing here costs time worth saving%s.\n",
                   app_completeness(app) < 0.95 ? ", as far as its events came" : "");
    }
    for (uint32_t i = 0; i < count; i++) {
        add_advice(out, &findings, &recommendations[i], style);
    }
    add_rest(out, &findings, hidden, style);
    findings_fini(&findings);
}
