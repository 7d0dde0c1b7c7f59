// decode_rdds: what a stage's RDDs tell of it: the operators and classes that they are of, into how
// many partitions they are cut and where they are kept. Included by decode_events.cpp; must never
// keep a name of theirs.
#pragma once

extern "C" {
#include "model/operator.h"
}

#include "decode_shape.h"

#include <algorithm>

namespace decode {

enum { USE_DISK, USE_MEMORY };
inline const rule storage_rules[] = {{"Use Disk", as::call, USE_DISK},
                                     {"Use Memory", as::call, USE_MEMORY}};
inline const shape storage_fields(storage_rules);

enum { RDD_NAME, RDD_SCOPE, RDD_STORAGE, RDD_PARTITIONS };
inline const rule rdd_rules[] = {
    {"Name", as::call, RDD_NAME, 64},
    {"Scope", as::call, RDD_SCOPE, 160},
    {"Storage Level", as::call, RDD_STORAGE, 0, nullptr, nullptr, form::one, &storage_fields},
    {"Number of Partitions", as::call, RDD_PARTITIONS},
};
inline const shape rdd_fields(rdd_rules);

// The operator's name out of a scope, which is JSON in a text: {"id":"7","name":"Scan text "}.
inline str scope_name(str scope) {
    std::string_view text(scope.p, scope.len), key("\"name\":\"");
    size_t from = text.find(key);
    text.remove_prefix(from == text.npos ? text.size() : from + key.size());
    return view(text.substr(0, text.find('"')));
}

// Where an RDD is kept, and into how many partitions it is cut.
struct rdd_told {
    bool disk, memory;
    int64_t partitions;
};

inline void read_storage(context &c, value v, rdd_told *told) {
    each_field(c, v, storage_fields, [&](const rule &r, value inner) {
        (r.at == USE_DISK ? told->disk : told->memory) = maybe(inner) == 1;
        return true;
    });
}

inline void read_rdd(context &c, value v) {
    event_stage &stage = c.out->stage;
    rdd_told told = {};
    each_field(c, v, rdd_fields, [&](const rule &r, value inner) {
        if (r.at == RDD_STORAGE) {
            read_storage(c, inner, &told);
        } else if (r.at == RDD_PARTITIONS) {
            told.partitions = metric(inner);
        } else {
            bool scope = r.at == RDD_SCOPE;
            str text = scope ? scope_name(word(inner, r.limit)) : word(inner, r.limit);
            stage.works |= scope ? operator_works(text) : rdd_works(text);
            stage.shape += scope ? operator_shape(text) : rdd_shape(text);
        }
        return true;
    });
    stage.works |= told.disk || told.memory ? WORK_CACHED : 0;
    stage.partitions_most = std::max(stage.partitions_most, told.partitions);
    if (told.memory && !told.disk) {
        stage.memory_only = std::max(stage.memory_only, told.partitions);
    }
}

inline void read_rdds(context &c, value v) {
    event_stage &stage = c.out->stage;
    items(c, v, [&](value rdd) { read_rdd(c, rdd); });
    stage.python = (stage.works & WORK_PYTHON_RDD) != 0;
}

} // namespace decode
