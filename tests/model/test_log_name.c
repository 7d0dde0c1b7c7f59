// test_log_name: what names of event logs tell, of Spark's own forms and of names that only look
// like one.
#include "support/test.h"

#include "model/log_name.h"

#define HEX "0123456789abcdef0123456789abcdef"

struct name_case {
    const char *path, *app_id, *attempt, *packing;
    int64_t part;
    unsigned is; // a sum of the following
};
enum { KNOWN = 1, ROLLED = 2, STATUS = 4, COMPACT = 8, IN_PROGRESS = 16 };

static const struct name_case cases[] = {
    {"/a/local-1596020211915", "local-1596020211915", "", "", 0, KNOWN},
    {"app-20200706201101-0003.zstd", "app-20200706201101-0003", "", ".zstd", 0, KNOWN},
    {"hdfs://nn:8020/logs/application_1516285256255_0012_1.lz4.inprogress",
     "application_1516285256255_0012", "1", ".lz4", 0, KNOWN | IN_PROGRESS},
    {"file:/logs/spark-" HEX ".snappy/", "spark-" HEX, "", ".snappy", 0, KNOWN},
    {"spark-application-1600000000000.gz", "spark-application-1600000000000", "", ".gz", 0, KNOWN},
    {"eventlog_v2_app-1-2_4", "app-1-2", "4", "", 0, KNOWN | ROLLED},
    {"eventlog_v2_app-1-2_4/events_12_app-1-2.zstd.compact", "app-1-2", "4", ".zstd", 12,
     KNOWN | ROLLED | COMPACT},
    {"eventlog_v2_app-1-2_4/events_9_app-1-2_5", "app-1-2", "5", "", 9, KNOWN | ROLLED},
    {"eventlog_v2_app-1-3_4/events_9_app-1-2", "app-1-2", "", "", 9, KNOWN | ROLLED},
    {"x_4/events_9_app-1-2", "app-1-2", "", "", 9, KNOWN | ROLLED},
    {"eventlog_v2_app-1-2_4/appstatus_app-1-2_4.inprogress", "app-1-2", "4", "", 0,
     KNOWN | ROLLED | STATUS | IN_PROGRESS},
    // an id of nobody's form: only where nothing but an id can stand, and no attempt can be in it
    {"eventlog_v2_00f5abcde/events_1_00f5abcde", "00f5abcde", "", "", 1, KNOWN | ROLLED},
    {"events_1_a b", "a b", "", "", 1, ROLLED},
    {"events_1_my_job_2", "my_job_2", "", "", 1, ROLLED},
    {"my-job", "my-job", "", "", 0, 0},
    {"events.jsonl.zst", "events.jsonl", "", ".zst", 0, 0},
    {"/tmp/spark-events", "spark-events", "", "", 0, 0},
    {"spark-driver", "spark-driver", "", "", 0, 0},
    {"spark-" HEX "0", "spark-" HEX "0", "", "", 0, 0},
    {"local-12x", "local-12x", "", "", 0, 0},
    {"app-1-2_3_4", "app-1-2_3_4", "", "", 0, 0},
    {"events_x_app-1-2", "events_x_app-1-2", "", "", 0, 0},
    {"events_99999999999999999999_app-1-2", "events_99999999999999999999_app-1-2", "", "", 0, 0},
    {"events_1_", "", "", "", 1, ROLLED},
    {"eventlog_v2_", "", "", "", 0, ROLLED},
    {"my log.inprogress", "my log", "", "", 0, IN_PROGRESS},
    {".zst", ".zst", "", "", 0, 0},
    {"///", "", "", "", 0, 0},
    {"", "", "", "", 0, 0},
};

static unsigned is(const struct log_name *n) {
    return n->known * KNOWN + n->rolled * ROLLED + n->status * STATUS + n->compact * COMPACT +
           n->in_progress * IN_PROGRESS;
}

static void what_names_tell(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct name_case *c = &cases[i];
        struct log_name n;
        log_name_read(str_of(c->path), &n);
        if (!str_is(n.app_id, c->app_id) || !str_is(n.attempt, c->attempt) ||
            !str_is(n.packing, c->packing) || n.part != c->part || is(&n) != c->is) {
            fail_msg("%s: id %.*s attempt %.*s packing %.*s part %lld is %u", c->path,
                     (int)n.app_id.len, n.app_id.p, (int)n.attempt.len, n.attempt.p,
                     (int)n.packing.len, n.packing.p, (long long)n.part, is(&n));
        }
    }
}

static void a_view_without_bytes(void **state) {
    (void)state;
    struct log_name n;
    log_name_read((struct str){NULL, 0}, &n);
    assert_false(n.known);
    assert_int_equal(n.app_id.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_names_tell),
        cmocka_unit_test(a_view_without_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
