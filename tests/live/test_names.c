// test_names: no two workers have one transactional id, whatever their groups and instances are
// called; what could be told apart before is called as before.
#include <stdlib.h>

#include "support/test.h"

#include "base/mem.h"
#include "base/str.h"
#include "live/names.h"

static const char *const words[] = {"a",   "0",   "a-0",   "0-a",   "a-b", "a.1", "0.1",
                                    "1.1", "a-1", "a-0.1", "0-0.3", "-",   "a-",  "-a"};
enum { NUMBERS = 12 };

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void test_no_id_is_of_two(void **state) {
    (void)state;
    static char ids[ARRAY_LEN(words) * ARRAY_LEN(words) * NUMBERS][NAMES_SIZE];
    size_t count = 0;
    for (size_t g = 0; g < ARRAY_LEN(words); g++) {
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            for (int n = 0; n < NUMBERS; n++) {
                struct names names;
                names_of(words[g], words[i], n, &names);
                strcpy(ids[count++], names.transactional_id);
                assert_true(str_starts(str_of(names.transactional_id), str_of(words[g])));
            }
        }
    }
    qsort(ids, count, sizeof ids[0], compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0) {
            fail_msg("two workers are called %s", ids[i]);
        }
    }
}

static void test_forms(void **state) {
    (void)state;
    struct names names;
    names_of("stoker", "eu-host1", 0, &names);
    assert_string_equal(names.member, "stoker-eu-host1-0");
    assert_string_equal(names.transactional_id, "stoker-eu-host1-0");
    assert_string_equal(names.former_id, "");
    names_of("stoker-eu", "host1", 0, &names);
    assert_string_equal(names.member, "stoker-eu-host1-0");
    assert_string_equal(names.transactional_id, "stoker-eu-host1-0.9");
    assert_string_equal(names.former_id, "stoker-eu-host1-0");
    char group[116], instance[116];
    memset(group, '-', sizeof group);
    memset(instance, 'i', sizeof instance);
    group[115] = instance[115] = '\0'; // as long as settings may be: nothing is cut
    names_of(group, instance, 63, &names);
    const char *end = strchr(names.transactional_id, '6');
    assert_string_equal(end, "63.115");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_id_is_of_two),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
