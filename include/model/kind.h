// kind: the closed vocabularies of what is judged, told and kept: bottleneck kinds, causes,
// severities, life cycle, run status and more, all out of words.def. Names here are the names in
// topics, JSON, settings, labels and docs; numbers are those of kept state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum bottleneck_kind {
#define KIND_WORD(number, id, name) KIND_##id = (number),
#include "model/words.def"
    KIND_COUNT
};

enum severity {
#define SEVERITY_WORD(number, id, name) SEVERITY_##id = (number),
#include "model/words.def"
    SEVERITY_COUNT
};

enum cause {
#define CAUSE_WORD(number, id, name) CAUSE_##id = (number),
#include "model/words.def"
    CAUSE_COUNT
};

// How sure a verdict is. A higher number is a greater doubt.
enum confidence {
#define CONFIDENCE_WORD(number, id, name) CONFIDENCE_##id = (number),
#include "model/words.def"
    CONFIDENCE_COUNT
};

enum life {
#define LIFE_WORD(number, id, name) LIFE_##id = (number),
#include "model/words.def"
    LIFE_COUNT
};

enum run_status {
#define RUN_STATUS_WORD(number, id, name) RUN_##id = (number),
#include "model/words.def"
    RUN_STATUS_COUNT
};

// What records are counted by.
enum records_from {
#define RECORDS_FROM_WORD(number, id, name) RECORDS_##id = (number),
#include "model/words.def"
    RECORDS_FROM_COUNT
};

// Why a task failed.
enum failure_class {
#define FAILURE_WORD(number, id, name) FAILURE_##id = (number),
#include "model/words.def"
    FAILURE_CLASS_COUNT
};

// A bound on what is kept of a run, see model/limit.h.
enum limit {
#define LIMIT_WORD(number, id, name) LIMIT_##id = (number),
#include "model/words.def"
    LIMIT_COUNT
};

// What became of a recommendation, by the runs that followed.
enum fate {
#define FATE_WORD(number, id, name) FATE_##id = (number),
#include "model/words.def"
    FATE_COUNT
};

// What an accumulator of a SQL plan says.
enum accum_role {
#define ROLE_WORD(number, id, name) ROLE_##id = (number),
#include "model/words.def"
    ROLE_COUNT
};

// What a recommendation is about. A kind of bottleneck keeps its own number; the others are those
// of the advisors.
enum advice_kind {
#define ADVICE_WORD(number, id, name) ADVICE_##id = (number),
#include "model/words.def"
};
enum {
    ADVICE_KIND_COUNT = KIND_COUNT
#define ADVICE_WORD(number, id, name) +1
#include "model/words.def"
};
// About bottlenecks of that kind.
enum advice_kind advice_kind_of(enum bottleneck_kind kind);
// True if this release knows the number.
bool advice_kind_known(int64_t number);

enum tri { TRI_NULL = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

// The words of one vocabulary, by number.
struct vocabulary {
    const char *name; // of the whole
    const char *const *words;
    unsigned count;
};
extern const struct vocabulary vocabulary_kind, vocabulary_severity, vocabulary_cause,
    vocabulary_life, vocabulary_run_status, vocabulary_records_from, vocabulary_failure,
    vocabulary_role, vocabulary_advice_kind, vocabulary_limit, vocabulary_confidence,
    vocabulary_fate;
// All of them, the last one NULL.
extern const struct vocabulary *const vocabularies[];

// The name of a number, which must be one of the vocabulary's.
const char *vocabulary_name(const struct vocabulary *words, int number);
// The number with that name, or -1.
int vocabulary_parse(const struct vocabulary *words, struct str name);

// The same, one vocabulary each; "" for CAUSE_NONE.
const char *kind_name(enum bottleneck_kind kind);
const char *severity_name(enum severity severity);
const char *cause_name(enum cause cause);
const char *confidence_name(enum confidence confidence);
const char *life_name(enum life life);
const char *advice_kind_name(enum advice_kind kind); // a bottleneck kind's is that kind's name
const char *run_status_name(enum run_status status);
const char *records_from_name(enum records_from from);
const char *limit_name(enum limit limit);
int kind_parse(struct str name);
int severity_parse(struct str name);
int cause_parse(struct str name);
int confidence_parse(struct str name);
int life_parse(struct str name);
int run_status_parse(struct str name);
int records_from_parse(struct str name);
int advice_kind_parse(struct str name);
