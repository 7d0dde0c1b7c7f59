// run: releasing the records that own memory, and shortening their lists. Called by whoever built,
// copied or read one: engine, advise, avro, live, demo.
#include "model/run.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"

const double pipeline_duration_bounds_s[PIPELINE_DURATION_BUCKETS] = {60,   300,  900,
                                                                      1800, 3600, 7200};

const char *run_static_name(struct str text) {
    enum { NAMES_MAX = 1000, NAME_MAX_BYTES = 128 };
    static char names[NAMES_MAX][NAME_MAX_BYTES + 1];
    static unsigned count;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (text.len > NAME_MAX_BYTES) {
        return NULL;
    }
    pthread_mutex_lock(&lock); // state is read back by several threads
    unsigned i = 0;
    while (i < count && !str_is(text, names[i])) {
        i++;
    }
    bool room = i < NAMES_MAX;
    if (i == count && room) {
        str_copy(names[count++], sizeof names[0], text);
    }
    pthread_mutex_unlock(&lock);
    return room ? names[i] : NULL;
}

bool bottleneck_is_open(const struct bottleneck *bottleneck) {
    return bottleneck->severity > SEVERITY_NEGLIGIBLE && bottleneck->rule_met != TRI_NULL &&
           bottleneck->life != LIFE_RETRACTED && bottleneck->life != LIFE_RESOLVED;
}

uint32_t run_shorten_open(struct open_bottleneck *open, uint32_t count, uint32_t most) {
    bool seen[KIND_COUNT] = {false};
    uint32_t kinds = 0, others = 0, left = 0;
    for (uint32_t i = 0; i < count; i++) {
        kinds += !seen[open[i].kind];
        seen[open[i].kind] = true;
    }
    uint32_t room = most > kinds ? most - kinds : 0; // for those that are not the worst of a kind
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < count; i++) {
        bool worst = !seen[open[i].kind];
        seen[open[i].kind] = true;
        if (worst || others < room) {
            others += !worst;
            open[left++] = open[i];
        }
    }
    return left;
}

void recommendation_fini(struct recommendation *recommendation) {
    mem_free(recommendation->bottlenecks);
    mem_free(recommendation->action);
    for (uint32_t i = 0; i < recommendation->setting_count; i++) {
        mem_free(recommendation->settings[i].key);
        mem_free(recommendation->settings[i].value);
    }
    mem_free(recommendation->settings);
    *recommendation = (struct recommendation){0};
}

void pipeline_run_fini(struct pipeline_run *run) {
    mem_free(run->stages);
    mem_free(run->open);
    for (uint32_t i = 0; i < run->recommendation_count; i++) {
        mem_free(run->recommendations[i]);
    }
    mem_free(run->recommendations);
    *run = (struct pipeline_run){0};
}
