// doctor_events: the check of what lies on the topic of the events: how old the newest is, and what
// an agent would make of the last ones: they go through an engine of their own, by the same
// settings, and what it says of them is counted. Called through doctor_checks.def. Must hold no
// message longer than its turn, and read no more than was asked for.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/scrub.h"
#include "base/span.h"
#include "commands/doctor.h"
#include "commands/setup.h"
#include "kafka/changelog.h"

enum {
    BOUNDS_MS = 4000,
    SILENCE_MS = 3000, // of a partition that has records to give
    BYTES_MAX = 64 << 20,
    SENDERS_MAX = 4,
    APPS_MAX = 1000, // of which it is known whether they lie in several partitions
    NAMED_MAX = 3,
    AGES_MAX = 8, // partitions whose age is told one by one
    OLD_MS = 3600 * 1000,
    FUTURE_MS = 10 * 1000, // clocks differ, and nobody minds
};

// Who sent some of the records: what a header of ours says.
struct sender {
    char name[80];
    int64_t records;
};

struct look {
    struct doctor *doctor;
    struct engine_options engine_options;
    struct decode_options decode_options;
    struct decoder *decoder;
    struct engine *engine; // of the partition that is read
    int partition;
    // What was found.
    int64_t records, bytes, keyless, sequenced, newest_ms;
    int64_t by_reason[METRIC_COUNT + 1]; // records, as the engine says; the last: with events
    int64_t partition_newest_ms;         // of the one that is read
    int filled;                          // partitions with records
    bool positions_known;                // of the group
    struct sender senders[SENDERS_MAX];
    char *apps[APPS_MAX]; // owned
    int app_partition[APPS_MAX];
    unsigned app_count, split;
    struct buf ages, names;
    _Atomic bool stop;
};

static void note_sender(struct look *look, const struct message *message) {
    struct str version = message_header_last(message, "stoker_listener"),
               spark = message_header_last(message, "spark_version"),
               log = message_header_last(message, "stoker_log");
    char name[80];
    if (version.len > 0) {
        snprintf(name, sizeof name, "listener %.*s (Spark %.*s)", (int)str_cut_utf8(version, 20),
                 version.p, (int)str_cut_utf8(spark, 20), spark.len > 0 ? spark.p : "");
    } else {
        snprintf(name, sizeof name, "%s", log.len > 0 ? "stoker ship" : "others");
    }
    look->sequenced += message_header_last(message, "stoker_seq").len > 0;
    size_t i = 0;
    while (i < SENDERS_MAX - 1 && look->senders[i].records > 0 &&
           strcmp(look->senders[i].name, name) != 0) {
        i++;
    }
    if (look->senders[i].records++ == 0) {
        memcpy(look->senders[i].name, name, sizeof name);
    }
}

static void take(void *ctx, const struct message *record) {
    struct look *look = ctx;
    struct message message = *record;
    enum metric reason;
    struct err err;
    message.value = message.value.p == NULL ? STR("") : message.value;
    look->records++;
    look->bytes += (int64_t)message.value.len;
    look->keyless += message.key.len == 0;
    if (message.timestamp_ms > look->partition_newest_ms) {
        look->partition_newest_ms = message.timestamp_ms;
    }
    note_sender(look, &message);
    (void)!engine_feed(look->engine, &message, message.value.len, &reason, &err);
    look->by_reason[reason]++;
    if (look->bytes > BYTES_MAX) {
        look->stop = true;
    }
}

static void note_app(void *ctx, const struct app *app, enum run_status status,
                     const struct recommendation *recommendations, uint32_t count) {
    (void)status, (void)recommendations, (void)count;
    struct look *look = ctx;
    const char *id = app->identity.app_id;
    unsigned i = 0;
    while (i < look->app_count && strcmp(look->apps[i], id) != 0) {
        i++;
    }
    if (i < look->app_count) {
        look->split += look->app_partition[i] >= 0 && look->app_partition[i] != look->partition;
        look->app_partition[i] = look->app_partition[i] == look->partition ? look->partition : -1;
    } else if (i < APPS_MAX) {
        look->apps[look->app_count++] = mem_strdup(id);
        look->app_partition[i] = look->partition;
        if (i < NAMED_MAX) {
            buf_printf(&look->names, "%s%.80s", i > 0 ? ", " : "", id);
        }
    }
}

static void note_age(struct look *look) {
    char age[SPAN_TEXT_SIZE];
    int64_t ms = clock_wall_ms() - look->partition_newest_ms;
    if (look->partition_newest_ms > look->newest_ms) {
        look->newest_ms = look->partition_newest_ms;
    }
    if (look->doctor->partitions <= AGES_MAX) {
        span_format_seconds(ms > 0 ? (double)ms / 1000 : 0, age);
        buf_printf(&look->ages, "%s%d: %s", look->ages.len > 0 ? ", " : "", look->partition,
                   look->partition_newest_ms > 0 ? age : "empty");
    }
}

// The last records of one partition, and how far the group is behind in it.
static enum status read_partition(struct look *look, struct changelog *reader, const char *topic,
                                  struct err *err) {
    struct doctor *doctor = look->doctor;
    struct changelog_position position;
    int64_t first, end, share = doctor->records_max / doctor->partitions;
    enum status st = changelog_bounds(reader, topic, look->partition,
                                      doctor_left_ms(doctor, BOUNDS_MS), &first, &end, err);
    if (st != ST_OK) {
        return st;
    }
    struct err unknown;
    if (look->positions_known &&
        changelog_committed(reader, topic, look->partition, doctor_left_ms(doctor, BOUNDS_MS),
                            &position, &unknown) == ST_OK) {
        int64_t from = position.offset > first ? position.offset : first;
        doctor->lag = (doctor->lag > 0 ? doctor->lag : 0) + (end > from ? end - from : 0);
    } else {
        look->positions_known = false; // the check of the rights has said why
        doctor->lag = -1;
    }
    share = share > 0 ? share : 1;
    look->partition_newest_ms = 0;
    look->engine = engine_new(&look->engine_options, look->decoder, NULL);
    struct changelog_reading reading = {.topic = topic,
                                        .partition = look->partition,
                                        .first = end - share > first ? end - share : first,
                                        .end = end > first ? end : 0,
                                        .timeout_ms = doctor_left_ms(doctor, SILENCE_MS),
                                        .stop = &look->stop,
                                        .ctx = look,
                                        .take = take};
    st = changelog_read(reader, &reading, err);
    look->filled += end > first;
    engine_each_run(look->engine, note_app, look);
    engine_free(look->engine);
    note_age(look);
    return look->stop ? ST_OK : st;
}

static void say_age(struct look *look, const char *topic) {
    struct doctor *doctor = look->doctor;
    char age[SPAN_TEXT_SIZE];
    int64_t ms = clock_wall_ms() - look->newest_ms;
    bool old = ms > OLD_MS;
    if (look->filled == 0) {
        doctor_say(doctor, DOCTOR_WARN,
                   "send some: docs/connect.md has the lines to paste for every way in",
                   "%s has no record in any of its %d partitions", topic, doctor->partitions);
        return;
    }
    if (look->newest_ms == 0) {
        doctor_say(doctor, DOCTOR_WARN, "", "%s: none of the last records may be seen", topic);
        return;
    }
    span_format_seconds(ms > 0 ? (double)ms / 1000 : 0, age);
    doctor_say(doctor, old ? DOCTOR_WARN : DOCTOR_OK,
               old ? "does a Spark run now, and does its driver's log say \"stoker\"?" : "",
               "the newest is %s old%s%s%s; %d of %d partitions have records", age,
               look->ages.len > 0 ? " (" : "", buf_text(&look->ages), look->ages.len > 0 ? ")" : "",
               look->filled, doctor->partitions);
    if (ms < -FUTURE_MS) {
        span_format_seconds((double)-ms / 1000, age);
        doctor_say(doctor, DOCTOR_WARN, "keep the clocks of the drivers, or of this host, by NTP",
                   "the newest is dated %s ahead of this host's clock", age);
    }
}

// "3 malformed, 1 unplaced": the records whose reason is of this family. Returns their number.
static int64_t add_reasons(const struct look *look, struct buf *out, const char *family) {
    int64_t sum = 0;
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = metrics_row(m);
        int64_t count = look->by_reason[m];
        const char *from = strchr(row->label, '"');
        if (strcmp(row->name, family) == 0 && count > 0 && from != NULL) {
            buf_printf(out, "%s%lld %.*s", sum > 0 ? ", " : "", (long long)count,
                       (int)strcspn(from + 1, "\""), from + 1);
            sum += count;
        }
    }
    return sum;
}

static void say_kinds(struct look *look) {
    struct doctor *doctor = look->doctor;
    struct buf refused = {0}, ignored = {0};
    int64_t unusable = add_reasons(look, &refused, "stoker_events_skipped_total");
    (void)add_reasons(look, &ignored, "stoker_input_ignored_total");
    int64_t events = look->by_reason[METRIC_COUNT];
    enum doctor_mark mark = events > 0 && unusable == 0   ? DOCTOR_OK
                            : events == 0 && unusable > 0 ? DOCTOR_FAIL
                                                          : DOCTOR_WARN;
    const char *remedy =
        mark == DOCTOR_OK ? ""
        : unusable == 0
            ? "does the platform send event logs, too? docs/connect.md says what a record must hold"
        : look->by_reason[METRIC_SKIP_UNPLACED] * 2 > unusable
            ? "nobody says whose they are: send the application id as the record's key or in a "
              "header app_id, or set input.wrapper_app_key"
            : "is it the right topic (topics.events)? docs/connect.md says what a record must hold "
              "and how wrappers are read (input.*)";
    doctor_say(doctor, mark, remedy, "of the last %lld records %lld are listener events%s%s%s%s",
               (long long)look->records, (long long)events,
               refused.len > 0 ? "; cannot be used: " : "", buf_text(&refused),
               ignored.len > 0 ? "; ignored: " : "", buf_text(&ignored));
    buf_fini(&refused);
    buf_fini(&ignored);
}

static void say_whose(struct look *look) {
    struct doctor *doctor = look->doctor;
    struct buf senders = {0};
    for (size_t i = 0; i < SENDERS_MAX && look->senders[i].records > 0; i++) {
        buf_printf(&senders, "%s%lld by %s", i > 0 ? ", " : "", (long long)look->senders[i].records,
                   look->senders[i].name);
    }
    if (look->app_count > 0) {
        doctor_say(doctor, DOCTOR_OK, "", "of %u application%s (%s%s): %s; %lld %% have stoker_seq",
                   look->app_count, look->app_count == 1 ? "" : "s", buf_text(&look->names),
                   look->app_count > NAMED_MAX ? ", ..." : "", buf_text(&senders),
                   (long long)(100 * look->sequenced / look->records));
    }
    if (look->split > 0) {
        doctor_say(doctor, DOCTOR_FAIL, "send the application id as the key of every record",
                   "%u applications lie in more than one partition: each part is judged alone",
                   look->split);
    } else if (look->keyless > 0 && doctor->partitions > 1) {
        doctor_say(doctor, DOCTOR_WARN, "send the application id as the key of every record",
                   "%lld records have no key: events of one application may come to several "
                   "partitions",
                   (long long)look->keyless);
    }
    buf_fini(&senders);
}

static void read_all(struct look *look, struct changelog *reader, const char *topic) {
    struct doctor *doctor = look->doctor;
    struct err err;
    enum status st = ST_OK;
    while (look->partition < doctor->partitions && st == ST_OK && !look->stop &&
           doctor_left_ms(doctor, SILENCE_MS) > 100) {
        st = read_partition(look, reader, topic, &err);
        look->partition++;
    }
    if (st != ST_OK) {
        doctor_say(doctor, DOCTOR_FAIL, "", "%s", err.text);
    } else if (look->partition < doctor->partitions) {
        doctor_say(doctor, DOCTOR_WARN, "--timeout 5m, --records 10",
                   "only %d of %d partitions were looked at", look->partition, doctor->partitions);
    }
}

void doctor_events(struct doctor *doctor) {
    struct look look = {.doctor = doctor, .positions_known = true};
    struct setup_kafka kafka;
    struct changelog *reader = NULL;
    struct err err;
    const char *topic = config_text(doctor->config, topic_row(TOPIC_EVENTS)->setting);
    if (!doctor->present[TOPIC_EVENTS] || doctor->partitions <= 0) {
        doctor_say(doctor, DOCTOR_SKIPPED, "", "not looked at: %s cannot be used", topic);
        return;
    }
    setup_engine(doctor->config, &look.engine_options);
    setup_decode(doctor->config, &look.decode_options);
    look.decoder = decoder_new(&look.decode_options);
    setup_kafka_init(&kafka, doctor->config, KAFKA_CONSUMER);
    if (changelog_new(&kafka.settings, config_text(doctor->config, "agent.group"), &reader, &err) !=
        ST_OK) {
        doctor_say(doctor, DOCTOR_FAIL, "", "%s", err.text);
    } else {
        read_all(&look, reader, topic);
        say_age(&look, topic);
    }
    if (look.records > 0) {
        say_kinds(&look);
        say_whose(&look);
    }
    changelog_free(reader);
    setup_kafka_fini(&kafka);
    decoder_free(look.decoder);
    for (unsigned i = 0; i < look.app_count; i++) {
        mem_free(look.apps[i]);
    }
    buf_fini(&look.ages);
    buf_fini(&look.names);
}
