// kubernetes: see the header for the set; and the advisor, which gives of it what a run on
// Kubernetes is known to lack: as many cores as its pods may use, executors that come and go with
// the work, and pods asked for in larger batches where the run waited for them. Called through the
// table of advisors when the run has ended, and by `stoker advise kubernetes`.
#include "advise/kubernetes.h"

#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "facts.h"

enum { CORES = 4, DRIVER_CORES = 2, EXECUTORS_MOST = 10, IDLE_MS = 60000 };
enum { LEAST_S = 60, LONG_S = 300 }; // runs worth a word; those in which executors may come and go
#define MIB 1048576.0
#define PYTHON_SHARE 0.4 // of a heap, that Spark adds for what is not Java's

void kubernetes_init(struct kubernetes_set *set, double data_bytes) {
    *set = (struct kubernetes_set){.executor_cores = CORES,
                                   .driver_cores = DRIVER_CORES,
                                   .memory = sizing_memory(data_bytes),
                                   .least = 1,
                                   .first = 1,
                                   .most = EXECUTORS_MOST};
    set->driver_overhead_mib =
        sizing_overhead_mib(set->memory.driver_mib, 0.1, SIZING_OVERHEAD_LEAST_MIB);
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void kubernetes_for_python(struct kubernetes_set *set) {
    struct sizing_memory *memory = &set->memory;
    set->python = true;
    memory->overhead_mib =
        sizing_overhead_mib(memory->executor_mib, PYTHON_SHARE, memory->overhead_mib);
    set->driver_overhead_mib =
        sizing_overhead_mib(memory->driver_mib, PYTHON_SHARE, set->driver_overhead_mib);
}

// Executors that the run had at once, as far as its slots tell.
static int64_t executors_of(const struct app *app) {
    int64_t slots = executors_live_slots(&app->executors), each = facts_tasks_at_once(app);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        slots = larger(slots, app->stages[i]->live_slots);
    }
    int64_t count = (slots + each - 1) / each;
    return count < app->executors.added ? count : app->executors.added;
}

// In thousandths, as Kubernetes takes them, too: "2", "1500m". `otherwise` if nothing is set, and
// `wish` if it cannot be told what.
static int64_t milli_cores(const struct app *app, enum setting setting, int64_t otherwise,
                           int64_t wish) {
    struct str told = setting_told(app, setting);
    bool milli = told.len > 1 && told.p[told.len - 1] == 'm';
    int64_t number;
    if (told.len == 0) {
        return otherwise;
    }
    bool good = str_to_i64((struct str){told.p, told.len - milli}, &number) && number > 0 &&
                number <= INT32_MAX;
    return !good ? wish : milli ? number : 1000 * number;
}

void kubernetes_take(struct kubernetes_set *set, const struct app *app) {
    double number;
    str_copy(set->image, sizeof set->image, setting_told(app, SETTING_KUBERNETES_CONTAINER_IMAGE));
    str_copy(set->name_space, sizeof set->name_space,
             setting_told(app, SETTING_KUBERNETES_NAMESPACE));
    if (setting_number(app, SETTING_DRIVER_CORES, &number) && number > DRIVER_CORES) {
        set->driver_cores = (int64_t)number;
    }
    if (setting_number(app, SETTING_DRIVER_MEMORY, &number)) {
        set->memory.driver_mib = larger(set->memory.driver_mib, (int64_t)(number / MIB));
    }
    if (setting_number(app, SETTING_DRIVER_MEMORY_OVERHEAD, &number)) {
        set->driver_overhead_mib = larger(set->driver_overhead_mib, (int64_t)(number / MIB));
    }
    if (!facts_is_local(app)) {
        set->executor_cores = facts_executor_cores(app);
        set->executor_limit =
            (milli_cores(app, SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES, 0, 0) + 999) / 1000;
        set->memory.executor_mib = larger(set->memory.executor_mib, facts_heap_mib(app));
        set->memory.overhead_mib = larger(set->memory.overhead_mib, facts_overhead_mib(app));
        set->first = larger(1, executors_of(app));
        set->most = larger(set->most, set->first);
    }
    set->driver_overhead_mib =
        sizing_overhead_mib(set->memory.driver_mib, 0.1, set->driver_overhead_mib);
    if (app->works & WORK_PYTHON_SQL || app->foreign_engine) {
        kubernetes_for_python(set);
    }
}

static void set_pods(const struct kubernetes_set *set, struct recommendation *r) {
    advice_set_int(r, SETTING_EXECUTOR_CORES, (double)set->executor_cores);
    advice_set_int(r, SETTING_KUBERNETES_EXECUTOR_REQUEST_CORES, (double)set->executor_cores);
    advice_set_int(r, SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES,
                   (double)larger(set->executor_limit, set->executor_cores));
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, (double)set->memory.executor_mib * MIB);
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY_OVERHEAD, (double)set->memory.overhead_mib * MIB);
    advice_set_int(r, SETTING_DRIVER_CORES, (double)set->driver_cores);
    advice_set_int(r, SETTING_KUBERNETES_DRIVER_REQUEST_CORES, (double)set->driver_cores);
    advice_set_int(r, SETTING_KUBERNETES_DRIVER_LIMIT_CORES, (double)set->driver_cores);
    advice_set_bytes(r, SETTING_DRIVER_MEMORY, (double)set->memory.driver_mib * MIB);
    advice_set_bytes(r, SETTING_DRIVER_MEMORY_OVERHEAD, (double)set->driver_overhead_mib * MIB);
}

// Without a shuffle service an executor stays as long as its shuffled data is needed.
static void set_executors(const struct kubernetes_set *set, struct recommendation *r) {
    advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_ENABLED, true);
    advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_SHUFFLE_TRACKING_ENABLED, true);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, (double)set->least);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS, (double)set->first);
    advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, (double)set->most);
    advice_set_ms(r, SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, IDLE_MS);
}

static void set_volume(const struct kubernetes_set *set, struct recommendation *r) {
#define CLAIM "persistentVolumeClaim.spark-local-dir-1."
    static const enum setting volumes = SETTING_KUBERNETES_EXECUTOR_VOLUMES;
    if (set->storage_class[0] != '\0' && set->storage_size[0] != '\0') {
        advice_set_member(r, volumes, CLAIM "mount.path", "/var/data/spark-local-dir-1");
        advice_set_member(r, volumes, CLAIM "mount.readOnly", "false");
        advice_set_member(r, volumes, CLAIM "options.claimName", "OnDemand");
        advice_set_member(r, volumes, CLAIM "options.storageClass", set->storage_class);
        advice_set_member(r, volumes, CLAIM "options.sizeLimit", set->storage_size);
    }
#undef CLAIM
}

static void set_network_and_metrics(struct recommendation *r) {
    static const enum setting pods[] = {SETTING_KUBERNETES_DRIVER_ANNOTATION,
                                        SETTING_KUBERNETES_EXECUTOR_ANNOTATION};
    for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
        advice_set_member(r, pods[i], "kubernetes.io/ingress-bandwidth", "10G");
        advice_set_member(r, pods[i], "kubernetes.io/egress-bandwidth", "10G");
    }
    advice_set_member(r, SETTING_KUBERNETES_DRIVER_ANNOTATION, "prometheus.io/scrape", "true");
    advice_set_member(r, SETTING_KUBERNETES_DRIVER_ANNOTATION, "prometheus.io/port", "4040");
    advice_set_member(r, SETTING_KUBERNETES_DRIVER_ANNOTATION, "prometheus.io/path",
                      "/metrics/prometheus/");
    advice_set_bool(r, SETTING_UI_PROMETHEUS_ENABLED, true);
    advice_set_member(r, SETTING_METRICS_CONF, "*.sink.prometheusServlet.class",
                      "org.apache.spark.metrics.sink.PrometheusServlet");
    advice_set_member(r, SETTING_METRICS_CONF, "*.sink.prometheusServlet.path",
                      "/metrics/prometheus");
}

void kubernetes_settings(const struct kubernetes_set *set, struct recommendation *r) {
    if (set->name_space[0] != '\0') {
        advice_set_text(r, SETTING_KUBERNETES_NAMESPACE, set->name_space);
    }
    if (set->image[0] != '\0') {
        advice_set_text(r, SETTING_KUBERNETES_CONTAINER_IMAGE, set->image);
    }
    if (set->service_account[0] != '\0') {
        advice_set_text(r, SETTING_KUBERNETES_SERVICE_ACCOUNT, set->service_account);
    }
    set_pods(set, r);
    set_executors(set, r);
    if (set->zone[0] != '\0') {
        advice_set_member(r, SETTING_KUBERNETES_NODE_SELECTOR, "topology.kubernetes.io/zone",
                          set->zone);
    }
    set_volume(set, r);
    set_network_and_metrics(r);
}

// --- of a run ---

// What its pods have otherwise than it takes for a run to last the same whatever else is on a node.
struct cores_lack {
    bool request, limit;
};

// A limit above that is somebody's wish; without one Python workers may use what they need.
static struct cores_lack lacks_cores(const struct app *app, const struct kubernetes_set *set) {
    int64_t cores = 1000 * set->executor_cores;
    int64_t request = milli_cores(app, SETTING_KUBERNETES_EXECUTOR_REQUEST_CORES, cores, cores);
    int64_t limit =
        milli_cores(app, SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES, set->python ? cores : 0, cores);
    return (struct cores_lack){.request = request != cores, .limit = limit < cores};
}

// True if it holds on to executors, whether there is work for them or not. Those of a stream would
// come and go with its batches.
static bool lacks_allocation(const struct app *app) {
    double on = 0;
    (void)setting_number(app, SETTING_DYNAMIC_ALLOCATION_ENABLED, &on);
    return on == 0 && app_run_kind(app) != RUN_KIND_STREAM && setting_spark_of(app) >= 300;
}

static void advise_cores(const struct kubernetes_set *set, struct cores_lack lack,
                         struct recommendation *r, struct buf *what) {
    long long cores = (long long)set->executor_cores;
    buf_add_text(what, "Let each executor's pod ");
    if (lack.request) {
        buf_printf(what, "ask for as many cores as it runs tasks with (%lld)%s", cores,
                   lack.limit ? " and use no more" : "");
    } else {
        buf_printf(what, "use the cores that it runs tasks with (%lld), and no more", cores);
    }
    buf_add_text(what, ", so that the run does not depend on who else is on the node.");
    if (lack.request) {
        advice_set_int(r, SETTING_KUBERNETES_EXECUTOR_REQUEST_CORES, (double)set->executor_cores);
    }
    if (lack.limit) {
        advice_set_int(r, SETTING_KUBERNETES_EXECUTOR_LIMIT_CORES, (double)set->executor_cores);
    }
}

static void advise_allocation(const struct kubernetes_set *set, struct recommendation *r,
                              struct buf *what) {
    set_executors(set, r);
    buf_printf(
        what,
        "%sLet executors come and go with the work, %lld to %lld of them, but for those whose "
        "shuffled data is needed.",
        what->len > 0 ? " " : "", (long long)set->least, (long long)set->most);
}

static void recommend(const struct advice_view *view, struct advice *out) {
    const struct app *app = view->app;
    struct kubernetes_set set;
    struct run_totals totals;
    double run_s = app_duration_s(app);
    if (app->ended_ms == 0 || run_s < LEAST_S ||
        !str_is(app_property(app, PROPERTY_MASTER), "k8s")) {
        return; // what it lacks is the same until its end
    }
    app_totals(app, &totals);
    kubernetes_init(&set, (double)totals.data_size_bytes);
    kubernetes_take(&set, app);
    struct cores_lack lack = lacks_cores(app, &set);
    bool cores = lack.request || lack.limit;
    bool allocation = run_s >= LONG_S && lacks_allocation(app);
    if (!cores && !allocation) {
        return;
    }
    struct answers idle = {0};
    struct buf what = {0};
    struct recommendation *r = advice_add(out, view, ADVICE_KUBERNETES);
    if (cores) {
        advise_cores(&set, lack, r, &what);
    }
    if (allocation) {
        answers_take(view, KIND_IDLE_EXECUTORS, NULL, &idle);
        advise_allocation(&set, r, &what);
    }
    buf_add_text(&what, " The whole set, with a manifest: stoker advise kubernetes LOG.");
    r->when_not =
        lack.limit
            ? "Not the limit where runs are meant to use what a node has to spare; not executors "
              "that go where starting new ones takes longer than the work."
            : "Not where starting new executors takes longer than the work.";
    snprintf(r->saving_how, sizeof r->saving_how, "no time: %s%s%s",
             allocation ? "cores that nothing used" : "", allocation && cores ? ", and " : "",
             cores ? "runs that take as long every time" : "");
    answers_finish(&idle, &what, r);
    answers_fini(&idle);
}

const struct advisor advisor_kubernetes = {
    .name = "kubernetes",
    .help = "for a run on Kubernetes that has ended: as many cores asked for as tasks use, and "
            "executors that come and go with the work, where the run had it otherwise",
    .advise = recommend,
};
