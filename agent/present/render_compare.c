// render_compare: two runs of a pipeline held against each other, for a person at a terminal.
// Called by cmd_compare; works nothing out.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/span.h"
#include "present/render_runs.h"
#include "wrap.h"

enum { FIRST = 4, REASON_AT = 14 };

// "+28.1 s", "-400 ms".
static const char *signed_seconds(double seconds, char out[SPAN_TEXT_SIZE + 1]) {
    out[0] = seconds < 0 ? '-' : '+';
    span_format_seconds(fabs(seconds), out + 1);
    return out;
}

static void add_heading(struct buf *out, const char *words, bool color) {
    buf_printf(out, "\n  %s%s%s\n", color ? "\033[1m" : "", words, color ? "\033[0m" : "");
}

static void add_run_name(struct buf *out, const struct run_facts *run) {
    buf_add_text(out, run->identity.app_id);
    if (run->identity.attempt[0] != '\0') {
        buf_printf(out, " attempt %s", run->identity.attempt);
    }
}

// What makes the two hard to compare.
static void add_warnings(struct buf *out, const struct comparison *c,
                         const struct render_style *style) {
    struct buf line = {0};
    if (strcmp(c->a->identity.pipeline, c->b->identity.pipeline) != 0) {
        buf_printf(&line, "A is a run of %s, B of %s.", c->a->identity.pipeline,
                   c->b->identity.pipeline);
        wrap_words(out, buf_text(&line), 2, style->width);
    }
    for (int i = 0; i < 2; i++) {
        const struct run_facts *run = i == 0 ? c->a : c->b;
        buf_clear(&line);
        if (run->status != RUN_SUCCEEDED) {
            buf_printf(&line, "%s: %s%s%s.", i == 0 ? "A" : "B", run_status_name(run->status),
                       run->failure[0] != '\0' ? ", " : "", run->failure);
            wrap_words(out, buf_text(&line), 2, style->width);
        }
        buf_clear(&line);
        if (run->completeness < 0.95) {
            buf_printf(&line, "%s: only %.1f %% of its events were seen.", i == 0 ? "A" : "B",
                       100 * run->completeness);
            wrap_words(out, buf_text(&line), 2, style->width);
        }
    }
    buf_fini(&line);
}

static void add_head(struct buf *out, const struct comparison *c,
                     const struct render_style *style) {
    char texts[5][SPAN_TEXT_SIZE + 1];
    struct buf line = {0};
    double a_s = c->a->duration_s, b_s = c->b->duration_s;
    buf_add_text(out, style->color ? "\033[1m" : "");
    wrap_words(out, c->b->identity.pipeline, 0, style->width);
    buf_add_text(out, style->color ? "\033[0m" : "");
    buf_add_text(&line, "A: ");
    add_run_name(&line, c->a);
    buf_add_text(&line, ", B: ");
    add_run_name(&line, c->b);
    wrap_words(out, buf_text(&line), 2, style->width);
    buf_clear(&line);
    buf_printf(&line, "%s -> %s: %s", span_format_seconds(a_s, texts[0]),
               span_format_seconds(b_s, texts[1]), signed_seconds(c->seconds, texts[2]));
    if (a_s > 0 && b_s > 0) {
        buf_printf(&line, ", %.2f times", b_s / a_s);
    }
    if (!c->of_records) {
        buf_printf(&line, " (start-up %s", signed_seconds(c->start_up_s, texts[0]));
        buf_printf(&line, ", stages %s", signed_seconds(c->stages_s, texts[1]));
        buf_printf(&line, ", driver alone %s)", signed_seconds(c->driver_s, texts[2]));
    }
    wrap_words(out, buf_text(&line), 2, style->width);
    buf_clear(&line);
    const struct run_totals *a = &c->a->totals, *b = &c->b->totals;
    buf_printf(&line, "input %s -> %s, %s -> %s records",
               span_format_bytes((double)a->data_size_bytes, texts[0]),
               span_format_bytes((double)b->data_size_bytes, texts[1]),
               span_format_count((double)a->records, texts[2]),
               span_format_count((double)b->records, texts[3]));
    wrap_words(out, buf_text(&line), 2, style->width);
    buf_fini(&line);
    add_warnings(out, c, style);
}

static const char *wall_words(const struct stage_facts *stage, char out[SPAN_TEXT_SIZE]) {
    return stage->wall_ms == FACTS_UNKNOWN ? "not known"
                                           : span_format_ms((double)stage->wall_ms, out);
}

static void add_stage_words(struct buf *line, const struct stage_facts *a,
                            const struct stage_facts *b) {
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    const struct stage_facts *stage = b != NULL ? b : a;
    require(stage != NULL); // one side has it at least
    buf_printf(line, "stage %d", (int)stage->stage);
    if (a != NULL && b != NULL && a->stage != b->stage) {
        buf_printf(line, " (in A %d)", (int)a->stage);
    }
    buf_add_text(line, " ");
    match_site(str_of(stage->name), line);
    if (a != NULL && b != NULL) {
        buf_printf(line, ": %s -> %s", wall_words(a, before), wall_words(b, after));
        if (a->tasks != b->tasks) {
            buf_printf(line, ", %lld -> %lld tasks", (long long)a->tasks, (long long)b->tasks);
        }
    } else {
        buf_printf(line, ", %lld tasks", (long long)stage->tasks);
    }
}

// "  +28.1 s  words", the words hanging behind the number.
static void add_hanging(struct buf *out, const char *number, const char *words, int from,
                        const struct render_style *style) {
    size_t at = out->len;
    int column = from + 10;
    wrap_words(out, words, column, style->width);
    size_t len = strlen(number);
    if (len < 10 && out->len - at > (size_t)column) { // into the blanks before the first word
        memcpy(out->data + at + from, number, len);
    }
}

static void add_change(struct buf *out, const struct comparison *c,
                       const struct stage_change *change, const struct render_style *style) {
    const struct stage_facts *a = comparison_a(c, change), *b = comparison_b(c, change);
    char number[SPAN_TEXT_SIZE + 1];
    struct buf line = {0};
    add_stage_words(&line, a, b);
    add_hanging(out, change->known ? signed_seconds(change->seconds, number) : "?", buf_text(&line),
                FIRST, style);
    for (uint32_t i = 0; i < change->reason_count; i++) {
        buf_clear(&line);
        stage_reason_words(a, b, change->reasons[i].reason, &line);
        add_hanging(out, signed_seconds(change->reasons[i].seconds, number), buf_text(&line),
                    REASON_AT, style);
    }
    buf_clear(&line);
    if (c->of_records && a != NULL && b != NULL) {
        stage_told_words(a, b, &line);
    }
    if (line.len > 0) {
        wrap_words(out, buf_text(&line), REASON_AT, style->width);
    }
    buf_fini(&line);
}

enum side { SLOWER, FASTER, NOT_KNOWN, ONLY_B, ONLY_A, SIDES };

static enum side side_of(const struct comparison *c, const struct stage_change *change) {
    return comparison_a(c, change) == NULL   ? ONLY_B
           : comparison_b(c, change) == NULL ? ONLY_A
           : !change->known                  ? NOT_KNOWN
           : change->seconds > 0             ? SLOWER
                                             : FASTER;
}

// Returns how many were not worth a line.
static unsigned add_stages(struct buf *out, const struct comparison *c,
                           const struct render_style *style) {
    static const char *const words[SIDES] = {"Slower", "Faster", "Not known by how much",
                                             "Only in B", "Only in A"};
    unsigned hidden = 0;
    for (enum side side = 0; side < SIDES; side++) {
        bool any = false;
        for (uint32_t i = 0; i < c->stage_count; i++) {
            const struct stage_change *change = &c->stages[i];
            if (side_of(c, change) != side) {
                continue;
            }
            if (!stage_change_matters(change) && !style->all) {
                hidden++;
                continue;
            }
            if (!any) {
                add_heading(out, words[side], style->color);
            }
            any = true;
            add_change(out, c, change, style);
        }
    }
    return hidden;
}

static void add_settings(struct buf *out, const struct comparison *c,
                         const struct render_style *style) {
    struct buf line = {0};
    bool other_spark = strcmp(c->a->identity.spark_version, c->b->identity.spark_version) != 0;
    if (c->setting_count > 0 || other_spark) {
        add_heading(out, "Set otherwise", style->color);
    }
    if (other_spark) {
        buf_printf(&line, "Spark %s -> %s", c->a->identity.spark_version,
                   c->b->identity.spark_version);
        wrap_words(out, buf_text(&line), FIRST, style->width);
    }
    for (uint32_t i = 0; i < c->setting_count; i++) {
        const struct setting_change *change = &c->settings[i];
        buf_clear(&line);
        buf_printf(&line, "%s: %s -> %s", change->key, change->a == NULL ? "not set" : change->a,
                   change->b == NULL ? "not set" : change->b);
        wrap_words(out, buf_text(&line), FIRST, style->width);
    }
    buf_fini(&line);
}

static void add_findings(struct buf *out, const struct comparison *c,
                         const struct render_style *style) {
    struct buf line = {0};
    if (c->finding_count > 0) {
        add_heading(out, "Findings", style->color);
    }
    for (uint32_t i = 0; i < c->finding_count; i++) {
        const struct finding_change *change = &c->findings[i];
        const struct bottleneck *now = change->b != NULL ? change->b : change->a;
        require(now != NULL); // one side has it at least
        buf_clear(&line);
        buf_printf(&line, "%s: ", finding_turn_name(change->turn));
        if (change->a != NULL && change->b != NULL) {
            buf_printf(&line, "%s -> ", severity_name(change->a->severity));
        }
        buf_printf(&line, "%s %s%s%s%s, %s", severity_name(now->severity), kind_name(now->kind),
                   now->cause == CAUSE_NONE ? "" : " (", cause_name(now->cause),
                   now->cause == CAUSE_NONE ? "" : ")", now->summary);
        wrap_words(out, buf_text(&line), FIRST, style->width);
    }
    buf_fini(&line);
}

// What the records do not tell, so that nobody takes it for nothing.
static void add_untold(struct buf *out, const struct comparison *c,
                       const struct render_style *style) {
    struct buf line = {0};
    buf_add_text(&line,
                 "This is what the records of both runs tell. Not known by them: task slots, "
                 "waiting, shuffled records, time of the driver, and so why a stage took "
                 "longer beyond its task times; of Spark's properties they have those that "
                 "advice may give. Event logs tell it: stoker compare A B.");
    for (int i = 0; i < 2; i++) {
        const struct run_facts *run = i == 0 ? c->a : c->b;
        if (run->stages_untold > 0) {
            buf_printf(&line,
                       " The record of %s has left out %lld attempts of stages, not the "
                       "slowest: one that only the other has may be among them.",
                       i == 0 ? "A" : "B", (long long)run->stages_untold);
        }
        if (run->findings_untold) {
            buf_printf(&line, " It has left out findings of %s, not the worst.",
                       i == 0 ? "A" : "B");
        }
        if (run->settings_untold) {
            buf_printf(&line, " The record of %s has no properties: none were compared.",
                       i == 0 ? "A" : "B");
        }
    }
    buf_add_char(out, '\n');
    wrap_words(out, buf_text(&line), 2, style->width);
    buf_fini(&line);
}

void render_compare_text(struct buf *out, const struct comparison *comparison,
                         const struct render_style *style) {
    require(style->width >= 40);
    add_head(out, comparison, style);
    unsigned hidden = add_stages(out, comparison, style);
    add_settings(out, comparison, style);
    add_findings(out, comparison, style);
    if (hidden > 0) {
        struct buf line = {0};
        buf_printf(&line, "%u %sstage%s by less than 1 %% of the run or 100 ms (--all shows %s).",
                   hidden, hidden == comparison->stage_count ? "" : "more ",
                   hidden == 1 ? " differs" : "s differ", hidden == 1 ? "it" : "them");
        buf_add_char(out, '\n');
        wrap_words(out, buf_text(&line), 2, style->width);
        buf_fini(&line);
    }
    if (comparison->of_records) {
        add_untold(out, comparison, style);
    }
}
