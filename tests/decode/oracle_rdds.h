// oracle_rdds: what a stage's RDDs tell of it, as the oracle reads it. Included by oracle_events.c.
#pragma once

#include "model/operator.h"
#include "oracle_priv.h"

// What stands behind "name":" in the text of a scope, up to the next quote.
static inline struct str name_in_scope(struct str scope) {
    static const char key[] = "\"name\":\"";
    for (size_t i = 0; i + sizeof key - 1 <= scope.len; i++) {
        if (memcmp(scope.p + i, key, sizeof key - 1) == 0) {
            struct str name = {scope.p + i + sizeof key - 1, 0};
            while (name.p + name.len < scope.p + scope.len && name.p[name.len] != '"') {
                name.len++;
            }
            return name;
        }
    }
    return STR("");
}

static inline bool says_true(const json_t *object, const char *key) {
    return json_is_true(oracle_field(object, key));
}

static inline void read_storage(const json_t *rdd, struct event_stage *out) {
    const json_t *level = oracle_field(rdd, "Storage Level");
    int64_t partitions = oracle_metric(rdd, "Number of Partitions");
    bool disk = says_true(level, "Use Disk"), memory = says_true(level, "Use Memory");
    out->works |= disk || memory ? WORK_CACHED : 0;
    out->partitions_most = partitions > out->partitions_most ? partitions : out->partitions_most;
    if (memory && !disk && partitions > out->memory_only) {
        out->memory_only = partitions;
    }
}

static inline void read_rdds(const json_t *rdds, struct event_stage *out) {
    size_t i;
    json_t *rdd;
    json_array_foreach((json_t *)rdds, i, rdd) {
        struct str name = oracle_word_of(oracle_field(rdd, "Name"), 64);
        struct str scope = name_in_scope(oracle_word_of(oracle_field(rdd, "Scope"), 160));
        out->works |= rdd_works(name) | operator_works(scope);
        out->shape += rdd_shape(name) + operator_shape(scope);
        read_storage(rdd, out);
    }
}
