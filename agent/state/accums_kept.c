// accums_kept: the accumulators of a chunk as they are kept, each with what is known of it,
// described by tables. Called by app_kept.c through record_accumulators.
#include "app_priv.h"

struct accum {
    int64_t id, value;
};
static const struct record_row role_rows[] = {
    RECORD_ROW(1, I64, accum, id),
    RECORD_AS(2, I64, accum, value, "role", .words = &vocabulary_role, .most = ROLE_COUNT - 1),
};
static const struct record record_role = RECORD_OF("accumulator", accum, role_rows);
static const struct record_row driver_value_rows[] = {
    RECORD_ROW(1, I64, accum, id),
    RECORD_ROW(2, I64, accum, value),
};
static const struct record record_driver_value = RECORD_OF("accumulator", accum, driver_value_rows);

static void *in_scratch(void *owner, uint32_t count, union record_scratch *scratch) {
    (void)owner, (void)count;
    return scratch;
}
static uint32_t accums_size(const void *chunk) {
    (void)chunk;
    return ACCUM_CHUNK;
}
static const void *accum_at(const struct idmap *map, int64_t id, union record_scratch *scratch) {
    struct accum *accum = (struct accum *)(void *)scratch;
    accum->id = id;
    return idmap_get(map, id, &accum->value) ? accum : NULL;
}

#define ACCUMS(map, most)                                                                          \
    static const void *map##_at(const void *of, uint32_t i, union record_scratch *scratch) {       \
        const struct accum_chunk *chunk = of;                                                      \
        return accum_at(&chunk->app->map, chunk->first + i, scratch);                              \
    }                                                                                              \
    static bool map##_added(void *of, void *item) {                                                \
        const struct accum_chunk *chunk = of;                                                      \
        const struct accum *accum = item;                                                          \
        return accum->id >= chunk->first && accum->id - chunk->first < ACCUM_CHUNK &&              \
               idmap_put(&chunk->app->map, accum->id, accum->value, most);                         \
    }                                                                                              \
    static const struct record_list map##_list = {accums_size, map##_at, in_scratch, map##_added}
ACCUMS(accum_roles, APP_ACCUMS_MAX);
ACCUMS(driver_values, APP_DRIVER_ACCUMS_MAX);

static const struct record_row accumulators_rows[] = {
    RECORD_HOOKED(204, LIST, "roles", &accum_roles_list, .item = &record_role, .max = ACCUM_CHUNK),
    RECORD_HOOKED(205, LIST, "driver_values", &driver_values_list, .item = &record_driver_value,
                  .max = ACCUM_CHUNK),
};
const struct record record_accumulators = RECORD_OF("accumulators", accum_chunk, accumulators_rows);
