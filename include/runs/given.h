// given: the recommendations of one run as the topic of recommendations tells them, and what became
// of each: of every id its newest revision as it was given, and the newest that tells an outcome.
// Fed with records, each id's in their order; no clock, no I/O. What is read was written by whoever
// may: settings that this release does not know, or that are no plain word, are left out and
// counted, as they are printed to be pasted.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "avro/avro_codec.h"
#include "model/message.h"

struct given_advice {
    char id[ID_TEXT_SIZE];
    enum advice_kind kind;
    double saving_s;                  // as the run's own record has it; negative: it does not
    struct avro_recommendation given; // action NULL: no record of it was read
    struct avro_recommendation later; // what became of it; action NULL: nothing was told
};

struct given {
    const struct pipeline_run *run; // borrowed, whole
    struct avro_codec *codec;       // borrowed
    struct given_advice list[RUN_ADVICE_MAX];
    uint32_t count;
    bool closed; // the run's record names its advice: there is no other
    // What this run tells of advice that others were given: it applied that.
    struct avro_recommendation told[RUN_ADVICE_MAX];
    uint32_t told_count;
    uint64_t unreadable;      // records of the run's pipeline
    char unreadable_why[600]; // of the first of them, with its place
    uint64_t settings_refused;
};

void given_init(struct given *given, struct avro_codec *codec, const struct pipeline_run *run);
void given_fini(struct given *given);
// One record of the topic.
void given_take(struct given *given, const struct message *message);

// What becomes of a piece of advice in the set.
enum given_state { GIVEN_STANDS, GIVEN_WITHDRAWN, GIVEN_MISSING };
enum given_state given_state_of(const struct given_advice *advice);
// When all were taken: the recommendations that stand, as one set: borrowed from *given, each
// setting of the first that gives it. Room for RUN_ADVICE_MAX. Returns how many. Once.
uint32_t given_set(struct given *given, struct recommendation *out);
