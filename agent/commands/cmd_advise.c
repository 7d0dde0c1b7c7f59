// cmd_advise: `stoker advise`: what to do about a run, of its event log or as the topics tell it,
// as one set to apply; or by the formulas, of numbers alone; and `stoker advise kubernetes`, the
// whole set and a manifest for one on Kubernetes. Nothing leaves the process.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advise/formulas.h"
#include "advise/kubernetes.h"
#include "base/json_writer.h"
#include "base/span.h"
#include "commands/setup.h"
#include "commands/terminal.h"
#include "judged.h"
#include "present/render_advice.h"
#include "present/render_settings.h"
#include "recall.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT",
     "text (default), json (one object a run and line); kubernetes: or yaml"},
    {"data-size", 's', "SIZE", "without a log: how much is read or shuffled (500GB, 2TB)"},
    {"executors", 'n', "N", "how many executors there are; on Kubernetes: at most"},
    {"executor-cores", 0, "N", "cores of each"},
    {"partitions", 0, "N", "how many partitions there are now: near enough ones stay"},
    {"image", 0, "IMAGE", "kubernetes: the container image"},
    {"namespace", 0, "NAME", "kubernetes: the namespace"},
    {"name", 0, "NAME", "kubernetes: of the application (default: the run's pipeline)"},
    {"zone", 0, "ZONE", "kubernetes: keep all pods in it: no traffic between zones"},
    {"service-account", 0, "NAME", "kubernetes: of the driver, which starts the executors"},
    {"storage-class", 0, "NAME", "kubernetes: of a volume for each executor's shuffled data"},
    {"storage-size", 0, "SIZE", "kubernetes: of that volume (default: 100Gi)"},
    {"main-file", 0, "FILE", "kubernetes: what it runs (default: local:///opt/spark/app.jar)"},
    {"main-class", 0, "CLASS", "kubernetes: of a jar"},
    {"spark-version", 0, "VERSION", "kubernetes: of the image (default: the run's, else 4.1.1)"},
    RECALL_OPTIONS,
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_YAML };
static const char *const formats[] = {"text", "json", "yaml", NULL};

enum { COUNT_MAX = 10000 };
#define DATA_MAX 0x1p60 // bytes: more is a slip of the keyboard

struct job {
    const struct command_args *args;
    enum format format;
    struct render_style style;
    struct formulas numbers;
    bool has_data; // their size was told
    struct buf out;
    // On Kubernetes: of the last run of the log.
    struct kubernetes_set set;
    struct render_manifest manifest;
    char spark_version[33];
};

static int read_count(const struct command_args *args, const char *name, int64_t *out) {
    const char *text = command_value(args, name);
    if (text != NULL && (!str_to_i64(str_of(text), out) || *out < 1 || *out > COUNT_MAX)) {
        return command_usage_error(args, "--%s wants a number from 1 to %d, not %s", name,
                                   COUNT_MAX, text);
    }
    return EXIT_FINE;
}

static int read_numbers(struct job *job) {
    const struct command_args *args = job->args;
    struct formulas *out = &job->numbers;
    const char *size = command_value(args, "data-size");
    int64_t bytes = 0;
    job->has_data = size != NULL;
    if (size != NULL && (!span_parse_bytes(str_of(size), 1, &bytes) || (double)bytes > DATA_MAX)) {
        return command_usage_error(args, "--data-size wants a size such as 500GB, not %s", size);
    }
    out->data_bytes = (double)bytes;
    static const char *const names[] = {"executors", "executor-cores", "partitions"};
    int64_t *const counts[] = {&out->executors, &out->executor_cores, &out->partitions};
    int code = EXIT_FINE;
    for (size_t i = 0; i < ARRAY_LEN(names) && code == EXIT_FINE; i++) {
        code = read_count(args, names[i], counts[i]);
    }
    return code;
}

static void add_head(struct job *job, const struct render_advised *run) {
    char took[SPAN_TEXT_SIZE];
    buf_add_text(&job->out, job->style.color ? "\033[1m" : "");
    buf_add_printable(&job->out, str_of(run->identity->pipeline));
    buf_printf(&job->out, "%s  run ", job->style.color ? "\033[0m" : "");
    buf_add_printable(&job->out, str_of(run->identity->app_id));
    buf_printf(&job->out, "  %s, %s\n", run_status_name(run->status),
               span_format_seconds(run->duration_s, took));
}

static int print_advised(struct job *job, const struct render_advised *run,
                         const struct recommendation *list, uint32_t count) {
    buf_clear(&job->out);
    if (job->format == FORMAT_JSON) {
        render_advice_json(&job->out, run, list, count);
    } else {
        add_head(job, run);
        render_advice(&job->out, list, count, run->duration_s, &job->style);
        if (run->given != NULL) {
            render_given(&job->out, run->given, &job->style);
        }
        buf_add_char(&job->out, '\n');
    }
    return command_print(job->args, &job->out);
}

static void print_run(void *ctx, const struct app *app, enum run_status status,
                      const struct recommendation *list, uint32_t count) {
    struct render_advised run = {
        .identity = &app->identity, .status = status, .duration_s = app_duration_s(app)};
    (void)print_advised(ctx, &run, list, count);
}

static int advise_logs(struct job *job) {
    int code = EXIT_FINE;
    struct config *config = setup_config(job->args, &code);
    if (config == NULL) {
        return code;
    }
    struct judged judged;
    judged_init(&judged, job->args, config);
    for (int i = 0; i < job->args->rest_count; i++) {
        bool good = judged_log(&judged, job->args->rest[i], print_run, job);
        code = good ? code : EXIT_FAILED;
    }
    judged_fini(&judged);
    config_free(config);
    return code;
}

// --- out of the topics

static int advise_record(struct job *job, struct recall *recall, const struct pipeline_run *run) {
    struct recommendation set[RUN_ADVICE_MAX]; // borrows what `given` owns
    struct given given;
    int code = EXIT_FAILED;
    given_init(&given, recall->codec, run);
    if (recall_given(recall, &given)) {
        uint32_t count = given_set(&given, set);
        if (given.settings_refused > 0) {
            (void)command_failed(job->args,
                                 "%llu settings are left out: this release does not know them, or "
                                 "they are no plain words",
                                 (unsigned long long)given.settings_refused);
        }
        struct render_advised advised = {.identity = &run->identity,
                                         .status = run->status,
                                         .duration_s = run->duration_s,
                                         .given = &given};
        code = print_advised(job, &advised, set, count);
    }
    given_fini(&given);
    return code;
}

static int advise_recalled(struct job *job, struct recall *recall) {
    const struct command_args *args = job->args;
    struct pipeline_run run;
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = recall_open(recall, config);
    if (code == EXIT_FINE) {
        bool named = args->rest_count > 0;
        const struct history_run *found =
            named ? recall_find(recall, args->rest[0]) : history_last(&recall->history);
        code = EXIT_FAILED;
        if (found != NULL && recall_run(recall, found, &run)) {
            code = advise_record(job, recall, &run);
            pipeline_run_fini(&run);
        } else if (found == NULL && !named) {
            (void)command_failed(args, "%s: no run has ended yet; name one", recall->pipeline);
        }
    }
    recall_close(recall);
    config_free(config);
    return code;
}

// What does not go with --pipeline.
static int check_recalled(const struct job *job) {
    const struct command_args *args = job->args;
    if (job->has_data || job->format == FORMAT_YAML) {
        return command_usage_error(args,
                                   "--pipeline is for a run out of the topics, as text or json");
    }
    if (args->rest_count > 0 && strcmp(args->rest[0], "kubernetes") == 0) {
        return command_usage_error(args, "kubernetes takes a LOG or options, not --pipeline");
    }
    return args->rest_count <= 1 ? EXIT_FINE
                                 : command_usage_error(args, "one RUN at most with --pipeline");
}

static int advise_numbers(struct job *job) {
    struct advice advice = {0};
    formulas_advise(&job->numbers, &advice);
    if (job->format == FORMAT_JSON) {
        render_advice_json(&job->out, NULL, advice.list, advice.count);
    } else {
        render_advice(&job->out, advice.list, advice.count, 0, &job->style);
    }
    advice_fini(&advice);
    return command_print(job->args, &job->out);
}

// --- kubernetes ---

// A text that is pasted into a shell and a manifest: visible, without blanks and quotes.
static int read_word(const struct command_args *args, const char *name, char *out, size_t size) {
    const char *text = command_value(args, name);
    if (text == NULL) {
        return EXIT_FINE;
    }
    bool good = text[0] != '\0' && strlen(text) < size;
    for (const char *at = text; *at != '\0'; at++) {
        good = good && *at > ' ' && *at < 0x7F && strchr("\"'`\\", *at) == NULL;
    }
    if (!good) {
        return command_usage_error(args, "--%s wants one word of at most %zu characters", name,
                                   size - 1);
    }
    snprintf(out, size, "%s", text);
    return EXIT_FINE;
}

// What the options say of the set, over what is there.
static int read_set(struct job *job) {
    const struct command_args *args = job->args;
    const struct formulas *numbers = &job->numbers;
    struct kubernetes_set *set = &job->set;
    struct {
        const char *name;
        char *out;
        size_t size;
    } words[] = {
        {"image", set->image, sizeof set->image},
        {"namespace", set->name_space, sizeof set->name_space},
        {"zone", set->zone, sizeof set->zone},
        {"service-account", set->service_account, sizeof set->service_account},
        {"storage-class", set->storage_class, sizeof set->storage_class},
        {"storage-size", set->storage_size, sizeof set->storage_size},
    };
    int code = EXIT_FINE;
    for (size_t i = 0; i < ARRAY_LEN(words) && code == EXIT_FINE; i++) {
        code = read_word(args, words[i].name, words[i].out, words[i].size);
    }
    if (numbers->executor_cores > 0) {
        set->executor_cores = numbers->executor_cores;
    }
    if (numbers->executors > 0) {
        set->first = numbers->executors < set->first ? numbers->executors : set->first;
        set->most = numbers->executors;
    }
    return code;
}

static void take_run(void *ctx, const struct app *app, enum run_status status,
                     const struct recommendation *list, uint32_t count) {
    struct job *job = ctx;
    struct run_totals totals;
    (void)status, (void)list, (void)count;
    app_totals(app, &totals);
    bool given = job->has_data;
    kubernetes_init(&job->set, given ? job->numbers.data_bytes : (double)totals.data_size_bytes);
    kubernetes_take(&job->set, app);
    render_manifest_name(app->identity.pipeline, job->manifest.name);
    str_copy(job->spark_version, sizeof job->spark_version, str_of(app->identity.spark_version));
}

static int read_log(struct job *job, char *path) {
    int code = EXIT_FINE;
    struct config *config = setup_config(job->args, &code);
    if (config == NULL) {
        return code;
    }
    struct judged judged;
    judged_init(&judged, job->args, config);
    code = judged_log(&judged, path, take_run, job) ? EXIT_FINE : EXIT_FAILED;
    judged_fini(&judged);
    config_free(config);
    return code;
}

static const char *value_or(const struct command_args *args, const char *name,
                            const char *otherwise) {
    const char *value = command_value(args, name);
    return value != NULL ? value : otherwise;
}

static int read_manifest(struct job *job) {
    const struct command_args *args = job->args;
    const char *name = command_value(args, "name");
    struct render_manifest *manifest = &job->manifest;
    if (name != NULL) {
        render_manifest_name(name, manifest->name);
    } else if (manifest->name[0] == '\0') {
        render_manifest_name("spark-application", manifest->name);
    }
    manifest->main_file = value_or(args, "main-file", "local:///opt/spark/app.jar");
    manifest->main_class = value_or(args, "main-class", "");
    manifest->spark_version = value_or(
        args, "spark-version", job->spark_version[0] != '\0' ? job->spark_version : "4.1.1");
    size_t len = strlen(manifest->main_file);
    if (len > 3 && strcmp(manifest->main_file + len - 3, ".py") == 0) {
        kubernetes_for_python(&job->set);
    }
    if (job->set.storage_class[0] != '\0' && job->set.storage_size[0] == '\0') {
        str_copy(job->set.storage_size, sizeof job->set.storage_size, STR("100Gi"));
    }
    return job->set.image[0] != '\0'
               ? EXIT_FINE
               : command_usage_error(args, "which image? (--image, or a LOG of a run on "
                                           "Kubernetes)");
}

// What nobody told is said, rather than guessed.
static void add_notes(struct job *job) {
    const struct kubernetes_set *set = &job->set;
    static const char zone[] = "# --zone ZONE keeps all pods in one zone: no traffic between zones "
                               "to pay and wait for\n";
    static const char storage[] = "# --storage-class NAME gives each executor a volume for its "
                                  "shuffled data: it stays when the disk of a node is small\n";
    static const char account[] = "# --service-account NAME: the driver needs one that may create "
                                  "pods\n";
    buf_add_text(&job->out, set->zone[0] == '\0' ? zone : "");
    buf_add_text(&job->out, set->storage_class[0] == '\0' ? storage : "");
    buf_add_text(&job->out, set->service_account[0] == '\0' ? account : "");
}

static int print_kubernetes(struct job *job) {
    struct recommendation r = {.kind = advice_kind_name(ADVICE_KUBERNETES)};
    kubernetes_settings(&job->set, &r);
    if (job->format == FORMAT_JSON) {
        struct buf manifest = {0};
        struct json_writer json = {.out = &job->out};
        render_manifest(&manifest, &job->manifest, &r);
        json_begin_object(&json);
        json_member_object(&json, "settings");
        for (uint32_t i = 0; i < r.setting_count; i++) {
            json_member_text(&json, r.settings[i].key, r.settings[i].value);
        }
        json_end_object(&json);
        json_member_text(&json, "manifest", buf_text(&manifest));
        json_end_object(&json);
        buf_add_char(&job->out, '\n');
        buf_fini(&manifest);
    } else if (job->format == FORMAT_YAML) {
        render_manifest(&job->out, &job->manifest, &r);
    } else {
        buf_add_text(&job->out, "# spark-defaults.conf\n");
        (void)!render_settings(&job->out, SETTINGS_DEFAULTS, r.settings, r.setting_count, 0);
        add_notes(job);
        buf_add_text(&job->out, "---\n");
        render_manifest(&job->out, &job->manifest, &r);
    }
    recommendation_fini(&r);
    return command_print(job->args, &job->out);
}

static int advise_kubernetes(struct job *job) {
    const struct command_args *args = job->args;
    if (args->rest_count > 2) {
        return command_usage_error(args, "one LOG at most for kubernetes");
    }
    kubernetes_init(&job->set, job->numbers.data_bytes);
    int code = args->rest_count == 2 ? read_log(job, args->rest[1]) : EXIT_FINE;
    code = code != EXIT_FINE ? code : read_set(job);
    code = code != EXIT_FINE ? code : read_manifest(job);
    return code != EXIT_FINE ? code : print_kubernetes(job);
}

static int run(const struct command_args *args) {
    struct job job = {.args = args,
                      .style = {.color = args->color_out, .width = terminal_width(STDOUT_FILENO)}};
    struct recall recall;
    bool recalled;
    int format = command_choice(args, "format", formats);
    int code = format < 0 ? EXIT_USAGE : read_numbers(&job);
    code = code != EXIT_FINE ? code : recall_line(&recall, args, &recalled);
    if (code != EXIT_FINE) {
        return code;
    }
    job.format = (enum format)format;
    if (recalled) {
        code = check_recalled(&job);
        code = code != EXIT_FINE ? code : advise_recalled(&job, &recall);
    } else if (args->rest_count > 0 && strcmp(args->rest[0], "kubernetes") == 0) {
        code = advise_kubernetes(&job);
    } else if (job.format == FORMAT_YAML) {
        code = command_usage_error(args, "--format yaml is for kubernetes");
    } else if (args->rest_count > 0) {
        code = advise_logs(&job);
    } else if (job.has_data) {
        code = advise_numbers(&job);
    } else {
        code = command_usage_error(args, "which log? (- is standard input), or --pipeline NAME, or "
                                         "--data-size SIZE");
    }
    buf_fini(&job.out);
    return code;
}

const struct command command_advise = {
    .name = "advise",
    .summary = "what to do about a run, as settings and lines to paste",
    .usage = "[--format text|json|yaml] LOG... | --pipeline NAME [RUN] | --data-size SIZE | "
             "kubernetes [LOG]",
    .details =
        "Of a LOG (as analyze takes it): each piece of advice with what to do, why, what it saves\n"
        "at most and when not to do it, then all settings as one set, for spark-submit,\n"
        "spark-defaults.conf, SQL and the Spark operator. Of numbers alone: what the formulas "
        "say.\n"
        "--pipeline: what its run that ended last was given (or RUN, a run id or application id), "
        "and\n"
        "what became of it; what was withdrawn is named and no part of the set.\n"
        "kubernetes: the whole set of properties and a SparkApplication, of a LOG or of "
        "options.\n\n"
        "  stoker advise app-20260101120000-0001.zstd\n"
        "  stoker advise -c stoker.yaml --pipeline nightly-orders\n"
        "  stoker advise --data-size 500GB --executors 20\n"
        "  stoker advise kubernetes --image apache/spark:4.1.1 --namespace pipelines LOG\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
