// slow_tasks: why are the slowest tasks slow? Bytes and records that explain the extra time say
// data; one host says that host; more CPU on equal data says costly records; waiting says what for,
// or that the data were far.
// A task that was killed because its copy won counts as if it had succeeded: the stage waited for
// it as long. Called by data_skew and straggler.
#include "slow_tasks.h"

#include <math.h>
#include <stdio.h>

#include "base/span.h"
#include "detect/cost.h"

// Of the extra time, that more data must explain before it is the cause; below it other causes are
// looked for first.
static const double data_share_least = 0.3;
// Executors warm up alike: one that takes so many times what another takes has another reason.
enum { COLD_TIMES_MAX = 4 };
// Of hosts: so many must be compared before few slow tasks on one of them say anything; or in so
// many stages of the run it was slow.
enum { HOSTS_ENOUGH = 3, ON_HOST_ENOUGH = 3, STAGES_ENOUGH = 2 };
// Loading classes, compiling and starting Python take seconds; what takes longer is no warming up.
enum { COLD_START_MAX_MS = 30000 };
// Tasks of a stage's first wave are launched within that of each other.
enum { FIRST_WAVE_MS = 250 };
// What runs for less is not worth a word before it ends.
enum { RUNNING_LEAST_MS = 2000 };

// Those it could use, or as many as its tasks must have used at once.
static double slots_of(const struct stage *stage, double wall_ms) {
    double used = wall_ms > 0 ? (double)stage->task_ms / wall_ms : 1;
    return fmax(cost_slots(stage), used);
}

// The length of the longest task that lost to its copy, 0 if there is none.
static double longest_lost_ms(const struct stage *stage) {
    const struct stage_detail *detail = stage->detail;
    double longest = 0;
    for (uint32_t i = 0; detail != NULL && i < detail->slow_count; i++) {
        const struct stage_task *t = &detail->slow[i];
        longest = t->lost ? fmax(longest, (double)stage_task_length_ms(stage, t)) : longest;
    }
    return longest;
}

bool slow_tasks_rule(const struct stage *stage, double ratio, bool lost_too) {
    double longest_ms = (double)stage->summary.max_task_ms, tasks = (double)stage->summary.tasks;
    longest_ms = lost_too ? fmax(longest_ms, longest_lost_ms(stage)) : longest_ms;
    return tasks > 0 && longest_ms * tasks > ratio * (double)stage->task_ms;
}

bool slow_tasks_hang(const struct stage *stage, double ratio, int64_t now_ms) {
    const struct stage_summary *s = &stage->summary;
    const struct stage_detail *detail = stage->detail;
    double longest_ms = (double)stage_longest_running_ms(stage, now_ms);
    if (stage->completed || s->tasks == 0 || longest_ms < RUNNING_LEAST_MS) {
        return false;
    }
    double ended = (double)s->tasks, running = detail->running_count, work_ms = 0;
    double all = fmax((double)s->tasks_expected, ended + running);
    for (uint32_t i = 0; i < detail->running_count; i++) {
        work_ms += fmax(0, (double)(now_ms - detail->running[i].launch_ms));
    }
    work_ms += (double)stage->task_ms + (all - ended - running) * s->mean_task_ms;
    return (double)s->tasks_expected != ended && longest_ms * all > ratio * work_ms;
}

struct sums {
    double n, ms, bytes, records, run_ms, cpu_ms, fetch_ms, gc_ms, delay_ms;
    unsigned cold, near, far;
};

static void add_task(struct sums *sum, const struct stage_task *t, double length_ms, bool cold) {
    sum->n++;
    sum->ms += length_ms;
    sum->bytes += (double)t->bytes;
    sum->records += (double)t->records;
    sum->run_ms += (double)t->run_ms;
    sum->cpu_ms += (double)t->cpu_ns / 1e6;
    sum->fetch_ms += (double)t->fetch_wait_ms;
    sum->gc_ms += (double)t->gc_ms;
    sum->delay_ms += (double)t->delay_ms;
    sum->cold += cold;
    sum->near += t->near;
    sum->far += t->far;
}

// The slow ones of those listed: longer than `above_ms`, and the slowest in any case.
struct slow_set {
    struct sums all, won; // won: those that succeeded, which are in the stage's sums
    bool is_in[STAGE_SLOW_TASKS];
    unsigned cold;              // of them, those that had not lost
    double longest_ms, left_ms; // the longest of them, and of those listed that are not slow
    double cold_ms, cold_least_ms, cold_longest_ms; // of the slow ones that were cold
    double warm_longest_ms;                         // the longest that was not
};

// It began with the stage's first task, when none had ended.
static bool is_of_first(const struct stage *stage, const struct stage_task *t, double length_ms) {
    double after_ms = (double)(t->launch_ms - stage->first_launch_ms);
    return !t->lost && after_ms <= fmin(FIRST_WAVE_MS, length_ms / 4);
}

// What a stage runs first is new to its executors, too (classes, code that is generated, workers):
// then the first tasks of nearly all its slots are slow ones.
static bool begins_slowly(const struct stage *stage, double above_ms) {
    const struct stage_detail *detail = stage->detail;
    double slots = cost_slots(stage), first = 0;
    for (uint32_t i = 0; i < detail->slow_count; i++) {
        const struct stage_task *t = &detail->slow[i];
        double length_ms = (double)stage_task_length_ms(stage, t);
        first += length_ms > above_ms && is_of_first(stage, t, length_ms);
    }
    bool waves = (double)stage->summary.tasks >= 2 * slots;
    return waves && first >= 2 && first >= fmin(slots, STAGE_SLOW_TASKS) * 3 / 4;
}

static void add_warmth(struct slow_set *set, const struct stage_task *t, double length_ms,
                       bool cold) {
    if (cold && !t->lost) {
        set->cold_ms += length_ms;
        set->cold_longest_ms = fmax(set->cold_longest_ms, length_ms);
        set->cold_least_ms = set->cold == 0 ? length_ms : fmin(set->cold_least_ms, length_ms);
        set->cold++;
    } else {
        set->warm_longest_ms = fmax(set->warm_longest_ms, length_ms);
    }
}

static struct slow_set pick_slow(const struct stage *stage, double above_ms) {
    const struct stage_detail *detail = stage->detail;
    struct slow_set set = {0};
    bool slow_begin = begins_slowly(stage, above_ms);
    for (uint32_t i = 0; i < detail->slow_count; i++) {
        const struct stage_task *t = &detail->slow[i];
        double length_ms = (double)stage_task_length_ms(stage, t);
        bool slowest = i == 0 && !t->lost;
        bool cold = t->cold || (slow_begin && is_of_first(stage, t, length_ms));
        set.is_in[i] = length_ms > above_ms || slowest;
        add_warmth(&set, t, length_ms, cold && set.is_in[i]);
        if (!set.is_in[i]) {
            set.left_ms = t->lost ? set.left_ms : fmax(set.left_ms, length_ms);
            continue;
        }
        set.longest_ms = fmax(set.longest_ms, length_ms);
        add_task(&set.all, t, length_ms, cold);
        if (!t->lost) {
            add_task(&set.won, t, length_ms, cold);
        }
    }
    return set;
}

static double per(double sum, double n) {
    return n > 0 ? sum / n : 0;
}

// The slow ones were warming up: all of them, or by far most of their extra time is theirs, or
// without those that were the rest is even. What warms up does so alike on most executors.
static bool is_cold(const struct stage *stage, const struct slow_set *set, double rest_ms) {
    if (2 * (int64_t)set->all.cold <= stage->cold_tasks ||
        set->cold_longest_ms > COLD_TIMES_MAX * set->cold_least_ms) {
        return false;
    }
    double warm = (double)stage->summary.tasks - set->cold;
    double warm_ms = (double)stage->task_ms - set->cold_ms;
    bool rest_is_even = set->warm_longest_ms * warm <= SLOW_TASKS_RATIO * warm_ms;
    double extra_ms = set->all.ms - set->all.n * rest_ms;
    bool most_is_cold = set->cold_ms - set->cold * rest_ms >= 0.8 * extra_ms;
    return set->all.cold == (unsigned)set->all.n ||
           (set->all.cold > 0 && (rest_is_even || most_is_cold));
}

// The host that holds most of the slow tasks although there are others, or -1; *there gets how
// many.
static int32_t common_host(const struct stage_detail *detail, const struct slow_set *set,
                           unsigned *there) {
    for (unsigned i = 0; i < detail->slow_count && detail->host_count > 1; i++) {
        unsigned same = 0;
        for (unsigned k = 0; k < detail->slow_count; k++) {
            same += set->is_in[k] && detail->slow[k].host == detail->slow[i].host;
        }
        if (set->is_in[i] && (double)same * 4 >= set->all.n * 3) {
            *there = same;
            return detail->slow[i].host;
        }
    }
    return -1;
}

static void compare_hosts(const struct app *app, const struct stage_detail *detail,
                          struct slow_tasks *out) {
    double there_ms = 0, there_n = 0, else_ms = 0, else_n = 0;
    for (uint32_t i = 0; i < detail->host_count; i++) {
        bool there = detail->hosts[i].host == out->host;
        *(there ? &there_ms : &else_ms) += (double)detail->hosts[i].task_ms;
        *(there ? &there_n : &else_n) += (double)detail->hosts[i].tasks;
    }
    out->hosts = detail->host_count;
    out->host_ms = per(there_ms, there_n);
    out->other_hosts_ms = per(else_ms, else_n);
    out->slow_host_stages = executors_slow_stages(&app->executors, out->host);
    out->host_again = out->slow_host_stages >= STAGES_ENOUGH;
}

// If time grew with the data, how much of the extra time would that be?
static double data_share(const struct slow_tasks *s) {
    bool by_bytes = s->rest_bytes > 0 || s->slow_bytes > 0;
    double slow = by_bytes ? s->slow_bytes : s->slow_records;
    double rest = by_bytes ? s->rest_bytes : s->rest_records;
    if (slow <= rest || s->slow_ms <= s->rest_ms) {
        return 0;
    }
    if (rest <= 0) {
        return 1; // only they had any
    }
    return fmin(1, s->rest_ms * (slow / rest - 1) / (s->slow_ms - s->rest_ms));
}

static bool has_more_data(const struct slow_tasks *s) {
    bool more_bytes = s->rest_bytes > 0 && s->slow_bytes >= 2 * s->rest_bytes;
    bool more_records = s->rest_records > 0 && s->slow_records >= 2 * s->rest_records;
    bool only_bytes = s->rest_bytes <= 0 && s->slow_bytes > 0;
    // What a copy did in time is not the data's fault.
    return s->lost == 0 && (more_bytes || only_bytes || (more_records && s->rest_bytes <= 0));
}

static bool is_slow_host(const struct slow_tasks *s) {
    bool enough = s->hosts >= HOSTS_ENOUGH || s->on_host >= ON_HOST_ENOUGH;
    bool told = (s->count > 1 && enough) || s->host_again;
    return s->host >= 0 && told && s->host_ms >= 2 * s->other_hosts_ms;
}

// They read from another node, most of the others from their own, and more than half of their time
// is waiting that nothing else explains.
static bool are_far(const struct slow_tasks *s) {
    double waited_ms = s->slow_run_ms - s->slow_cpu_ms - s->slow_gc_ms - s->slow_fetch_ms;
    return s->reads_input && !s->outside && s->far * 4 >= s->count * 3 && s->near > 0.5 * s->rest &&
           waited_ms > 0.5 * s->slow_ms;
}

// What more than half of their time went to, if that is told.
static enum cause waited_for(const struct slow_tasks *s) {
    double half_ms = 0.5 * s->slow_ms;
    if (s->slow_delay_ms > half_ms) {
        return CAUSE_SCHEDULING;
    }
    if (s->slow_gc_ms > half_ms) {
        return CAUSE_GC;
    }
    if (s->slow_fetch_ms > half_ms) {
        return CAUSE_FETCH_WAIT;
    }
    return s->slow_fetch_ms + s->slow_gc_ms > half_ms ? CAUSE_BLOCKED : CAUSE_NONE;
}

static enum cause told_by_cpu(const struct slow_tasks *s) {
    if (!s->has_cpu || s->slow_run_ms <= 0) {
        return CAUSE_UNKNOWN;
    }
    // On the CPU for longer with the same data, and a copy has the same records; or, where the work
    // is outside the JVM (Python), as far off the CPU as all the others.
    bool busier = s->slow_cpu_ms >= 2 * s->rest_cpu_ms && s->slow_cpu_share >= 0.3;
    bool as_the_rest = s->rest_cpu_share < 0.3 && s->slow_cpu_share < 0.3;
    if (!busier && are_far(s)) {
        return CAUSE_LOCALITY;
    }
    if (s->lost == 0 && (busier || as_the_rest)) {
        return CAUSE_COSTLY_RECORDS;
    }
    return s->slow_cpu_share < 0.3 ? CAUSE_BLOCKED : CAUSE_UNKNOWN;
}

static enum cause find_cause(const struct slow_tasks *s) {
    bool more_data = has_more_data(s);
    if (more_data && s->data_share >= data_share_least) {
        return CAUSE_DATA;
    }
    if (is_slow_host(s)) {
        return CAUSE_SLOW_HOST;
    }
    if (more_data) {
        enum cause waited = waited_for(s);
        return waited != CAUSE_NONE ? waited : CAUSE_DATA;
    }
    if (s->cold && s->lost == 0 && s->slow_ms - s->rest_ms <= COLD_START_MAX_MS) {
        return CAUSE_COLD_START;
    }
    enum cause waited = waited_for(s);
    return waited != CAUSE_NONE ? waited : told_by_cpu(s);
}

// The stage's own tasks replayed on its slots with the slow ones as fast as the rest: it is never
// shorter than its work over its slots or the longest task left, and gains no more than the slow
// tasks exceed the mean by, one after the other where there are more of them than slots.
static double saving_s(const struct stage *stage, const struct slow_set *set,
                       const struct slow_tasks *slow) {
    double wall_ms = (double)(stage_wall_ms(stage) - stage_wait_ms(stage));
    double slots = slots_of(stage, wall_ms), tasks = (double)stage->summary.tasks;
    if (slow->cause == CAUSE_SLOW_HOST) { // all tasks as fast as on the other hosts
        double even_ms = tasks * slow->other_hosts_ms / slots;
        return fmax(0, wall_ms - fmax(even_ms, slow->other_hosts_ms)) / 1000;
    }
    double gain_ms = ceil(set->all.n / slots) * (set->longest_ms - stage->summary.mean_task_ms);
    double work_ms = (double)stage->task_ms - set->won.ms + set->won.n * slow->rest_ms;
    double left_ms = fmax(set->left_ms, slow->rest_ms);
    return fmax(0, fmin(gain_ms, wall_ms - fmax(work_ms / slots, left_ms))) / 1000;
}

// The slow ones among those that still run. Of what they do nothing is told before they end but
// where: what is known of those that ended tells the cause, if these are uneven themselves.
static void add_running(const struct app *app, const struct stage *stage, double above_ms,
                        struct slow_tasks *out) {
    const struct stage_detail *detail = stage->detail;
    int64_t now_ms = app->now_ms;
    int32_t host = -1;
    double longest_ms = 0;
    for (uint32_t i = 0; i < detail->running_count && !stage->completed; i++) {
        const struct stage_running *task = &detail->running[i];
        double length_ms = (double)(now_ms - task->launch_ms);
        if (length_ms < RUNNING_LEAST_MS || length_ms <= above_ms) {
            continue;
        }
        out->running_index = length_ms > longest_ms ? task->index : out->running_index;
        longest_ms = fmax(longest_ms, length_ms);
        host = out->running++ == 0 || host == task->host ? task->host : -1;
    }
    if (longest_ms <= out->longest_ms) {
        out->running = 0;
        return;
    }
    out->longest_ms = longest_ms;
    double wall_ms = (double)(now_ms - stage_began_ms(stage) - stage_wait_ms(stage));
    double gain_ms = longest_ms - stage->summary.mean_task_ms;
    out->saving_s = fmax(0, fmin(gain_ms, wall_ms - out->rest_ms)) / 1000;
    if (slow_tasks_rule(stage, SLOW_TASKS_RATIO, true)) {
        return;
    }
    out->host = host;
    out->on_host = host >= 0 ? out->running : 0;
    out->count = out->running;
    compare_hosts(app, detail, out);
    out->cause = is_slow_host(out) ? CAUSE_SLOW_HOST : CAUSE_UNKNOWN;
}

bool slow_tasks_are_of_data(const struct stage *stage, const struct slow_tasks *slow) {
    bool may_be = slow->running > 0 && slow->cause == CAUSE_UNKNOWN;
    return slow->cause == CAUSE_DATA || (may_be && stage->summary.shuffle_read_bytes > 0);
}

// Where they ran, as seen from their data.
static void compare_localities(const struct app *app, const struct stage *stage,
                               const struct slow_set *set, struct slow_tasks *out) {
    const struct stage_summary *s = &stage->summary;
    out->far = set->all.far;
    out->rest = (double)s->tasks - set->won.n;
    out->near = (double)stage->near_tasks - set->won.near;
    out->reads_input = s->input_bytes > 0 || s->input_records > 0;
    out->outside = app->foreign_engine || stage->python;
}

void slow_tasks_compare(const struct app *app, const struct stage *stage, struct slow_tasks *out) {
    const struct stage_summary *s = &stage->summary;
    *out = (struct slow_tasks){
        .cause = CAUSE_UNKNOWN, .host = -1, .longest_ms = (double)s->max_task_ms};
    const struct stage_detail *detail = stage->detail;
    if (detail == NULL || detail->slow_count == 0) {
        return;
    }
    double typical_ms = sketch_quantile(&detail->durations_ms, 0.5);
    double above_ms = fmax(2 * typical_ms, s->mean_task_ms);
    struct slow_set set = pick_slow(stage, above_ms);
    const struct sums *slow = &set.all, *won = &set.won;
    double rest_n = (double)s->tasks - won->n;
    if (rest_n <= 0 || slow->n <= 0) {
        return;
    }
    out->count = (unsigned)slow->n;
    out->lost = (unsigned)(slow->n - won->n);
    out->longest_ms = set.longest_ms;
    out->slow_ms = per(slow->ms, slow->n);
    out->rest_ms = per((double)stage->task_ms - won->ms, rest_n);
    out->cold = is_cold(stage, &set, out->rest_ms);
    out->cold_count = slow->cold;
    out->slow_bytes = per(slow->bytes, slow->n);
    out->rest_bytes = per((double)stage->bytes - won->bytes, rest_n);
    out->slow_records = per(slow->records, slow->n);
    out->rest_records = per((double)stage->records - won->records, rest_n);
    out->data_share = data_share(out);
    double rest_cpu_ms = (double)s->cpu_ns / 1e6 - won->cpu_ms;
    out->has_cpu = stage_tells_cpu(stage);
    out->slow_run_ms = per(slow->run_ms, slow->n);
    out->slow_cpu_ms = per(slow->cpu_ms, slow->n);
    out->rest_cpu_ms = per(rest_cpu_ms, rest_n);
    out->slow_cpu_share = per(slow->cpu_ms, slow->run_ms);
    out->rest_cpu_share = per(rest_cpu_ms, (double)s->run_ms - won->run_ms);
    out->slow_fetch_ms = per(slow->fetch_ms, slow->n);
    out->slow_gc_ms = per(slow->gc_ms, slow->n);
    out->slow_delay_ms = per(slow->delay_ms, slow->n);
    out->host = common_host(detail, &set, &out->on_host);
    compare_hosts(app, detail, out);
    compare_localities(app, stage, &set, out);
    out->cause = find_cause(out);
    out->saving_s = saving_s(stage, &set, out);
    add_running(app, stage, above_ms, out);
}

void slow_tasks_evidence(const struct stage *stage, const struct slow_tasks *slow,
                         struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "max_task_ms", slow->longest_ms);
    verdict_evidence(out, "mean_task_ms", s->mean_task_ms);
    if (stage->detail != NULL) {
        verdict_evidence(out, "median_task_ms", sketch_quantile(&stage->detail->durations_ms, 0.5));
    }
    verdict_evidence(out, "stage_wall_ms", (double)stage_wall_ms(stage));
    verdict_evidence(out, "slots", (double)stage->slots);
    verdict_evidence(out, "slow_tasks", slow->count);
    verdict_evidence(out, "slow_tasks_lost_to_a_copy", slow->lost);
    verdict_evidence(out, "slow_tasks_running", slow->running);
    if (slow->count == 0) {
        return;
    }
    verdict_evidence(out, "slow_task_bytes", slow->slow_bytes);
    verdict_evidence(out, "other_task_bytes", slow->rest_bytes);
    verdict_evidence(out, "slow_task_records", slow->slow_records);
    verdict_evidence(out, "other_task_records", slow->rest_records);
    verdict_evidence(out, "data_share", slow->data_share);
    verdict_evidence(out, "slow_task_cpu_ms", slow->slow_cpu_ms);
    verdict_evidence(out, "other_task_cpu_ms", slow->rest_cpu_ms);
    verdict_evidence(out, "slow_task_fetch_wait_ms", slow->slow_fetch_ms);
    verdict_evidence(out, "slow_task_gc_ms", slow->slow_gc_ms);
    verdict_evidence(out, "slow_task_scheduler_delay_ms", slow->slow_delay_ms);
    verdict_evidence(out, "slow_tasks_cold", slow->cold_count);
    if (slow->cause == CAUSE_LOCALITY) { // not beside a host's: there is room for so many
        verdict_evidence(out, "slow_tasks_far", slow->far);
        verdict_evidence(out, "other_tasks_near", slow->near);
    } else if (slow->host >= 0) {
        verdict_evidence(out, "slow_host_task_ms", slow->host_ms);
        verdict_evidence(out, "other_hosts_task_ms", slow->other_hosts_ms);
        verdict_evidence(out, "slow_host_stages", slow->slow_host_stages);
    }
}

void slow_tasks_tell_running(const struct stage *stage, const struct slow_tasks *slow,
                             const char *why, struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    char took[SPAN_TEXT_SIZE], more[48] = "";
    if (slow->running > 1) {
        snprintf(more, sizeof more, " and %u more", slow->running - 1);
    }
    verdict_summary(out,
                    "stage %d: task %d%s still run%s, for %s so far, %.1f times the mean of the "
                    "%lld that ended%s%s",
                    (int)s->stage, (int)slow->running_index, more, slow->running > 1 ? "" : "s",
                    span_format_ms(slow->longest_ms, took),
                    s->mean_task_ms > 0 ? slow->longest_ms / s->mean_task_ms : 0,
                    (long long)s->tasks, why[0] == '\0' ? "" : ": ", why);
}
