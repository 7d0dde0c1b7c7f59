// test_record: the vocabularies are numbered without a gap and their names are one each; every
// table of the model obeys the rules of record.h, and a table that breaks one is found out.
#include "support/test.h"

#include "model/record.h"
#include "model/run.h"

static void every_word_has_a_number_and_a_name_of_its_own(void **state) {
    (void)state;
    unsigned count = 0;
    for (; vocabularies[count] != NULL; count++) {
        const struct vocabulary *words = vocabularies[count];
        for (unsigned i = 0; i < words->count; i++) {
            if (words == &vocabulary_advice_kind && words->words[i] == NULL) {
                assert_in_range(i, KIND_COUNT, ADVICE_PARTITIONING - 1);
                continue;
            }
            assert_non_null(words->words[i]); // NULL: a gap
            assert_int_equal(vocabulary_parse(words, str_of(words->words[i])), i);
            assert_string_equal(vocabulary_name(words, (int)i), words->words[i]);
        }
        assert_int_equal(vocabulary_parse(words, STR("no such word")), -1);
    }
    assert_int_equal(count, 12);
    assert_int_equal(vocabulary_kind.count, KIND_COUNT);
    assert_int_equal(kind_parse(STR("pipeline_failure")), KIND_PIPELINE_FAILURE);
    assert_string_equal(cause_name(CAUSE_NONE), "");
}

static void every_table_obeys_the_rules(void **state) {
    (void)state;
    const struct record *const all[] = {&record_run_totals, &record_bottleneck,
                                        &record_recommendation, &record_pipeline_run,
                                        &record_pipeline_window};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *fault = record_fault(all[i]);
        if (fault != NULL) {
            fail_msg("%s: %s", all[i]->name, fault);
        }
    }
}

// A row is found through the structs it lies in, with where it lies.
static void rows_are_found_by_name_and_number(void **state) {
    (void)state;
    size_t base = 0;
    const struct record_row *row = record_by_name(&record_pipeline_run, "stage_count", &base);
    assert_non_null(row);
    assert_int_equal(base + row->offset, offsetof(struct pipeline_run, totals.stages));
    row = record_by_number(&record_bottleneck, 9, &base);
    assert_non_null(row);
    assert_string_equal(row->name, "state");
    assert_int_equal(base + row->offset, offsetof(struct bottleneck, life));
    assert_null(record_by_name(&record_pipeline_run, "identity", &base));
    assert_null(record_by_number(&record_bottleneck, 30, &base));
}

struct some {
    int64_t large;
    int32_t small;
    char text[8];
    struct evidence in;
};

static void a_table_with_a_fault_is_found_out(void **state) {
    (void)state;
    static const struct record_row fine = RECORD_ROW(1, I64, some, large);
    static const struct record_row bad[] = {
        RECORD_AS(1, I32, some, small, "other"),                     // the number of another
        RECORD_AS(2, I32, some, small, "large"),                     // the name of another
        RECORD_ROW(2, I64, some, small),                             // another type than the member
        RECORD_ROW(2, WORD, some, small),                            // of which words?
        RECORD_ROW(2, NESTED, some, in),                             // of which table?
        RECORD_ROW(2, NESTED, some, in, .item = &record_bottleneck), // of another table
        RECORD_ROW(2, ARRAY, some, in, .item = &record_evidence),    // how many?
        {2, RECORD_I64, "far", sizeof(struct some), 8, NULL, .max = 0},
        {0, RECORD_RETIRED, NULL, 0, 0, NULL, .max = 0},
        {2, RECORD_PLACES, "places", 0, 2, NULL, .max = 3},
        {2, RECORD_PLACES, "places", 0, 8, &vocabulary_severity, .max = 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct record_row rows[] = {fine, bad[i]};
        const struct record table = RECORD_OF("some", some, rows);
        if (record_fault(&table) == NULL) {
            fail_msg("row %d: no fault found", (int)i);
        }
    }
    const struct record_row rows[] = {fine, RECORD_ROW(2, CHARS, some, text)};
    const struct record table = RECORD_OF("some", some, rows);
    assert_null(record_fault(&table));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_has_a_number_and_a_name_of_its_own),
        cmocka_unit_test(every_table_obeys_the_rules),
        cmocka_unit_test(rows_are_found_by_name_and_number),
        cmocka_unit_test(a_table_with_a_fault_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
