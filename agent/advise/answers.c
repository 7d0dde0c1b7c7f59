// answers: see the header. Called by the advisors.
#include "answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SPELT_OUT_MAX = 3, REMEDIES_MAX = 8 };

// The dearest first, the rest in one order, whatever it was taken in: a run may have thousands.
static int dearest_first(const void *a, const void *b) {
    const struct bottleneck *x = *(const struct bottleneck *const *)a;
    const struct bottleneck *y = *(const struct bottleneck *const *)b;
    if (x->saving_s != y->saving_s) {
        return x->saving_s > y->saving_s ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return (int)x->kind - (int)y->kind;
    }
    int by_stage = (x->stage > y->stage) - (x->stage < y->stage);
    return by_stage != 0 ? by_stage : x->stage_attempt - y->stage_attempt;
}

void answers_take(const struct advice_view *view, enum bottleneck_kind kind, answers_fits_fn *fits,
                  struct answers *answers) {
    uint32_t count;
    const struct bottleneck *const *all = run_verdicts_of(view->verdicts, kind, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!bottleneck_is_root(all[i]) || (fits != NULL && !fits(view->app, all[i]))) {
            continue;
        }
        MEM_GROW(answers->list, answers->count, answers->cap);
        answers->list[answers->count++] = all[i];
        answers->saving_s += all[i]->saving_s;
    }
    if (answers->count > 0) {
        qsort(answers->list, answers->count, sizeof(*answers->list), dearest_first);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The ids that advice on more than a kind of bottleneck answers, sorted; *count gets how many.
// Owned by the caller.
static const char **answered_ids(const struct advice *advice, uint32_t *count) {
    const char **ids = NULL;
    uint32_t cap = 0;
    *count = 0;
    for (uint32_t i = 0; i < advice->count; i++) {
        const struct recommendation *r = &advice->list[i];
        for (uint32_t k = 0; k < r->bottleneck_count && kind_parse(str_of(r->kind)) < 0; k++) {
            MEM_GROW(ids, *count, cap);
            ids[(*count)++] = r->bottlenecks[k];
        }
    }
    if (*count > 0) {
        qsort(ids, *count, sizeof(*ids), by_text);
    }
    return ids;
}

void answers_leave_out(struct answers *answers, const struct advice *advice) {
    uint32_t count, left = 0;
    const char **ids = answers->count > 0 ? answered_ids(advice, &count) : NULL;
    if (ids == NULL) {
        return;
    }
    answers->saving_s = 0;
    for (uint32_t i = 0; i < answers->count; i++) {
        const char *id = answers->list[i]->id;
        if (bsearch(&id, ids, count, sizeof(*ids), by_text) == NULL) {
            answers->list[left++] = answers->list[i];
            answers->saving_s += answers->list[i]->saving_s;
        }
    }
    answers->count = left;
    mem_free(ids);
}

void answers_add_remedies(const struct answers *answers, answers_words_fn *words, struct buf *out) {
    const char *told[REMEDIES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < answers->count && count < REMEDIES_MAX; i++) {
        const struct bottleneck *verdict = answers->list[i];
        const char *own = words != NULL ? words(verdict) : NULL;
        const char *remedy =
            own != NULL ? own : detector_remedy(detector_of(verdict->kind), verdict);
        uint32_t at = 0;
        while (at < count && told[at] != remedy) {
            at++;
        }
        if (at == count) {
            told[count++] = remedy;
            bool first = out->len == 0 || out->data[out->len - 1] == ' ';
            buf_add_text(out, first ? "" : " ");
            buf_add_text(out, remedy);
        }
    }
}

// True if a sentence would have two full stops.
static bool is_ended(struct str text) {
    return text.len > 0 && strchr(".!?", text.p[text.len - 1]) != NULL;
}

void answers_finish(const struct answers *answers, struct buf *what, struct recommendation *r) {
    advice_answers(r, answers->list, answers->count);
    r->remedy_bytes = what->len; // what follows stands in the verdicts
    for (uint32_t i = 0; i < answers->count && i < SPELT_OUT_MAX; i++) {
        buf_add_text(what, i > 0 ? "; " : " In this run: ");
        buf_add_text(what, answers->list[i]->summary);
    }
    if (answers->count > SPELT_OUT_MAX) {
        buf_printf(what, "; and %u more like these", answers->count - SPELT_OUT_MAX);
    }
    buf_add_text(what, is_ended(buf_str(what)) ? "" : ".");
    r->action = mem_strdup(buf_text(what));
    r->saving_s = r->saving_s > 0 ? r->saving_s : answers->saving_s;
    buf_fini(what);
}

void answers_fini(struct answers *answers) {
    mem_free(answers->list);
    *answers = (struct answers){0};
}

char *answers_code(const char *lines, double number) {
    struct buf code = {0};
    for (const char *at = lines; *at != '\0'; at++) {
        if (*at == '@') {
            buf_printf(&code, "%.0f", number);
        } else {
            buf_add_char(&code, *at);
        }
    }
    char *text = mem_strdup(buf_text(&code));
    buf_fini(&code);
    return text;
}
