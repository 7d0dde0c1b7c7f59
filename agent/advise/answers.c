// answers: see the header. Called by the advisors.
#include "answers.h"

#include <string.h>

#include "base/mem.h"

enum { SPELT_OUT_MAX = 3, REMEDIES_MAX = 8 };

void answers_take(const struct advice_view *view, enum bottleneck_kind kind, answers_fits_fn *fits,
                  struct answers *answers) {
    uint32_t count;
    const struct bottleneck *const *all = run_verdicts_of(view->verdicts, kind, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!bottleneck_is_root(all[i]) || (fits != NULL && !fits(view->app, all[i]))) {
            continue;
        }
        MEM_GROW(answers->list, answers->count, answers->cap);
        uint32_t at = answers->count++;
        for (; at > 0 && all[i]->saving_s > answers->list[at - 1]->saving_s; at--) {
            answers->list[at] = answers->list[at - 1];
        }
        answers->list[at] = all[i];
        answers->saving_s += all[i]->saving_s;
    }
}

static bool is_answered(const struct advice *advice, const struct bottleneck *verdict) {
    for (uint32_t i = 0; i < advice->count; i++) {
        const struct recommendation *r = &advice->list[i];
        for (uint32_t k = 0; k < r->bottleneck_count && kind_parse(str_of(r->kind)) < 0; k++) {
            if (strcmp(r->bottlenecks[k], verdict->id) == 0) {
                return true;
            }
        }
    }
    return false;
}

void answers_leave_out(struct answers *answers, const struct advice *advice) {
    uint32_t left = 0;
    answers->saving_s = 0;
    for (uint32_t i = 0; i < answers->count; i++) {
        if (!is_answered(advice, answers->list[i])) {
            answers->list[left++] = answers->list[i];
            answers->saving_s += answers->list[i]->saving_s;
        }
    }
    answers->count = left;
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
