// test_engine_memory: what the rooms of stage 1 hold is counted: it rises with a log and is given
// back to the byte when the engine goes, wherever it was taken and released.
#include "support/logs.h"
#include "support/quiet.h"
#include "support/test.h"

#include "engine/engine.h"

static struct decoder *decoder;
static struct engine *engine;
static int64_t offset, fed;

static void feed(const char *path, struct str line, void *context) {
    (void)path, (void)context;
    struct message message = {
        .value = line, .key = STR("app"), .topic = "spark-events", .offset = offset++};
    (void)!engine_feed(engine, &message, message.value.len, NULL, NULL);
    fed++;
}

static void a_room_holds_more_and_then_what_it_held(void **state) {
    (void)state;
    static const enum mem_room rooms[] = {MEM_ROOM_state, MEM_ROOM_stats, MEM_ROOM_engine};
    struct engine_options options;
    int64_t before[ARRAY_LEN(rooms)];
    engine_options_init(&options);
    decoder = decoder_new(&plain_decode);
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        before[i] = mem_room_bytes(rooms[i]);
    }
    engine = engine_new(&options, decoder, &quiet_engine);
    logs_file(FIXTURES "/logs/skew_groupbykey/events.jsonl.zst", feed, NULL);
    logs_file(FIXTURES "/logs/executor_oom/events.jsonl.zst", feed, NULL);
    assert_true(fed > 100);
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        print_message("%s: %lld bytes more\n", mem_room_name(rooms[i]),
                      (long long)(mem_room_bytes(rooms[i]) - before[i]));
        assert_true(mem_room_bytes(rooms[i]) > before[i]);
    }
    assert_true(mem_room_bytes(MEM_ROOM_decode) > 0);
    engine_free(engine);
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        assert_true(mem_room_bytes(rooms[i]) == before[i]);
    }
    decoder_free(decoder);
    assert_true(mem_room_bytes(MEM_ROOM_decode) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_holds_more_and_then_what_it_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
