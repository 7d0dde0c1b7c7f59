// recall: see the header. Called by the commands report, compare and advise with --pipeline. What
// is kept of the records is room runs' to choose; here is the way to them, and the words.
#include "recall.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/span.h"
#include "commands/terminal.h"

enum { TIMEOUT_MS = 15000, LIMIT_DEFAULT = 1000 };

// --- what the line says

// "2026-11-30" or "2026-11-30T12:00:00Z": that day's beginning, or that moment, in UTC.
static bool parse_date(const char *text, int64_t *out_ms) {
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        if (end == NULL || *end != '\0') {
            continue;
        }
        int day = parts.tm_mday;
        time_t seconds = timegm(&parts);
        *out_ms = (int64_t)seconds * 1000;
        return parts.tm_mday == day && seconds > 0; // no 31st of February
    }
    return false;
}

// An age has a unit: "30" could be anything.
static bool parse_since(const char *text, int64_t *out_ms) {
    int64_t age_ms, now_ms = clock_wall_ms();
    size_t len = strlen(text);
    bool unit = len > 0 && (text[len - 1] < '0' || text[len - 1] > '9');
    if (unit && span_parse_ms(str_of(text), 1, &age_ms)) {
        *out_ms = age_ms < now_ms ? now_ms - age_ms : 0;
        return true;
    }
    return parse_date(text, out_ms);
}

int recall_line(struct recall *recall, const struct command_args *args, bool *wanted) {
    static const char *const others[] = {"brokers", "since", "limit"};
    const char *since = command_value(args, "since"), *limit = command_value(args, "limit");
    *recall = (struct recall){
        .args = args, .pipeline = command_value(args, "pipeline"), .limit = LIMIT_DEFAULT};
    *wanted = recall->pipeline != NULL;
    for (size_t i = 0; i < ARRAY_LEN(others) && !*wanted; i++) {
        if (command_value(args, others[i]) != NULL) {
            return command_usage_error(args, "--%s is for --pipeline", others[i]);
        }
    }
    if (*wanted && (recall->pipeline[0] == '\0' || strlen(recall->pipeline) > RUN_TEXT_MAX)) {
        return command_usage_error(args, "--pipeline wants a name of at most %d bytes",
                                   RUN_TEXT_MAX);
    }
    if (since != NULL && !parse_since(since, &recall->since_ms)) {
        return command_usage_error(args,
                                   "--since wants an age or a day in UTC, as 30d or "
                                   "2026-11-30, not %s",
                                   since);
    }
    if (limit != NULL && (!str_to_i64(str_of(limit), &recall->limit) || recall->limit < 1 ||
                          recall->limit > HISTORY_MOST_MAX)) {
        return command_usage_error(args, "--limit wants a number from 1 to %d, not %s",
                                   HISTORY_MOST_MAX, limit);
    }
    return EXIT_FINE;
}

// --- reading

struct reading {
    void *ctx;
    void (*take)(void *ctx, const struct message *message);
    struct progress bar;
    uint64_t bytes;
};

static void take(void *ctx, const struct message *message) {
    struct reading *reading = ctx;
    reading->bytes += message->key.len + message->value.len;
    reading->take(reading->ctx, message);
}

// Offsets are what is known of the whole; people read bytes.
static void show(void *ctx, uint64_t done, uint64_t total) {
    struct reading *reading = ctx;
    double whole = done > 0 ? (double)reading->bytes * (double)total / (double)done : 0;
    progress_update(&reading->bar, reading->bytes, (uint64_t)whole);
}

static enum status read_ranges(struct recall *recall, const char *topic,
                               const struct past_range *ranges, uint32_t count,
                               struct reading *reading, struct err *err) {
    char what[RUN_TEXT_MAX + 16];
    snprintf(what, sizeof what, "reading %s", topic);
    progress_begin(&reading->bar, what);
    enum status st = past_read(recall->past,
                               &(struct past_reading){.topic = topic,
                                                      .ranges = ranges,
                                                      .count = count,
                                                      .timeout_ms = TIMEOUT_MS,
                                                      .ctx = reading,
                                                      .take = take,
                                                      .progress = show},
                               err);
    progress_end(&reading->bar);
    return st;
}

static enum status read_topic(struct recall *recall, const char *topic, void *ctx,
                              void (*each)(void *ctx, const struct message *message),
                              struct err *err) {
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    struct reading reading = {.ctx = ctx, .take = each};
    enum status st =
        past_ranges(recall->past, topic, recall->since_ms, TIMEOUT_MS, &ranges, &count, err);
    if (st == ST_OK) {
        st = read_ranges(recall, topic, ranges, count, &reading, err);
    }
    mem_free(ranges);
    return st;
}

static const char *runs_topic(const struct recall *recall) {
    return config_text(recall->config, topic_row(TOPIC_RUNS)->setting);
}

// --- words

static void warn(const struct recall *recall, const struct buf *words) {
    struct buf shown = {0};
    buf_add_printable(&shown, buf_str(words));
    (void)command_failed(recall->args, "%s", buf_text(&shown));
    buf_fini(&shown);
}

static void warn_unreadable(const struct recall *recall, const char *topic, uint64_t count,
                            const char *first) {
    struct buf words = {0};
    if (count > 0) {
        buf_printf(&words, "%s: %llu record%s of %s could not be read; the first one: %s", topic,
                   (unsigned long long)count, count == 1 ? "" : "s", recall->pipeline, first);
        warn(recall, &words);
    }
    buf_fini(&words);
}

static int no_run(const struct recall *recall) {
    const struct history *history = &recall->history;
    struct buf words = {0};
    buf_printf(&words, "%s has no run of %s%s", runs_topic(recall), recall->pipeline,
               recall->since_ms > 0 ? " that was written of since then" : "");
    if (history->near_count == 0 && history->unreadable == 0) {
        buf_add_text(&words,
                     ", nor of any other pipeline: stoker doctor says whether one can come");
    }
    for (unsigned i = 0; i < history->near_count; i++) {
        buf_printf(&words, "%s%s", i == 0 ? "; the nearest names there are: " : ", ",
                   history->near[i]);
    }
    warn(recall, &words);
    buf_fini(&words);
    return EXIT_FAILED;
}

static void warn_cut(const struct recall *recall) {
    struct buf words = {0};
    if (recall->history.cut) {
        buf_printf(&words, "only the %lld runs that began last are looked at (--limit)",
                   (long long)recall->limit);
        warn(recall, &words);
    }
    buf_fini(&words);
}

// --- the calls

static void take_run(void *ctx, const struct message *message) {
    history_take(ctx, message);
}

int recall_open(struct recall *recall, const struct config *config) {
    struct err err = {0};
    recall->config = config;
    setup_kafka_reader(&recall->kafka, config, command_value(recall->args, "brokers"));
    recall->codec = avro_codec_new();
    history_init(&recall->history, recall->codec, recall->pipeline, (uint32_t)recall->limit);
    enum status st = past_new(&recall->kafka.settings, &recall->past, &err);
    if (st == ST_OK) {
        st = read_topic(recall, runs_topic(recall), &recall->history, take_run, &err);
    }
    if (st != ST_OK) {
        (void)command_failed(recall->args, "%s", err.text);
        return st == ST_FATAL ? EXIT_CONFIG : EXIT_FAILED;
    }
    history_settle(&recall->history);
    warn_unreadable(recall, runs_topic(recall), recall->history.unreadable,
                    recall->history.unreadable_why);
    if (recall->history.count == 0) {
        return no_run(recall);
    }
    warn_cut(recall);
    return EXIT_FINE;
}

void recall_close(struct recall *recall) {
    past_free(recall->past);
    history_fini(&recall->history);
    avro_codec_free(recall->codec);
    setup_kafka_fini(&recall->kafka);
}

const struct history_run *recall_find(struct recall *recall, const char *word) {
    const struct history_run *run = history_find(&recall->history, word);
    struct buf words = {0};
    if (run == NULL) {
        buf_printf(&words, "%s has no run %s of %s%s", runs_topic(recall), word, recall->pipeline,
                   recall->history.cut ? " among those that are looked at" : "");
        warn(recall, &words);
    }
    buf_fini(&words);
    return run;
}

struct one_run {
    struct recall *recall;
    struct pipeline_run *out;
    bool found;
    struct err err;
};

static void take_whole(void *ctx, const struct message *message) {
    struct one_run *one = ctx;
    one->found = !one->found && avro_decode_run(one->recall->codec, message->value,
                                                AVRO_TAKE_STAGES, one->out, &one->err) == ST_OK;
}

bool recall_run(struct recall *recall, const struct history_run *run, struct pipeline_run *out) {
    struct one_run one = {.recall = recall, .out = out};
    struct reading reading = {.ctx = &one, .take = take_whole};
    struct past_range range = {run->partition, run->offset, run->offset + 1};
    struct err err = {0};
    enum status st = read_ranges(recall, runs_topic(recall), &range, 1, &reading, &err);
    if (st == ST_OK && one.found && strcmp(out->id, run->run.id) != 0) { // the topic is another one
        pipeline_run_fini(out);
        one.found = false;
    }
    if (st != ST_OK || !one.found) {
        (void)command_failed(recall->args, "the record of %s is not there any more%s%s",
                             run->run.identity.app_id, st == ST_OK ? "" : ": ", err.text);
    }
    return st == ST_OK && one.found;
}

static void take_advice(void *ctx, const struct message *message) {
    given_take(ctx, message);
}

bool recall_given(struct recall *recall, struct given *given) {
    struct err err = {0};
    const char *topic = config_text(recall->config, topic_row(TOPIC_RECOMMENDATIONS)->setting);
    if (read_topic(recall, topic, given, take_advice, &err) != ST_OK) {
        (void)command_failed(recall->args, "%s", err.text);
        return false;
    }
    warn_unreadable(recall, topic, given->unreadable, given->unreadable_why);
    return true;
}
