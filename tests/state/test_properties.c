// test_properties: which Spark properties of a run are kept, their bounds, that they come back from
// the state as they were, and that the pipeline's name is settled as soon as they are known.
#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "keep/value.h"
#include "support/spark.h"

static void tell(struct app *app, const struct event_property *properties, uint32_t count) {
    struct event event = {.kind = EVENT_ENVIRONMENT};
    event.environment.properties = properties;
    event.environment.property_count = count;
    app_apply(app, &event, NULL);
}

static void tell_one(struct app *app, const char *key, struct str value) {
    struct event_property property = {str_of(key), value};
    tell(app, &property, 1);
}

static bool is(struct str got, const char *expected) {
    return str_is(got, expected);
}

static void only_what_is_listed_is_kept(void **state) {
    (void)state;
    struct app *app = spark_app();
    const struct event_property told[] = {
        {STR("spark.executor.memory"), STR("4g")},
        {STR("spark.sql.adaptive.enabled"), STR("true")},
        {STR("spark.speculation"), STR("true")}, // a family of which one has no more name
        {STR("spark.speculation.quantile"), STR("0.9")},
        {STR("spark.executor.memoryx"), STR("no")},
        {STR("spark.hadoop.fs.s3a.secret.key"), STR("s3cr3t")},
        {STR("spark.databricks.job.token"), STR("s3cr3t")}, // of a family, but a secret
        {STR("spark.sql.execution.id"), STR("7")},          // of a job
        {STR("spark.executor.cores"), STR("")},
    };
    tell(app, told, ARRAY_LEN(told));
    assert_true(is(app_property(app, PROPERTY_EXECUTOR_MEMORY), "4g"));
    assert_true(is(app_property_of(app, PROPERTY_SQL_ADAPTIVE, "enabled"), "true"));
    assert_true(is(app_property_of(app, PROPERTY_SPECULATION, ""), "true"));
    assert_true(is(app_property_of(app, PROPERTY_SPECULATION, ".quantile"), "0.9"));
    assert_true(is(app_property(app, PROPERTY_EXECUTOR_CORES), ""));
    assert_int_equal(app->properties.count, 4);
    tell_one(app, "spark.executor.memory", STR("8g")); // the newest counts
    assert_true(is(app_property(app, PROPERTY_EXECUTOR_MEMORY), "8g"));
    assert_int_equal(app->properties.count, 4);
    app_free(app);
}

static void cores_of_a_task_come_from_the_property(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h", 8);
    assert_int_equal(executors_live_slots(&app->executors), 8);
    tell_one(app, "spark.task.cpus", STR("4"));
    assert_int_equal(executors_live_slots(&app->executors), 2);
    tell_one(app, "spark.executor.memory", STR("4g"));
    assert_int_equal(executors_live_slots(&app->executors), 2);
    app_free(app);
}

// Number and bytes of a run's properties are bounded, whatever it sends.
static void properties_are_bounded(void **state) {
    (void)state;
    char key[300], value[400];
    memset(value, 'v', sizeof value);
    struct app *app = spark_app();
    metrics_reset();
    tell_one(app, "spark.executor.memory", (struct str){value, sizeof value});
    assert_int_equal(app_property(app, PROPERTY_EXECUTOR_MEMORY).len, PROPERTY_VALUE_MAX);
    assert_int_equal(metrics_get(METRIC_LIMIT_PROPERTIES), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "spark.sql.adaptive.%d", i);
        tell_one(app, key, (struct str){value, sizeof value});
    }
    assert_true(app->properties.bytes <= PROPERTIES_BYTES_MAX);
    assert_in_range(app->properties.count, 25, 40);
    assert_true(metrics_get(METRIC_LIMIT_PROPERTIES) > 50);
    uint32_t full = app->properties.bytes;
    tell_one(app, "spark.executor.memory", STR("1g")); // shorter: fits
    assert_true(app->properties.bytes < full);
    app_free(app);
    app = spark_app();
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "spark.sql.adaptive.%d", i);
        tell_one(app, key, STR("1"));
    }
    assert_int_equal(app->properties.count, PROPERTIES_MAX);
    app_free(app);
    app = spark_app();
    memset(key, 'k', sizeof key);
    memcpy(key, "spark.sql.adaptive.", 19);
    key[19 + PROPERTY_NAME_MAX + 1] = '\0';
    metrics_reset();
    tell_one(app, key, STR("1"));
    assert_int_equal(metrics_get(METRIC_LIMIT_PROPERTIES), 1);
    assert_true(is(app_property_of(app, PROPERTY_SQL_ADAPTIVE, key + 19), ""));
    app_free(app);
}

struct properties_kept {
    struct app *into;
    bool changed_only;
    struct buf bytes;
    int parts;
};

static enum status read_back(struct app *app, struct str value) {
    struct kept_part part = {'c', {0}};
    void *object = app_part_open(app, part);
    if (object == NULL) {
        return ST_SKIP;
    }
    bool good = value_read(&record_properties, value, object, NULL) == ST_OK;
    return app_part_close(app, part, object, good) ? ST_OK : ST_SKIP;
}

static void keep(void *ctx, struct kept_part part, struct kept *mark, const void *object) {
    struct properties_kept *kept = ctx;
    if (part.letter == 'c' && (!kept->changed_only || mark->touched)) {
        kept->parts++;
        mark->touched = false;
        value_write(&record_properties, object, &kept->bytes);
        if (kept->into != NULL) {
            assert_int_equal(read_back(kept->into, buf_str(&kept->bytes)), ST_OK);
        }
    }
}

// Random properties, hostile ones among them, come back as they were.
static void properties_come_back_as_they_were(void **state) {
    (void)state;
    static const char *const keys[] = {
        "spark.executor.memory", "spark.task.cpus",           "spark.app.name",
        "spark.speculation",     "spark.sql.adaptive.x",      "spark.sql.adaptive.y",
        "spark.locality.wait",   "spark.locality.wait.node",  "spark.databricks.job.id",
        "spark.jobGroup.id",     "spark.dynamicAllocation.a", "spark.kubernetes.namespace",
    };
    uint64_t seed = 5;
    for (int round = 0; round < 300; round++) {
        struct app *app = spark_app();
        for (uint64_t n = test_random(&seed) % 30; n > 0; n--) {
            char value[300];
            size_t len = test_random(&seed) % sizeof value;
            for (size_t i = 0; i < len; i++) {
                value[i] = (char)test_random(&seed);
            }
            char key[64];
            struct str name = str_of(keys[test_random(&seed) % ARRAY_LEN(keys)]);
            memcpy(key, name.p, name.len);
            if (test_random(&seed) % 8 == 0) {
                key[name.len++] = (char)test_random(&seed);
            }
            struct event_property property = {{key, name.len}, {value, len}};
            tell(app, &property, 1);
        }
        struct properties_kept first = {.into = app_new("c", STR(""), STR(""), &spark_rule)},
                               again = {0};
        app_each_part(app, false, keep, &first);
        assert_int_equal(first.parts, app->properties.count > 0);
        assert_int_equal(first.into->properties.count, app->properties.count);
        assert_int_equal(first.into->properties.bytes, app->properties.bytes);
        app_each_part(first.into, false, keep, &again);
        assert_int_equal(again.bytes.len, first.bytes.len);
        assert_memory_equal(buf_text(&again.bytes), buf_text(&first.bytes), first.bytes.len);
        app_free(first.into);
        buf_fini(&first.bytes);
        buf_fini(&again.bytes);
        app_free(app);
    }
}

static void job(struct app *app, int32_t id, const struct event_property *properties,
                uint32_t count) {
    struct event event = {.kind = EVENT_JOB_START};
    event.job = (struct event_job){.id = id, .properties = properties, .property_count = count};
    app_apply(app, &event, NULL);
}

// A job of SQL brings all that its session has: what is as in the environment nobody set.
static void what_a_session_sets_is_told_by_its_jobs(void **state) {
    (void)state;
    struct app *app = spark_app();
    tell_one(app, "spark.sql.shuffle.partitions", STR("8"));
    struct event_property told[] = {
        {STR("spark.sql.shuffle.partitions"), STR("8")},
        {STR("spark.sql.adaptive.enabled"), STR("false")},
        {STR("spark.executor.memory"), STR("4g")}, // no session sets it
        {STR("spark.sql.execution.id"), STR("7")}, // nor is that a setting
        {STR("spark.sql.warehouse.dir"), STR("/w")},
    };
    job(app, 1, told, ARRAY_LEN(told));
    assert_int_equal(app->session.count, 1);
    assert_true(is(app_session_property(app, PROPERTY_SQL_ADAPTIVE, "enabled"), "false"));
    assert_true(is(app_session_property(app, PROPERTY_SQL_SHUFFLE_PARTITIONS, NULL), ""));
    told[0].value = STR("2000");
    job(app, 2, told, 1);
    assert_true(is(app_session_property(app, PROPERTY_SQL_SHUFFLE_PARTITIONS, NULL), "2000"));
    assert_true(is(app_property(app, PROPERTY_SQL_SHUFFLE_PARTITIONS), "8"));
    told[0].value = STR("8"); // back again: it was another in between
    job(app, 3, told, 1);
    assert_true(is(app_session_property(app, PROPERTY_SQL_SHUFFLE_PARTITIONS, NULL), "8"));
    app_free(app);
}

static void they_are_written_when_they_changed(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct properties_kept kept = {.changed_only = true};
    app_each_part(app, false, keep, &kept);
    assert_int_equal(kept.parts, 0);
    tell_one(app, "spark.executor.memory", STR("4g"));
    app_each_part(app, false, keep, &kept);
    assert_int_equal(kept.parts, 1);
    tell_one(app, "spark.executor.memory", STR("4g")); // nothing new
    app_each_part(app, false, keep, &kept);
    assert_int_equal(kept.parts, 1);
    tell_one(app, "spark.executor.memory", STR("5g"));
    app_each_part(app, false, keep, &kept);
    assert_int_equal(kept.parts, 2);
    // A part comes once, and in it each property once.
    assert_int_equal(read_back(app, buf_str(&kept.bytes)), ST_SKIP);
    struct app *fresh = app_new("c", STR(""), STR(""), &spark_rule);
    struct str fields = buf_str(&kept.bytes);
    char *copy = mem_strndup(fields.p, fields.len);
    buf_add(&kept.bytes, copy + 1, fields.len - 1); // behind the version
    mem_free(copy);
    assert_int_equal(read_back(fresh, buf_str(&kept.bytes)), ST_SKIP);
    app_free(fresh);
    buf_fini(&kept.bytes);
    app_free(app);
}

static void the_name_is_settled_when_it_can_be(void **state) {
    (void)state;
    static const char *const keys[] = {"spark.stoker.pipeline", "app_name"};
    static const struct pipeline_rule rule = {keys, 2};
    struct app *app = app_new("c", STR("a"), STR(""), &rule);
    assert_string_equal(app->identity.pipeline, "");
    struct event start = {.kind = EVENT_APP_START, .time_ms = 1000};
    start.app_start.name = STR("etl-20240101");
    app_apply(app, &start, NULL);
    assert_string_equal(app->identity.pipeline, "etl");
    tell_one(app, "spark.stoker.pipeline", STR("orders")); // the explicit one wins
    assert_string_equal(app->identity.pipeline, "orders");
    app_apply(app, &start, NULL);
    assert_string_equal(app->identity.pipeline, "orders");
    app_free(app);
    app = app_new("c", STR("a"), STR(""), &rule); // the other way round, and published in between
    app_apply(app, &start, NULL);
    app_fix_pipeline(app);
    tell_one(app, "spark.stoker.pipeline", STR("orders"));
    assert_string_equal(app->identity.pipeline, "etl");
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_listed_is_kept),
        cmocka_unit_test(cores_of_a_task_come_from_the_property),
        cmocka_unit_test(properties_are_bounded),
        cmocka_unit_test(properties_come_back_as_they_were),
        cmocka_unit_test(what_a_session_sets_is_told_by_its_jobs),
        cmocka_unit_test(they_are_written_when_they_changed),
        cmocka_unit_test(the_name_is_settled_when_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
