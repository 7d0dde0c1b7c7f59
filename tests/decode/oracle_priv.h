// oracle_priv: the oracle's state and its readers of single values. Private to oracle.c and
// oracle_events.c; knows jansson, and nothing of the other decoder.
#pragma once

#include <jansson.h>

#include "base/mem.h"
#include "oracle.h"

struct oracle {
    const struct decode_options *options;
    enum decode_error error;
    json_t *root, *inside; // what the event's strings point into
    struct event_property *properties;
    size_t property_count, property_cap;
    int32_t *ids;
    size_t id_count, id_cap;
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
bool oracle_true(const json_t *object, const char *key);

// Fills the part of *out that its kind has. False if the event lacks what makes it one.
bool oracle_fill(struct oracle *o, const json_t *event, const struct idmap *wanted,
                 struct event *out);
// A time of the event.
void oracle_time(struct event *out, int64_t ms);
