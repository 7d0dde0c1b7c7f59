// exposition: writes the page family by family, HELP and TYPE once each. Called by the agent's
// loop. Must never write the same series twice.
#include "serve/exposition.h"

#include <math.h>

#include "base/histogram.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "families.h"
#include "label.h"
#include "pipeline_slots.h"

struct exposition {
    struct pipeline_slots *slots;
};

struct exposition *exposition_new(size_t pipelines_max) {
    struct exposition *exposition = mem_zalloc(1, sizeof *exposition);
    exposition->slots = pipeline_slots_new(pipelines_max);
    return exposition;
}

void exposition_free(struct exposition *exposition) {
    if (exposition != NULL) {
        pipeline_slots_free(exposition->slots);
        mem_free(exposition);
    }
}

static void add_head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_number(struct buf *out, double value) {
    if (isfinite(value)) {
        buf_add_json_number(out, value);
    } else {
        buf_add_text(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    }
}

static const char *type_name(enum metric_type type) {
    return type == METRIC_COUNTER ? "counter" : "gauge";
}

static void add_own(struct buf *out) {
    const char *family = "";
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = metrics_row((enum metric)m);
        if (strcmp(row->name, family) != 0) {
            add_head(out, row->name, type_name(row->type), row->help);
            family = row->name;
        }
        const char *open = row->label[0] != '\0' ? "{" : "", *close = open[0] != '\0' ? "}" : "";
        buf_printf(out, "%s%s%s%s %lld\n", row->name, open, row->label, close,
                   (long long)metrics_get((enum metric)m));
    }
}

static void add_family(struct buf *out, enum family_id id) {
    const struct family *family = family_of(id);
    add_head(out, family->name, family->type, family->help);
}

// A family of one series; left out where the system does not tell.
static void add_single(struct buf *out, enum family_id id, double value) {
    if (value >= 0) {
        add_family(out, id);
        buf_printf(out, "%s ", family_of(id)->name);
        add_number(out, value);
        buf_add_char(out, '\n');
    }
}

static void add_build_and_process(struct buf *out, const struct exposition_input *input) {
    const struct exposition_process *process = &input->process;
    add_family(out, FAMILY_BUILD_INFO);
    buf_printf(out, "%s{version=\"", family_of(FAMILY_BUILD_INFO)->name);
    label_add_value(out, str_of(input->version));
    buf_add_text(out, "\"} 1\n");
    add_single(out, FAMILY_CPU, process->cpu_seconds);
    add_single(out, FAMILY_START, process->start_time_seconds);
    add_single(out, FAMILY_RESIDENT, (double)process->resident_bytes);
    add_single(out, FAMILY_VIRTUAL, (double)process->virtual_bytes);
    add_single(out, FAMILY_OPEN_FDS, (double)process->open_fds);
    add_single(out, FAMILY_MAX_FDS, (double)process->max_fds);
    add_single(out, FAMILY_THREADS, (double)process->threads);
}

static void add_memory(struct buf *out) {
    add_family(out, FAMILY_MEMORY);
    for (int room = 0; room < MEM_ROOM_COUNT; room++) {
        buf_printf(out, "%s{room=\"%s\"} %lld\n", family_of(FAMILY_MEMORY)->name,
                   mem_room_name((enum mem_room)room),
                   (long long)mem_room_bytes((enum mem_room)room));
    }
}

static void add_commits(struct buf *out) {
    const char *name = family_of(FAMILY_COMMIT)->name;
    int64_t below = 0;
    add_family(out, FAMILY_COMMIT);
    for (int i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        below += histogram_bucket(HISTOGRAM_COMMIT, i);
        buf_printf(out, "%s_bucket{le=\"", name);
        if (i < HISTOGRAM_BUCKETS) {
            add_number(out, (double)histogram_bounds_ms[i] / 1000);
        } else {
            buf_add_text(out, "+Inf");
        }
        buf_printf(out, "\"} %lld\n", (long long)below);
    }
    buf_printf(out, "%s_sum ", name);
    add_number(out, (double)histogram_sum_ms(HISTOGRAM_COMMIT) / 1000);
    buf_printf(out, "\n%s_count %lld\n", name, (long long)below);
}

struct family_page {
    struct buf *out;
    enum family_id id;
};

static void add_histogram(struct buf *out, const char *name, const char *label,
                          const struct pipeline_sums *sums) {
    int64_t below = 0;
    for (size_t i = 0; i <= PIPELINE_DURATION_BUCKETS; i++) {
        sat_inc(&below, sums->duration_buckets[i]);
        buf_printf(out, "%s_bucket{pipeline=\"%s\",le=\"", name, label);
        if (i < PIPELINE_DURATION_BUCKETS) {
            add_number(out, pipeline_duration_bounds_s[i]);
        } else {
            buf_add_text(out, "+Inf");
        }
        buf_printf(out, "\"} %lld\n", (long long)below);
    }
    buf_printf(out, "%s_sum{pipeline=\"%s\"} ", name, label);
    add_number(out, sums->duration_sum_s);
    buf_printf(out, "\n%s_count{pipeline=\"%s\"} %lld\n", name, label, (long long)below);
}

static void add_open(struct buf *out, const char *name, const char *label,
                     const struct pipeline_sums *sums) {
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        buf_printf(out, "%s{pipeline=\"%s\",severity=\"%s\"} %lld\n", name, label,
                   severity_name((enum severity)severity), (long long)sums->open[severity]);
    }
}

static void add_pipeline(void *ctx, const char *label, const struct pipeline_sums *sums) {
    const struct family_page *page = ctx;
    struct buf *out = page->out;
    const char *name = family_of(page->id)->name;
    if (page->id == FAMILY_DURATION) {
        add_histogram(out, name, label, sums);
        return;
    }
    if (page->id == FAMILY_OPEN) {
        add_open(out, name, label, sums);
        return;
    }
    buf_printf(out, "%s{pipeline=\"%s\"} ", name, label);
    if (page->id == FAMILY_THROUGHPUT) {
        add_number(out, sums->records_per_s);
    } else {
        int64_t value = page->id == FAMILY_RUNS      ? sums->runs
                        : page->id == FAMILY_RECORDS ? sums->records
                                                     : sums->errors;
        buf_printf(out, "%lld", (long long)value);
    }
    buf_add_char(out, '\n');
}

void exposition_render(struct exposition *exposition, const struct exposition_input *input,
                       struct buf *out) {
    add_build_and_process(out, input);
    add_memory(out);
    add_own(out);
    add_commits(out);
    pipeline_slots_fill(exposition->slots, input->pipelines, input->pipeline_count);
    for (int id = FAMILY_DURATION; id < FAMILY_COUNT; id++) {
        struct family_page page = {out, (enum family_id)id};
        add_family(out, page.id);
        pipeline_slots_each(exposition->slots, add_pipeline, &page);
    }
}
