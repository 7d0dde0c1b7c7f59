// test_advise_kubernetes: the set is complete, names nothing of a cluster that nobody told, holds
// together, and takes over what a run had; a run is advised on what it lacks, and on nothing else.
#include "advice_kit.h"

#include "advise/kubernetes.h"

static struct recommendation all_of(const struct kubernetes_set *set) {
    struct recommendation r = {.kind = advice_kind_name(ADVICE_KUBERNETES)};
    kubernetes_settings(set, &r);
    return r;
}

static const char *value_in(const struct recommendation *r, const char *key) {
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (strcmp(r->settings[i].key, key) == 0) {
            return r->settings[i].value;
        }
    }
    return "";
}

// Of the set below.
static const char *const whole[][2] = {
    {"spark.kubernetes.namespace", "pipelines"},
    {"spark.kubernetes.container.image", "apache/spark:4.1.1"},
    {"spark.kubernetes.authenticate.driver.serviceAccountName", "spark"},
    {"spark.executor.cores", "4"},
    {"spark.kubernetes.executor.request.cores", "4"},
    {"spark.kubernetes.executor.limit.cores", "4"},
    {"spark.executor.memory", "12g"},
    {"spark.executor.memoryOverhead", "1g"},
    {"spark.driver.cores", "2"},
    {"spark.kubernetes.driver.request.cores", "2"},
    {"spark.kubernetes.driver.limit.cores", "2"},
    {"spark.driver.memory", "6g"},
    {"spark.driver.memoryOverhead", "614m"},
    {"spark.dynamicAllocation.enabled", "true"},
    {"spark.dynamicAllocation.shuffleTracking.enabled", "true"},
    {"spark.dynamicAllocation.minExecutors", "1"},
    {"spark.dynamicAllocation.initialExecutors", "1"},
    {"spark.dynamicAllocation.maxExecutors", "10"},
    {"spark.dynamicAllocation.executorIdleTimeout", "60s"},
    {"spark.kubernetes.node.selector.topology.kubernetes.io/zone", "eu-west-1a"},
#define CLAIM "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1."
    {CLAIM "options.claimName", "OnDemand"},
    {CLAIM "options.storageClass", "standard"},
    {CLAIM "options.sizeLimit", "100Gi"},
    {CLAIM "mount.path", "/var/data/spark-local-dir-1"},
    {CLAIM "mount.readOnly", "false"},
#undef CLAIM
    {"spark.kubernetes.driver.annotation.kubernetes.io/ingress-bandwidth", "10G"},
    {"spark.kubernetes.executor.annotation.kubernetes.io/egress-bandwidth", "10G"},
    {"spark.ui.prometheus.enabled", "true"},
    {"spark.metrics.conf.*.sink.prometheusServlet.class",
     "org.apache.spark.metrics.sink.PrometheusServlet"},
};

static void the_set_is_complete(void **state) {
    (void)state;
    struct kubernetes_set set;
    kubernetes_init(&set, 128.0 * SIZING_GIB);
    strcpy(set.image, "apache/spark:4.1.1");
    strcpy(set.name_space, "pipelines");
    strcpy(set.zone, "eu-west-1a");
    strcpy(set.storage_class, "standard");
    strcpy(set.storage_size, "100Gi");
    strcpy(set.service_account, "spark");
    struct recommendation r = all_of(&set);
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        if (strcmp(value_in(&r, whole[i][0]), whole[i][1]) != 0) {
            fail_msg("%s is %s, not %s", whole[i][0], value_in(&r, whole[i][0]), whole[i][1]);
        }
    }
    recommendation_fini(&r);
}

static void nothing_of_a_cluster_is_guessed(void **state) {
    (void)state;
    struct kubernetes_set set;
    kubernetes_init(&set, 0);
    struct recommendation r = all_of(&set);
    for (uint32_t i = 0; i < r.setting_count; i++) {
        assert_null(strstr(r.settings[i].key, "selector"));
        assert_null(strstr(r.settings[i].key, "volumes"));
        assert_null(strstr(r.settings[i].key, "image"));
        assert_null(strstr(r.settings[i].key, "namespace"));
        assert_null(strstr(r.settings[i].key, "serviceAccount"));
    }
    assert_string_equal(value_in(&r, "spark.executor.memory"), "4g");
    recommendation_fini(&r);
}

static void python_has_its_share_beside_the_heap(void **state) {
    (void)state;
    struct kubernetes_set set;
    kubernetes_init(&set, 0);
    kubernetes_for_python(&set);
    assert_int_equal(set.memory.overhead_mib, 1638);
    assert_int_equal(set.driver_overhead_mib, 819);
    kubernetes_init(&set, 500.0 * SIZING_GIB);
    set.memory.overhead_mib = 30000; // more already
    kubernetes_for_python(&set);
    assert_int_equal(set.memory.overhead_mib, 30000);
}

// Four executors of three cores each; nothing bounds what their pods use.
static void on_kubernetes(void) {
    kit_property("spark.master", "k8s"); // as it is kept
    kit_property("spark.kubernetes.namespace", "pipelines");
    kit_property("spark.kubernetes.container.image", "own/spark:1");
    kit_property("spark.executor.cores", "3");
    kit_property("spark.executor.memory", "9g");
    kit_property("spark.driver.memory", "3g");
    kit_property("spark.driver.memoryOverhead", "2g");
    for (int i = 0; i < 4; i++) {
        char id[2] = {(char)('1' + i), 0};
        spark_executor(kit.app, id, "h", 3);
    }
    kit.app->ended_ms = 2000000; // after 1000 s
}

static void a_run_gives_what_it_had(void **state) {
    (void)state;
    on_kubernetes();
    struct kubernetes_set set;
    kubernetes_init(&set, 0);
    kubernetes_take(&set, kit.app);
    assert_string_equal(set.image, "own/spark:1");
    assert_string_equal(set.name_space, "pipelines");
    assert_int_equal(set.executor_cores, 3);
    assert_int_equal(set.memory.executor_mib, 9 * 1024);
    assert_int_equal(set.memory.overhead_mib, 921);
    assert_int_equal(set.memory.driver_mib, 3 * 1024);
    assert_int_equal(set.driver_overhead_mib, 2 * 1024);
    assert_int_equal(set.first, 4);
    assert_int_equal(set.most, 10);
    assert_true(set.least <= set.first && set.first <= set.most);
    kit_property("spark.kubernetes.executor.limit.cores", "3400m"); // room for Python, say
    kubernetes_take(&set, kit.app);
    struct recommendation r = all_of(&set);
    assert_string_equal(value_in(&r, "spark.kubernetes.executor.limit.cores"), "4");
    assert_string_equal(value_in(&r, "spark.kubernetes.executor.request.cores"), "3");
    recommendation_fini(&r);
    kit_property("spark.kubernetes.executor.limit.cores", "2");
    kubernetes_take(&set, kit.app);
    r = all_of(&set);
    assert_string_equal(value_in(&r, "spark.kubernetes.executor.limit.cores"), "3");
    recommendation_fini(&r);
}

static void a_run_is_advised_on_what_it_lacks(void **state) {
    (void)state;
    on_kubernetes();
    const struct recommendation *r = kit_ask("kubernetes");
    assert_string_equal(r->kind, "kubernetes");
    assert_non_null(strstr(r->action, "use the cores that it runs tasks with (3), and no more"));
    assert_string_equal(kit_value("spark.kubernetes.executor.request.cores"), ""); // as many
    assert_string_equal(kit_value("spark.kubernetes.executor.limit.cores"), "3");
    assert_string_equal(kit_value("spark.dynamicAllocation.initialExecutors"), "4");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_near(r->saving_s, 0, 0);
    kit_property("spark.kubernetes.executor.request.cores", "2"); // it may run slower than it asks
    assert_non_null(strstr(kit_ask("kubernetes")->action, "tasks with (3) and use no more"));
    assert_string_equal(kit_value("spark.kubernetes.executor.request.cores"), "3");
    kit_property("spark.kubernetes.executor.limit.cores", "3");
    assert_null(strstr(kit_ask("kubernetes")->action, "no more"));
    assert_string_equal(kit_value("spark.kubernetes.executor.request.cores"), "3");
    assert_string_equal(kit_value("spark.kubernetes.executor.limit.cores"), "");
    assert_string_equal(kit_value("spark.dynamicAllocation.enabled"), "true");
    kit_property("spark.kubernetes.executor.request.cores", "3");
    r = kit_ask("kubernetes");
    assert_null(strstr(r->action, "cores"));
    assert_null(strstr(r->when_not, "limit"));
    kit_property("spark.dynamicAllocation.enabled", "true");
    assert_null(kit_ask("kubernetes"));
}

static void a_limit_that_leaves_room_stays(void **state) {
    (void)state;
    on_kubernetes();
    kit_property("spark.dynamicAllocation.enabled", "true");
    assert_non_null(kit_ask("kubernetes"));
    kit.app->works |= WORK_PYTHON_SQL; // its workers take more than the tasks' cores
    assert_null(kit_ask("kubernetes"));
    kit_property("spark.kubernetes.executor.limit.cores", "3400m");
    assert_null(kit_ask("kubernetes"));
    kit_property("spark.kubernetes.executor.limit.cores", "2900m");
    kit_ask("kubernetes");
    assert_string_equal(kit_value("spark.kubernetes.executor.limit.cores"), "3");
    static const char *const fine[] = {"3000m", "3.5", "many", "99999999999999999999", "m"};
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        kit_property("spark.kubernetes.executor.limit.cores", fine[i]);
        kit_property("spark.kubernetes.executor.request.cores", fine[i]);
        assert_null(kit_ask("kubernetes"));
    }
}

static void only_of_a_run_on_kubernetes_that_has_ended(void **state) {
    (void)state;
    on_kubernetes();
    kit.app->ended_ms = 1299999; // executors hardly go within five minutes
    assert_non_null(kit_ask("kubernetes"));
    assert_string_equal(kit_value("spark.dynamicAllocation.enabled"), "");
    kit.app->ended_ms = 1300000;
    kit_ask("kubernetes");
    assert_string_equal(kit_value("spark.dynamicAllocation.enabled"), "true");
    kit.app->ended_ms = 1059999;
    assert_null(kit_ask("kubernetes"));
    kit.app->ended_ms = 0;
    assert_null(kit_ask("kubernetes"));
    kit.app->ended_ms = 2000000;
    kit_property("spark.master", "yarn");
    assert_null(kit_ask("kubernetes"));
}

static void idle_executors_are_answered_with_allocation(void **state) {
    (void)state;
    on_kubernetes();
    kit_verdict(KIND_IDLE_EXECUTORS, CAUSE_NONE, -1, 0);
    assert_int_equal(kit_ask("kubernetes")->bottleneck_count, 1);
    kit_property("spark.dynamicAllocation.enabled", "true");
    assert_int_equal(kit_ask("kubernetes")->bottleneck_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(the_set_is_complete),
        KIT_TEST(nothing_of_a_cluster_is_guessed),
        KIT_TEST(python_has_its_share_beside_the_heap),
        KIT_TEST(a_run_gives_what_it_had),
        KIT_TEST(a_run_is_advised_on_what_it_lacks),
        KIT_TEST(a_limit_that_leaves_room_stays),
        KIT_TEST(only_of_a_run_on_kubernetes_that_has_ended),
        KIT_TEST(idle_executors_are_answered_with_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
