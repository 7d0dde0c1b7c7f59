// judged: see the header. Called by the commands that judge event logs; nothing leaves the process.
#include "judged.h"

#include <stdio.h>

#include "commands/terminal.h"
#include "eventlog/eventlog.h"

enum { LINES_TOLD = 5 }; // that could not be used; the rest is counted

void judged_init(struct judged *judged, const struct command_args *args,
                 const struct config *config) {
    struct decode_options decode;
    *judged = (struct judged){.args = args};
    setup_engine(config, &judged->engine);
    setup_decode(config, &decode);
    judged->engine.one_application = true;
    judged->engine.budget = budget_new(config_int(config, "limits.memory"));
    judged->decoder = decoder_new(&decode);
}

void judged_fini(struct judged *judged) {
    decoder_free(judged->decoder);
    budget_free(judged->engine.budget);
    *judged = (struct judged){0};
}

// Words that name their place themselves, as those of an event log do, come without one (NULL).
static void warn(const struct judged *judged, const char *place, const char *words) {
    struct buf line = {0};
    if (place != NULL) {
        buf_add_printable(&line, str_of(place));
        buf_add_text(&line, ": ");
    }
    buf_add_printable(&line, str_of(words));
    (void)command_failed(judged->args, "%s", buf_text(&line));
    buf_fini(&line);
}

static void warn_count(const struct judged *judged, const char *place, uint64_t count,
                       const char *words) {
    char line[200];
    snprintf(line, sizeof line, "%llu %s", (unsigned long long)count, words);
    if (count > 0) {
        warn(judged, place, line);
    }
}

// One line to the engine; its number is the engine's clock of offsets.
static void feed_line(struct judged *judged, struct eventlog *log, struct engine *engine,
                      const struct message *message, size_t readable) {
    enum metric reason;
    struct err err;
    if (engine_feed(engine, message, readable, &reason, &err) == ST_OK) {
        judged->ignored += reason != METRIC_COUNT;
        return;
    }
    if (eventlog_cut(log)) { // the last line of a log that is being written, or was cut off
        return;
    }
    if (++judged->skipped <= LINES_TOLD) {
        char words[600];
        snprintf(words, sizeof words, "line %lld: %s", (long long)message->offset, err.text);
        warn(judged, eventlog_name(log), words);
    }
}

static void feed(struct judged *judged, struct eventlog *log, struct engine *engine,
                 struct str app_id, struct str attempt) {
    struct progress progress;
    struct str line;
    size_t readable;
    struct err err;
    int64_t number = 0;
    const struct message_header headers[] = {{MESSAGE_HEADER_APP_ID, app_id},
                                             {MESSAGE_HEADER_APP_ATTEMPT, attempt}};
    progress_begin(&progress, "reading");
    for (;;) {
        enum status status = eventlog_next(log, &line, &readable, &err);
        if (status == ST_OK && line.p == NULL) {
            break;
        }
        number++;
        if (status == ST_RETRY) {
            continue;
        }
        if (status != ST_OK) {
            judged->skipped++;
            warn(judged, NULL, err.text);
            continue;
        }
        struct message message = {.value = line,
                                  .topic = "",
                                  .offset = number,
                                  .headers = headers,
                                  .header_count = ARRAY_LEN(headers)};
        feed_line(judged, log, engine, &message, readable);
        if (number % 1024 == 0) {
            uint64_t done, total;
            eventlog_progress(log, &done, &total);
            progress_update(&progress, done, total);
        }
    }
    progress_end(&progress);
}

bool judged_log(struct judged *judged, const char *path, judged_run_fn *each, void *ctx) {
    struct err err;
    struct eventlog *log = NULL;
    if (eventlog_open(path, &log, &err) != ST_OK) {
        warn(judged, NULL, err.text);
        return false;
    }
    struct engine *engine = engine_new(&judged->engine, judged->decoder, NULL);
    struct str app_id, attempt;
    if (!eventlog_name_app_id(log, &app_id, &attempt)) {
        app_id = attempt = (struct str){"", 0};
    }
    uint64_t before = judged->skipped;
    judged->ignored = 0;
    feed(judged, log, engine, app_id, attempt);
    engine_finish(engine, eventlog_in_progress(log));
    bool any = engine_application_count(engine) > 0;
    if (!any) {
        warn(judged, path, "holds no Spark event");
    } else {
        warn_count(judged, path, judged->skipped - before, "lines could not be used");
    }
    warn_count(judged, path, judged->ignored, "lines are no events of Spark and were passed over");
    warn_count(judged, path, engine_let_go_count(engine),
               "runs are not shown: the log holds more than limits.applications and limits.memory "
               "have room for");
    engine_each_run(engine, each, ctx);
    engine_free(engine);
    eventlog_free(log);
    return any;
}

struct last_run {
    struct run_facts *facts;
    unsigned count;
};

static void keep_last(void *ctx, const struct app *app, enum run_status status,
                      const struct recommendation *recommendations, uint32_t count) {
    struct last_run *last = ctx;
    (void)recommendations, (void)count;
    run_facts_free(last->facts);
    last->facts = run_facts_new(app, status);
    last->count++;
}

struct run_facts *judged_facts(struct judged *judged, const char *path) {
    struct last_run last = {0};
    (void)judged_log(judged, path, keep_last, &last);
    if (last.count > 1) {
        warn_count(judged, path, last.count, "runs are in it; the last one is taken");
    }
    return last.facts;
}
