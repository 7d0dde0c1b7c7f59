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
    if (text.len == 0 || text.len > NAME_MAX_BYTES) {
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

double run_records_per_s(const struct run_totals *totals, double duration_s) {
    return duration_s > 0 ? (double)totals->records / duration_s : 0;
}

double run_gb_per_h(const struct run_totals *totals, double duration_s) {
    double gb = (double)totals->data_size_bytes / RUN_GB_BYTES;
    return duration_s > 0 ? gb / (duration_s / 3600) : 0;
}

bool bottleneck_is_open(const struct bottleneck *bottleneck) {
    return bottleneck->severity > SEVERITY_NEGLIGIBLE && bottleneck->rule_met != TRI_NULL &&
           bottleneck->life != LIFE_RETRACTED && bottleneck->life != LIFE_RESOLVED &&
           (bottleneck->explained_by[0] == '\0' || bottleneck->severity > SEVERITY_LOW);
}

bool bottleneck_is_root(const struct bottleneck *bottleneck) {
    return bottleneck_is_open(bottleneck) && bottleneck->explained_by[0] == '\0';
}

double bottleneck_number(const struct bottleneck *bottleneck, const char *name) {
    for (uint32_t i = 0; i < bottleneck->evidence_count; i++) {
        if (strcmp(bottleneck->evidence[i].name, name) == 0) {
            return bottleneck->evidence[i].value;
        }
    }
    return -1;
}

uint32_t run_shorten_open(struct open_bottleneck *open, uint32_t count, uint32_t most) {
    bool seen[KIND_COUNT][CONFIDENCE_COUNT] = {{false}};
    uint32_t kinds = 0, others = 0, left = 0;
    for (uint32_t i = 0; i < count; i++) {
        kinds += !seen[open[i].kind][open[i].confidence];
        seen[open[i].kind][open[i].confidence] = true;
    }
    uint32_t room = most > kinds ? most - kinds : 0; // for those that are not the worst of a kind
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < count; i++) {
        bool worst = !seen[open[i].kind][open[i].confidence];
        seen[open[i].kind][open[i].confidence] = true;
        if (worst || others < room) {
            others += !worst;
            open[left++] = open[i];
        }
    }
    return left;
}

// The end of a text that was cut.
#define CUT " ... (shortened)"
enum { SHORT_TEXT_MAX = 100, KEPT_IDS = 5 };

// True if the text was longer and is cut now.
static bool cut_text(char *text) {
    size_t len = strlen(text);
    if (len <= SHORT_TEXT_MAX) {
        return false;
    }
    size_t kept = str_cut_utf8((struct str){text, len}, SHORT_TEXT_MAX - strlen(CUT));
    memcpy(text + kept, CUT, sizeof CUT);
    return true;
}

bool pipeline_run_shorten(struct pipeline_run *run) {
    uint32_t open = run->open_count;
    bool shorter = run->stage_count > 0 || run->recommendation_count > 0;
    run->shortened = true;
    run->stage_count /= 2;
    run->recommendation_count /= 2;
    run->open_count = run_shorten_open(run->open, open, open / 2);
    if (shorter || run->open_count < open) {
        return true;
    }
    shorter = cut_text(run->failure);
    for (uint32_t i = 0; i < open; i++) {
        shorter = cut_text(run->open[i].summary) || shorter;
    }
    if (!shorter && run->setting_count + run->advice_count > 0) {
        run->setting_count = run->advice_count = 0;
        return true;
    }
    return shorter;
}

bool bottleneck_shorten(struct bottleneck *bottleneck) {
    if (cut_text(bottleneck->summary)) {
        return true;
    }
    bool shorter = bottleneck->evidence_count > 0;
    bottleneck->evidence_count = 0;
    return shorter;
}

bool recommendation_shorten(struct recommendation *r) {
    if (r->bottleneck_count > KEPT_IDS) {
        r->bottleneck_count /= 2;
        return true;
    }
    if (cut_text(r->action)) {
        return true;
    }
    if (r->code != NULL) {
        r->code = NULL;
        return true;
    }
    bool shorter = r->setting_count > 0 || r->own_count > 0 || r->bottleneck_count > 0;
    r->setting_count = r->own_count = r->bottleneck_count = 0;
    return shorter;
}

uint64_t advice_bit(enum advice_kind kind) {
    enum { FIRST_HALF = 32, GAP = 32 }; // no kind's number lies between the halves
    return UINT64_C(1) << ((int)kind < FIRST_HALF ? (int)kind : (int)kind - GAP);
}

void recommendation_fini(struct recommendation *recommendation) {
    mem_free(recommendation->bottlenecks);
    mem_free(recommendation->action);
    mem_free(recommendation->code);
    for (uint32_t i = 0; i < recommendation->setting_count; i++) {
        mem_free(recommendation->settings[i].key);
        mem_free(recommendation->settings[i].value);
    }
    mem_free(recommendation->settings);
    for (uint32_t i = 0; i < recommendation->own_count; i++) {
        mem_free(recommendation->own[i].key);
        mem_free(recommendation->own[i].value);
        mem_free(recommendation->own[i].fits);
    }
    mem_free(recommendation->own);
    *recommendation = (struct recommendation){0};
}

static void *copy_of(const void *list, size_t bytes) {
    void *copy = mem_alloc(bytes);
    if (bytes > 0) {
        memcpy(copy, list, bytes);
    }
    return copy;
}

void pipeline_run_copy(struct pipeline_run *to, const struct pipeline_run *from) {
    *to = *from;
    to->stages = copy_of(from->stages, from->stage_count * sizeof *to->stages);
    to->open = copy_of(from->open, from->open_count * sizeof *to->open);
    to->settings = copy_of(from->settings, from->setting_count * sizeof *to->settings);
    to->advice = copy_of(from->advice, from->advice_count * sizeof *to->advice);
    to->recommendations = mem_alloc(from->recommendation_count * sizeof *to->recommendations);
    for (uint32_t i = 0; i < from->recommendation_count; i++) {
        to->recommendations[i] = mem_strdup(from->recommendations[i]);
    }
}

void pipeline_run_fini(struct pipeline_run *run) {
    mem_free(run->stages);
    mem_free(run->open);
    for (uint32_t i = 0; i < run->recommendation_count; i++) {
        mem_free(run->recommendations[i]);
    }
    mem_free(run->recommendations);
    mem_free(run->settings);
    mem_free(run->advice);
    *run = (struct pipeline_run){0};
}
