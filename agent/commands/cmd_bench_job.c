// cmd_bench_job: `stoker bench-job --sizes ... -- COMMAND`: runs a user's Spark job several times
// with each of some data sizes, and reports what their event logs tell. Sizes take turns, so that
// whatever else the machine does falls on all alike. A command that fails is told, never averaged.
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/span.h"
#include "commands/bench_child.h"
#include "commands/terminal.h"
#include "reporting.h"
#include "signals.h"

enum { SIZES_MAX = 50, ITERATIONS_MAX = 1000, OUTPUT_TOLD_BYTES = 2000 };

static const struct command_option options[] = {
    {"sizes", 's', "N,...", "data sizes; 1e6 is handed over as 1000000"},
    {"iterations", 'n', "N", "runs with each size (default: 3)"},
    {"timeout", 0, "SPAN", "end a run that takes longer, and count it as failed"},
    {"keep", 0, "DIR", "keep event logs and outputs there"},
    {"format", 'f', "FORMAT", "markdown (default), json or html"},
};

struct bench {
    const struct command_args *args;
    char *sizes[SIZES_MAX]; // owned, as they were given
    unsigned size_count;
    int64_t iterations, timeout_ms;
    enum reporting_format format;
    char *folder; // owned: where all goes
    bool keep;
    struct judged judged;
    struct report report;
    struct progress progress;
    unsigned size, iteration, done; // where it is
    bool failed;
};

// A whole number as a program reads it, whatever form it was given in; else the word itself.
static void add_size(struct buf *out, const char *size) {
    char *end;
    double value = strtod(size, &end);
    bool whole = end != size && *end == '\0' && value >= 0 && value < 1e15 && floor(value) == value;
    if (whole) {
        buf_printf(out, "%.0f", value);
    } else {
        buf_add_text(out, size);
    }
}

// Where it is, in the words of a line.
static void show(void *ctx, int64_t running_ms) {
    struct bench *bench = ctx;
    struct buf words = {0};
    char took[SPAN_TEXT_SIZE];
    buf_add_text(&words, "size ");
    buf_add_printable(&words, str_of(bench->sizes[bench->size]));
    buf_printf(&words, ", iteration %u of %lld, %s  (%u of %lld runs done)", bench->iteration,
               (long long)bench->iterations, span_format_ms((double)running_ms, took), bench->done,
               (long long)bench->iterations * bench->size_count);
    progress_words(&bench->progress, buf_text(&words));
    buf_fini(&words);
}

static void say(struct bench *bench, const char *words) {
    struct buf line = {0};
    progress_end(&bench->progress);
    buf_add_text(&line, "size ");
    buf_add_printable(&line, str_of(bench->sizes[bench->size]));
    buf_printf(&line, ", iteration %u: ", bench->iteration);
    buf_add_printable(&line, str_of(words));
    (void)command_failed(bench->args, "%s", buf_text(&line));
    buf_fini(&line);
}

// The last of what the command printed.
static void say_output(const char *folder) {
    struct buf path = {0}, text = {0};
    buf_printf(&path, "%s/output.txt", folder);
    FILE *file = fopen(buf_text(&path), "rb");
    if (file != NULL) {
        char last[OUTPUT_TOLD_BYTES];
        if (fseek(file, -(long)sizeof last, SEEK_END) != 0) {
            rewind(file); // it is shorter
        }
        buf_add(&text, last, fread(last, 1, sizeof last, file));
        fclose(file);
    }
    struct str rest = buf_str(&text);
    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.p);
        struct buf line = {0};
        buf_add_printable(&line, (struct str){rest.p, len});
        fprintf(stderr, "  | %s\n", buf_text(&line));
        buf_fini(&line);
        len += end != NULL;
        rest = (struct str){rest.p + len, rest.len - len};
    }
    buf_fini(&path);
    buf_fini(&text);
}

static void fail(struct bench *bench, const char *words, const char *folder) {
    bench->failed = true;
    say(bench, words);
    say_output(folder);
    report_add_failure(&bench->report, bench->sizes[bench->size], bench->iteration, words);
}

// The event logs that the command left: all of them are of this size.
static void read_logs(struct bench *bench, const char *folder) {
    struct buf path = {0};
    unsigned found = 0;
    buf_printf(&path, "%s/eventlog", folder);
    size_t base = path.len;
    DIR *dir = opendir(buf_text(&path));
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        path.len = base;
        buf_printf(&path, "/%s", entry->d_name);
        found++;
        bench->failed |= !reporting_add(&bench->judged, &bench->report, buf_text(&path),
                                        bench->sizes[bench->size]);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    buf_fini(&path);
    if (found == 0) {
        fail(bench,
             "it ended well but wrote no event log: does it start Spark here, in client mode, and "
             "does it or spark-defaults.conf set spark.eventLog.*?",
             folder);
    }
}

// A folder of its own for the run, with one for its event logs.
static bool make_folder(const struct bench *bench, struct buf *folder) {
    buf_printf(folder, "%s/size-%u-iteration-%u", bench->folder, bench->size + 1, bench->iteration);
    bool made = mkdir(buf_text(folder), 0777) == 0 || errno == EEXIST;
    size_t len = folder->len;
    buf_add_text(folder, "/eventlog");
    made = made && mkdir(buf_text(folder), 0777) == 0;
    if (!made) {
        (void)command_failed(bench->args, "%s: %s", buf_text(folder), strerror(errno));
    }
    folder->len = len;
    folder->data[len] = '\0';
    return made;
}

// False if nothing more can be run.
static bool run_one(struct bench *bench) {
    struct buf folder = {0}, size = {0}, words = {0};
    bool made = make_folder(bench, &folder);
    if (made) {
        add_size(&size, bench->sizes[bench->size]);
        struct bench_child child = {.argv = bench->args->rest,
                                    .size = buf_text(&size),
                                    .iteration = bench->iteration,
                                    .folder = buf_text(&folder),
                                    .timeout_ms = bench->timeout_ms,
                                    .tick = show,
                                    .ctx = bench};
        if (bench_child_run(&child, &words)) {
            read_logs(bench, buf_text(&folder));
        } else {
            fail(bench, buf_text(&words), buf_text(&folder));
        }
        bench->done++;
    }
    buf_fini(&folder);
    buf_fini(&size);
    buf_fini(&words);
    return made && signals_stop == 0;
}

static void run_all(struct bench *bench) {
    bool going = true;
    progress_begin(&bench->progress, "");
    for (unsigned i = 1; i <= bench->iterations && going; i++) {
        for (unsigned s = 0; s < bench->size_count && going; s++) {
            bench->iteration = i;
            bench->size = s;
            going = run_one(bench);
        }
    }
    progress_end(&bench->progress);
    bench->failed |= !going;
}

// Where all goes: what --keep names, or a new folder under TMPDIR (or /tmp). As Spark wants it,
// from the root.
static bool open_folder(struct bench *bench) {
    const char *keep = command_value(bench->args, "keep"), *base = getenv("TMPDIR");
    struct buf path = {0};
    bench->keep = keep != NULL;
    buf_printf(&path, "%s/stoker-bench-XXXXXX", base == NULL || base[0] == '\0' ? "/tmp" : base);
    bool made =
        keep == NULL ? mkdtemp(path.data) != NULL : mkdir(keep, 0777) == 0 || errno == EEXIST;
    const char *where = keep != NULL ? keep : buf_text(&path);
    char *whole = made ? realpath(where, NULL) : NULL;
    if (whole == NULL) {
        (void)command_failed(bench->args, "%s: %s", where, strerror(errno));
    } else {
        bench->folder = mem_strdup(whole);
    }
    free(whole);
    buf_fini(&path);
    return bench->folder != NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static void close_folder(struct bench *bench) {
    if (bench->folder != NULL && (bench->keep || bench->failed)) {
        fprintf(stderr, "stoker bench-job: event logs and outputs are in %s\n", bench->folder);
    } else if (bench->folder != NULL) {
        nftw(bench->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    mem_free(bench->folder);
}

static int bench_all(struct bench *bench, const struct config *config) {
    int code = EXIT_FAILED;
    signals_catch();
    if (open_folder(bench)) {
        judged_init(&bench->judged, bench->args, config);
        run_all(bench);
        report_build(&bench->report);
        code = reporting_print(bench->args, &bench->report, NULL, bench->format);
        judged_fini(&bench->judged);
    }
    close_folder(bench);
    report_fini(&bench->report);
    return bench->failed ? EXIT_FAILED : code;
}

static bool parse_sizes(struct bench *bench, const char *text) {
    while (bench->size_count < SIZES_MAX) {
        size_t len = strcspn(text, ",");
        if (len == 0) {
            return false;
        }
        bench->sizes[bench->size_count++] = mem_strndup(text, len);
        if (text[len] == '\0') {
            return true;
        }
        text += len + 1;
    }
    return false;
}

static int parse(struct bench *bench) {
    const struct command_args *args = bench->args;
    const char *sizes = command_value(args, "sizes"), *n = command_value(args, "iterations");
    const char *timeout = command_value(args, "timeout");
    int format = command_choice(args, "format", reporting_formats);
    bench->iterations = 3;
    if (format < 0) {
        return EXIT_USAGE;
    }
    bench->format = (enum reporting_format)format;
    if (sizes == NULL || !parse_sizes(bench, sizes)) {
        return command_usage_error(args, "--sizes wants 1 to %d sizes with commas", SIZES_MAX);
    }
    if (n != NULL && (!str_to_i64(str_of(n), &bench->iterations) || bench->iterations < 1 ||
                      bench->iterations > ITERATIONS_MAX)) {
        return command_usage_error(args, "--iterations wants a number from 1 to %d, not %s",
                                   ITERATIONS_MAX, n);
    }
    if (timeout != NULL &&
        (!span_parse_ms(str_of(timeout), 1000, &bench->timeout_ms) || bench->timeout_ms == 0)) {
        return command_usage_error(args, "--timeout wants a time such as 30m, not %s", timeout);
    }
    return args->rest_count > 0 ? EXIT_FINE
                                : command_usage_error(args, "which command? It comes after --");
}

static int run(const struct command_args *args) {
    struct bench bench = {.args = args};
    int code = parse(&bench);
    struct config *config = code == EXIT_FINE ? setup_config(args, &code) : NULL;
    if (config != NULL) {
        code = bench_all(&bench, config);
        config_free(config);
    }
    for (unsigned i = 0; i < bench.size_count; i++) {
        mem_free(bench.sizes[i]);
    }
    return code;
}

const struct command command_bench_job = {
    .name = "bench-job",
    .summary = "run a Spark job with several data sizes, and report",
    .usage = "--sizes N,... [--iterations N] [--format markdown|json|html] -- COMMAND...",
    .details =
        "Runs COMMAND so many times with each size, in turns, with Spark's event log switched on\n"
        "(SPARK_SUBMIT_OPTS, PYSPARK_SUBMIT_ARGS; --conf if it is spark-submit), and prints the "
        "report\n"
        "of these runs by size. {size} in a word of COMMAND stands for the size, which is also in\n"
        "STOKER_BENCH_SIZE. The driver must run on this machine. A COMMAND that fails is told and "
        "in no\n"
        "average; the exit code is then 1.\n\n"
        "  stoker bench-job --sizes 1e5,1e6,1e7 -- spark-submit job.py --rows {size}\n"
        "  stoker bench-job --sizes 1e5,1e6 -n 5 -f html -- python3 job.py {size} > report.html\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
