// test_render_given: what became of advice is told under what it is, and nothing of a record
// reaches a terminal or a program as it came.
#include "support/test.h"

#include <jansson.h>

#include "base/mem.h"
#include "present/render_advice.h"

// Memory stands and helped, join was withdrawn, input has no record any more; of earlier advice the
// run tells that it harmed, in a text that drives terminals.
static void fill(struct given *given) {
    static const struct pipeline_run run = {.status = RUN_SUCCEEDED};
    *given = (struct given){.run = &run, .count = 3, .told_count = 1};
    given->list[0].kind = ADVICE_MEMORY;
    given->list[0].given.recommendation.action = mem_strdup("Give more.");
    given->list[0].later.recommendation = (struct recommendation){
        .kind = "memory", .action = mem_strdup("Applied: it helped."), .outcome.fate = FATE_HELPED};
    strcpy(given->list[0].later.identity.app_id, "app-\033[31m9");
    given->list[1].kind = ADVICE_JOIN;
    given->list[1].given.recommendation.action = mem_strdup("Hint.");
    given->list[1].later.recommendation = (struct recommendation){
        .kind = "join", .action = mem_strdup("Withdrawn: twice."), .outcome.fate = FATE_WITHDRAWN};
    given->list[2].kind = ADVICE_INPUT;
    given->told[0].recommendation =
        (struct recommendation){.kind = "partitioning",
                                .action = mem_strdup("bad \033]0;\"x\a"),
                                .outcome.fate = FATE_HARMED};
}

static void people_are_told_each_under_its_title(void **state) {
    (void)state;
    struct given given;
    struct buf out = {0};
    fill(&given);
    render_given(&out, &given, &(struct render_style){.width = 100});
    assert_string_equal(buf_text(&out),
                        "\nwhat became of it\n"
                        "  memory: helped, as app-\\x1b[31m9 tells. Applied: it helped.\n"
                        "\nwithdrawn: no part of the set, do not apply it\n"
                        "  join: Withdrawn: twice.\n"
                        "\nnot on the topic any more: no part of the set\n"
                        "  input: the run was given it\n"
                        "\nwhat this run tells of earlier advice, which it applied\n"
                        "  partitioning: harmed. bad \\x1b]0;\"x\\x07\n");
    given_fini(&given);
    render_given(&out, &given, &(struct render_style){.width = 100}); // nothing to tell
    assert_null(strstr(buf_text(&out) + out.len - 5, "\n\n"));
    buf_fini(&out);
}

static void programs_get_lists_of_each(void **state) {
    (void)state;
    static const struct run_identity identity = {.app_id = "app-1"};
    struct recommendation set[RUN_ADVICE_MAX];
    struct given given;
    struct buf out = {0};
    fill(&given);
    uint32_t count = given_set(&given, set);
    render_advice_json(&out, &(struct render_advised){.identity = &identity, .given = &given}, set,
                       count);
    json_t *root = json_loadb(buf_text(&out), out.len, 0, NULL);
    assert_non_null(root);
    static const struct {
        const char *list;
        size_t count;
    } wanted[] = {
        {"recommendations", 1}, {"outcomes", 2}, {"withdrawn", 1}, {"missing", 1}, {"told", 1}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_int_equal(json_array_size(json_object_get(root, wanted[i].list)), wanted[i].count);
    }
    const json_t *told = json_array_get(json_object_get(root, "told"), 0);
    assert_string_equal(json_string_value(json_object_get(told, "outcome")), "harmed");
    assert_string_equal(json_string_value(json_object_get(told, "action")), "bad \033]0;\"x\a");
    json_decref(root);
    buf_fini(&out);
    given_fini(&given);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_are_told_each_under_its_title),
        cmocka_unit_test(programs_get_lists_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
