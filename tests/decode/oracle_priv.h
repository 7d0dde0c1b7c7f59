// oracle_priv: the oracle's state, its readers of single values, and what it knows of envelopes.
// Private to oracle*.c; knows jansson, and nothing of the other decoder.
#pragma once

#include <jansson.h>

#include "base/mem.h"
#include "oracle.h"

// The message and three envelopes; no error; more than an object has keys for an event.
#define ORACLE_LEVELS 4
#define ORACLE_FINE ((enum decode_error)99)
#define ORACLE_PLACES 23
#define ORACLE_CANDIDATES (2 * ORACLE_PLACES)

// What stands around the event.
struct around {
    struct str app_id, attempt, log_app_id, log_attempt;
    char number[24];
};

struct oracle {
    const struct decode_options *options;
    enum decode_error error;
    json_t *trees; // what the event's strings point into
    struct around around;
    bool batch; // the first of several was read
    struct event_property *properties;
    size_t property_count, property_cap;
    struct event_accum *accums;
    size_t accum_count, accum_cap;
    struct event_plan_node *nodes;
    size_t node_count, node_cap;
    struct event_plan_metric *metrics;
    size_t metric_count, metric_cap;
};

// A field of an object; NULL if `object` is none or has no such key.
const json_t *oracle_field(const json_t *object, const char *key);
bool oracle_integer(const json_t *value, int64_t *out);
// Like the field kinds of model/event.h: 0 or -1 where there is nothing usable.
int64_t oracle_metric(const json_t *object, const char *key);
int64_t oracle_id64(const json_t *object, const char *key);
int32_t oracle_id32(const json_t *object, const char *key);
struct str oracle_text(const json_t *object, const char *key, size_t max);
struct str oracle_name(const json_t *object, const char *key, size_t max);
struct str oracle_text_of(const json_t *value, size_t max); // scrubbed and cut
struct str oracle_word_of(const json_t *value, size_t max); // as it is, cut
struct str oracle_name_of(const json_t *value, size_t max);
// Text may hold JSON, or end with an event behind something else; "" if neither.
struct str oracle_json_in(struct str text);
static inline struct str better(struct str a, struct str b) {
    return a.len > 0 ? a : b;
}
bool oracle_true(const json_t *object, const char *key);

// Fills the part of *out that its kind has. False if the event lacks what makes it one.
bool oracle_fill(struct oracle *o, const json_t *event, const struct idmap *wanted,
                 struct event *out);
// A time of the event.
void oracle_time(struct event *out, int64_t ms);

// Of an envelope or a flat event: who it says that it is of.
void oracle_look_around(struct around *around, const struct decode_options *options,
                        const json_t *object, bool top, bool flat);
void oracle_place(const struct around *around, struct event *out);
// What may be the event, in the order in which it is looked for; its category, "" if none.
size_t oracle_candidates(const struct decode_options *options, const json_t *object, bool top,
                         const json_t *found[ORACLE_CANDIDATES]);
const char *oracle_category(const json_t *object);
// Whether a text speaks of a listener's event anywhere.
bool oracle_mentions(struct str text);
