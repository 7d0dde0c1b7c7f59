// cmd_tail: `stoker tail`: reads our records from a topic and prints them, for people or as JSON.
// Joins no group and commits nothing.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "avro/avro_codec.h"
#include "base/clock.h"
#include "base/mem.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "kafka/source.h"

static const struct command_option options[] = {
    {"topic", 't', "LIST", "topics to read, with commas; topics.bottlenecks by default"},
    {"brokers", 'b', "LIST", "brokers, instead of kafka.brokers"},
    {"from", 0, "WHERE", "beginning (default) or end"},
    {"count", 'n', "N", "end after so many records"},
    {"format", 'f', "FORMAT", "text (default) or json, one record a line"},
};

enum { FROM_BEGINNING, FROM_END };
enum { TOPICS_MAX = 16, SILENCE_MS = 3000 };
static const char *const places[] = {"beginning", "end", NULL};
enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

struct tail {
    const struct command_args *args;
    struct avro_codec *codec;
    bool json;
    long left; // records still to print, negative: no limit
    struct buf line;
};

// The value of a string field of our own JSON: "name":"...". Empty if it is not there.
static struct str json_text(struct str json, const char *name) {
    char mark[64];
    int n = snprintf(mark, sizeof mark, "\"%s\":\"", name);
    const char *at = memmem(json.p, json.len, mark, (size_t)n);
    if (at == NULL) {
        return (struct str){"", 0};
    }
    at += n;
    const char *end = at, *stop = json.p + json.len;
    while (end < stop && *end != '"') {
        end += *end == '\\' && end + 1 < stop ? 2 : 1;
    }
    return (struct str){at, (size_t)(end - at)};
}

static void add_colored(struct buf *out, struct str word, bool color) {
    int severity = severity_parse(word);
    static const char *const codes[SEVERITY_COUNT] = {"\033[2m", "\033[36m", "\033[33m", "\033[31m",
                                                      "\033[1;31m"};
    if (color && severity >= 0) {
        buf_printf(out, "%s%.*s\033[0m", codes[severity], (int)word.len, word.p);
    } else {
        buf_add_str(out, word);
    }
}

// One line for people: what it is, whose, and its words.
static void print_text(struct tail *tail, enum avro_record record, struct str json) {
    static const char *const words[AVRO_RECORD_COUNT] = {[AVRO_RUN] = "status",
                                                         [AVRO_BOTTLENECK] = "summary",
                                                         [AVRO_RECOMMENDATION] = "action",
                                                         [AVRO_WINDOW] = ""};
    struct buf out = {0};
    buf_printf(&out, "%-14s ", avro_record_name(record));
    buf_add_printable(&out, json_text(json, "pipeline"));
    buf_add_text(&out, "  ");
    if (record == AVRO_BOTTLENECK) {
        add_colored(&out, json_text(json, "severity"), tail->args->color_out);
        buf_add_char(&out, ' ');
        buf_add_str(&out, json_text(json, "state"));
        buf_add_char(&out, ' ');
    }
    if (record == AVRO_BOTTLENECK || record == AVRO_RECOMMENDATION) {
        buf_add_printable(&out, json_text(json, "kind"));
        buf_add_text(&out, ": ");
    }
    if (record == AVRO_WINDOW) {
        const char *runs = memmem(json.p, json.len, "\"pane_start_ms\"", 15);
        buf_add_printable(&out, (struct str){runs, (size_t)(json.p + json.len - runs)});
    } else {
        buf_add_printable(&out, json_text(json, words[record]));
    }
    if (record == AVRO_RUN) {
        buf_add_text(&out, "  ");
        buf_add_printable(&out, json_text(json, "app_id"));
    }
    puts(buf_text(&out));
    buf_fini(&out);
}

static void print(struct tail *tail, const struct message *message) {
    struct err err;
    enum avro_record record;
    buf_clear(&tail->line);
    if (avro_to_json(tail->codec, message->value, &record, &tail->line, &err) != ST_OK) {
        fprintf(stderr, "stoker tail: %s partition %d offset %lld: %s\n", message->topic,
                (int)message->partition, (long long)message->offset, err.text);
        return;
    }
    if (tail->json) {
        puts(buf_text(&tail->line));
    } else {
        print_text(tail, record, buf_str(&tail->line));
    }
    fflush(stdout);
    tail->left -= tail->left > 0;
}

// Once, to whoever looks at an empty screen: why nothing comes.
static void tell_silence(struct kafka_source *source) {
    struct buf reason = {0};
    if (kafka_source_health(source, &reason)) {
        buf_add_text(&reason, "no record yet; stoker doctor says whether one can come");
    }
    fprintf(stderr, "stoker tail: %s\n", buf_text(&reason));
    buf_fini(&reason);
}

static int follow(struct tail *tail, struct kafka_source *source) {
    struct err err;
    struct message message;
    int64_t tell_ms = clock_mono_ms() + SILENCE_MS;
    signals_catch();
    while (signals_stop == 0 && tail->left != 0 && !ferror(stdout)) {
        enum status status = kafka_source_poll(source, 200, &message, &err);
        if (status == ST_FATAL) {
            return command_failed(tail->args, "%s", err.text);
        }
        if (status == ST_OK) {
            print(tail, &message);
            tell_ms = INT64_MAX;
        } else if (clock_mono_ms() > tell_ms) {
            tell_silence(source);
            tell_ms = INT64_MAX;
        }
    }
    return ferror(stdout) ? command_failed(tail->args, "cannot write: %s", strerror(errno))
                          : EXIT_FINE;
}

// Cuts the list at its commas, in place. 0: a name is empty, or there are too many.
static size_t split(char *list, const char *out[TOPICS_MAX]) {
    size_t count = 0;
    for (char *name = strsep(&list, ","); name != NULL; name = strsep(&list, ",")) {
        if (name[0] == '\0' || count == TOPICS_MAX) {
            return 0;
        }
        out[count++] = name;
    }
    return count;
}

static int open_and_follow(struct tail *tail, const struct config *config, bool from_end) {
    struct setup_kafka kafka;
    struct err err = {0};
    const char *wanted = command_value(tail->args, "topic"), *topics[TOPICS_MAX];
    char *list = mem_strdup(wanted == NULL ? config_text(config, "topics.bottlenecks") : wanted);
    size_t count = split(list, topics);
    if (count == 0) {
        mem_free(list);
        return command_usage_error(tail->args, "--topic wants 1 to %d names with commas, not %s",
                                   TOPICS_MAX, wanted == NULL ? "none" : wanted);
    }
    setup_kafka_reader(&kafka, config, command_value(tail->args, "brokers"));
    char group[64];
    snprintf(group, sizeof group, "stoker-tail-%ld", (long)getpid());
    struct kafka_source_options source_options = {.group = group,
                                                  .topics = topics,
                                                  .topic_count = count,
                                                  .alone = true,
                                                  .from_end = from_end};
    struct kafka_source *source = NULL;
    int code = EXIT_CONFIG;
    if (kafka_source_new(&kafka.settings, &source_options, (struct kafka_source_callbacks){0},
                         &source, &err) != ST_OK) {
        command_failed(tail->args, "%s", err.text);
    } else {
        code = follow(tail, source);
    }
    kafka_source_free(source);
    setup_kafka_fini(&kafka);
    mem_free(list);
    return code;
}

static int run(const struct command_args *args) {
    const char *count = command_value(args, "count");
    struct tail tail = {.args = args, .left = -1};
    int64_t limit = -1;
    if (args->rest_count > 0) {
        return command_usage_error(args, "takes no argument: %s", args->rest[0]);
    }
    int from = command_choice(args, "from", places);
    int format = from < 0 ? -1 : command_choice(args, "format", formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    tail.json = format == FORMAT_JSON;
    if (count != NULL && (!str_to_i64(str_of(count), &limit) || limit < 1)) {
        return command_usage_error(args, "--count wants a positive number, not %s", count);
    }
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    tail.left = (long)limit;
    tail.codec = avro_codec_new();
    code = open_and_follow(&tail, config, from == FROM_END);
    avro_codec_free(tail.codec);
    buf_fini(&tail.line);
    config_free(config);
    return code;
}

const struct command command_tail = {
    .name = "tail",
    .summary = "print our Avro records from a topic",
    .usage = "[--topic T,...] [--brokers B | -c FILE] [--from beginning|end] [--count N] [--format "
             "text|json]",
    .details = "Decodes runs, bottlenecks, recommendations and windows of this release. Commits "
               "nothing.\n\n"
               "  stoker tail --brokers kafka:9092 --format json | jq .summary\n"
               "  stoker tail -c stoker.yaml --topic stoker.bottlenecks,stoker.recommendations "
               "--from end\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
