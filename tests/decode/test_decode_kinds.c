// test_decode_kinds: every kind of event has fields of its own that are read, or says here that it
// has none; what is no kind of ours leaves the union of struct event alone, whatever it holds.
#include "decode_support.h"

enum type { I32, I64, TEXT };

// One field of a kind, as JSON and where it is kept.
struct sample {
    const char *members; // of the event, beside "Event"
    size_t at;           // offset in struct event
    enum type type;
    int64_t number;
};
#define IN(type_, json, member, value)                                                             \
    { .members = (json), .at = offsetof(struct event, member), .type = (type_), .number = (value) }
// A text of one character is a number here.
#define EXCLUSION IN(TEXT, "\"hostId\":\"h\"", exclusion.host, 'h')
#define SQL IN(I64, "\"executionId\":7", sql.execution_id, 7)
#define STREAM IN(TEXT, "\"id\":\"q\"", stream.query_id, 'q')
#define NONE                                                                                       \
    { .members = NULL }

static const struct sample samples[EVENT_KIND_COUNT] = {
    [EVENT_OTHER] = NONE,
    [EVENT_LOG_START] = IN(TEXT, "\"Spark Version\":\"3\"", version, '3'),
    [EVENT_DB_METADATA] = IN(TEXT, "\"Spark Version\":\"3\"", version, '3'),
    [EVENT_APP_START] = IN(TEXT, "\"App Name\":\"n\"", app_start.name, 'n'),
    [EVENT_APP_END] = IN(I64, "\"ExitCode\":3", app_end.exit_code, 3),
    [EVENT_ENVIRONMENT] =
        IN(TEXT, "\"JVM Information\":{\"Java Version\":\"8\"}", environment.java_version, '8'),
    [EVENT_RESOURCE_PROFILE] = IN(I32, "\"Resource Profile Id\":4", profile.id, 4),
    [EVENT_EXECUTOR_ADDED] = IN(TEXT, "\"Executor ID\":\"1\"", executor.id, '1'),
    [EVENT_EXECUTOR_REMOVED] = IN(TEXT, "\"Removed Reason\":\"r\"", executor.reason, 'r'),
    [EVENT_EXECUTOR_EXCLUDED] = EXCLUSION,
    [EVENT_EXECUTOR_BLACKLISTED] = EXCLUSION,
    [EVENT_EXECUTOR_EXCLUDED_STAGE] = EXCLUSION,
    [EVENT_EXECUTOR_BLACKLISTED_STAGE] = EXCLUSION,
    [EVENT_NODE_EXCLUDED] = EXCLUSION,
    [EVENT_NODE_BLACKLISTED] = EXCLUSION,
    [EVENT_NODE_EXCLUDED_STAGE] = EXCLUSION,
    [EVENT_NODE_BLACKLISTED_STAGE] = EXCLUSION,
    [EVENT_BLOCK_MANAGER_ADDED] = IN(I64, "\"Maximum Memory\":9", block_manager.max_bytes, 9),
    [EVENT_JOB_START] = IN(I32, "\"Job ID\":5", job.id, 5),
    [EVENT_JOB_END] = IN(I32, "\"Job ID\":5", job.id, 5),
    [EVENT_STAGE_SUBMITTED] = IN(I32, "\"Stage Info\":{\"Stage ID\":6}", stage.id, 6),
    [EVENT_STAGE_COMPLETED] = IN(I32, "\"Stage Info\":{\"Stage ID\":6}", stage.id, 6),
    [EVENT_TASK_START] = IN(I64, "\"Stage ID\":1,\"Task Info\":{\"Task ID\":2}", task.task_id, 2),
    [EVENT_TASK_END] = IN(I64,
                          "\"Stage ID\":1,\"Task Info\":{},"
                          "\"Task Metrics\":{\"Executor Run Time\":8}",
                          task.run_ms, 8),
    [EVENT_SQL_START] = SQL,
    [EVENT_SQL_END] = SQL,
    [EVENT_SQL_ADAPTIVE_PLAN] = SQL,
    [EVENT_SQL_ADAPTIVE_METRICS] = SQL,
    [EVENT_SQL_DRIVER_ACCUMS] = SQL,
    [EVENT_STREAM_STARTED] = STREAM,
    [EVENT_STREAM_PROGRESS] = STREAM,
    [EVENT_STREAM_TERMINATED] = STREAM,
    [EVENT_STREAM_IDLE] = STREAM,
    [EVENT_THRIFT_SERVER] = NONE,
    [EVENT_CONNECT] = NONE,
    [EVENT_LISTENER_REPORT] = IN(I64, "\"Accepted\":7", report.accepted, 7),
};
// Kinds that are of use by name and time alone.
static const enum event_kind without_fields[] = {EVENT_OTHER, EVENT_THRIFT_SERVER, EVENT_CONNECT};

static bool has_no_fields(int kind) {
    for (size_t i = 0; i < ARRAY_LEN(without_fields); i++) {
        if ((int)without_fields[i] == kind) {
            return true;
        }
    }
    return false;
}

static int64_t kept(const struct event *event, const struct sample *s) {
    const char *at = (const char *)event + s->at;
    struct str text;
    int32_t i32;
    int64_t i64;
    switch (s->type) {
    case I32:
        memcpy(&i32, at, sizeof i32);
        return i32;
    case I64:
        memcpy(&i64, at, sizeof i64);
        return i64;
    default:
        memcpy(&text, at, sizeof text);
        return text.len == 1 ? text.p[0] : -1;
    }
}

static void every_kind_reads_its_fields(void **state) {
    struct fixture *f = *state;
    for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
        const struct sample *s = &samples[kind];
        const char *name = event_kind_name((enum event_kind)kind);
        if (s->members == NULL && !has_no_fields(kind)) {
            fail_msg("%s: no sample of a field, and not among those without", name);
        }
        struct buf text = {0};
        buf_printf(&text, "{\"Event\":\"%s\",%s}", name,
                   s->members == NULL ? "\"x\":1" : s->members);
        const struct event *event = decode_ok(f, buf_text(&text));
        assert_int_equal(event->kind, kind);
        if (s->members != NULL && kept(event, s) != s->number) {
            fail_msg("%s: its field is not read", name);
        }
        buf_fini(&text);
    }
}

// Every field of every kind in one message.
static void add_all_members(struct buf *text) {
    for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
        const char *members = samples[kind].members;
        for (int before = 1; before < kind && members != NULL; before++) {
            bool again =
                samples[before].members != NULL && strcmp(samples[before].members, members) == 0;
            members = again ? NULL : members;
        }
        if (members != NULL) {
            buf_printf(text, ",%s", members);
        }
    }
}

static void what_has_no_fields_writes_none(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(without_fields); i++) {
        const char *name = event_kind_name(without_fields[i]);
        struct buf text = {0};
        buf_printf(&text, "{\"Event\":\"%s\"", name[0] == '\0' ? "com.example.Unheard" : name);
        add_all_members(&text);
        buf_add_char(&text, '}');
        // Not through the oracle, which refuses a key that stands twice.
        assert_int_equal(
            decoder_decode(f->both.decoder, buf_str(&text), text.len, NULL, &f->event, &f->err),
            ST_OK);
        assert_int_equal(f->event.kind, without_fields[i]);
        const char *end = (const char *)(&f->event + 1);
        for (const char *p = (const char *)&f->event.app_start; p < end; p++) {
            assert_int_equal(*p, 0);
        }
        buf_fini(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reads_its_fields),
        cmocka_unit_test(what_has_no_fields_writes_none),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
