// shipper: see the header. The turn: be the one who ships this folder, be able to write, know how
// far it is shipped, take lines, commit when due. What fails, or nobody knows the outcome of, is
// begun again from the positions that are committed; nothing is mended. Must never send a position
// before the lines it counts, nor keep anything that the topic of the positions does not have.
#include "shipper.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "cargo.h"
#include "eventlog/eventlog.h"
#include "eventlog/follow.h"
#include "lease.h"
#include "ledger.h"
#include "live/due.h"
#include "positions.h"
#include "replay/line.h"
#include "replay/replay_send.h"
#include "report.h"

enum {
    COMMIT_MS = 60000,
    LAST_COMMIT_MS = 5000,
    POLL_MS = 500,     // between two looks at the folder
    SETTLE_MS = 10000, // a log without .inprogress that has not changed for so long has ended
    AGAIN_MS = 200,
    SAY_AFTER_MS = 2000,
    SAY_EVERY_MS = 60000,
    REPORT_EVERY_MS = 60000,
    LAST_LOOKS = 4,    // of a folder that is read to its end: what is missing is told late
    AHEAD_LINES = 100, // that are looked at for the application's id
    AHEAD_BYTES = 8 << 20,
    ID_MAX = 200
};
#define KEEP_MISSING_MS (INT64_C(7) * 24 * 3600 * 1000)

struct shipper {
    const struct ship_options *options;
    const char *folder;
    struct buf who; // folder, with the name before it: whose positions these are
    struct buf id;  // of the group and of the transactions
    struct lease lease;
    bool standby; // another has it
    bool checked; // the topic of the positions fits
    struct cargo cargo;
    struct ledger ledger;
    struct follower *follower;                           // NULL: not shipping
    bool losses_untold;                                  // some were not told yet
    int64_t reported_ms, committed_ms, again_ms, say_ms; // monotonic
    int failures;                                        // since the last commit
    int idle_looks;                                      // one behind the other
    struct ship_view done, doing;                        // committed; since the last commit
    char reason[512], trouble[512];                      // waited for now; failed last
    const struct follow_log *last;                       // log, to be compared only; its name:
    char current[256];
};

// What is waited for: told when it lasts, and then once a minute. "": nothing.
static void say(struct shipper *s, const char *words) {
    int64_t now_ms = clock_mono_ms();
    if (s->reason[0] == '\0') {
        s->say_ms = now_ms + SAY_AFTER_MS;
    }
    str_copy(s->reason, sizeof s->reason, str_of(words));
    if (words[0] != '\0' && now_ms >= s->say_ms) {
        s->say_ms = now_ms + SAY_EVERY_MS;
        s->options->note(s->options->ctx, words);
    }
}

static void view_add(struct ship_view *sum, const struct ship_view *more) {
    sum->events += more->events;
    sum->bytes += more->bytes;
    sum->refused += more->refused;
    sum->troubles += more->troubles;
}

// --- Whose the folder is

static void stop_shipping(struct shipper *s) {
    follower_free(s->follower);
    s->follower = NULL;
    ledger_fini(&s->ledger);
    s->ledger = (struct ledger){.cluster = s->options->cluster, .shipper = buf_text(&s->who)};
    s->doing = (struct ship_view){0};
    s->losses_untold = false;
}

// It failed in step `what`: all since the last commit is done again. ST_FATAL: others have our
// name.
static enum status break_off(struct shipper *s, const char *what, const struct err *cause,
                             struct err *err) {
    snprintf(s->trouble, sizeof s->trouble, "%s: %.400s", what, cause->text);
    s->failures++;
    s->again_ms = clock_mono_ms() + due_again_ms(s->failures);
    log_warn("shipping_failed", "folder=%s step=%s error=%s", s->folder, what, cause->text);
    stop_shipping(s);
    bool fenced;
    enum status status = cargo_drop(&s->cargo, &fenced, err);
    return status == ST_OK && fenced ? lease_fenced(&s->lease, err) : status;
}

static enum status commit(struct shipper *s, int64_t patience_ms, struct err *err);

// Something since the last commit.
static bool has_news(const struct shipper *s) {
    return s->cargo.records > 0 || s->ledger.changed != NULL;
}

static void on_going(void *ctx, bool lost) {
    struct shipper *s = ctx;
    struct err err;
    bool fenced;
    if (s->follower != NULL && lost) {
        log_warn("shipping_lost", "folder=%s", s->folder);
        (void)!cargo_drop(&s->cargo, &fenced, &err);
    } else if (s->follower != NULL && has_news(s)) {
        (void)!commit(s, LAST_COMMIT_MS, &err);
    }
}

static void on_gone(void *ctx) {
    stop_shipping(ctx);
}

// --- How far it is shipped

// Logs go on where their positions say.
static enum status resume(struct shipper *s, struct err *err) {
    struct follow_options options = {.poll_ms = s->options->follow ? POLL_MS : 0,
                                     .settle_ms = SETTLE_MS,
                                     .since_ms = s->options->since_ms};
    enum status status = follower_new(&s->folder, 1, &options, &s->follower, err);
    for (struct ledger_log *log = s->ledger.logs; log != NULL && status == ST_OK;
         log = log->hh.next) {
        struct follow_position position;
        if (!follow_position_read(str_of(log->at.position), &position)) {
            status = err_set(err, ST_FATAL,
                             "the position of log %s in topic %s is none that this release reads",
                             log->name, s->options->positions);
        } else {
            require(follower_resume(s->follower, s->folder, log->name, &position));
        }
    }
    if (status == ST_SKIP) { // a folder that cannot be followed
        status = err->status = ST_FATAL;
    }
    return status;
}

// In this order: the producer ends what an earlier one left open, so what is read then is all.
static enum status begin_shipping(struct shipper *s, struct err *err) {
    bool trusted = s->checked || s->options->topics_trusted;
    enum status status = trusted ? ST_OK : positions_check(s->options, err);
    s->checked = status == ST_OK;
    status = status == ST_OK ? cargo_open(&s->cargo, err) : status;
    status =
        status == ST_OK ? positions_read(s->options, buf_text(&s->id), &s->ledger, err) : status;
    status = status == ST_OK ? resume(s, err) : status;
    if (status != ST_OK) {
        stop_shipping(s);
        return status;
    }
    s->committed_ms = clock_mono_ms();
    return ST_OK;
}

// --- Lines

// Sends one event of the log. ST_SKIP: too large.
static enum status send_event(struct shipper *s, const struct follow_log *from,
                              const struct ledger_log *log, struct str value, bool of_log,
                              struct err *err) {
    bool told = log->at.app_id[0] != '\0';
    struct str id = told ? str_of(log->at.app_id) : from->app_id;
    struct str attempt = told ? str_of(log->at.attempt) : from->attempt;
    char place[24];
    int n = snprintf(place, sizeof place, "%lld", (long long)log->at.lines + 1);
    struct message_header more[] = {{MESSAGE_HEADER_LOG, str_of(log->name)},
                                    {MESSAGE_HEADER_LOG_LINE, {place, (size_t)n}}};
    struct replay_event event = {.app_id = id, .attempt = attempt, .key = id, .value = value};
    enum status status = cargo_begin(&s->cargo, err);
    if (status != ST_OK) {
        return status;
    }
    int64_t began_ms = 0;
    do {
        status =
            replay_send_event(s->cargo.sink, s->options->events, &event, more, of_log ? 2 : 1, err);
    } while (cargo_again(&s->cargo, status, &began_ms));
    s->cargo.records += status == ST_OK;
    s->cargo.bytes += status == ST_OK ? (int64_t)value.len : 0;
    return status == ST_RETRY ? ST_ABORT : status;
}

// Tells the topic what of the log it did not take.
static enum status report(struct shipper *s, const struct follow_log *from, struct ledger_log *log,
                          struct err *err) {
    struct buf text = {0};
    struct str id = log->at.app_id[0] != '\0' ? str_of(log->at.app_id) : from->app_id;
    report_write(&log->at, log->losses, id, &text);
    enum status status = send_event(s, from, log, buf_str(&text), false, err);
    buf_fini(&text);
    log->losses->told = log->losses->total;
    ledger_touch(&s->ledger, log);
    return status == ST_SKIP ? ST_OK : status;
}

// A log whose name does not have Spark's form may tell its application further down.
static void look_ahead(const struct follow_log *from, struct ledger_log *log) {
    struct eventlog *ahead = NULL;
    struct str line, app_id, attempt;
    struct err err;
    size_t bytes = 0;
    if (eventlog_open(from->path, &ahead, &err) != ST_OK) {
        return;
    }
    for (int i = 0; i < AHEAD_LINES && bytes < AHEAD_BYTES; i++) {
        enum status status = eventlog_next(ahead, &line, NULL, &err);
        if (status == ST_RETRY || (status == ST_OK && line.p == NULL)) {
            break;
        }
        bytes += line.p == NULL ? 0 : line.len;
        if (line.p != NULL && line_identity(line, &app_id, &attempt)) {
            (void)str_copy(log->at.app_id, sizeof log->at.app_id, app_id);
            (void)str_copy(log->at.attempt, sizeof log->at.attempt, attempt);
            break;
        }
    }
    eventlog_free(ahead);
}

// A log that is not there is forgotten when it has been missing for long: a folder that is not
// mounted right now looks the same.
static void note_gone(struct shipper *s, struct ledger_log *log) {
    int64_t now_ms = clock_wall_ms();
    log->from = NULL;
    bool news = log->at.missing_ms == 0, old = now_ms - log->at.missing_ms >= KEEP_MISSING_MS;
    if (log->known && (news || old)) {
        log->known = news;
        log->at.missing_ms = now_ms;
        ledger_touch(&s->ledger, log);
    }
}

// The log's entry, with its position behind the item.
static struct ledger_log *entry_of(struct shipper *s, const struct follow_item *item) {
    struct follow_log *from = item->log;
    if (from->user == NULL) {
        struct ledger_log *log = ledger_of(&s->ledger, str_of(from->name));
        if (log->at.lines == 0 && !from->known_form && item->kind != FOLLOW_GONE) {
            look_ahead(from, log);
        }
        from->user = log;
        log->from = from;
    }
    if (s->last != from) {
        s->last = from;
        (void)str_copy(s->current, sizeof s->current, str_of(from->name));
    }
    struct ledger_log *log = from->user;
    if (item->kind == FOLLOW_GONE) {
        note_gone(s, log);
        return log;
    }
    log->position = item->position;
    log->known = log->moved = true;
    log->at.missing_ms = 0;
    ledger_touch(&s->ledger, log);
    return log;
}

static enum status take_line(struct shipper *s, const struct follow_item *item,
                             struct ledger_log *log, struct err *err) {
    struct str app_id, attempt;
    enum status status = ST_OK;
    if (line_identity(item->line, &app_id, &attempt)) { // logs may be joined
        (void)str_copy(log->at.app_id, sizeof log->at.app_id, app_id);
        (void)str_copy(log->at.attempt, sizeof log->at.attempt, attempt);
    }
    if (log->losses != NULL &&
        str_starts(item->line, STR("{\"Event\":\"SparkListenerApplicationEnd\""))) {
        int64_t end_ms = line_time_ms(item->line);
        log->losses->time_ms = end_ms > log->losses->time_ms ? end_ms : log->losses->time_ms;
        status = report(s, item->log, log, err);
    }
    if (status == ST_OK) {
        status = item->kind == FOLLOW_LONG_LINE
                     ? err_set(err, ST_SKIP, "longer than any line that is read")
                     : send_event(s, item->log, log, item->line, true, err);
    }
    log->at.lines++;
    if (status == ST_SKIP) {
        s->doing.refused++;
        ledger_lose(&s->ledger, log, line_event(item->line), line_time_ms(item->line));
        s->losses_untold = true;
        log_warn("event_refused", "log=%s line=%lld error=%s", log->name, (long long)log->at.lines,
                 err->text);
        return ST_OK;
    }
    s->doing.events++;
    s->doing.bytes += (int64_t)item->line.len;
    return status;
}

static enum status take_item(struct shipper *s, const struct follow_item *item, struct err *err) {
    struct ledger_log *log = item->log == NULL ? NULL : entry_of(s, item);
    if (item->kind == FOLLOW_GONE) {
        log_info("log_removed", "words=%s", item->words);
    } else if (item->words[0] != '\0') {
        s->done.troubles += item->kind == FOLLOW_TROUBLE;
        metrics_add(METRIC_SHIP_TROUBLES, item->kind == FOLLOW_TROUBLE);
        s->options->note(s->options->ctx, item->words);
    }
    require(log != NULL || item->kind == FOLLOW_TROUBLE || item->kind == FOLLOW_IDLE);
    switch (item->kind) {
    case FOLLOW_LINE:
    case FOLLOW_LONG_LINE:
        return take_line(s, item, log, err);
    case FOLLOW_AGAIN:
        ledger_begin_again(&s->ledger, log);
        return ST_OK;
    case FOLLOW_ENDED:
        return log->losses != NULL && log->losses->told < log->losses->total
                   ? report(s, item->log, log, err)
                   : ST_OK;
    case FOLLOW_IDLE:
    case FOLLOW_TROUBLE:
    case FOLLOW_GONE:
        break;
    }
    return ST_OK;
}

// --- The commit

struct positions {
    struct shipper *shipper;
    enum status status;
    struct err *err;
};

static void send_position(void *ctx, struct str key, struct str value) {
    struct positions *positions = ctx;
    struct cargo *cargo = &positions->shipper->cargo;
    struct sink_record record = {.topic = positions->shipper->options->positions,
                                 .key = key,
                                 .value = value,
                                 .to_partition = true};
    int64_t began_ms = 0;
    if (positions->status != ST_OK) {
        return;
    }
    do {
        positions->status = kafka_sink_send(cargo->sink, &record, positions->err);
    } while (cargo_again(cargo, positions->status, &began_ms));
}

// Lines, then the positions behind them, as one. Without transactions the lines must have arrived
// before a position says so.
static enum status commit(struct shipper *s, int64_t patience_ms, struct err *err) {
    enum status status = cargo_begin(&s->cargo, err);
    if (status == ST_OK && s->options->plain) {
        status = cargo_commit(&s->cargo, patience_ms, err);
    }
    struct positions positions = {s, status, err};
    ledger_changes(&s->ledger, send_position, &positions);
    status = positions.status;
    if (status == ST_OK) {
        status = cargo_commit(&s->cargo, patience_ms, err);
    }
    if (status != ST_OK) {
        struct err cause = *err;
        return break_off(s, "commit", &cause, err);
    }
    view_add(&s->done, &s->doing);
    metrics_add(METRIC_SHIP_EVENTS, s->doing.events);
    metrics_add(METRIC_SHIP_BYTES, s->doing.bytes);
    metrics_add(METRIC_SHIP_REFUSED, s->doing.refused);
    s->doing = (struct ship_view){0};
    s->failures = 0;
    s->committed_ms = clock_mono_ms();
    return ST_OK;
}

// --- The turn

// Once a minute, so that the topic knows before the application's end.
static enum status report_losses(struct shipper *s, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    enum status status = ST_OK;
    if (!s->losses_untold || (s->reported_ms != 0 && now_ms - s->reported_ms < REPORT_EVERY_MS)) {
        return ST_OK;
    }
    s->losses_untold = false;
    s->reported_ms = now_ms;
    for (struct ledger_log *log = s->ledger.logs; log != NULL && status == ST_OK;
         log = log->hh.next) {
        if (log->losses != NULL && log->losses->told < log->losses->total && log->from != NULL) {
            status = report(s, log->from, log, err);
        }
    }
    return status;
}

static enum status commit_if_due(struct shipper *s, bool idle, struct err *err) {
    int64_t since_ms = clock_mono_ms() - s->committed_ms;
    bool due =
        due_for_size(s->cargo.records, s->cargo.bytes) ||
        since_ms >= due_commit_ms(s->options->commit_interval_ms, s->cargo.took_ms, false, !idle) ||
        (idle && !s->options->follow);
    if (!has_news(s) || !due) {
        return ST_OK;
    }
    enum status status = report_losses(s, err);
    if (status != ST_OK) {
        struct err cause = *err;
        return break_off(s, "sending events", &cause, err);
    }
    return commit(s, COMMIT_MS, err);
}

// Takes lines until the budget is used or there are none.
static enum status take_lines(struct shipper *s, int budget_ms, bool *idle, struct err *err) {
    int64_t end_ms = clock_mono_ms() + budget_ms;
    enum status status = ST_OK;
    *idle = false;
    do {
        struct follow_item item;
        follower_next(s->follower, 0, &item);
        *idle = item.kind == FOLLOW_IDLE;
        if (!*idle) {
            status = take_item(s, &item, err);
        }
    } while (status == ST_OK && !*idle && clock_mono_ms() < end_ms &&
             !due_for_size(s->cargo.records, s->cargo.bytes));
    if (status != ST_OK) {
        struct err cause = *err;
        return break_off(s, "sending events", &cause, err);
    }
    return ST_OK;
}

// Shipping, and able to write. ST_RETRY: not now.
static enum status be_ready(struct shipper *s, struct err *err) {
    if (clock_mono_ms() < s->again_ms) {
        return ST_RETRY;
    }
    enum status status = s->follower == NULL ? begin_shipping(s, err) : cargo_open(&s->cargo, err);
    // What failed again and again is the trouble until it does not, whatever goes well between.
    const char *trouble = s->failures > 1 ? s->trouble : "";
    if (status == ST_OK) {
        say(s, trouble);
    } else if (status == ST_RETRY) {
        s->again_ms = clock_mono_ms() + AGAIN_MS;
        say(s, trouble[0] != '\0' ? trouble : err->text);
    }
    return status;
}

enum status shipper_turn(struct shipper *s, int budget_ms, bool *idle, bool *done,
                         struct err *err) {
    *idle = true;
    *done = false;
    enum status status = lease_hear(&s->lease, err);
    if (status != ST_OK) {
        return ST_FATAL;
    }
    if (!s->lease.ours) {
        struct buf words = {0};
        buf_printf(&words, "%s: ", s->folder);
        s->standby = lease_standby(&s->lease, &words);
        say(s, buf_text(&words));
        buf_fini(&words);
        return ST_OK;
    }
    status = be_ready(s, err);
    if (status != ST_OK) {
        return status == ST_RETRY ? ST_OK : ST_FATAL;
    }
    status = take_lines(s, budget_ms, idle, err);
    if (status == ST_OK && s->follower != NULL) {
        status = commit_if_due(s, *idle, err);
    }
    s->idle_looks = *idle && s->follower != NULL && !has_news(s) ? s->idle_looks + 1 : 0;
    *done = s->idle_looks > LAST_LOOKS && !s->options->follow;
    return status;
}

enum status shipper_finish(struct shipper *s, struct err *err) {
    if (s->follower == NULL || !has_news(s)) {
        return ST_OK;
    }
    int failures = s->failures;
    enum status status = commit(s, LAST_COMMIT_MS, err);
    return status == ST_OK && s->failures > failures ? err_set(err, ST_FATAL, "%s", s->reason)
                                                     : status;
}

void shipper_look(const struct shipper *s, struct ship_view *sum) {
    struct follow_progress progress = {0};
    bool shipping = s->follower != NULL && s->reason[0] == '\0';
    if (s->follower != NULL) {
        follower_progress(s->follower, &progress);
    }
    view_add(sum, &s->done);
    sum->logs += (int64_t)progress.logs;
    sum->growing += (int64_t)progress.growing;
    sum->read_bytes += (int64_t)progress.read_bytes;
    sum->known_bytes += (int64_t)progress.known_bytes;
    bool standby = !s->lease.ours && s->standby;
    sum->ready = sum->ready && (shipping || standby);
    sum->standby = sum->standby || standby;
    if (!shipping && sum->reason[0] == '\0') {
        str_copy(sum->reason, sizeof sum->reason,
                 str_of(s->reason[0] == '\0' ? "starting" : s->reason));
    }
    if (s->current[0] != '\0') {
        memcpy(sum->current, s->current, sizeof sum->current);
    }
}

// "<group>.ship/<cluster>/<folder>": nobody else's, and covered by an ACL on the group's name.
static void make_names(struct shipper *s) {
    const struct ship_options *o = s->options;
    buf_printf(&s->who, "%s%s%s", o->name, o->name[0] == '\0' ? "" : ":", s->folder);
    buf_printf(&s->id, "%s.ship/%zu.%s/%s", o->group, strlen(o->cluster), o->cluster,
               buf_text(&s->who));
    if (s->id.len > ID_MAX) { // the end tells folders apart better than the beginning
        uint64_t print = hash_siphash13(1, 1, s->id.data, s->id.len);
        buf_clear(&s->id);
        buf_printf(&s->id, "%s.ship/%016llx", o->group, (unsigned long long)print);
    }
}

enum status shipper_new(const struct ship_options *options, const char *folder,
                        struct shipper **out, struct err *err) {
    struct shipper *s = mem_zalloc(1, sizeof *s);
    *s = (struct shipper){.options = options, .folder = folder};
    make_names(s);
    s->lease = (struct lease){.options = options,
                              .group = buf_text(&s->id),
                              .folder = folder,
                              .callbacks = {.ctx = s, .going = on_going, .gone = on_gone}};
    stop_shipping(s);
    enum status status = cargo_init(&s->cargo, options, buf_text(&s->id), err);
    if (status != ST_OK) {
        shipper_free(s);
        return status;
    }
    *out = s;
    return ST_OK;
}

void shipper_free(struct shipper *s) {
    if (s == NULL) {
        return;
    }
    lease_end(&s->lease);
    stop_shipping(s);
    cargo_fini(&s->cargo);
    ledger_fini(&s->ledger);
    buf_fini(&s->who);
    buf_fini(&s->id);
    mem_free(s);
}
