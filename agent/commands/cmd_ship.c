// cmd_ship: `stoker ship`: event logs into Kafka as they grow. Its own are the words on the
// terminal; the shipping is the room ship's.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/span.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "commands/terminal.h"

enum { NOTES_MAX = 20, TURN_MS = 100, GIVE_UP_MS = 60000 };

static const struct command_option options[] = {
    {"brokers", 'b', "HOST:PORT,...", "bootstrap brokers (default: kafka.brokers)"},
    {"topic", 't', "NAME", "topic of the events (default: topics.events, spark-events)"},
    {"follow", 'f', NULL, "go on as logs grow and new ones come, until SIGTERM or Ctrl-C"},
    {"since", 0, "SPAN",
     "begin logs that changed within it, such as 12h; all: every log (default: 7d)"},
    {"name", 0, "NAME", "of this shipper beside the folder (default: ship.name)"},
    {"no-transactions", 0, NULL, "for brokers that give no right to them: repeats after a crash"},
    {"timeout", 0, "SPAN",
     "without --follow: give up when nothing can be sent so long (default: 60s)"},
};

struct request {
    const struct command_args *args;
    struct ship_options options;
    struct progress progress;
    int64_t timeout_ms, began_ms, ready_ms;
    unsigned notes;
};

static void note(void *ctx, const char *words) {
    struct request *request = ctx;
    if (request->options.follow || request->notes++ < NOTES_MAX) {
        struct buf text = {0};
        buf_add_printable(&text, str_of(words));
        progress_end(&request->progress);
        (void)command_failed(request->args, "%s%s", buf_text(&text),
                             request->notes == NOTES_MAX ? " (no more of these are shown)" : "");
        buf_fini(&text);
    }
}

static void show(struct request *request, const struct ship_view *view) {
    struct buf more = {0};
    buf_printf(&more, "  %lld events  ", (long long)view->events);
    buf_add_printable(&more, str_of(view->current));
    request->progress.more = buf_text(&more);
    progress_update(&request->progress, (uint64_t)view->read_bytes, (uint64_t)view->known_bytes);
    request->progress.more = NULL;
    buf_fini(&more);
}

static void print_summary(const struct request *request, const struct ship_view *view, bool early) {
    char size[SPAN_TEXT_SIZE], rate[SPAN_TEXT_SIZE], took[SPAN_TEXT_SIZE];
    double seconds = (double)(clock_mono_ms() - request->began_ms) / 1000;
    printf("%s%lld events, %s, in %s (%s/s) to %s, all committed; logs known: %lld",
           early ? "stopped before the end: " : "", (long long)view->events,
           span_format_bytes((double)view->bytes, size), span_format_seconds(seconds, took),
           span_format_bytes(seconds > 0 ? (double)view->bytes / seconds : 0, rate),
           request->options.events, (long long)view->logs);
    if (view->refused > 0) {
        printf("; %lld too large, left out and declared", (long long)view->refused);
    }
    if (view->troubles > 0) {
        printf("; %lld things could not be read", (long long)view->troubles);
    }
    putchar('\n');
}

// ST_ABORT once nothing could be sent for too long.
static enum status check_patience(struct request *request, const struct ship_view *view,
                                  struct err *err) {
    int64_t now_ms = clock_mono_ms();
    if ((view->ready && !view->standby) || request->options.follow) {
        request->ready_ms = now_ms;
    }
    return now_ms - request->ready_ms < request->timeout_ms
               ? ST_OK
               : err_set(err, ST_ABORT, "%s", view->reason);
}

static int ship(struct request *request) {
    struct ship *ship = NULL;
    struct ship_view view;
    struct err err = {0};
    bool done = false;
    signals_catch();
    enum status status = ship_new(&request->options, &ship, &err);
    if (status != ST_OK) {
        (void)command_failed(request->args, "%s", err.text);
        return EXIT_CONFIG;
    }
    request->began_ms = request->ready_ms = clock_mono_ms();
    progress_begin(&request->progress, "ship");
    while (status == ST_OK && !done && signals_stop == 0) {
        status = ship_turn(ship, TURN_MS, &done, &err);
        ship_look(ship, &view);
        show(request, &view);
        if (status == ST_OK && !done) {
            status = check_patience(request, &view, &err);
        }
    }
    if (status == ST_OK) {
        status = ship_finish(ship, &err);
    }
    ship_look(ship, &view);
    progress_end(&request->progress);
    ship_free(ship);
    bool early = !done && !request->options.follow;
    if (status != ST_OK) {
        return command_failed(request->args, "%s (%lld events committed)", err.text,
                              (long long)view.events);
    }
    print_summary(request, &view, early);
    return early || (view.troubles > 0 && !request->options.follow) ? EXIT_FAILED : EXIT_FINE;
}

// What the line says beyond the settings. Returns an exit code.
static int parse_options(const struct command_args *args, struct request *request,
                         int64_t *since_ms) {
    const char *since = command_value(args, "since"), *timeout = command_value(args, "timeout");
    request->timeout_ms = GIVE_UP_MS;
    *since_ms = -1;
    if (timeout != NULL &&
        (!span_parse_ms(str_of(timeout), 1000, &request->timeout_ms) || request->timeout_ms == 0)) {
        return command_usage_error(args, "--timeout must be a time such as 60s: %s", timeout);
    }
    if (since != NULL && strcmp(since, "all") == 0) {
        *since_ms = 0;
    } else if (since != NULL && !span_parse_ms(str_of(since), 1000, since_ms)) {
        return command_usage_error(args, "--since must be a time such as 12h, or all: %s", since);
    }
    if (args->rest_count == 0) {
        return command_usage_error(args, "name a folder of event logs");
    }
    struct stat status;
    for (int i = 0; i < args->rest_count && command_value(args, "follow") == NULL; i++) {
        if (stat(args->rest[i], &status) != 0) {
            return command_failed(args, "%s: %m", args->rest[i]);
        }
    }
    return EXIT_FINE;
}

// What is shipped how: the settings, then what the line says.
static void fill_options(const struct command_args *args, struct request *request,
                         const struct ship_options *settings, int64_t since_ms) {
    struct ship_options *o = &request->options;
    *o = *settings;
    const char *brokers = command_value(args, "brokers"), *topic = command_value(args, "topic");
    const char *name = command_value(args, "name");
    o->consumer.brokers = o->producer.brokers = brokers != NULL ? brokers : o->producer.brokers;
    o->events = topic != NULL ? topic : o->events;
    o->name = name != NULL ? name : o->name;
    o->follow = command_value(args, "follow") != NULL;
    o->plain = command_value(args, "no-transactions") != NULL;
    o->since_ms = since_ms < 0 ? o->since_ms : since_ms == 0 ? 0 : clock_wall_ms() - since_ms;
    o->stop = &signals_stop;
    o->ctx = request;
    o->note = note;
}

static int run(const struct command_args *args) {
    struct request request = {.args = args};
    struct setup_ship setup;
    const char *twice = NULL;
    int64_t since_ms = -1;
    int code = parse_options(args, &request, &since_ms);
    if (code != EXIT_FINE) {
        return code;
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    if (args->log_level == NULL) { // what matters is told in words
        log_configure(LOG_ERROR, LOG_LOGFMT);
    }
    if (setup_ship_init(&setup, config, (const char *const *)args->rest, (unsigned)args->rest_count,
                        "ship", &twice)) {
        fill_options(args, &request, &setup.options, since_ms);
        code = ship(&request);
    } else {
        code = command_usage_error(args, "%s is named twice", twice);
    }
    setup_ship_fini(&setup);
    config_free(config);
    return code;
}

const struct command command_ship = {
    .name = "ship",
    .summary = "event logs into Kafka as they grow, each event once",
    .usage = "[--follow] [--brokers B] [--topic T] [-c FILE] DIR...",
    .details =
        "Each line of each log in the folders becomes a record as a listener would send it, with\n"
        "the log's name beside. How far each log is shipped is kept in topics.state_ship, in the\n"
        "same transaction: whatever dies, each event is there once, and the next call goes on\n"
        "where the last one ended. Logs may be plain or packed, rolled, still written, renamed.\n"
        "Without --follow it ships what is there and ends. One process at a time ships a folder;\n"
        "another one waits until it is gone. stoker topics --create makes the topics.\n\n"
        "  stoker ship --brokers localhost:9092 /mnt/spark-events\n"
        "  stoker ship --follow -c stoker.yaml /mnt/spark-events\n"
        "  stoker ship --since all -b localhost:9092 old-logs\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
