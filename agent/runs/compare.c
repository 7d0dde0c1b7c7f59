// compare: see the header. Called by the commands compare and analyze (--baseline).
#include "runs/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

// What is smaller is noise between any two runs.
#define SHARE_LEAST 0.01
#define SECONDS_LEAST 0.1

const char *finding_turn_name(enum finding_turn turn) {
    static const char *const names[FINDING_TURN_COUNT] = {"new", "worse", "better", "gone"};
    require(turn < FINDING_TURN_COUNT);
    return names[turn];
}

const struct stage_facts *comparison_a(const struct comparison *comparison,
                                       const struct stage_change *change) {
    return change->pair.a < 0 ? NULL : &comparison->a->stages[change->pair.a];
}

const struct stage_facts *comparison_b(const struct comparison *comparison,
                                       const struct stage_change *change) {
    return change->pair.b < 0 ? NULL : &comparison->b->stages[change->pair.b];
}

bool stage_change_matters(const struct stage_change *change) {
    return !change->known ||
           (fabs(change->seconds) >= SECONDS_LEAST && change->share >= SHARE_LEAST);
}

static int larger_first(const void *x, const void *y) {
    const struct stage_change *a = x, *b = y;
    double a_s = fabs(a->seconds), b_s = fabs(b->seconds);
    if (a_s != b_s) {
        return a_s > b_s ? -1 : 1;
    }
    int by_b = (a->pair.b > b->pair.b) - (a->pair.b < b->pair.b);
    return by_b != 0 ? by_b : (a->pair.a > b->pair.a) - (a->pair.a < b->pair.a);
}

static double wall_s(const struct stage_facts *stage) {
    return stage == NULL ? 0 : (double)stage->wall_ms / 1e3;
}

static bool is_known(const struct stage_facts *stage) {
    return stage == NULL || stage->wall_ms != FACTS_UNKNOWN;
}

static void add_stages(struct comparison *c) {
    uint32_t count;
    struct stage_pair *pairs = match_stages(c->a, c->b, &count);
    double longer_s = fmax(c->a->duration_s, c->b->duration_s);
    c->stages = mem_zalloc(count + 1, sizeof *c->stages);
    c->stage_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct stage_change *change = &c->stages[i];
        change->pair = pairs[i];
        const struct stage_facts *a = comparison_a(c, change), *b = comparison_b(c, change);
        change->known = is_known(a) && is_known(b);
        change->seconds = change->known ? wall_s(b) - wall_s(a) : 0;
        change->share = longer_s > 0 ? fmin(1, fabs(change->seconds) / longer_s) : 0;
        if (a != NULL && b != NULL && !c->of_records) {
            stage_change_explain(change, a, b);
        }
    }
    qsort(c->stages, count, sizeof *c->stages, larger_first);
    mem_free(pairs);
}

// Both lists are sorted by key.
static void add_settings(struct comparison *c) {
    const struct run_facts *a = c->a, *b = c->b;
    uint32_t cap = 0, i = 0, k = 0;
    while (i < a->setting_count || k < b->setting_count) {
        const struct run_setting *x = i < a->setting_count ? &a->settings[i] : NULL;
        const struct run_setting *y = k < b->setting_count ? &b->settings[k] : NULL;
        int order = x == NULL || y == NULL ? 0 : strcmp(x->key, y->key);
        x = order > 0 ? NULL : x; // of different keys the first is told, of that side alone
        y = order < 0 ? NULL : y;
        i += x != NULL;
        k += y != NULL;
        if (x != NULL && y != NULL && strcmp(x->value, y->value) == 0) {
            continue;
        }
        MEM_GROW(c->settings, c->setting_count, cap);
        struct setting_change *change = &c->settings[c->setting_count++];
        *change = (struct setting_change){0};
        if (x != NULL) {
            change->key = x->key;
            change->a = x->value;
        }
        if (y != NULL) {
            change->key = y->key;
            change->b = y->value;
        }
    }
}

// The stage of b that a stage of a is, -1 if it is none.
static int32_t stage_in_b(const struct comparison *c, int32_t stage) {
    for (uint32_t i = 0; i < c->stage_count; i++) {
        const struct stage_facts *a = comparison_a(c, &c->stages[i]);
        const struct stage_facts *b = comparison_b(c, &c->stages[i]);
        if (a != NULL && b != NULL && a->stage == stage) {
            return b->stage;
        }
    }
    return -1;
}

// The finding of b that is the same as one of a: of its kind, on the same stage.
static const struct bottleneck *same_in_b(const struct comparison *c, const struct bottleneck *a) {
    int32_t stage = a->stage < 0 ? -1 : stage_in_b(c, a->stage);
    for (uint32_t i = 0; i < c->b->finding_count; i++) {
        const struct bottleneck *b = &c->b->findings[i];
        if (b->kind == a->kind && b->stage == stage && (stage >= 0) == (a->stage >= 0)) {
            return b;
        }
    }
    return NULL;
}

static void add_finding(struct comparison *c, uint32_t *cap, const struct bottleneck *a,
                        const struct bottleneck *b) {
    enum finding_turn turn = a == NULL                   ? FINDING_NEW
                             : b == NULL                 ? FINDING_GONE
                             : b->severity > a->severity ? FINDING_WORSE
                                                         : FINDING_BETTER;
    if (a != NULL && b != NULL && a->severity == b->severity) {
        return;
    }
    MEM_GROW(c->findings, c->finding_count, *cap);
    c->findings[c->finding_count++] = (struct finding_change){turn, a, b};
}

static int by_turn(const void *x, const void *y) {
    const struct finding_change *a = x, *b = y;
    if (a->turn != b->turn) {
        return (int)a->turn - (int)b->turn;
    }
    // Both lists were walked worst first; their places tell it still.
    const struct bottleneck *p = a->b != NULL ? a->b : a->a, *q = b->b != NULL ? b->b : b->a;
    return (p > q) - (p < q);
}

static void add_findings(struct comparison *c) {
    uint32_t cap = 0;
    bool *known = mem_zalloc(c->b->finding_count + 1, sizeof *known);
    for (uint32_t i = 0; i < c->a->finding_count; i++) {
        const struct bottleneck *a = &c->a->findings[i], *b = same_in_b(c, a);
        add_finding(c, &cap, a, b);
        if (b != NULL) {
            known[b - c->b->findings] = true;
        }
    }
    for (uint32_t i = 0; i < c->b->finding_count; i++) {
        if (!known[i]) {
            add_finding(c, &cap, NULL, &c->b->findings[i]);
        }
    }
    if (c->finding_count > 0) {
        qsort(c->findings, c->finding_count, sizeof *c->findings, by_turn);
    }
    mem_free(known);
}

void comparison_init(struct comparison *comparison, const struct run_facts *a,
                     const struct run_facts *b) {
    *comparison = (struct comparison){.a = a,
                                      .b = b,
                                      .seconds = b->duration_s - a->duration_s,
                                      .of_records = a->of_record || b->of_record};
    if (!comparison->of_records) {
        comparison->start_up_s = (double)(b->times.start_up_ms - a->times.start_up_ms) / 1e3;
        comparison->driver_s = (double)(b->times.driver_ms - a->times.driver_ms) / 1e3;
        comparison->stages_s = comparison->seconds - comparison->start_up_s - comparison->driver_s;
    }
    add_stages(comparison);
    if (!a->settings_untold && !b->settings_untold) {
        add_settings(comparison);
    }
    add_findings(comparison);
}

void comparison_fini(struct comparison *comparison) {
    mem_free(comparison->stages);
    mem_free(comparison->settings);
    mem_free(comparison->findings);
    *comparison = (struct comparison){0};
}
