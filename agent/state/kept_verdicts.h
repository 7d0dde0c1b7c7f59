// kept_verdicts: how the verdicts on a run or on a stage are kept, as a list of its record. Private
// to state: one for each of the two owners, which must have `verdicts` and `verdict_count`.
#pragma once

#include "base/mem.h"
#include "state/app.h"

// A verdict list of a run or of a stage.
static inline struct bottleneck *kept_verdict_add(struct bottleneck ***items, uint32_t *count) {
    if (*count >= KIND_COUNT) {
        return NULL;
    }
    *items = mem_resize(*items, *count + 1, sizeof **items);
    return (*items)[(*count)++] = mem_zalloc(1, sizeof(struct bottleneck));
}

// A subject has one of each kind. The item is the last of the list.
static inline bool kept_verdict_is_new(struct bottleneck *const *items, uint32_t count) {
    uint32_t i = 0;
    while (items[i]->kind != items[count - 1]->kind) {
        i++;
    }
    return i == count - 1;
}

#define KEPT_VERDICTS(owner)                                                                       \
    static uint32_t owner##_verdicts(const void *of) {                                             \
        return ((const struct owner *)of)->verdict_count;                                          \
    }                                                                                              \
    static const void *owner##_verdict_at(const void *of, uint32_t i,                              \
                                          union record_scratch *scratch) {                         \
        (void)scratch;                                                                             \
        return ((const struct owner *)of)->verdicts[i];                                            \
    }                                                                                              \
    static void *owner##_verdict_add(void *of, uint32_t count, union record_scratch *scratch) {    \
        struct owner *owner = of;                                                                  \
        (void)count, (void)scratch;                                                                \
        return kept_verdict_add(&owner->verdicts, &owner->verdict_count);                          \
    }                                                                                              \
    static bool owner##_verdict_added(void *of, void *item) {                                      \
        const struct owner *owner = of;                                                            \
        (void)item;                                                                                \
        return kept_verdict_is_new(owner->verdicts, owner->verdict_count);                         \
    }                                                                                              \
    static const struct record_list owner##_verdict_list = {                                       \
        owner##_verdicts, owner##_verdict_at, owner##_verdict_add, owner##_verdict_added}
