// exposition: the metric families, the page that Prometheus reads and the page that documents them.
// Called by the agent's loop and by the command that prints the reference pages. Must never write
// the same series twice, nor a page that documents other families than are shown.
#include "serve/exposition.h"

#include <math.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"

// The families that are no rows of metrics.def: build, process, pipelines.
enum family_id {
    FAMILY_BUILD_INFO,
    FAMILY_CPU,
    FAMILY_START,
    FAMILY_RESIDENT,
    FAMILY_VIRTUAL,
    FAMILY_OPEN_FDS,
    FAMILY_MAX_FDS,
    FAMILY_THREADS,
    FAMILY_MEMORY,
    FAMILY_COMMIT,
    FAMILY_DURATION,
    FAMILY_RUNS,
    FAMILY_RECORDS,
    FAMILY_ERRORS,
    FAMILY_THROUGHPUT,
    FAMILY_OPEN,
    FAMILY_COUNT
};

struct family {
    const char *name, *type;
    const char *labels; // names, comma-separated, for the documentation
    const char *help;
};

static const struct family families[FAMILY_COUNT] = {
    [FAMILY_BUILD_INFO] = {"stoker_build_info", "gauge", "version",
                           "Always 1; the version of the running agent is the label."},
    [FAMILY_CPU] = {"process_cpu_seconds_total", "counter", "",
                    "User and system CPU time of the agent in seconds."},
    [FAMILY_START] = {"process_start_time_seconds", "gauge", "",
                      "Unix time at which the agent started."},
    [FAMILY_RESIDENT] = {"process_resident_memory_bytes", "gauge", "",
                         "Memory of the agent that is in RAM."},
    [FAMILY_VIRTUAL] = {"process_virtual_memory_bytes", "gauge", "", "Address space of the agent."},
    [FAMILY_OPEN_FDS] = {"process_open_fds", "gauge", "", "Open file descriptors of the agent."},
    [FAMILY_MAX_FDS] = {"process_max_fds", "gauge", "",
                        "Most file descriptors the agent may open."},
    [FAMILY_THREADS] = {"process_threads", "gauge", "", "Threads of the agent."},
    [FAMILY_MEMORY] = {"stoker_memory_bytes", "gauge", "room",
                       "Memory held now, by the part of the program that asked for it; that of "
                       "libraries, such as the Kafka client's queues, is only in "
                       "process_resident_memory_bytes."},
    [FAMILY_COMMIT] = {"stoker_commit_duration_seconds", "histogram", "",
                       "How long commits took, from their begin to the broker's answer."},
    [FAMILY_DURATION] = {"stoker_pipeline_duration_seconds", "histogram", "pipeline",
                         "Duration of the pipeline's ended runs."},
    [FAMILY_RUNS] = {"stoker_pipeline_runs_total", "counter", "pipeline",
                     "Ended runs of the pipeline."},
    [FAMILY_RECORDS] = {"stoker_pipeline_records_total", "counter", "pipeline",
                        "Records the pipeline's runs went through, running ones included."},
    [FAMILY_ERRORS] = {"stoker_pipeline_errors_total", "counter", "pipeline",
                       "Runs of the pipeline that failed, were killed or were lost."},
    [FAMILY_THROUGHPUT] = {"stoker_pipeline_throughput_records_per_second", "gauge", "pipeline",
                           "Records a second of the pipeline's newest ended run."},
    [FAMILY_OPEN] = {"stoker_pipeline_open_bottlenecks", "gauge", "pipeline, severity",
                     "Bottlenecks of the pipeline that are open now, by severity."},
};

static const struct family *family_of(enum family_id id) {
    require((unsigned)id < FAMILY_COUNT);
    return &families[id];
}

// Appends `text` as a label value without its quotes: backslash, quote and line end escaped, bad
// UTF-8 replaced by U+FFFD, unseen characters written as \uNNNN, so that whoever compares two names
// sees why they are two. Prometheus throws away a whole page for one bad byte.
static void add_label_value(struct buf *out, struct str text) {
    struct str_char c;
    while (str_next(&text, &c)) {
        if (c.byte == '\\' || c.byte == '"') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c.byte);
        } else if (c.byte == '\n') {
            buf_add_text(out, "\\n");
        } else if (str_is_unseen(c.code)) {
            buf_printf(out, "\\\\u%04x", (unsigned)c.code);
        } else {
            buf_add_str(out, c.shown);
        }
    }
}

#define OTHER "other"

struct pipeline_sums {
    int64_t duration_buckets[PIPELINE_DURATION_BUCKETS + 1];
    double duration_sum_s, records_per_s;
    int64_t runs, records, errors;
    int64_t open[SEVERITY_COUNT];
};

struct slot {
    char *label; // key
    bool own;    // false: shown under "other"
    bool seen;   // in this set
    struct pipeline_sums sums;
    UT_hash_handle hh;
};

// A hash by cleaned name, in the order pipelines were first seen.
struct exposition {
    size_t own_max, own_count;
    struct slot *table;
    bool others; // "other" has something to show
    struct pipeline_sums other;
};

struct exposition *exposition_new(size_t pipelines_max) {
    struct exposition *exposition = mem_zalloc(1, sizeof *exposition);
    exposition->own_max = pipelines_max;
    return exposition;
}

static void drop(struct exposition *exposition, struct slot *slot) {
    HASH_DEL(exposition->table, slot);
    exposition->own_count -= slot->own;
    mem_free(slot->label);
    mem_free(slot);
}

void exposition_free(struct exposition *exposition) {
    if (exposition == NULL) {
        return;
    }
    struct slot *slot = NULL, *next = NULL;
    HASH_ITER(hh, exposition->table, slot, next) {
        drop(exposition, slot);
    }
    mem_free(exposition);
}

static void add_up(struct pipeline_sums *sums, const struct pipeline_stats *stats) {
    for (size_t i = 0; i <= PIPELINE_DURATION_BUCKETS; i++) {
        sat_inc(&sums->duration_buckets[i], stats->duration_buckets[i]);
    }
    for (size_t i = 0; i < SEVERITY_COUNT; i++) {
        sat_inc(&sums->open[i], stats->open_bottlenecks[i]);
    }
    sums->duration_sum_s += stats->duration_sum_s;
    sums->records_per_s += stats->records_per_s;
    sat_inc(&sums->runs, stats->runs);
    sat_inc(&sums->records, stats->records_total);
    sat_inc(&sums->errors, stats->errors_total);
}

static struct slot *find(struct exposition *exposition, const char *label) {
    struct slot *slot;
    HASH_FIND(hh, exposition->table, label, strlen(label), slot);
    if (slot == NULL) {
        slot = mem_zalloc(1, sizeof *slot);
        slot->label = mem_strdup(label);
        slot->own = exposition->own_count < exposition->own_max && strcmp(label, OTHER) != 0;
        exposition->own_count += slot->own;
        HASH_ADD_KEYPTR(hh, exposition->table, slot->label, strlen(slot->label), slot);
    }
    return slot;
}

// Adds up a new set of pipelines; those of the last set that are missing are forgotten. Two names
// that look the same once cleaned are one series: a page with the same series twice would lose
// numbers silently.
static void fill_slots(struct exposition *exposition, const struct pipeline_stats *pipelines,
                       size_t count) {
    struct slot *slot = NULL, *next = NULL;
    HASH_ITER(hh, exposition->table, slot, next) {
        slot->seen = false;
        slot->sums = (struct pipeline_sums){0};
    }
    exposition->others = false;
    exposition->other = (struct pipeline_sums){0};
    struct buf label = {0};
    for (size_t i = 0; i < count; i++) {
        buf_clear(&label);
        add_label_value(&label, str_of(pipelines[i].pipeline));
        slot = find(exposition, buf_text(&label));
        slot->seen = true;
        exposition->others |= !slot->own;
        add_up(slot->own ? &slot->sums : &exposition->other, &pipelines[i]);
    }
    buf_fini(&label);
    HASH_ITER(hh, exposition->table, slot, next) {
        if (!slot->seen) {
            drop(exposition, slot);
        }
    }
    require(exposition->own_count <= exposition->own_max);
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
    add_label_value(out, str_of(input->version));
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

static void add_pipeline(struct buf *out, enum family_id id, const char *label,
                         const struct pipeline_sums *sums) {
    const char *name = family_of(id)->name;
    if (id == FAMILY_DURATION) {
        add_histogram(out, name, label, sums);
        return;
    }
    if (id == FAMILY_OPEN) {
        add_open(out, name, label, sums);
        return;
    }
    buf_printf(out, "%s{pipeline=\"%s\"} ", name, label);
    if (id == FAMILY_THROUGHPUT) {
        add_number(out, sums->records_per_s);
    } else {
        int64_t value = id == FAMILY_RUNS      ? sums->runs
                        : id == FAMILY_RECORDS ? sums->records
                                               : sums->errors;
        buf_printf(out, "%lld", (long long)value);
    }
    buf_add_char(out, '\n');
}

// One family with all its series, in the order pipelines were first seen.
static void add_pipelines(struct buf *out, const struct exposition *exposition, enum family_id id) {
    add_family(out, id);
    for (const struct slot *slot = exposition->table; slot != NULL; slot = slot->hh.next) {
        if (slot->own) {
            add_pipeline(out, id, slot->label, &slot->sums);
        }
    }
    if (exposition->others) {
        add_pipeline(out, id, OTHER, &exposition->other);
    }
}

void exposition_render(struct exposition *exposition, const struct exposition_input *input,
                       struct buf *out) {
    add_build_and_process(out, input);
    add_memory(out);
    add_own(out);
    add_commits(out);
    fill_slots(exposition, input->pipelines, input->pipeline_count);
    for (int id = FAMILY_DURATION; id < FAMILY_COUNT; id++) {
        add_pipelines(out, exposition, (enum family_id)id);
    }
}

static void add_row(struct buf *out, const char *name, const char *type, const char *labels,
                    const char *help) {
    buf_printf(out, "| `%s` | %s | %s | %s |\n", name, type, labels, help);
}

// The label's name and all values in the family that begins at row `m`: `reason`: a, b.
static int add_family_row(struct buf *out, int m) {
    const struct metric_row *first = metrics_row((enum metric)m);
    struct buf labels = {0};
    for (; m < METRIC_COUNT; m++) {
        const struct metric_row *row = metrics_row((enum metric)m);
        const char *value = strchr(row->label, '"');
        if (strcmp(row->name, first->name) != 0) {
            break;
        }
        if (value != NULL) {
            if (labels.len == 0) {
                buf_printf(&labels, "`%.*s`: ", (int)(value - 1 - row->label), row->label);
            } else {
                buf_add_text(&labels, ", ");
            }
            buf_add(&labels, value + 1, strlen(value + 1) - 1);
        }
    }
    add_row(out, first->name, type_name(first->type), buf_text(&labels), first->help);
    buf_fini(&labels);
    return m;
}

void exposition_document(struct buf *out) {
    buf_add_text(out,
                 "# Metrics\n\n"
                 "What the agent serves at `/metrics` (Prometheus text format 0.0.4). This page is "
                 "written from the\nprogram's own tables; a test fails when the two differ.\n\n"
                 "Pipelines have series of their own up to `metrics.max_pipelines`; the others are "
                 "added up under\n`pipeline=\"other\"`. Rules that use these metrics: "
                 "`deploy/prometheus/alerts.yml`.\n\n"
                 "| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (int m = 0; m < METRIC_COUNT;) {
        m = add_family_row(out, m);
    }
    for (int id = 0; id < FAMILY_COUNT; id++) {
        const struct family *family = family_of((enum family_id)id);
        struct buf labels = {0};
        if (family->labels[0] != '\0') {
            buf_printf(&labels, "`%s`", family->labels);
        }
        add_row(out, family->name, family->type, buf_text(&labels), family->help);
        buf_fini(&labels);
    }
}
