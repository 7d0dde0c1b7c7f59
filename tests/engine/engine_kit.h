// engine_kit: an engine to feed with JSON text, everything it hands out kept in order, and short
// writers of Spark events. For the tests of stage 1. Times are seconds after KIT_START_MS.
#pragma once

#include "support/quiet.h"
#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "engine/engine.h"

#define KIT_START_MS INT64_C(1700000000000)
enum { KIT_MAX = 2048 };

struct kit_record {
    enum { KIT_RUN, KIT_VERDICT, KIT_ADVICE } type;
    char app_id[RUN_TEXT_MAX + 1], attempt[33], pipeline[RUN_TEXT_MAX + 1];
    char id[ID_TEXT_SIZE], advice_kind[32];
    int64_t revision, ended_ms, time_ms, records, tasks;
    enum run_status status;
    uint32_t open_count;
    double duration_s, completeness;
    int64_t events_lost, events_cut;
    struct bottleneck verdict;
};

static struct kit {
    struct engine_options options;
    struct decoder *decoder;
    struct engine *engine;
    struct kit_record *records;
    int count;
    int64_t offset, record_ms; // of the next message
    int64_t bytes;             // of all messages
    int64_t number;            // of the next message by its listener; 0: there is none
    struct err err;            // of the last message
    enum metric reason;
} kit;

static struct kit_record *kit_add(const struct run_identity *identity) {
    assert_true(kit.count < KIT_MAX);
    struct kit_record *r = &kit.records[kit.count++];
    *r = (struct kit_record){0};
    str_copy(r->app_id, sizeof r->app_id, str_of(identity->app_id));
    str_copy(r->attempt, sizeof r->attempt, str_of(identity->attempt));
    str_copy(r->pipeline, sizeof r->pipeline, str_of(identity->pipeline));
    return r;
}

static void kit_on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    struct kit_record *r = kit_add(&run->identity);
    memcpy(r->id, run->id, sizeof r->id);
    r->revision = run->revision;
    r->ended_ms = run->ended_ms;
    r->time_ms = run->time_ms;
    r->records = run->totals.records;
    r->tasks = run->totals.tasks;
    r->status = run->status;
    r->open_count = run->open_count;
    r->duration_s = run->duration_s;
    r->completeness = run->completeness;
    r->events_lost = run->events_lost;
    r->events_cut = run->events_cut;
}

static void kit_on_verdict(void *ctx, const struct run_identity *identity, const char *run_id,
                           const struct bottleneck *b) {
    (void)ctx, (void)run_id;
    struct kit_record *r = kit_add(identity);
    r->type = KIT_VERDICT;
    memcpy(r->id, b->id, sizeof r->id);
    r->revision = b->revision;
    r->verdict = *b;
}

static void kit_on_advice(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct recommendation *advice) {
    (void)ctx, (void)run_id;
    struct kit_record *r = kit_add(identity);
    r->type = KIT_ADVICE;
    memcpy(r->id, advice->id, sizeof r->id);
    r->revision = advice->revision;
    str_copy(r->advice_kind, sizeof r->advice_kind, str_of(advice->kind));
}

// Options may be changed between kit_options and kit_begin.
static inline void kit_options(void) {
    memset(&kit, 0, sizeof kit);
    metrics_reset();
    engine_options_init(&kit.options);
    kit.options.publish_min = SEVERITY_LOW;
    kit.decoder = decoder_new(&plain_decode);
    kit.records = mem_zalloc(KIT_MAX, sizeof *kit.records);
}

static inline void kit_begin(void) {
    struct engine_output output = {NULL, kit_on_run, kit_on_verdict, kit_on_advice};
    kit.engine = engine_new(&kit.options, kit.decoder, &output);
}

static inline int kit_set_up(void **state) {
    (void)state;
    kit_options();
    kit_begin();
    return 0;
}

static inline int kit_tear_down(void **state) {
    (void)state;
    engine_free(kit.engine);
    decoder_free(kit.decoder);
    mem_free(kit.records);
    return 0;
}

// Feeds a whole message; its offset is the next one.
static inline enum status kit_message(struct message message) {
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)kit.number);
    const struct message_header header = {MESSAGE_HEADER_NUMBER, str_of(number)};
    if (kit.number > 0) {
        message.headers = &header;
        message.header_count = 1;
        kit.number++;
    }
    message.topic = "spark-events";
    message.offset = kit.offset++;
    kit.bytes += (int64_t)message.value.len;
    message.timestamp_ms = kit.record_ms;
    kit.err = (struct err){0};
    return engine_feed(kit.engine, &message, message.value.len, &kit.reason, &kit.err);
}

// Feeds a value under a key; it must be accepted.
static inline void PRINTF_LIKE(2, 3) kit_feed(const char *key, const char *fmt, ...) {
    char text[4096];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof text);
    struct message message = {.value = {text, (size_t)n}, .key = str_of(key)};
    if (kit_message(message) != ST_OK) {
        fail_msg("%s: %s", text, kit.err.text);
    }
}

static inline long long kit_ms(double at_s) {
    return (long long)(KIT_START_MS + (int64_t)(at_s * 1000));
}

static inline void kit_app_start(const char *key, const char *name, double at_s) {
    kit_feed(key,
             "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"%s\",\"Timestamp\":%lld}",
             name, kit_ms(at_s));
}

static inline void kit_executor(const char *key, const char *id, int cores) {
    kit_feed(key,
             "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":%lld,\"Executor ID\":"
             "\"%s\",\"Executor Info\":{\"Host\":\"h\",\"Total Cores\":%d}}",
             kit_ms(0), id, cores);
}

static inline void kit_app_end(const char *key, double at_s) {
    kit_feed(key, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":%lld}", kit_ms(at_s));
}

static inline void kit_stage(const char *key, int stage, int tasks, double submitted_s,
                             double completed_s) {
    char completed[64] = "";
    if (completed_s > 0) {
        snprintf(completed, sizeof completed, ",\"Completion Time\":%lld", kit_ms(completed_s));
    }
    kit_feed(key,
             "{\"Event\":\"SparkListenerStage%s\",\"Stage Info\":{\"Stage ID\":%d,\"Stage Attempt "
             "ID\":0,\"Stage Name\":\"s\",\"Number of Tasks\":%d,\"Submission Time\":%lld%s}}",
             completed_s > 0 ? "Completed" : "Submitted", stage, tasks, kit_ms(submitted_s),
             completed);
}

// A task that ended well: all its time is run time, 90 % of it CPU; it read `mib` MiB of shuffle.
static inline void kit_task(const char *key, int stage, int task, double from_s, double to_s,
                            int mib) {
    long long ms = kit_ms(to_s) - kit_ms(from_s);
    kit_feed(
        key,
        "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task End "
        "Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,\"Index\":%d,\"Launch "
        "Time\":%lld,\"Finish Time\":%lld,\"Executor ID\":\"1\",\"Host\":\"h\"},\"Task Metrics\":{"
        "\"Executor Run Time\":%lld,\"Executor CPU Time\":%lld,\"Shuffle Read Metrics\":{\"Remote "
        "Bytes Read\":%lld,\"Local Bytes Read\":0,\"Total Records Read\":1000000}}}",
        stage, task, task, kit_ms(from_s), kit_ms(to_s), ms, ms * 900000, (long long)mib << 20);
}

// The `nth` record of a type and app (from 0), counted from the end if negative; NULL if none.
static inline const struct kit_record *kit_find(int type, const char *app_id, int nth) {
    for (int i = nth < 0 ? kit.count - 1 : 0; i >= 0 && i < kit.count; i += nth < 0 ? -1 : 1) {
        const struct kit_record *r = &kit.records[i];
        if ((int)r->type == type && strcmp(r->app_id, app_id) == 0) {
            if (nth == 0 || nth == -1) {
                return r;
            }
            nth += nth < 0 ? 1 : -1;
        }
    }
    return NULL;
}

static inline int kit_count(int type, const char *app_id) {
    int n = 0;
    for (int i = 0; i < kit.count; i++) {
        n += (int)kit.records[i].type == type && strcmp(kit.records[i].app_id, app_id) == 0;
    }
    return n;
}

// The revisions of everything with an id rise by one from 1; no id has two types or apps.
static inline void kit_check_revisions(void) {
    for (int i = 0; i < kit.count; i++) {
        int64_t before = 0;
        for (int k = 0; k < i; k++) {
            if (strcmp(kit.records[k].id, kit.records[i].id) == 0) {
                assert_int_equal(kit.records[k].type, kit.records[i].type);
                before = kit.records[k].revision;
            }
        }
        assert_int_equal(kit.records[i].revision, before + 1);
    }
}
