// event: names to kinds, and which Spark properties may be kept. Called by decode for every
// message, so the look-ups go by length first.
#include "model/event.h"

#include "base/check.h"
#include "base/compiler.h"
#include "base/scrub.h"

static const struct str names[EVENT_KIND_COUNT] = {
    [EVENT_OTHER] = {"", 0},
#define EVENT_KIND(id, name) [EVENT_##id] = {name, sizeof(name) - 1},
#include "model/event_kinds.def"
#undef EVENT_KIND
};

// Sessions and operations of Spark's servers, whichever they are: all say that it is one.
static enum event_kind kind_of_server(struct str name) {
    const char *dot = memrchr(name.p, '.', name.len);
    size_t at = dot == NULL ? 0 : (size_t)(dot - name.p) + 1;
    struct str bare = {name.p + at, name.len - at};
    if (str_starts(bare, STR("SparkListenerThriftServer"))) {
        return EVENT_THRIFT_SERVER;
    }
    return str_starts(bare, STR("SparkListenerConnect")) ? EVENT_CONNECT : EVENT_OTHER;
}

enum event_kind event_kind_of(struct str name) {
    // Nine of ten messages are one of these two.
    if (str_eq(name, names[EVENT_TASK_END])) {
        return EVENT_TASK_END;
    }
    if (str_eq(name, names[EVENT_TASK_START])) {
        return EVENT_TASK_START;
    }
    for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
        if (str_eq(name, names[kind])) {
            return (enum event_kind)kind;
        }
    }
    return kind_of_server(name);
}

const char *event_kind_name(enum event_kind kind) {
    return names[kind].p;
}

enum task_result event_task_result(struct str reason) {
    static const struct {
        const char *text;
        enum task_result result;
    } reasons[] = {
        {"Success", TASK_SUCCESS},
        {"ExceptionFailure", TASK_EXCEPTION},
        {"FetchFailed", TASK_FETCH_FAILED},
        {"TaskKilled", TASK_KILLED},
        {"TaskCommitDenied", TASK_COMMIT_DENIED},
        {"ExecutorLostFailure", TASK_EXECUTOR_LOST},
        {"Resubmitted", TASK_RESUBMITTED},
        {"TaskResultLost", TASK_RESULT_LOST},
    };
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
        if (str_is(reason, reasons[i].text)) {
            return reasons[i].result;
        }
    }
    return TASK_UNKNOWN_REASON;
}

enum task_locality event_task_locality(struct str locality) {
    if (str_is(locality, "PROCESS_LOCAL") || str_is(locality, "NODE_LOCAL")) {
        return LOCALITY_NEAR;
    }
    bool far = str_is(locality, "RACK_LOCAL") || str_is(locality, "ANY");
    return far ? LOCALITY_FAR : LOCALITY_NONE;
}

enum property_scope { OF_RUN, OF_JOB, FAMILY };
static const struct {
    struct str key;
    enum property_scope scope;
} properties[PROPERTY_COUNT] = {
#define PROPERTY(number, id, key) [PROPERTY_##id] = {{key, sizeof(key) - 1}, OF_RUN},
#define PROPERTY_OF_JOB(number, id, key) [PROPERTY_##id] = {{key, sizeof(key) - 1}, OF_JOB},
#define PROPERTY_FAMILY(number, id, key) [PROPERTY_##id] = {{key, sizeof(key) - 1}, FAMILY},
#include "model/properties.def"
#undef PROPERTY
#undef PROPERTY_OF_JOB
#undef PROPERTY_FAMILY
};

enum property event_property_of(struct str key) {
    for (int i = 1; i < PROPERTY_COUNT; i++) {
        struct str own = properties[i].key; // "": the number is not used
        if (own.len == 0) {
            continue;
        }
        if (properties[i].scope == FAMILY ? str_starts(key, own) : str_eq(key, own)) {
            // Nobody has looked at the names in a family.
            return properties[i].scope == FAMILY && scrub_hides_property(key) ? PROPERTY_NONE
                                                                              : (enum property)i;
        }
    }
    return PROPERTY_NONE;
}

int32_t event_resource_id(struct str name) {
    uint32_t hash = 2166136261; // FNV-1a
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.p[i]) * 16777619;
    }
    return name.len == 0 ? 0 : (int32_t)(hash & INT32_MAX) | 1;
}

bool event_property_allowed(struct str key) {
    return event_property_of(key) != PROPERTY_NONE;
}

const char *property_key(enum property property) {
    require(property > PROPERTY_NONE && property < PROPERTY_COUNT);
    return properties[property].key.len > 0 ? properties[property].key.p : "";
}

bool property_is_of_run(enum property property) {
    return properties[property].key.len > 0 && properties[property].scope != OF_JOB;
}

bool property_is_family(enum property property) {
    return properties[property].scope == FAMILY;
}
