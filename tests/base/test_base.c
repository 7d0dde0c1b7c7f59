// test_base: text views, buffers with their escapers, spans, errors, saturating sums.
#include "support/test.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sat.h"
#include "base/span.h"

static void utf8_is_told_from_what_is_not(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},      {"plain", true},     {"\xC3\xA9", true},      {"\xF0\x9F\x98\x80", true},
        {"\xC3", false}, {"\xC0\xAF", false}, {"\xED\xA0\x80", false}, {"\xF4\x90\x80\x80", false},
        {"\x80", false}, {"a\xFFz", false},   {"\xE0\x80\x80", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(str_is_utf8(str_of(cases[i].text)), cases[i].good);
    }
}

static void copies_are_cut_between_characters(void **state) {
    (void)state;
    char out[5];
    assert_true(str_copy(out, sizeof out, STR("abcd")));
    assert_false(str_copy(out, sizeof out, STR("abc\xC3\xA9")));
    assert_string_equal(out, "abc");
    assert_false(str_copy(out, sizeof out, STR("a\xF0\x9F\x98\x80")));
    assert_string_equal(out, "a");
    assert_true(str_copy(out, sizeof out, (struct str){"a\0b", 3}));
    assert_string_equal(out, "a?b");
}

static void integers_are_parsed_exactly(void **state) {
    (void)state;
    int64_t value = 1;
    assert_true(str_to_i64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    static const char *const bad[] = {"", "-", "9223372036854775808", "12x", " 1", "1.0", "+1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(str_to_i64(str_of(bad[i]), &value));
    }
    assert_int_equal(str_distance(STR("brokrs"), STR("brokers")), 1);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
}

static void escapers_leave_nothing_dangerous(void **state) {
    (void)state;
    struct buf buf = {0};
    struct str nasty = {"a\"\\\n\x1b[31m<\xFF\xC2\x9B", 13};
    buf_add_json(&buf, nasty);
    assert_string_equal(buf_text(&buf), "\"a\\\"\\\\\\u000a\\u001b[31m<\xEF\xBF\xBD\\u009b\"");
    buf_clear(&buf);
    buf_add_printable(&buf, nasty);
    assert_string_equal(buf_text(&buf), "a\"\\\\x0a\\x1b[31m<\\xff\\xc2\\x9b");
    buf_clear(&buf);
    buf_add_printable(&buf, STR("a\xE2\x80\xAE"
                                "b\xE2\x81\xA7\xE2\x82\xAC")); // U+202E, U+2067, the euro sign
    assert_string_equal(buf_text(&buf), "a\\u202eb\\u2067\xE2\x82\xAC");
    buf_clear(&buf);
    buf_add_html(&buf, STR("<b a='1'>&\"\x01"));
    assert_string_equal(buf_text(&buf), "&#60;b a=&#39;1&#39;&#62;&#38;&#34;\xEF\xBF\xBD");
    buf_clear(&buf);
    buf_add_markdown(&buf, STR("a|b\n[x](y) <i> `c`\\\x01"));
    assert_string_equal(buf_text(&buf), "a\\|b \\[x\\](y) \\<i\\> \\`c\\`\\\\\xEF\xBF\xBD");
    buf_clear(&buf);
    buf_add_json_number(&buf, 0.1);
    buf_add_char(&buf, ' ');
    buf_add_json_number(&buf, NAN);
    buf_add_char(&buf, ' ');
    buf_add_json_number(&buf, 1e300);
    assert_string_equal(buf_text(&buf), "0.1 null 1e+300");
    buf_fini(&buf);
}

// Characters of every kind that nobody sees, and some that everybody does.
static const char *const unseen[] = {
    "\x1B",         "\x7F",         "\xC2\x80",         "\xC2\x9B",         "\xC2\x9F",
    "\xC2\xAD",     "\xD8\x9C",     "\xE2\x80\x8B",     "\xE2\x80\x8F",     "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAE", "\xE2\x81\xA6",     "\xE2\x81\xA9",     "\xEF\xBB\xBF",
    "\xE2\x81\xA0", "\xE1\xA0\x8E", "\xF3\xA0\x80\x81", "\xF3\xA0\x81\xBF",
};
static const char *const seen[] = {
    "a", "~", "\xC2\xA0", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

static void what_nobody_sees_is_never_written_raw(void **state) {
    (void)state;
    void (*const escapers[])(struct buf *, struct str) = {buf_add_json, buf_add_printable,
                                                          buf_add_html, buf_add_markdown};
    for (size_t e = 0; e < ARRAY_LEN(escapers); e++) {
        for (size_t i = 0; i < ARRAY_LEN(unseen) + ARRAY_LEN(seen); i++) {
            bool hidden = i < ARRAY_LEN(unseen);
            const char *text = hidden ? unseen[i] : seen[i - ARRAY_LEN(unseen)];
            struct buf out = {0};
            escapers[e](&out, str_of(text));
            assert_int_equal(strstr(buf_text(&out), text) == NULL, hidden);
            assert_true(out.len > 0 && str_is_utf8(buf_str(&out)));
            buf_fini(&out);
        }
    }
    struct buf shown = {0};
    buf_add_printable(&shown, STR("\xF3\xA0\x80\x81\xD8\x9C"));
    assert_string_equal(buf_text(&shown), "\\U000e0001\\u061c");
    buf_fini(&shown);
}

// What stands for the character at `at`, and how many bytes it took.
static size_t one_character(struct str at, struct str_char *out) {
    struct str rest = at;
    assert_true(str_next(&rest, out));
    return at.len - rest.len;
}

static void one_walk_mends_text_for_every_escaper(void **state) {
    (void)state;
    struct str_char c;
    assert_int_equal(one_character(STR("\xF0\x9F\x98\x80z"), &c), 4);
    assert_true(c.good && c.shown.len == 4 && c.byte == 0xF0);
    assert_int_equal(one_character(STR("\xE2\x82"), &c), 1); // cut short: the byte alone
    assert_true(!c.good && str_is(c.shown, "\xEF\xBF\xBD") && c.byte == 0xE2);
    struct str none = STR("");
    assert_false(str_next(&none, &c));
    static const struct {
        const char *text, *mended;
    } cases[] = {
        {"p\xFFq", "p\xEF\xBF\xBDq"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, // a surrogate
        {"\xE2\x82\xAC\xC3", "\xE2\x82\xAC\xEF\xBF\xBD"},
        {"\xF0\x9F\x98", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf mended = {0}, json = {0}, quoted = {0}, html = {0};
        buf_add_mended(&mended, str_of(cases[i].text));
        assert_string_equal(buf_text(&mended), cases[i].mended);
        buf_printf(&quoted, "\"%s\"", cases[i].mended);
        buf_add_json(&json, str_of(cases[i].text));
        assert_string_equal(buf_text(&json), buf_text(&quoted));
        buf_add_html(&html, str_of(cases[i].text));
        assert_string_equal(buf_text(&html), cases[i].mended);
        buf_fini(&mended);
        buf_fini(&json);
        buf_fini(&quoted);
        buf_fini(&html);
    }
}

static void long_text_grows_the_buffer(void **state) {
    (void)state;
    struct buf buf = {0};
    for (int i = 0; i < 1000; i++) {
        buf_printf(&buf, "%0100d", i);
    }
    assert_int_equal(buf.len, 100000);
    assert_int_equal(strlen(buf_text(&buf)), 100000);
    buf_fini(&buf);
}

static void spans_are_read_and_written(void **state) {
    (void)state;
    int64_t v = 0;
    assert_true(span_parse_ms(STR("1h"), 1, &v) && v == 3600000);
    assert_true(span_parse_ms(STR("250ms"), 1, &v) && v == 250);
    assert_true(span_parse_ms(STR("5"), 1000, &v) && v == 5000);
    assert_false(span_parse_ms(STR("5 parsecs"), 1, &v));
    assert_false(span_parse_ms(STR("-1s"), 1, &v));
    assert_false(span_parse_ms(STR("99999999999999999d"), 1, &v));
    assert_true(span_parse_bytes(STR("4g"), 1, &v) && v == 4LL << 30);
    assert_true(span_parse_bytes(STR("384MiB"), 1, &v) && v == 384LL << 20);
}

// Each at the edge where the next form begins: nothing is rounded to "0.0 s", "60.0 s" or
// "1024.0 MiB".
static const struct {
    const char *(*format)(double value, char out[SPAN_TEXT_SIZE]);
    double value;
    const char *text;
} spoken[] = {
    {span_format_bytes, 0, "0 B"},
    {span_format_bytes, 1023, "1023 B"},
    {span_format_bytes, 1023.6, "1.0 KiB"},
    {span_format_bytes, 1048530, "1.0 MiB"},
    {span_format_bytes, 1536.0 * 1024 * 1024, "1.5 GiB"},
    {span_format_bytes, 1e19, "8881.8 PiB"},
    {span_format_seconds, -1, "0 s"},
    {span_format_seconds, NAN, "0 s"},
    {span_format_seconds, 0.0004, "under 1 ms"},
    {span_format_seconds, 0.12, "120 ms"},
    {span_format_seconds, 0.2996, "0.3 s"},
    {span_format_seconds, 3.14159, "3.1 s"},
    {span_format_seconds, 59.94, "59.9 s"},
    {span_format_seconds, 59.96, "1 m 00 s"},
    {span_format_seconds, 250, "4 m 10 s"},
    {span_format_seconds, 3599.6, "1 h 00 m"},
    {span_format_seconds, 7260, "2 h 01 m"},
    {span_format_seconds, 172790, "2 d 00 h"},
    {span_format_seconds, 273600, "3 d 04 h"},
    {span_format_ms, 1500, "1.5 s"},
    {span_format_count, -3, "0"},
    {span_format_count, NAN, "0"},
    {span_format_count, 0.25, "0.2"},
    {span_format_count, 7, "7"},
    {span_format_count, 999, "999"},
    {span_format_count, 12345, "12,345"},
    {span_format_count, 999999.6, "1.0 million"},
    {span_format_count, 1234567, "1.2 million"},
    {span_format_count, 99.96e6, "100 million"},
    {span_format_count, 999.96e6, "1.0 billion"},
    {span_format_count, 5e13, "50.0 trillion"},
};

static void numbers_are_told_so_that_people_can_use_them(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(spoken); i++) {
        char text[SPAN_TEXT_SIZE];
        assert_string_equal(spoken[i].format(spoken[i].value, text), spoken[i].text);
    }
    char text[SPAN_TEXT_SIZE];
    span_format_seconds(INFINITY, text);
    span_format_count(INFINITY, text);
    span_format_bytes(INFINITY, text);
}

static void sums_stop_at_the_ends(void **state) {
    (void)state;
    assert_true(sat_add(INT64_MAX, 1) == INT64_MAX);
    assert_true(sat_add(INT64_MIN, -1) == INT64_MIN);
    assert_true(sat_mul(INT64_MAX, 2) == INT64_MAX);
    assert_true(sat_sub0(3, 5) == 0 && sat_sub0(5, 3) == 2);
    assert_true(sat_sub0(INT64_MAX, INT64_MIN) == INT64_MAX);
    assert_true(sat_sub0(INT64_MIN, INT64_MAX) == 0);
}

static void errors_carry_context(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, ST_RETRY, "port %d", 9), ST_RETRY);
    assert_int_equal(err_wrap(&err, "http"), ST_RETRY);
    assert_string_equal(err.text, "http: port 9");
    char long_text[600];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    assert_int_equal(err_set(&err, ST_SKIP, "%s", long_text), ST_SKIP);
    assert_int_equal(err_wrap(&err, "context"), ST_SKIP);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err_set(NULL, ST_FATAL, "nobody listens"), ST_FATAL);
}

static void times_are_written_in_utc(void **state) {
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(1767323045678, text);
    assert_string_equal(text, "2026-01-02T03:04:05.678Z");
    clock_format_rfc3339(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    clock_format_rfc3339(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void complaints_back_off(void **state) {
    (void)state;
    struct log_gate gate = {0};
    unsigned long held = 9;
    assert_true(log_gate_open(&gate, 1000, 5000, &held));
    assert_int_equal(held, 0);
    assert_false(log_gate_open(&gate, 2000, 5000, NULL));
    assert_false(log_gate_open(&gate, 5999, 5000, NULL));
    assert_true(log_gate_open(&gate, 6000, 5000, &held));
    assert_int_equal(held, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_what_is_not),
        cmocka_unit_test(copies_are_cut_between_characters),
        cmocka_unit_test(integers_are_parsed_exactly),
        cmocka_unit_test(escapers_leave_nothing_dangerous),
        cmocka_unit_test(what_nobody_sees_is_never_written_raw),
        cmocka_unit_test(one_walk_mends_text_for_every_escaper),
        cmocka_unit_test(long_text_grows_the_buffer),
        cmocka_unit_test(spans_are_read_and_written),
        cmocka_unit_test(numbers_are_told_so_that_people_can_use_them),
        cmocka_unit_test(sums_stop_at_the_ends),
        cmocka_unit_test(errors_carry_context),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(complaints_back_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
