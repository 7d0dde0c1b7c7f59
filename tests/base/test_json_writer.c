// test_json_writer: commas, nesting and keys come out where JSON wants them, whatever the values.
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_writer.h"

static void every_kind_of_value_in_its_place(void **state) {
    (void)state;
    struct buf out = {0};
    struct json_writer json = {.out = &out};
    json_begin_object(&json);
    json_member_text(&json, "t\"", "a\"\xFF");
    json_member_i64(&json, "i", INT64_MIN);
    json_member_number(&json, "n", 0.1);
    json_member_number(&json, "nan", NAN);
    json_member_bool(&json, "b", true);
    json_member_null(&json, "z");
    json_member_object(&json, "empty");
    json_end_object(&json);
    json_member_list(&json, "l");
    json_put_i64(&json, 1);
    json_begin_list(&json);
    json_end_list(&json);
    json_begin_object(&json);
    json_member_str(&json, "k", STR("v"));
    json_end_object(&json);
    json_put_null(&json);
    json_put_bool(&json, false);
    json_put_number(&json, 2);
    json_put_str(&json, STR("s"));
    json_end_list(&json);
    json_put_key(&json, STR("raw"));
    json_put_raw(&json, STR("[1, 2]"));
    json_member_i64(&json, "after", 7);
    json_end_object(&json);
    assert_string_equal(buf_text(&out),
                        "{\"t\\\"\":\"a\\\"\xEF\xBF\xBD\",\"i\":-9223372036854775808,\"n\":0.1,"
                        "\"nan\":null,\"b\":true,\"z\":null,\"empty\":{},\"l\":[1,[],{\"k\":\"v\"},"
                        "null,false,2,\"s\"],\"raw\":[1, 2],\"after\":7}");
    buf_fini(&out);
}

// Whatever a string holds, another parser reads the same one back, and every byte is ASCII or seen.
static void strings_are_read_back_as_they_were(void **state) {
    (void)state;
    for (uint32_t code = 1; code < 0x110000; code += code < 0x3000 || code > 0xFE00 ? 1 : 97) {
        char text[8];
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if ((code >= 0xD800 && code < 0xE000) || (code > 0xE1000 && code % 1009 != 0)) {
            continue;
        }
        for (size_t i = n; i > 1; i--) {
            text[i - 1] = (char)(0x80 | (code >> 6 * (n - i) & 0x3F));
        }
        text[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xFF) | code >> 6 * (n - 1));
        struct buf out = {0};
        buf_add_json(&out, (struct str){text, n});
        json_t *string = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
        assert_non_null(string);
        assert_int_equal(json_string_length(string), n);
        assert_memory_equal(json_string_value(string), text, n);
        assert_true(!str_is_unseen(code) || memmem(out.data, out.len, text, n) == NULL);
        json_decref(string);
        buf_fini(&out);
    }
}

// Calls that are right where the writer stands, at random; another parser has the last word.
static void whatever_is_written_is_json(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 2000; round++) {
        struct buf out = {0};
        struct json_writer json = {.out = &out};
        int depth = 0, key = 0;
        bool objects[8];
        json_begin_list(&json);
        objects[depth++] = false;
        for (int steps = 0; depth > 0; steps++) {
            uint64_t what = test_random(&seed) % (steps > 40 ? 1 : 6);
            if (what == 0) {
                objects[--depth] ? json_end_object(&json) : json_end_list(&json);
                continue;
            }
            if (objects[depth - 1]) {
                char name[16];
                snprintf(name, sizeof name, "k\n%d", key++);
                json_put_key(&json, str_of(name));
            }
            if (what <= 2 && depth < 8) {
                objects[depth++] = what == 1;
                what == 1 ? json_begin_object(&json) : json_begin_list(&json);
            } else {
                char text[3] = {(char)test_random(&seed), (char)test_random(&seed), 0};
                json_put_str(&json, (struct str){text, 2});
            }
        }
        json_error_t error;
        json_t *read =
            json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (read == NULL) {
            fail_msg("%s in %s", error.text, buf_text(&out));
        }
        json_decref(read);
        buf_fini(&out);
    }
}

// Ends the process with its own words, not with text that is no JSON.
static void assert_refused(void (*calls)(struct json_writer *json)) {
    pid_t child = fork();
    if (child == 0) {
        struct buf out = {0};
        struct json_writer json = {.out = &out};
        fclose(stderr);
        calls(&json);
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

static void value_without_key(struct json_writer *json) {
    json_begin_object(json);
    json_put_i64(json, 1);
}
static void key_in_list(struct json_writer *json) {
    json_begin_list(json);
    json_put_key(json, STR("k"));
}
static void key_without_value(struct json_writer *json) {
    json_begin_object(json);
    json_put_key(json, STR("k"));
    json_end_object(json);
}
static void wrong_end(struct json_writer *json) {
    json_begin_object(json);
    json_end_list(json);
}
static void two_at_the_top(struct json_writer *json) {
    json_put_i64(json, 1);
    json_put_i64(json, 2);
}

static void calls_out_of_place_are_our_own_mistake(void **state) {
    (void)state;
    assert_refused(value_without_key);
    assert_refused(key_in_list);
    assert_refused(key_without_value);
    assert_refused(wrong_end);
    assert_refused(two_at_the_top);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_in_its_place),
        cmocka_unit_test(strings_are_read_back_as_they_were),
        cmocka_unit_test(whatever_is_written_is_json),
        cmocka_unit_test(calls_out_of_place_are_our_own_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
