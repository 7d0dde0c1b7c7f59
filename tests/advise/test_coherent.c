// test_coherent: what all advice of a run gives is one set: whose value wins, what is taken out and
// what is said of it, what must hold between values; and a thousand random runs whose sets are
// checked for all of that.
#include "support/test.h"

#include <stdio.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/mem.h"
#include "support/spark.h"

#define MIB (1024.0 * 1024)
#define GIB (1024 * MIB)

static struct app *app;
static struct bottleneck found[8];
static const struct bottleneck *list[8];
static struct run_verdicts verdicts;
static struct advice_view view;
static struct advice advice;

static int set_up(void **state) {
    (void)state;
    app = spark_app();
    app->spark_major = 3;
    app->spark_minor = 5;
    memset(found, 0, sizeof found);
    memset(&verdicts, 0, sizeof verdicts);
    verdicts.all = list;
    advice = (struct advice){0};
    view = (struct advice_view){.app = app, .verdicts = &verdicts, .duration_s = 100};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    advice_fini(&advice);
    app_free(app);
    return 0;
}

// Verdicts come in the order of kinds.
static struct bottleneck *verdict(enum bottleneck_kind kind, enum cause cause,
                                  const char *evidence) {
    uint32_t n = verdicts.end[KIND_COUNT - 1];
    found[n] = (struct bottleneck){
        .kind = kind, .cause = cause, .rule_met = TRI_TRUE, .severity = SEVERITY_SEVERE};
    snprintf(found[n].id, sizeof found[n].id, "id-%u", n);
    if (evidence != NULL) {
        found[n].evidence[found[n].evidence_count++] = (struct evidence){evidence, 1};
    }
    list[n] = &found[n];
    for (int k = (int)kind; k < KIND_COUNT; k++) {
        verdicts.end[k] = n + 1;
    }
    return &found[n];
}

static struct recommendation *recommend(enum advice_kind kind, double saving_s) {
    struct recommendation *r = advice_add(&advice, &view, kind);
    r->action = mem_strdup("Do something. In this run: it was not done.");
    r->remedy_bytes = strlen("Do something.");
    r->saving_s = saving_s;
    r->bottlenecks = mem_zalloc(1, sizeof *r->bottlenecks);
    r->bottleneck_count = 1; // it answers something, so it stays
    return r;
}

static void tell(const char *key, const char *value) {
    properties_put(&app->properties, str_of(key), str_of(value));
}

static const char *value_of(const struct recommendation *r, enum setting setting) {
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (strcmp(r->settings[i].key, setting_row(setting)->key) == 0) {
            return r->settings[i].value;
        }
    }
    return "";
}

static void make_coherent(void) {
    advice_make_coherent(&view, &advice);
}

static void the_dearest_finding_wins(void **state) {
    (void)state;
    struct recommendation *cheap = recommend(ADVICE_MEMORY, 5);
    advice_set_int(cheap, SETTING_SQL_SHUFFLE_PARTITIONS, 400);
    advice_set_bool(cheap, SETTING_RDD_COMPRESS, true);
    struct recommendation *dear = recommend(ADVICE_PARTITIONING, 50);
    advice_set_int(dear, SETTING_SQL_SHUFFLE_PARTITIONS, 8);
    make_coherent();
    assert_int_equal(dear->setting_count, 1);
    assert_string_equal(dear->settings[0].value, "8");
    assert_int_equal(cheap->setting_count, 1);
    assert_string_equal(value_of(cheap, SETTING_RDD_COMPRESS), "true");
    assert_string_equal(cheap->action,
                        "Do something. spark.sql.shuffle.partitions is left to the advice on "
                        "partitioning. In this run: it was not done.");
    assert_int_equal(strncmp(cheap->action + cheap->remedy_bytes, " In this run:", 13), 0);
    assert_string_equal(dear->action, "Do something. In this run: it was not done.");
}

static void what_the_user_set_is_named(void **state) {
    (void)state;
    tell("spark.sql.shuffle.partitions", "2000");
    tell("spark.sql.files.maxPartitionBytes", "134217728"); // the default, spelt out: no choice
    struct recommendation *r = recommend(ADVICE_PARTITIONING, 5);
    advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, 8);
    advice_set_bytes(r, SETTING_SQL_FILES_MAX_PARTITION_BYTES, 256 * MIB);
    make_coherent();
    assert_int_equal(r->setting_count, 1);
    assert_string_equal(value_of(r, SETTING_SQL_FILES_MAX_PARTITION_BYTES), "256m");
    assert_int_equal(r->own_count, 1);
    assert_string_equal(r->own[0].key, "spark.sql.shuffle.partitions");
    assert_string_equal(r->own[0].value, "2000");
    assert_string_equal(r->own[0].fits, "8");
    assert_string_equal(r->action, "Do something. In this run: it was not done."); // once is enough
}

static void what_the_program_set_is_told_as_such(void **state) {
    (void)state;
    tell("spark.sql.shuffle.partitions", "200");
    properties_put(&app->session, STR("spark.sql.shuffle.partitions"), STR("2000"));
    struct recommendation *r = recommend(ADVICE_PARTITIONING, 5);
    advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, 8);
    make_coherent();
    assert_int_equal(r->own_count, 1);
    assert_string_equal(r->own[0].value, "2000");
    assert_true(r->own[0].by_program);
}

static void nothing_is_said_that_holds_already(void **state) {
    (void)state;
    tell("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    tell("spark.executor.memory", "4096m");
    struct recommendation *r = recommend(ADVICE_MEMORY, 5);
    advice_set_text(r, SETTING_SERIALIZER, "org.apache.spark.serializer.KryoSerializer");
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, 4 * GIB);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true); // from 3.2 on by itself
    advice_set_bool(r, SETTING_SHUFFLE_COMPRESS, true);
    make_coherent();
    assert_int_equal(r->setting_count + r->own_count, 0);
    assert_string_equal(r->action, "Do something. In this run: it was not done.");
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
    app->spark_minor = 1;
    make_coherent();
    assert_string_equal(value_of(r, SETTING_SQL_ADAPTIVE_ENABLED), "true");
}

static void a_spark_that_does_not_know_it_is_told(void **state) {
    (void)state;
    app->spark_minor = 2;
    struct recommendation *r = recommend(ADVICE_JOIN, 5);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_FORCE_SKEW_JOIN, true);
    make_coherent();
    assert_int_equal(r->setting_count, 0);
    assert_non_null(strstr(r->action,
                           "From Spark 3.3 on, spark.sql.adaptive.forceOptimizeSkewedJoin"
                           "=true would help, too."));
}

// What is given alone, with what verdicts there are; "" if it was refused.
static const char *what_remains(enum advice_kind kind, enum setting setting, double value) {
    advice_fini(&advice);
    struct recommendation *r = recommend(kind, 5);
    bool given = setting_row(setting)->type == AS_INT ? advice_set_int(r, setting, value)
                                                      : advice_set_bytes(r, setting, value);
    assert_true(given);
    make_coherent();
    assert_int_equal(strstr(r->action, "stays as it is") != NULL, r->setting_count == 0);
    return value_of(r, setting);
}

static void verdicts_speak_against_settings(void **state) {
    (void)state;
    struct bottleneck *skew = verdict(KIND_DATA_SKEW, CAUSE_DATA, "explained_spill_s");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_SQL_SHUFFLE_PARTITIONS, 400), "");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_SQL_SHUFFLE_PARTITIONS, 100), "100");
    assert_string_equal(what_remains(ADVICE_PARTITIONING, SETTING_SQL_SHUFFLE_PARTITIONS, 400),
                        "400");
    struct bottleneck *spill = verdict(KIND_MEMORY_PRESSURE, CAUSE_SPILL, NULL); // most spill
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_SQL_SHUFFLE_PARTITIONS, 400), "400");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_CORES, 4), "");
    skew->severity = spill->severity = SEVERITY_NEGLIGIBLE;
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_CORES, 4), "4");

    struct bottleneck *failed = verdict(KIND_TASK_FAILURES, CAUSE_OOM, "failed_off_heap_memory");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "");
    failed->evidence_count = 0; // the heap
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "4g");
    failed->cause = CAUSE_CONTAINER_KILLED;
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY_OVERHEAD, GIB), "1g");
    failed->severity = SEVERITY_NEGLIGIBLE;

    verdict(KIND_PIPELINE_FAILURE, CAUSE_OOM, "driver_out_of_memory");
    assert_string_equal(what_remains(ADVICE_JOIN, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, GIB),
                        "");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_DRIVER_MEMORY, 4 * GIB), "4g");
    verdict(KIND_IDLE_EXECUTORS, CAUSE_NONE, NULL);
    tell("spark.executor.instances", "2");
    assert_string_equal(what_remains(ADVICE_PARTITIONING, SETTING_EXECUTOR_INSTANCES, 8), "");
}

static void less_memory_is_not_for_those_who_lack_it(void **state) {
    (void)state;
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 600 * MIB), "600m");
    verdict(KIND_MEMORY_PRESSURE, CAUSE_GC, NULL);
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 600 * MIB), "");
}

// One setting cuts every shuffle of the run.
static void fewer_partitions_must_be_enough_for_all(void **state) {
    (void)state;
    struct stage *stage = spark_stage(app, EVENT_STAGE_COMPLETED, 3, 200, 1000, 2000);
    stage->summary.shuffle_read_bytes = 100LL << 30;
    assert_string_equal(what_remains(ADVICE_PARTITIONING, SETTING_SQL_SHUFFLE_PARTITIONS, 100),
                        "100"); // 1 GiB each
    assert_string_equal(what_remains(ADVICE_PARTITIONING, SETTING_SQL_SHUFFLE_PARTITIONS, 99), "");
    stage->summary.input_bytes = 200LL << 30; // not of the shuffle
    assert_string_equal(what_remains(ADVICE_PARTITIONING, SETTING_SQL_SHUFFLE_PARTITIONS, 99),
                        "99");
}

static void local_mode_has_no_executors(void **state) {
    (void)state;
    tell("spark.master", "local[4]");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_DRIVER_MEMORY, 4 * GIB), "4g");
    tell("spark.master", "local-cluster[2,1,1024]");
    assert_string_equal(what_remains(ADVICE_MEMORY, SETTING_EXECUTOR_MEMORY, 4 * GIB), "4g");
}

static void bounds_of_executors_keep_their_order(void **state) {
    (void)state;
    struct recommendation *r = recommend(ADVICE_KUBERNETES, 5);
    advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_ENABLED, true);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, 7);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS, 12);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, 5);
    make_coherent();
    assert_string_equal(value_of(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS), "5");
    assert_string_equal(value_of(r, SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS), "5");
    assert_string_equal(value_of(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS), "5");
}

// The run's own bounds hold, too; and together with what would fit in their place.
static void the_runs_own_bounds_count(void **state) {
    (void)state;
    tell("spark.dynamicAllocation.enabled", "true");
    tell("spark.dynamicAllocation.minExecutors", "4");
    struct recommendation *r = recommend(ADVICE_KUBERNETES, 5);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, 9);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, 3);
    make_coherent();
    assert_string_equal(value_of(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS), "4");
    assert_int_equal(r->own_count, 0); // 9 had to give way to 4, which it is
}

static void cores_divide(void **state) {
    (void)state;
    tell("spark.task.cpus", "2");
    tell("spark.executor.cores", "8");
    struct recommendation *r = recommend(ADVICE_MEMORY, 5);
    advice_set_int(r, SETTING_EXECUTOR_CORES, 5);
    make_coherent();
    assert_int_equal(r->own_count, 1);
    assert_string_equal(r->own[0].fits, "4");
}

static void what_is_off_makes_others_useless(void **state) {
    (void)state;
    tell("spark.sql.adaptive.enabled", "false");
    struct recommendation *r = recommend(ADVICE_JOIN, 5);
    advice_set_bytes(r, SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE, 128 * MIB);
    make_coherent();
    assert_int_equal(r->setting_count, 0);
    assert_non_null(strstr(r->action, "spark.sql.adaptive.advisoryPartitionSizeInBytes=128m counts "
                                      "only with spark.sql.adaptive.enabled, which is off here."));
}

// What turns it on stands beside the set, and all that counts only with it; if nobody offers to, it
// goes, two switches away, too.
static void what_a_switch_of_the_user_makes_useless_stands_beside_it(void **state) {
    (void)state;
    tell("spark.sql.adaptive.enabled", "false");
    struct recommendation *r = recommend(ADVICE_JOIN, 5);
    advice_set_bytes(r, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, 32 * MIB);
    make_coherent();
    assert_int_equal(r->setting_count + r->own_count, 0);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
    advice_set_bytes(r, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, 32 * MIB);
    advice_set_bytes(r, SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE, 8 * MIB);
    make_coherent();
    assert_int_equal(r->setting_count, 0);
    assert_int_equal(r->own_count, 3);
    assert_string_equal(r->own[1].value, "");
    assert_string_equal(r->own[2].fits, "8m");
}

static void a_larger_container_is_told(void **state) {
    (void)state;
    tell("spark.executor.memory", "4g");
    tell("spark.memory.offHeap.enabled", "true");
    tell("spark.memory.offHeap.size", "1g");
    struct recommendation *r = recommend(ADVICE_MEMORY, 5);
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, 8 * GIB);
    make_coherent();
    assert_non_null(strstr(r->action,
                           "An executor then takes 9.8 GiB of its node, not 5.4 GiB as in "
                           "this run: no event tells whether the nodes have that."));
    advice_fini(&advice);
    r = recommend(ADVICE_MEMORY, 5);
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, 2 * GIB);
    make_coherent();
    assert_null(strstr(r->action, "of its node"));
}

static void advice_with_nothing_left_says_nothing(void **state) {
    (void)state;
    recommend(ADVICE_GENERAL, 1);
    struct recommendation *r = recommend(ADVICE_MEMORY, 5);
    r->bottleneck_count = 0;
    advice_set_bool(r, SETTING_SHUFFLE_COMPRESS, true);
    make_coherent();
    assert_int_equal(advice.count, 1);
    assert_string_equal(advice.list[0].kind, "general");
}

// Random runs.

static uint64_t seed;

static uint64_t any(uint64_t below) {
    return test_random(&seed) % below;
}

// A value of a setting as somebody may have written it.
static void random_text(enum setting setting, char *out, size_t size) {
    static const char *const others[] = {"", "garbage", "-1", "1e9", "99999999999999999999", "0"};
    const struct setting_row *row = setting_row(setting);
    switch (any(8)) {
    case 0:
        snprintf(out, size, "%s", others[any(ARRAY_LEN(others))]);
        break;
    case 1:
        snprintf(out, size, "%s", row->example);
        break;
    case 2:
        snprintf(out, size, "%.*s", (int)setting_default(setting, 305).len,
                 setting_default(setting, 305).p);
        break;
    default:
        if (row->type == AS_BOOL) {
            snprintf(out, size, "%s", any(2) != 0 ? "true" : "false");
        } else if (row->type == AS_BYTES || row->type == AS_MIB) {
            snprintf(out, size, "%dm", (int)any(5000));
        } else if (row->type == AS_FRACTION) {
            snprintf(out, size, "0.%d", (int)any(100));
        } else {
            snprintf(out, size, "%d", (int)any(20));
        }
    }
}

static double random_number(enum setting setting) {
    const struct setting_row *row = setting_row(setting);
    if (any(20) == 0) {
        static const double odd[] = {0, -1, 1e18, NAN, INFINITY, 0.5};
        return odd[any(ARRAY_LEN(odd))];
    }
    return row->type == AS_BYTES || row->type == AS_MIB ? (double)any(5000) * MIB + (double)any(3)
           : row->type == AS_FRACTION                   ? (double)any(300) / 100
           : row->type == AS_BOOL                       ? (double)any(2)
           : row->type == AS_MS || row->type == AS_S    ? (double)any(100000)
                                                        : (double)any(20);
}

static void give_random(struct recommendation *r, enum setting setting) {
    const struct setting_row *row = setting_row(setting);
    double value = random_number(setting);
    switch (row->type) {
    case AS_INT:
        (void)!advice_set_int(r, setting, value);
        break;
    case AS_FRACTION:
        (void)!advice_set_fraction(r, setting, value);
        break;
    case AS_BYTES:
    case AS_MIB:
        (void)!advice_set_bytes(r, setting, value);
        break;
    case AS_MS:
    case AS_S:
        (void)!advice_set_ms(r, setting, value);
        break;
    case AS_BOOL:
        (void)!advice_set_bool(r, setting, value != 0);
        break;
    case AS_TEXT:
        (void)!(row->family ? advice_set_member(r, setting, row->example_name, row->example)
                            : advice_set_text(r, setting, row->example));
        break;
    }
}

static void random_run(void) {
    static const int sparks[] = {0, 300, 301, 302, 305, 400, 401, 403};
    static const char *const evidence[] = {NULL, "explained_spill_s", "failed_off_heap_memory",
                                           "driver_out_of_memory"};
    int spark = sparks[any(ARRAY_LEN(sparks))];
    app->spark_major = spark / 100;
    app->spark_minor = spark % 100;
    if (any(4) == 0) {
        tell("spark.master", any(2) != 0 ? "local[2]" : "yarn");
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        char text[256];
        if (any(3) == 0) {
            random_text((enum setting)i, text, sizeof text);
            tell(setting_row((enum setting)i)->key, text);
        }
    }
    for (int kind = 0, n = 0; kind < KIND_COUNT && n < (int)ARRAY_LEN(found); kind++) {
        if (any(4) == 0) {
            verdict((enum bottleneck_kind)kind, (enum cause)any(CAUSE_COUNT),
                    evidence[any(ARRAY_LEN(evidence))])
                ->severity = (enum severity)any(SEVERITY_COUNT);
            n++;
        }
    }
    for (int kind = ADVICE_PARTITIONING; advice_kind_known(kind); kind++) {
        if (any(3) == 0) {
            continue;
        }
        struct recommendation *r = recommend((enum advice_kind)kind, (double)any(5));
        r->bottleneck_count = (uint32_t)any(2);
        for (int i = 0; i < SETTING_COUNT; i++) {
            uint32_t by = setting_row((enum setting)i)->by;
            if ((by & (1u << (kind - ADVICE_PARTITIONING))) != 0 && any(2) == 0) {
                give_random(r, (enum setting)i);
            }
        }
    }
}

// What would hold with the set applied; `own`: and with what would fit in place of the run's own.
static bool applied(enum setting setting, bool given, bool own, double *out) {
    const char *key = setting_row(setting)->key;
    for (uint32_t i = 0; i < advice.count && given; i++) {
        const struct recommendation *r = &advice.list[i];
        for (uint32_t k = 0; k < r->setting_count; k++) {
            if (strcmp(r->settings[k].key, key) == 0) {
                return setting_parse(setting, str_of(r->settings[k].value), out);
            }
        }
        for (uint32_t k = 0; k < r->own_count && own; k++) {
            if (strcmp(r->own[k].key, key) == 0) {
                return setting_parse(setting, str_of(r->own[k].fits), out);
            }
        }
    }
    return setting_number(app, setting, out);
}

static bool in_order(enum setting low, enum setting high, bool given, bool own) {
    double least, most;
    return !applied(low, given, own, &least) || !applied(high, given, own, &most) || least <= most;
}

enum { RULES = 8 };

static bool rule_holds(int rule, bool given, bool own) {
    double x, y;
    switch (rule) {
    case 0:
        return in_order(SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS,
                        SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, given, own);
    case 1:
        return in_order(SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS,
                        SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS, given, own);
    case 2:
        return in_order(SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS,
                        SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, given, own);
    case 3:
        return in_order(SETTING_KUBERNETES_EXECUTOR_REQUEST_CORES,
                        SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES, given, own);
    case 4:
        return in_order(SETTING_KUBERNETES_DRIVER_REQUEST_CORES,
                        SETTING_KUBERNETES_DRIVER_LIMIT_CORES, given, own);
    case 5:
        return in_order(SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE,
                        SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, given, own);
    case 6:
        return !applied(SETTING_EXECUTOR_CORES, given, own, &x) ||
               !applied(SETTING_TASK_CPUS, given, own, &y) || y <= 0 || x <= 0 || fmod(x, y) == 0;
    case 7: // off-heap memory has a size
        return !applied(SETTING_MEMORY_OFF_HEAP_ENABLED, given, own, &x) || x == 0 ||
               (applied(SETTING_MEMORY_OFF_HEAP_SIZE, given, own, &y) && y > 0);
    default:
        return true;
    }
}

// Each thing a checker of one setting knows about it.
static void check_setting(const char *key, const char *value, const char *told_as, uint32_t *seen) {
    int id = setting_of_key(str_of(key));
    assert_true(id >= 0);
    enum setting setting = (enum setting)id;
    const struct setting_row *row = setting_row(setting);
    seen[id] += !row->family;
    assert_true(seen[id] <= 1); // a key once in the whole run
    assert_true(setting_known(setting, setting_spark_of(app)));
    if (row->family) {
        return;
    }
    double says, least, most, now;
    struct str told = setting_told(app, setting);
    struct str usual = setting_default(setting, setting_spark_of(app));
    if (row->type != AS_TEXT) {
        assert_true(setting_parse(setting, str_of(value), &says));
        assert_true(setting_parse(setting, str_of(row->least), &least));
        assert_true(setting_parse(setting, str_of(row->most), &most));
        assert_true(says >= least && says <= most);
        assert_true(!setting_number(app, setting, &now) || now != says); // news
    } else {
        assert_false(str_is(told.len > 0 ? told : usual, value));
    }
    double own_number, usual_number;
    bool chosen = told.len > 0 && !str_eq(told, usual) &&
                  !(setting_parse(setting, told, &own_number) &&
                    setting_parse(setting, usual, &usual_number) && own_number == usual_number);
    bool beside = told_as != NULL && told_as[0] == '\0'; // something that it counts only with
    assert_int_equal(chosen || beside, told_as != NULL);
    assert_true(told_as == NULL || beside || str_is(told, told_as));
    struct str master = app_property(app, PROPERTY_MASTER);
    assert_false(str_is(master, "local[2]") && setting == SETTING_EXECUTOR_MEMORY);
}

static void random_sets_hold_together(void **state) {
    (void)state;
    uint64_t settings = 0, own = 0, broken_alone = 0;
    for (uint64_t round = 1; round <= 1000; round++) {
        tear_down(NULL);
        set_up(NULL);
        seed = round * 0x9E3779B97F4A7C15u;
        random_run();
        make_coherent();
        uint32_t seen[SETTING_COUNT] = {0};
        for (uint32_t i = 0; i < advice.count; i++) {
            const struct recommendation *r = &advice.list[i];
            for (uint32_t k = 0; k < r->setting_count; k++) {
                check_setting(r->settings[k].key, r->settings[k].value, NULL, seen);
                settings++;
            }
            for (uint32_t k = 0; k < r->own_count; k++) {
                check_setting(r->own[k].key, r->own[k].fits, r->own[k].value, seen);
                own++;
            }
        }
        for (int rule = 0; rule < RULES; rule++) {
            // By the run itself; where its least is above its most nothing lies between them.
            if (!rule_holds(rule, false, false) || (rule < 3 && !rule_holds(0, false, false))) {
                broken_alone++;
                continue;
            }
            assert_true(rule_holds(rule, true, false));
            assert_true(rule_holds(rule, true, true));
        }
    }
    assert_true(settings > 10000 && own > 3000 && broken_alone < 4000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_dearest_finding_wins),
        TEST(what_the_user_set_is_named),
        TEST(what_the_program_set_is_told_as_such),
        TEST(nothing_is_said_that_holds_already),
        TEST(a_spark_that_does_not_know_it_is_told),
        TEST(verdicts_speak_against_settings),
        TEST(less_memory_is_not_for_those_who_lack_it),
        TEST(fewer_partitions_must_be_enough_for_all),
        TEST(local_mode_has_no_executors),
        TEST(bounds_of_executors_keep_their_order),
        TEST(the_runs_own_bounds_count),
        TEST(cores_divide),
        TEST(what_is_off_makes_others_useless),
        TEST(what_a_switch_of_the_user_makes_useless_stands_beside_it),
        TEST(a_larger_container_is_told),
        TEST(advice_with_nothing_left_says_nothing),
        TEST(random_sets_hold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
