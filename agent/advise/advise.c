// advise: asks the advisors, keeps what they say within bounds; what they share. Called by engine's
// report.c, and for its table by engine.c and `stoker man`.
#include "advise/advise.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "model/id.h"

#define ADVISOR(name) extern const struct advisor advisor_##name;
#include "advise/advisors.def"
#undef ADVISOR

static const struct advisor *const table[] = {
#define ADVISOR(name) &advisor_##name,
#include "advise/advisors.def"
#undef ADVISOR
};

const struct advisor *const *advisors(unsigned *count) {
    *count = ARRAY_LEN(table);
    return table;
}

void advisors_to_markdown(struct buf *out) {
    buf_add_text(out, "| advisor | recommends |\n|---|---|\n");
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        buf_printf(out, "| `%s` | %s |\n", table[i]->name, table[i]->help);
    }
}

const struct bottleneck *const *run_verdicts_of(const struct run_verdicts *verdicts,
                                                enum bottleneck_kind kind, uint32_t *count) {
    uint32_t first = kind > 0 ? verdicts->end[kind - 1] : 0;
    require(first <= verdicts->end[kind]);
    *count = verdicts->end[kind] - first;
    return verdicts->all + first;
}

// What share of the run the advice speaks of.
enum scope {
    SCOPE_PART,    // something in it
    SCOPE_LENGTH,  // its length: the same time once more
    SCOPE_FAILURE, // the run itself, which is lost
};

static enum scope scope_of(const struct recommendation *r) {
    if (strcmp(r->kind, kind_name(KIND_PIPELINE_FAILURE)) == 0) {
        return SCOPE_FAILURE;
    }
    bool length = strcmp(r->kind, kind_name(KIND_SLOW_RUN)) == 0 ||
                  strcmp(r->kind, kind_name(KIND_LOW_THROUGHPUT)) == 0;
    return length ? SCOPE_LENGTH : SCOPE_PART;
}

// Together the advice saves no more than the run took: what speaks of parts of it shares the run,
// what speaks of its length gets what these leave.
static void bound_savings(struct advice *advice, double duration_s) {
    double parts_s = 0;
    for (uint32_t i = 0; i < advice->count; i++) {
        struct recommendation *r = &advice->list[i];
        r->saving_s = fmin(r->saving_s, duration_s);
        parts_s += scope_of(r) == SCOPE_PART ? r->saving_s : 0;
    }
    double left_s = fmax(0, duration_s - parts_s);
    for (uint32_t i = 0; i < advice->count; i++) {
        struct recommendation *r = &advice->list[i];
        enum scope scope = scope_of(r);
        if (scope == SCOPE_PART && parts_s > duration_s) {
            r->saving_s *= duration_s / parts_s;
        } else if (scope == SCOPE_LENGTH) {
            r->saving_s = fmin(r->saving_s, left_s);
            left_s -= r->saving_s;
        }
    }
}

void advise(const struct advisor *const *all, unsigned count, const struct advice_view *view,
            struct advice *out) {
    for (unsigned i = 0; i < count; i++) {
        all[i]->advise(view, out);
    }
    for (uint32_t i = 0; i < out->count; i++) {
        const struct recommendation *r = &out->list[i];
        require(r->action != NULL && isfinite(r->saving_s) && r->saving_s >= 0);
    }
    advice_make_coherent(view, out);
    bound_savings(out, view->duration_s);
}

void advice_fini(struct advice *advice) {
    for (uint32_t i = 0; i < advice->count; i++) {
        recommendation_fini(&advice->list[i]);
    }
    advice->count = 0;
}

struct recommendation *advice_add(struct advice *advice, const struct advice_view *view,
                                  enum advice_kind kind) {
    const char *name = advice_kind_name(kind);
    for (uint32_t i = 0; i < advice->count; i++) {
        require(strcmp(advice->list[i].kind, name) != 0);
    }
    require(advice->count < ARRAY_LEN(advice->list));
    struct recommendation *r = &advice->list[advice->count++];
    *r = (struct recommendation){.kind = name};
    id_of_recommendation(&view->app->identity, name, r->id);
    return r;
}

uint32_t advice_answers(struct recommendation *recommendation,
                        const struct bottleneck *const *verdicts, uint32_t count) {
    require(recommendation->bottlenecks == NULL);
    uint32_t open = 0;
    for (uint32_t i = 0; i < count; i++) {
        open += bottleneck_is_root(verdicts[i]);
    }
    recommendation->bottlenecks = mem_alloc((open + 1) * sizeof *recommendation->bottlenecks);
    for (uint32_t i = 0; i < count; i++) {
        if (bottleneck_is_root(verdicts[i])) {
            uint32_t n = recommendation->bottleneck_count++;
            memcpy(recommendation->bottlenecks[n], verdicts[i]->id, ID_TEXT_SIZE);
        }
    }
    return open;
}

void advice_note(struct recommendation *r, const char *fmt, ...) {
    struct buf action = {0}, line = {0};
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t at = r->remedy_bytes > 0 ? r->remedy_bytes : strlen(r->action);
    buf_printf(&line, " %s", text);
    buf_add(&action, r->action, at);
    buf_add_str(&action, buf_str(&line));
    buf_add_text(&action, r->action + at);
    r->remedy_bytes += r->remedy_bytes > 0 ? line.len : 0;
    mem_free(r->action);
    r->action = mem_strdup(buf_text(&action));
    buf_fini(&action);
    buf_fini(&line);
}
