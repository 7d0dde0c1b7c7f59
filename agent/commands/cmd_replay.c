// cmd_replay: `stoker replay`: plays event logs into Kafka as a listener would. Its own are
// the words on the terminal; the play and the sending are the room replay's.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/span.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "commands/terminal.h"
#include "replay/replay_send.h"

#define NOTES_MAX 20 // lines on standard error; the summary has the count

static const struct command_option options[] = {
    {"brokers", 'b', "HOST:PORT,...", "bootstrap brokers (default: kafka.brokers)"},
    {"topic", 't', "NAME", "topic to send to (default: topics.events, spark-events)"},
    {"speed", 's', "X", "so many times as fast as it happened; 0, the default: no waiting"},
    {"align", 0, NULL, "let all logs begin together instead of when they really began"},
    {"timeout", 0, "SPAN", "give up when the broker owes an answer for so long (default: 30s)"},
    {"max-bytes", 0, "SIZE", "pass over events larger than the topic takes (default: 1000000)"},
};

struct show {
    const struct command_args *args;
    struct replay *replay;
    struct progress progress;
    unsigned notes;
};

struct request {
    struct replay_options play;
    struct replay_send send;
};

static void note(void *ctx, const char *words) {
    struct show *show = ctx;
    if (show->notes++ >= NOTES_MAX) {
        return;
    }
    struct buf text = {0};
    buf_add_printable(&text, str_of(words));
    progress_end(&show->progress);
    (void)command_failed(show->args, "%s%s", buf_text(&text),
                         show->notes == NOTES_MAX ? " (no more of these are shown)" : "");
    buf_fini(&text);
}

static void tick(void *ctx) {
    struct show *show = ctx;
    uint64_t done, total;
    replay_progress(show->replay, &done, &total);
    progress_update(&show->progress, done, total);
}

// Reads the numbers of the command line. Returns an exit code.
static int parse_options(const struct command_args *args, struct request *request) {
    const char *speed = command_value(args, "speed");
    const char *timeout = command_value(args, "timeout");
    const char *max_bytes = command_value(args, "max-bytes");
    request->play.align_starts = command_value(args, "align") != NULL;
    request->send.timeout_ms = 30000;
    if (speed != NULL) {
        char *end;
        request->play.speed = strtod(speed, &end);
        if (end == speed || *end != '\0' || !isfinite(request->play.speed) ||
            request->play.speed < 0) {
            return command_usage_error(args, "--speed must be a number of 0 or more: %s", speed);
        }
    }
    if (timeout != NULL && (!span_parse_ms(str_of(timeout), 1000, &request->send.timeout_ms) ||
                            request->send.timeout_ms == 0)) {
        return command_usage_error(args, "--timeout must be a time such as 30s: %s", timeout);
    }
    if (max_bytes != NULL &&
        (!span_parse_bytes(str_of(max_bytes), 1, &request->send.max_record_bytes) ||
         request->send.max_record_bytes < 1000)) {
        return command_usage_error(args, "--max-bytes must be a size of 1000 or more: %s",
                                   max_bytes);
    }
    return args->rest_count > 0 ? EXIT_FINE : command_usage_error(args, "name a log to replay");
}

static void print_summary(const struct request *request, const struct show *show, bool stopped) {
    char size[SPAN_TEXT_SIZE], rate[SPAN_TEXT_SIZE], took[SPAN_TEXT_SIZE];
    struct replay_totals totals = replay_totals(show->replay);
    double seconds = request->send.seconds;
    printf("%s%llu events, %s, in %s (%s/s) to %s, all acknowledged",
           stopped ? "stopped before the end: " : "",
           (unsigned long long)request->send.acknowledged,
           span_format_bytes((double)request->send.bytes, size), span_format_seconds(seconds, took),
           span_format_bytes(seconds > 0 ? (double)request->send.bytes / seconds : 0, rate),
           request->send.topic);
    uint64_t large = totals.long_lines + request->send.too_large;
    if (large > 0) {
        printf("; %llu too large, not sent", (unsigned long long)large);
    }
    if (totals.faults > 0) {
        printf("; %llu parts of logs missing or damaged", (unsigned long long)totals.faults);
    }
    putchar('\n');
}

static int play(const struct command_args *args, struct request *request) {
    struct show show = {.args = args};
    struct err err = {0};
    request->play.note = request->send.note = note;
    request->play.note_ctx = request->send.ctx = &show;
    request->send.tick = tick;
    request->send.stop = &signals_stop;
    signals_catch();
    enum status status = replay_new((const char *const *)args->rest, (size_t)args->rest_count,
                                    &request->play, &show.replay, &err);
    if (status != ST_OK) {
        return command_failed(args, "%s", err.text);
    }
    request->send.replay = show.replay;
    progress_begin(&show.progress, "replay");
    status = replay_send_run(&request->send, &err);
    progress_end(&show.progress);
    int code = EXIT_FINE;
    if (status == ST_FATAL) {
        (void)command_failed(args, "%s", err.text);
        code = EXIT_CONFIG;
    } else if (status != ST_OK) {
        code = command_failed(args, "%s (%llu events acknowledged)", err.text,
                              (unsigned long long)request->send.acknowledged);
    } else {
        print_summary(request, &show, signals_stop != 0);
        code = signals_stop != 0 ? EXIT_FAILED : EXIT_FINE;
    }
    replay_free(show.replay);
    return code;
}

static int run(const struct command_args *args) {
    struct request request = {0};
    struct setup_kafka kafka;
    int code = parse_options(args, &request);
    if (code != EXIT_FINE) {
        return code;
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    setup_kafka_init(&kafka, config, KAFKA_PRODUCER);
    const char *brokers = command_value(args, "brokers"), *topic = command_value(args, "topic");
    kafka.settings.brokers = brokers != NULL ? brokers : kafka.settings.brokers;
    request.send.kafka = &kafka.settings;
    request.send.topic = topic != NULL ? topic : config_text(config, "topics.events");
    code = play(args, &request);
    setup_kafka_fini(&kafka);
    config_free(config);
    return code;
}

const struct command command_replay = {
    .name = "replay",
    .summary = "play event logs into Kafka as a listener would",
    .usage = "[--brokers B] [--topic T] [--speed X] LOG...",
    .details =
        "Each line of a log becomes a record: key <app id> or <app id>/<attempt>, headers app_id\n"
        "and app_attempt, the line unchanged as value. Several logs are interleaved by event "
        "time.\n"
        "A LOG is a file (plain, .zst, .gz, .lz4, .snappy), the folder of a rolled log, or - for\n"
        "standard input. What cannot be read of a log is said and passed over. Ends with 0 once "
        "the\n"
        "broker has acknowledged every record; Ctrl-C ends it early, with what was sent "
        "acknowledged.\n\n"
        "  stoker replay --brokers localhost:9092 app-20260102-0001.zstd\n"
        "  stoker replay -b localhost:9092 --speed 60 --align eventlog_v2_*/\n"
        "  zcat log.gz | stoker replay -b localhost:9092 -\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
