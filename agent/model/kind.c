// kind: the vocabularies of words.def as tables of names. Called by every renderer and parser.
#include "model/kind.h"

#include "base/check.h"

#define WORD(number, id, name) [number] = (name),
static const char *const kinds[] = {
#define KIND_WORD WORD
#include "model/words.def"
};
static const char *const severities[] = {
#define SEVERITY_WORD WORD
#include "model/words.def"
};
static const char *const causes[] = {
#define CAUSE_WORD WORD
#include "model/words.def"
};
static const char *const confidences[] = {
#define CONFIDENCE_WORD WORD
#include "model/words.def"
};
static const char *const lives[] = {
#define LIFE_WORD WORD
#include "model/words.def"
};
static const char *const statuses[] = {
#define RUN_STATUS_WORD WORD
#include "model/words.def"
};
static const char *const sources[] = {
#define RECORDS_FROM_WORD WORD
#include "model/words.def"
};
static const char *const failures[] = {
#define FAILURE_WORD WORD
#include "model/words.def"
};
static const char *const limits[] = {
#define LIMIT_WORD WORD
#include "model/words.def"
};
static const char *const roles[] = {
#define ROLE_WORD WORD
#include "model/words.def"
};
static const char *const fates[] = {
#define FATE_WORD WORD
#include "model/words.def"
};

// The kinds of bottlenecks, a gap, and those of advisors.
static const char *const advice_kinds[] = {
#define KIND_WORD WORD
#define ADVICE_WORD WORD
#include "model/words.def"
};

const struct vocabulary vocabulary_kind = {"kind", kinds, ARRAY_LEN(kinds)},
                        vocabulary_severity = {"severity", severities, ARRAY_LEN(severities)},
                        vocabulary_cause = {"cause", causes, ARRAY_LEN(causes)},
                        vocabulary_life = {"state", lives, ARRAY_LEN(lives)},
                        vocabulary_run_status = {"status", statuses, ARRAY_LEN(statuses)},
                        vocabulary_records_from = {"records_from", sources, ARRAY_LEN(sources)},
                        vocabulary_failure = {"failure", failures, ARRAY_LEN(failures)},
                        vocabulary_role = {"role", roles, ARRAY_LEN(roles)},
                        vocabulary_advice_kind = {"advice", advice_kinds, ARRAY_LEN(advice_kinds)},
                        vocabulary_limit = {"limit", limits, ARRAY_LEN(limits)},
                        vocabulary_confidence = {"confidence", confidences, ARRAY_LEN(confidences)},
                        vocabulary_fate = {"outcome", fates, ARRAY_LEN(fates)};

const struct vocabulary *const vocabularies[] = {
    &vocabulary_kind,
    &vocabulary_severity,
    &vocabulary_cause,
    &vocabulary_life,
    &vocabulary_run_status,
    &vocabulary_records_from,
    &vocabulary_failure,
    &vocabulary_role,
    &vocabulary_advice_kind,
    &vocabulary_limit,
    &vocabulary_confidence,
    &vocabulary_fate,
    NULL,
};

const char *vocabulary_name(const struct vocabulary *words, int number) {
    require(number >= 0 && (unsigned)number < words->count && words->words[number] != NULL);
    return words->words[number];
}

int vocabulary_parse(const struct vocabulary *words, struct str name) {
    for (unsigned i = 0; i < words->count; i++) {
        if (words->words[i] != NULL && str_is(name, words->words[i])) {
            return (int)i;
        }
    }
    return -1;
}

#define NAMES(prefix, type)                                                                        \
    const char *prefix##_name(type value) {                                                        \
        return vocabulary_name(&vocabulary_##prefix, (int)value);                                  \
    }                                                                                              \
    int prefix##_parse(struct str name) {                                                          \
        return vocabulary_parse(&vocabulary_##prefix, name);                                       \
    }

NAMES(kind, enum bottleneck_kind)
NAMES(severity, enum severity)
NAMES(cause, enum cause)
NAMES(life, enum life)
NAMES(confidence, enum confidence)
NAMES(run_status, enum run_status)
NAMES(records_from, enum records_from)
NAMES(advice_kind, enum advice_kind)

const char *limit_name(enum limit limit) {
    return vocabulary_name(&vocabulary_limit, (int)limit);
}

enum advice_kind advice_kind_of(enum bottleneck_kind kind) {
    return (enum advice_kind)kind;
}

bool advice_kind_known(int64_t number) {
    return number >= 0 && number < vocabulary_advice_kind.count &&
           vocabulary_advice_kind.words[number] != NULL;
}
