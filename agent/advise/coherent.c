// coherent: one set of settings out of all that the advice of a run gives: no key twice, nothing
// that the run does already, that its Spark does not know or that its verdicts speak against
// (more partitions where a few keys spill, a larger heap where it was not the heap that ran out),
// and values that hold together. What somebody set on purpose is named with what would fit, not
// overridden. Called by advise once every advisor has spoken. Adds no setting of its own; whatever
// it takes out and a reader would miss is told where it was given.
#include <math.h>
#include <string.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/check.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"

// One setting that a recommendation gives.
struct given_setting {
    struct recommendation *from;
    char *key, *value; // owned
    enum setting setting;
    double number; // of the value; NAN of a text
    // The run itself sets it to something else, or something that it counts only with: it is told
    // beside that, and not part of the set.
    bool own;
    bool gone; // taken out
};

// All of them, of the dearest advice first. `list` is owned.
struct given {
    const struct advice_view *view;
    int spark;
    struct given_setting *list;
    uint32_t count;
};

// Takes the settings out of a recommendation.
static void take(struct given *set, struct recommendation *r) {
    for (uint32_t i = 0; i < r->setting_count; i++) {
        struct given_setting *given = &set->list[set->count++];
        int setting = setting_of_key(str_of(r->settings[i].key));
        require(setting >= 0);
        *given = (struct given_setting){.from = r,
                                        .key = r->settings[i].key,
                                        .value = r->settings[i].value,
                                        .setting = (enum setting)setting,
                                        .number = NAN};
        (void)!setting_parse(given->setting, str_of(given->value), &given->number);
    }
    r->setting_count = 0;
}

static void collect(struct given *set, struct advice *advice) {
    struct recommendation *dearest[ADVICE_KIND_COUNT] = {NULL}; // one for each of them
    uint32_t settings = 0;
    for (uint32_t i = 0; i < advice->count; i++) {
        uint32_t at = i;
        for (; at > 0 && dearest[at - 1]->saving_s < advice->list[i].saving_s; at--) {
            dearest[at] = dearest[at - 1];
        }
        dearest[at] = &advice->list[i];
        settings += advice->list[i].setting_count;
    }
    set->list = mem_alloc((settings + 1) * sizeof *set->list);
    for (uint32_t i = 0; i < advice->count; i++) {
        require(dearest[i] != NULL);
        take(set, dearest[i]);
    }
}

// Of a key that several give what the dearest gives stands; the others leave it to that.
static void drop_repeated(struct given *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            struct given_setting *first = &set->list[k], *other = &set->list[i];
            if (!first->gone && strcmp(first->key, other->key) == 0) {
                advice_note(other->from, "%s is left to the advice on %s.", other->key,
                            first->from->kind);
                other->gone = true;
                break;
            }
        }
    }
}

static void drop_unknown(struct given *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        struct given_setting *given = &set->list[i];
        if (!given->gone && !setting_known(given->setting, set->spark)) {
            int since = setting_row(given->setting)->since;
            advice_note(given->from, "From Spark %d.%d on, %s=%s would help, too.", since / 100,
                        since % 100, given->key, given->value);
            given->gone = true;
        }
    }
}

// The same value, whatever unit it is written in.
static bool is_same(enum setting setting, struct str a, struct str b) {
    double x, y;
    bool numbers = setting_parse(setting, a, &x) && setting_parse(setting, b, &y);
    return numbers ? x == y : str_eq(a, b);
}

// What the run was told that is not what its Spark does by itself; "" if nothing.
static struct str chosen(const struct given *set, enum setting setting) {
    struct str told = setting_told(set->view->app, setting);
    bool usual = is_same(setting, told, setting_default(setting, set->spark));
    return usual ? (struct str){"", 0} : told;
}

// What is so already needs no advice; what is otherwise on purpose stands beside the set.
static void compare_with_run(struct given *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        struct given_setting *given = &set->list[i];
        if (given->gone || setting_row(given->setting)->family) {
            continue; // what a run has of families is not kept
        }
        struct str told = setting_told(set->view->app, given->setting);
        struct str usual = setting_default(given->setting, set->spark);
        given->own |= chosen(set, given->setting).len > 0;
        if (is_same(given->setting, str_of(given->value), told.len > 0 ? told : usual)) {
            given->gone = true;
        }
    }
}

static void give(struct given_setting *given) {
    struct recommendation *r = given->from;
    uint32_t n = r->setting_count++;
    r->settings = mem_resize(r->settings, r->setting_count, sizeof *r->settings);
    r->settings[n] = (struct setting_advice){.key = given->key, .value = given->value};
    given->key = given->value = NULL;
}

// Beside the set, with what the run has of it: nothing, if it only goes with another that is told
// so.
static void name(const struct given *set, struct given_setting *given) {
    struct recommendation *r = given->from;
    struct str own = chosen(set, given->setting);
    uint32_t n = r->own_count++;
    r->own = mem_resize(r->own, r->own_count, sizeof *r->own);
    r->own[n] = (struct own_setting){
        .key = given->key,
        .value = mem_strndup(own.p, own.len),
        .fits = given->value,
        .by_program = own.len > 0 && setting_is_programs(set->view->app, given->setting),
    };
    given->key = given->value = NULL;
}

// Back to the recommendations, in the order they had.
static void hand_back(struct given *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        struct given_setting *given = &set->list[i];
        if (!given->gone && given->own) {
            name(set, given);
        } else if (!given->gone) {
            give(given);
        }
        mem_free(given->key);
        mem_free(given->value);
    }
    mem_free(set->list);
}

// Advice that answers no verdict and has nothing left to set, nor lines to write, says nothing.
static void drop_empty(struct advice *advice, const uint32_t *before) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < advice->count; i++) {
        struct recommendation *r = &advice->list[i];
        bool empty = before[i] > 0 && r->code == NULL &&
                     r->setting_count + r->own_count + r->bottleneck_count == 0;
        if (empty) {
            recommendation_fini(r);
        } else {
            advice->list[left++] = *r;
        }
    }
    advice->count = left;
}

enum way { MORE, LESS, ANY };

struct refusal {
    enum setting setting;
    enum way way; // compared with what the run has
    bool (*when)(const struct given *set, const struct given_setting *given);
    const char *why;
};

typedef bool verdict_fn(const struct bottleneck *verdict);

// An open verdict of the kind of which `is` is true; NULL: any.
static bool any_open(const struct given *set, enum bottleneck_kind kind, verdict_fn *is) {
    uint32_t count;
    const struct bottleneck *const *list = run_verdicts_of(set->view->verdicts, kind, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (bottleneck_is_open(list[i]) && (is == NULL || is(list[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_root_spill(const struct bottleneck *b) {
    return bottleneck_is_root(b) && b->cause == CAUSE_SPILL;
}

static bool explains_spill(const struct bottleneck *b) {
    return b->cause == CAUSE_DATA && bottleneck_number(b, "explained_spill_s") > 0;
}

// Advice on how data is cut looks at all tasks of a stage, and has its own reasons.
static bool spill_is_skew(const struct given *set, const struct given_setting *given) {
    return strcmp(given->from->kind, advice_kind_name(ADVICE_PARTITIONING)) != 0 &&
           any_open(set, KIND_DATA_SKEW, explains_spill) &&
           !any_open(set, KIND_MEMORY_PRESSURE, is_root_spill);
}

static bool is_beside_heap(const struct bottleneck *b) {
    static const char *const others[] = {"failed_direct_memory", "failed_off_heap_memory",
                                         "failed_gpu_memory", "failed_python_memory"};
    bool beside = b->cause == CAUSE_CONTAINER_KILLED;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        beside = beside || (b->cause == CAUSE_OOM && bottleneck_number(b, others[i]) > 0);
    }
    return beside;
}

static bool is_heap(const struct bottleneck *b) {
    return b->cause == CAUSE_OOM && !is_beside_heap(b);
}

static bool is_garbage(const struct bottleneck *b) {
    return b->cause == CAUSE_GC || b->cause == CAUSE_SPILL;
}

static bool is_drivers(const struct bottleneck *b) {
    return bottleneck_number(b, "driver_out_of_memory") > 0;
}

static bool heap_is_short(const struct given *set) {
    return any_open(set, KIND_TASK_FAILURES, is_heap) ||
           any_open(set, KIND_MEMORY_PRESSURE, is_garbage);
}

static bool not_the_heap(const struct given *set, const struct given_setting *given) {
    (void)given;
    return any_open(set, KIND_TASK_FAILURES, is_beside_heap) && !heap_is_short(set);
}

static bool drivers_memory(const struct given *set, const struct given_setting *given) {
    (void)given;
    return any_open(set, KIND_PIPELINE_FAILURE, is_drivers);
}

static bool only_drivers_memory(const struct given *set, const struct given_setting *given) {
    return drivers_memory(set, given) && !heap_is_short(set) &&
           !any_open(set, KIND_TASK_FAILURES, is_beside_heap);
}

static bool short_of_memory(const struct given *set, const struct given_setting *given) {
    (void)given;
    return heap_is_short(set) || any_open(set, KIND_TASK_FAILURES, is_beside_heap);
}

static bool beside_heap_is_short(const struct given *set, const struct given_setting *given) {
    (void)given;
    return any_open(set, KIND_TASK_FAILURES, is_beside_heap);
}

static bool executors_idle(const struct given *set, const struct given_setting *given) {
    (void)given;
    return any_open(set, KIND_IDLE_EXECUTORS, NULL);
}

// A setting of the session is one for every shuffle of the run.
static bool others_need_them(const struct given *set, const struct given_setting *given) {
    const double large = 1 << 30; // oversized_partitions' own threshold
    const struct app *app = set->view->app;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        const struct stage_summary *s = &stage->summary;
        bool shuffled = s->shuffle_read_bytes > s->input_bytes;
        if (shuffled && (double)s->shuffle_read_bytes > large * given->number) {
            return true;
        }
    }
    return false;
}

static bool is_local(const struct given *set, const struct given_setting *given) {
    (void)given;
    return facts_is_local(set->view->app);
}

static const char no_executors[] = "in local mode the driver does all the work in its own memory";

static const struct refusal refusals[] = {
    {SETTING_SQL_SHUFFLE_PARTITIONS, MORE, spill_is_skew,
     "what spills are the few large tasks of a skew, which more partitions do not split"},
    {SETTING_SQL_SHUFFLE_PARTITIONS, LESS, others_need_them,
     "a stage shuffles so much that fewer partitions would be too large for it"},
    {SETTING_EXECUTOR_MEMORY, MORE, not_the_heap, "it was not the heap that ran out"},
    {SETTING_EXECUTOR_MEMORY, MORE, only_drivers_memory, "it was the driver's memory that ran out"},
    {SETTING_EXECUTOR_MEMORY, LESS, short_of_memory, "the run was short of memory"},
    {SETTING_EXECUTOR_MEMORY_OVERHEAD, LESS, beside_heap_is_short,
     "the run was short of memory beside the heap"},
    {SETTING_EXECUTOR_CORES, MORE, short_of_memory, "more tasks at once would share its memory"},
    {SETTING_DRIVER_MEMORY, LESS, drivers_memory, "the driver ran out of memory"},
    {SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, MORE, drivers_memory,
     "the driver ran out of memory for what it broadcasts"},
    {SETTING_EXECUTOR_INSTANCES, MORE, executors_idle, "executors idle as it is"},
    {SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, MORE, executors_idle, "executors idle as it is"},
    {SETTING_EXECUTOR_MEMORY, ANY, is_local, no_executors},
    {SETTING_EXECUTOR_MEMORY_OVERHEAD, ANY, is_local, no_executors},
    {SETTING_EXECUTOR_CORES, ANY, is_local, no_executors},
    {SETTING_EXECUTOR_INSTANCES, ANY, is_local, no_executors},
    {SETTING_DYNAMIC_ALLOCATION_ENABLED, ANY, is_local, no_executors},
};

static bool is_refused(const struct given *set, const struct given_setting *given,
                       const struct refusal *refusal) {
    double now;
    if (given->setting != refusal->setting) {
        return false;
    }
    if (refusal->way != ANY) {
        bool known = setting_number(set->view->app, given->setting, &now);
        bool so = known && (refusal->way == MORE ? given->number > now : given->number < now);
        if (!so) {
            return false;
        }
    }
    return refusal->when(set, given);
}

// Takes out what the verdicts of the run speak against, saying why.
static void refuse(struct given *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        struct given_setting *given = &set->list[i];
        for (size_t k = 0; k < ARRAY_LEN(refusals) && !given->gone; k++) {
            if (is_refused(set, given, &refusals[k])) {
                advice_note(given->from, "%s stays as it is: %s.", given->key, refusals[k].why);
                given->gone = true;
            }
        }
    }
}

// What stands of the set: given and not gone. `own`: what the run sets itself counts, too, as if it
// were given. NULL if there is none.
static struct given_setting *find(const struct given *set, enum setting setting, bool own) {
    for (uint32_t i = 0; i < set->count; i++) {
        struct given_setting *given = &set->list[i];
        if (given->setting == setting && !given->gone && (own || !given->own)) {
            return given;
        }
    }
    return NULL;
}

// What would hold if the set were applied: what is given, else what holds in the run. False if it
// is not known.
static bool number(const struct given *set, enum setting setting, bool own, double *out) {
    const struct given_setting *given = find(set, setting, own);
    if (given == NULL) {
        return setting_number(set->view->app, setting, out);
    }
    *out = given->number;
    return isfinite(given->number);
}

// It says another number; what is beyond the row's bounds is taken out.
static void change(struct given_setting *given, double number) {
    char text[SETTING_NUMBER_SIZE];
    if (!setting_write(given->setting, number, text)) {
        given->gone = true;
        return;
    }
    mem_free(given->value);
    given->value = mem_strdup(text);
    given->number = number;
}

// What must hold between settings for Spark to take them and for them to count: twice, as if
// nothing were given but what the run does not set itself, and as if that were, too (`own`). Only
// what is given changes: where the run alone breaks a rule, that is not ours to mend.
struct pass {
    struct given *set;
    bool own;
};

static double number_or(const struct pass *pass, enum setting setting, double otherwise) {
    double value;
    return number(pass->set, setting, pass->own, &value) ? value : otherwise;
}

// What may change in this pass, or NULL.
static struct given_setting *changeable(const struct pass *pass, enum setting setting) {
    struct given_setting *given = find(pass->set, setting, pass->own);
    return given != NULL && given->own == pass->own ? given : NULL;
}

// `low` is to be no more than `high`: whichever is given gives way, the lower one first.
static void keep_order(const struct pass *pass, enum setting low, enum setting high) {
    double least = number_or(pass, low, -INFINITY), most = number_or(pass, high, INFINITY);
    struct given_setting *lower = changeable(pass, low), *upper = changeable(pass, high);
    if (least > most && lower != NULL) {
        change(lower, most);
    } else if (least > most && upper != NULL) {
        change(upper, least);
    }
}

// A task takes whole cores of one executor.
static void keep_cores_whole(const struct pass *pass) {
    double cpus = number_or(pass, SETTING_TASK_CPUS, 1);
    double cores = number_or(pass, SETTING_EXECUTOR_CORES, NAN);
    struct given_setting *given = changeable(pass, SETTING_EXECUTOR_CORES);
    struct given_setting *task = changeable(pass, SETTING_TASK_CPUS);
    bool uneven = cpus > 0 && cores > 0 && fmod(cores, cpus) != 0; // not a number: no
    if (uneven && given != NULL) {
        change(given, fmax(cpus, floor(cores / cpus) * cpus));
    } else if (uneven && task != NULL) {
        task->gone = true;
    }
}

// What counts only while a switch is on.
static const struct {
    enum setting setting, needs;
} switches[] = {
    {SETTING_SQL_ADAPTIVE_COALESCE_PARTITIONS_ENABLED, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_COALESCE_PARALLELISM_FIRST, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_COALESCE_INITIAL_PARTITION_NUM, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_FACTOR, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_FORCE_SKEW_JOIN, SETTING_SQL_ADAPTIVE_ENABLED},
    {SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_FACTOR, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED},
    {SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED},
    {SETTING_SQL_ADAPTIVE_FORCE_SKEW_JOIN, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED},
    {SETTING_MEMORY_OFF_HEAP_SIZE, SETTING_MEMORY_OFF_HEAP_ENABLED},
    {SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, SETTING_DYNAMIC_ALLOCATION_ENABLED},
    {SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS, SETTING_DYNAMIC_ALLOCATION_ENABLED},
    {SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, SETTING_DYNAMIC_ALLOCATION_ENABLED},
    {SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, SETTING_DYNAMIC_ALLOCATION_ENABLED},
    {SETTING_DYNAMIC_ALLOCATION_SHUFFLE_TRACKING_ENABLED, SETTING_DYNAMIC_ALLOCATION_ENABLED},
    {SETTING_SPECULATION_MULTIPLIER, SETTING_SPECULATION},
    {SETTING_SPECULATION_QUANTILE, SETTING_SPECULATION},
    {SETTING_SPECULATION_MIN_TASK_RUNTIME, SETTING_SPECULATION},
};

// Off in the run on purpose, and told beside the set that it would help on.
static bool is_offered(const struct given *set, enum setting needs) {
    const struct given_setting *given = find(set, needs, true);
    return given != NULL && given->own && given->number != 0;
}

// In the order of the rows: what a row switches off may be what a later one needs. Whoever turns on
// what would fit instead wants what counts only with it, too.
static void keep_switched_on(const struct pass *pass) {
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        struct given_setting *given = changeable(pass, switches[i].setting);
        if (given == NULL || number_or(pass, switches[i].needs, 1) != 0) {
            continue;
        }
        if (!given->own && is_offered(pass->set, switches[i].needs)) {
            given->own = true;
            continue;
        }
        advice_note(given->from, "%s=%s counts only with %s, which is off here.", given->key,
                    given->value, setting_row(switches[i].needs)->key);
        given->gone = true;
    }
}

// Off-heap memory of no size is refused by Spark.
static void keep_off_heap_sized(const struct pass *pass) {
    struct given_setting *on = changeable(pass, SETTING_MEMORY_OFF_HEAP_ENABLED);
    if (on != NULL && on->number == 1 && number_or(pass, SETTING_MEMORY_OFF_HEAP_SIZE, 0) <= 0) {
        on->gone = true;
    }
}

static void hold(const struct pass *pass) {
    keep_switched_on(pass); // first: what is dropped bounds nothing
    keep_off_heap_sized(pass);
    keep_order(pass, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS,
               SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS);
    keep_order(pass, SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS,
               SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS);
    keep_order(pass, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS,
               SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS);
    keep_order(pass, SETTING_KUBERNETES_DRIVER_REQUEST_CORES,
               SETTING_KUBERNETES_DRIVER_LIMIT_CORES);
    keep_order(pass, SETTING_KUBERNETES_EXECUTOR_REQUEST_CORES,
               SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES);
    keep_order(pass, SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE,
               SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD);
    keep_cores_whole(pass);
}

static double overhead_factor(const struct app *app) {
    static const enum property factors[] = {PROPERTY_EXECUTOR_MEMORY_OVERHEAD_FACTOR,
                                            PROPERTY_KUBERNETES_MEMORY_OVERHEAD_FACTOR};
    double factor = 0.1; // Spark's own
    for (size_t i = 0; i < ARRAY_LEN(factors); i++) {
        if (setting_parse(SETTING_MEMORY_FRACTION, app_property(app, factors[i]), &factor)) {
            break;
        }
    }
    return factor;
}

// Memory of an executor's container: all that Spark asks of the resource manager. Not a number if
// the heap is not known.
static double container_bytes(const struct given *set, bool given) {
    static const enum setting parts[] = {
        SETTING_EXECUTOR_MEMORY, SETTING_EXECUTOR_MEMORY_OVERHEAD, SETTING_MEMORY_OFF_HEAP_ENABLED,
        SETTING_MEMORY_OFF_HEAP_SIZE, SETTING_EXECUTOR_PYSPARK_MEMORY};
    enum { HEAP, OVERHEAD, OFF_HEAP, OFF_HEAP_SIZE, PYTHON };
    double bytes[ARRAY_LEN(parts)] = {NAN, NAN, 0, 0, 0};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        (void)!(given ? number(set, parts[i], true, &bytes[i])
                      : setting_number(set->view->app, parts[i], &bytes[i]));
    }
    if (isnan(bytes[OVERHEAD])) {
        const double least = 384.0 * (1 << 20); // Spark's own
        bytes[OVERHEAD] = fmax(least, overhead_factor(set->view->app) * bytes[HEAP]);
    }
    return bytes[HEAP] + bytes[OVERHEAD] + (bytes[OFF_HEAP] != 0 ? bytes[OFF_HEAP_SIZE] : 0) +
           bytes[PYTHON];
}

// Whether a larger container fits a node no event tells.
static void tell_container(const struct given *set) {
    struct given_setting *given = find(set, SETTING_EXECUTOR_MEMORY, true);
    given = given != NULL ? given : find(set, SETTING_EXECUTOR_MEMORY_OVERHEAD, true);
    double now = container_bytes(set, false), then = container_bytes(set, true);
    if (given != NULL && then > now) { // both are numbers
        char larger[SPAN_TEXT_SIZE], smaller[SPAN_TEXT_SIZE];
        advice_note(given->from,
                    "An executor then takes %s of its node, not %s as in this run: no event tells "
                    "whether the nodes have that.",
                    span_format_bytes(then, larger), span_format_bytes(now, smaller));
    }
}

// Makes what is left hold together, with and without what the run sets itself.
static void hold_together(struct given *set) {
    hold(&(struct pass){set, false});
    hold(&(struct pass){set, true});
    tell_container(set);
}

void advice_make_coherent(const struct advice_view *view, struct advice *advice) {
    uint32_t before[ADVICE_KIND_COUNT];
    struct given set = {.view = view, .spark = setting_spark_of(view->app)};
    for (uint32_t i = 0; i < advice->count; i++) {
        before[i] = advice->list[i].setting_count;
    }
    collect(&set, advice);
    drop_unknown(&set);
    refuse(&set);
    drop_repeated(&set);
    compare_with_run(&set);
    hold_together(&set);
    compare_with_run(&set); // what gave way may be what the run does
    hand_back(&set);
    drop_empty(advice, before);
}
