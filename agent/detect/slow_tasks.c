// slow_tasks: why are the slowest tasks slow? Bytes and records say data; one host says that host;
// more CPU on equal data says costly records; waiting says blocked. Called by data_skew and
// straggler.
#include "slow_tasks.h"

#include <math.h>

bool slow_tasks_rule(const struct stage *stage, double ratio) {
    const struct stage_summary *s = &stage->summary;
    return s->tasks > 0 &&
           (double)s->max_task_ms * (double)s->tasks > ratio * (double)stage->task_ms;
}

struct sums {
    double n, ms, bytes, records, run_ms, cpu_ms, fetch_ms, gc_ms, delay_ms;
    unsigned cold;
};

static struct sums sum_slow(const struct stage_detail *detail, double above_ms) {
    struct sums sum = {0};
    for (uint32_t i = 0; i < detail->slow_count; i++) {
        const struct stage_task *t = &detail->slow[i];
        if ((double)t->duration_ms <= above_ms && i > 0) {
            break; // sorted, slowest first
        }
        sum.n++;
        sum.ms += (double)t->duration_ms;
        sum.bytes += (double)t->bytes;
        sum.records += (double)t->records;
        sum.run_ms += (double)t->run_ms;
        sum.cpu_ms += (double)t->cpu_ns / 1e6;
        sum.fetch_ms += (double)t->fetch_wait_ms;
        sum.gc_ms += (double)t->gc_ms;
        sum.delay_ms += (double)t->delay_ms;
        sum.cold += t->cold;
    }
    return sum;
}

static double per(double sum, double n) {
    return n > 0 ? sum / n : 0;
}

// The host that holds most of the slow tasks although there are others, or -1; *there gets how
// many.
static int32_t common_host(const struct stage_detail *detail, unsigned count, unsigned *there) {
    for (unsigned i = 0; i < count && detail->host_count > 1; i++) {
        unsigned same = 0;
        for (unsigned k = 0; k < count; k++) {
            same += detail->slow[k].host == detail->slow[i].host;
        }
        if (same * 4 >= count * 3) {
            *there = same;
            return detail->slow[i].host;
        }
    }
    return -1;
}

static void compare_hosts(const struct stage_detail *detail, struct slow_tasks *out) {
    double there_ms = 0, there_n = 0, else_ms = 0, else_n = 0;
    for (uint32_t i = 0; i < detail->host_count; i++) {
        bool there = detail->hosts[i].host == out->host;
        *(there ? &there_ms : &else_ms) += (double)detail->hosts[i].task_ms;
        *(there ? &there_n : &else_n) += (double)detail->hosts[i].tasks;
    }
    out->host_ms = per(there_ms, there_n);
    out->other_hosts_ms = per(else_ms, else_n);
}

static enum cause find_cause(const struct slow_tasks *s) {
    bool more_bytes = s->rest_bytes > 0 && s->slow_bytes >= 2 * s->rest_bytes;
    bool more_records = s->rest_records > 0 && s->slow_records >= 2 * s->rest_records;
    bool only_bytes = s->rest_bytes <= 0 && s->slow_bytes > 0;
    if (more_bytes || only_bytes || (more_records && s->rest_bytes <= 0)) {
        return CAUSE_DATA;
    }
    if (s->host >= 0 && s->count > 1 && s->host_ms >= 2 * s->other_hosts_ms) {
        return CAUSE_SLOW_HOST;
    }
    if (s->cold) {
        return CAUSE_UNKNOWN;
    }
    if (s->slow_delay_ms > 0.5 * s->slow_ms) {
        return CAUSE_SCHEDULING;
    }
    if (s->slow_fetch_ms + s->slow_gc_ms > 0.5 * s->slow_ms) {
        return CAUSE_BLOCKED;
    }
    // On the CPU for longer with the same data; or, where the work is outside the JVM (Python), as
    // far off the CPU as all the others.
    bool busier = s->slow_cpu_ms >= 2 * s->rest_cpu_ms && s->slow_cpu_share >= 0.3;
    bool as_the_rest = s->rest_cpu_share < 0.3 && s->slow_cpu_share < 0.3;
    if (busier || as_the_rest) {
        return CAUSE_COSTLY_RECORDS;
    }
    return s->slow_cpu_share < 0.3 ? CAUSE_BLOCKED : CAUSE_UNKNOWN;
}

void slow_tasks_compare(const struct stage *stage, struct slow_tasks *out) {
    const struct stage_summary *s = &stage->summary;
    *out = (struct slow_tasks){.cause = CAUSE_UNKNOWN, .host = -1};
    // With a slot for it, the slowest task keeps the stage up for as long as it exceeds the mean.
    double excess_ms = (double)s->max_task_ms - s->mean_task_ms;
    double wall_ms = (double)(stage_wall_ms(stage) - stage_wait_ms(stage));
    out->saving_s = fmax(0, fmin(excess_ms, wall_ms - s->mean_task_ms)) / 1000.0;
    const struct stage_detail *detail = stage->detail;
    if (detail == NULL || detail->slow_count == 0) {
        return;
    }
    double typical_ms = sketch_quantile(&detail->durations_ms, 0.5);
    struct sums slow = sum_slow(detail, fmax(2 * typical_ms, s->mean_task_ms));
    double rest_n = (double)s->tasks - slow.n;
    if (rest_n <= 0) {
        return;
    }
    out->count = (unsigned)slow.n;
    out->cold = slow.cold == out->count;
    out->slow_ms = per(slow.ms, slow.n);
    out->rest_ms = per((double)stage->task_ms - slow.ms, rest_n);
    out->slow_bytes = per(slow.bytes, slow.n);
    out->rest_bytes = per((double)stage->bytes - slow.bytes, rest_n);
    out->slow_records = per(slow.records, slow.n);
    out->rest_records = per((double)stage->records - slow.records, rest_n);
    double rest_cpu_ms = (double)s->cpu_ns / 1e6 - slow.cpu_ms;
    out->slow_cpu_ms = per(slow.cpu_ms, slow.n);
    out->rest_cpu_ms = per(rest_cpu_ms, rest_n);
    out->slow_cpu_share = per(slow.cpu_ms, slow.run_ms);
    out->rest_cpu_share = per(rest_cpu_ms, (double)s->run_ms - slow.run_ms);
    out->slow_fetch_ms = per(slow.fetch_ms, slow.n);
    out->slow_gc_ms = per(slow.gc_ms, slow.n);
    out->slow_delay_ms = per(slow.delay_ms, slow.n);
    out->host = common_host(detail, out->count, &out->on_host);
    compare_hosts(detail, out);
    out->cause = find_cause(out);
    if (out->cause == CAUSE_SLOW_HOST) { // all tasks as fast as on the other hosts
        double slots = stage->slots > 0 ? (double)stage->slots : 1;
        double even_ms = (double)s->tasks * out->other_hosts_ms / slots;
        out->saving_s = fmax(0, wall_ms - fmax(even_ms, out->other_hosts_ms)) / 1000.0;
    }
}

void slow_tasks_evidence(const struct stage *stage, const struct slow_tasks *slow,
                         struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "max_task_ms", (double)s->max_task_ms);
    verdict_evidence(out, "mean_task_ms", s->mean_task_ms);
    if (stage->detail != NULL) {
        verdict_evidence(out, "median_task_ms", sketch_quantile(&stage->detail->durations_ms, 0.5));
    }
    verdict_evidence(out, "stage_wall_ms", (double)stage_wall_ms(stage));
    verdict_evidence(out, "slots", (double)stage->slots);
    verdict_evidence(out, "slow_tasks", slow->count);
    if (slow->count == 0) {
        return;
    }
    verdict_evidence(out, "slow_task_bytes", slow->slow_bytes);
    verdict_evidence(out, "other_task_bytes", slow->rest_bytes);
    verdict_evidence(out, "slow_task_records", slow->slow_records);
    verdict_evidence(out, "other_task_records", slow->rest_records);
    verdict_evidence(out, "slow_task_cpu_ms", slow->slow_cpu_ms);
    verdict_evidence(out, "other_task_cpu_ms", slow->rest_cpu_ms);
    verdict_evidence(out, "slow_task_fetch_wait_ms", slow->slow_fetch_ms);
    verdict_evidence(out, "slow_task_gc_ms", slow->slow_gc_ms);
    verdict_evidence(out, "slow_task_scheduler_delay_ms", slow->slow_delay_ms);
    verdict_evidence(out, "slow_tasks_cold", slow->cold ? slow->count : 0);
    if (slow->host >= 0) {
        verdict_evidence(out, "slow_host_task_ms", slow->host_ms);
        verdict_evidence(out, "other_hosts_task_ms", slow->other_hosts_ms);
    }
}
