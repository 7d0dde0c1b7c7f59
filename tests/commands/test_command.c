// test_command: the frame by way of command_main: what it parses, what it says, how it exits; and
// the pages made from the tables.
#include <stdio.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/terminal.h"
#include "support/test.h"

// What a call printed.
static char out[1 << 16], errors[1 << 16];

static int open_capture(int fd, FILE *stream, FILE **file) {
    fflush(stream);
    int saved = dup(fd);
    *file = tmpfile();
    assert_non_null(*file);
    assert_true(dup2(fileno(*file), fd) >= 0);
    return saved;
}

static void close_capture(int fd, FILE *stream, FILE *file, int saved, char *text, size_t cap) {
    fflush(stream);
    assert_true(dup2(saved, fd) >= 0);
    close(saved);
    rewind(file);
    text[fread(text, 1, cap - 1, file)] = '\0';
    fclose(file);
}

// Runs "stoker WORDS" (at most 9 of them, separated by blanks).
static int stoker(const char *words) {
    char line[512], program[] = "stoker", *argv[11] = {program}, *rest;
    int argc = 1;
    snprintf(line, sizeof line, "%s", words);
    for (char *w = strtok_r(line, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = w;
    }
    FILE *out_file, *error_file;
    int out_fd = open_capture(STDOUT_FILENO, stdout, &out_file);
    int error_fd = open_capture(STDERR_FILENO, stderr, &error_file);
    int code = command_main(argc, argv);
    close_capture(STDERR_FILENO, stderr, error_file, error_fd, errors, sizeof errors);
    close_capture(STDOUT_FILENO, stdout, out_file, out_fd, out, sizeof out);
    return code;
}

#define SEE "usage: stoker check [-c FILE] [--connect]\nsee stoker check --help\n"

#define SEE_TAIL                                                                                   \
    "usage: stoker tail [--topic T,...] [--brokers B | -c FILE] [--from beginning|end] [--count "  \
    "N] [--format text|json]\nsee stoker tail --help\n"

struct wrong_line {
    const char *words, *errors;
};

static const struct wrong_line wrong_lines[] = {
    {"analyse", "stoker: there is no command analyse; did you mean analyze?\nsee stoker --help\n"},
    {"help analyse",
     "stoker: there is no command analyse; did you mean analyze?\nsee stoker --help\n"},
    {"mann", "stoker: there is no command mann\nsee stoker --help\n"}, // man is hidden
    {"frobnicate", "stoker: there is no command frobnicate\nsee stoker --help\n"},
    {"check --conect", "stoker check: unknown option --conect; did you mean --connect?\n" SEE},
    {"check --confg=x", "stoker check: unknown option --confg=x; did you mean --config?\n" SEE},
    {"check --hepl", "stoker check: unknown option --hepl; did you mean --help?\n" SEE},
    {"check --frobnicate", "stoker check: unknown option --frobnicate\n" SEE},
    {"check -x", "stoker check: unknown option -x\n" SEE},
    {"check -c", "stoker check: -c needs an argument\n" SEE},
    {"check --config", "stoker check: --config needs an argument\n" SEE},
    {"check --connect=1", "stoker check: --connect takes no argument\n" SEE},
    {"check --co", "stoker check: --co may mean several options\n" SEE},
    {"check extra", "stoker check: extra is too much\n" SEE},
    {"analyze --format=xml x", "stoker analyze: --format is text, json or html, not xml\n"
                               "usage: stoker analyze [--format text|json|html] [LIMIT...] LOG...\n"
                               "see stoker analyze --help\n"},
    {"tail --from mid --format xml", "stoker tail: --from is beginning or end, not mid\n" SEE_TAIL},
    {"tail --format tex", "stoker tail: --format is text or json, not tex\n" SEE_TAIL},
    {"check --color=red", "stoker check: --color takes auto, always or never, not red\n" SEE},
    {"check --log-level x",
     "stoker check: --log-level takes debug, info, warn or error, not x\n" SEE},
    {"check --set x", "stoker check: --set takes KEY=VALUE, not x\n" SEE},
    {"version -c x", "stoker version: unknown option -c\nusage: stoker version [--json]\nsee "
                     "stoker version --help\n"},
};

static void test_wrong_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_lines); i++) {
        assert_int_equal(stoker(wrong_lines[i].words), EXIT_USAGE);
        assert_string_equal(errors, wrong_lines[i].errors);
        assert_string_equal(out, "");
    }
    assert_int_equal(stoker(""), EXIT_USAGE);
    assert_non_null(strstr(errors, "usage: stoker COMMAND"));
}

static void test_exit_codes(void **state) {
    (void)state;
    assert_int_equal(stoker("check"), EXIT_FINE);
    assert_string_equal(out, "ok    settings\n");
    assert_int_equal(stoker("check --set log.lvel=x --set log.format=x"), EXIT_CONFIG);
    assert_string_equal(errors, "--set: log.lvel: unknown key; did you mean log.level?\n"
                                "--set: log.format: not a choice: x; one of logfmt, json\n");
    assert_int_equal(stoker("config show --set log.lvel=x"), EXIT_CONFIG);
    assert_int_equal(stoker("healthcheck -c /nowhere"), EXIT_CONFIG);
    assert_string_equal(errors, "/nowhere: cannot be read: No such file or directory\n");
    assert_int_equal(stoker("healthcheck --url http://127.0.0.1:1/"), EXIT_FAILED);
    assert_string_equal(errors, "stoker healthcheck: http://127.0.0.1:1/: Connection refused\n");
    assert_int_equal(stoker("healthcheck --url 127.0.0.1"), EXIT_USAGE);
    assert_int_equal(stoker("healthcheck --set http.listen="), EXIT_FAILED);
    assert_int_equal(stoker("config"), EXIT_USAGE);
    assert_int_equal(stoker("config page"), EXIT_USAGE);
    assert_int_equal(stoker("completion fish"), EXIT_USAGE);
}

static void test_settings_from_the_line(void **state) {
    (void)state;
    assert_int_equal(stoker("config show --set cluster=a --log-level warn --set cluster=b=c"),
                     EXIT_FINE);
    assert_non_null(strstr(out, "cluster: \"b=c\" # --set\n"));
    assert_non_null(strstr(out, "  level: warn # --log-level\n"));
    assert_int_equal(stoker("config --set=cluster=x show"), EXIT_FINE); // order does not matter
    assert_non_null(strstr(out, "cluster: x # --set\n"));
    assert_int_equal(stoker("config -- show"), EXIT_FINE);
}

static void test_check_asks_librdkafka(void **state) {
    (void)state;
    assert_int_equal(
        stoker("check --set kafka.consumer.session.timeout.msx=1 --set "
               "kafka.common.enable.auto.commit=true --set kafka.producer.linger.ms=x"),
        EXIT_CONFIG);
    assert_non_null(strstr(errors, "--set: kafka.common.enable.auto.commit: "));
    assert_non_null(strstr(errors, "--set: kafka.consumer.session.timeout.msx: No such"));
    assert_non_null(strstr(errors, "--set: kafka.producer.linger.ms: "));
    // one run shows what the settings' tables refuse and what librdkafka refuses
    assert_int_equal(stoker("check --set http.listen=nonsense --set kafka.common.a=b"),
                     EXIT_CONFIG);
    static const char begin[] = "--set: http.listen: not an address to listen on: nonsense; write "
                                "127.0.0.1:9571, [::1]:9571 or :9571\n"
                                "--set: kafka.common.a: No such configuration property";
    assert_int_equal(strncmp(errors, begin, sizeof begin - 1), 0);
}

static void test_help_of_every_command(void **state) {
    (void)state;
    unsigned count;
    const struct command *const *all = commands(&count);
    for (unsigned i = 0; i < count; i++) {
        char words[64], first[256];
        snprintf(words, sizeof words, "%s --help", all[i]->name);
        assert_int_equal(stoker(words), EXIT_FINE);
        snprintf(first, sizeof first, "stoker %s: %s\n\nusage: stoker %s", all[i]->name,
                 all[i]->summary, all[i]->name);
        assert_int_equal(strncmp(out, first, strlen(first)), 0);
        for (unsigned o = 0; o < all[i]->option_count; o++) {
            char option[64];
            snprintf(option, sizeof option, "--%s", all[i]->options[o].name);
            assert_non_null(strstr(out, option));
            assert_true(strlen(all[i]->options[o].help) > 5);
        }
        assert_int_equal(all[i]->details[strlen(all[i]->details) - 1], '\n');
        assert_true(strlen(all[i]->summary) > 10 && strlen(all[i]->summary) <= 70);
        char long_form[1 << 14];
        snprintf(long_form, sizeof long_form, "%s", out);
        snprintf(words, sizeof words, "help %s", all[i]->name);
        assert_int_equal(stoker(words), EXIT_FINE);
        assert_string_equal(out, long_form);
        assert_int_equal(stoker("--help"), EXIT_FINE);
        snprintf(first, sizeof first, "\n  %-12s ", all[i]->name);
        assert_true((strstr(out, first) != NULL) == !all[i]->hidden);
    }
}

// A name or a letter that is there twice would set the wrong one of two options.
static void test_options_differ(void **state) {
    (void)state;
    unsigned count;
    const struct command *const *all = commands(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct command_option *a, *b;
        for (unsigned x = 0; (a = command_option_at(all[i], x)) != NULL; x++) {
            for (unsigned y = 0; y < x; y++) {
                b = command_option_at(all[i], y);
                assert_string_not_equal(a->name, b->name);
                assert_true(a->letter == 0 || a->letter != b->letter);
            }
        }
    }
}

static void test_pages_name_everything(void **state) {
    (void)state;
    unsigned count;
    const struct command *const *all = commands(&count);
    static char man[sizeof out], bash[sizeof out];
    assert_int_equal(stoker("man"), EXIT_FINE);
    memcpy(man, out, sizeof out);
    assert_int_equal(stoker("completion bash"), EXIT_FINE);
    memcpy(bash, out, sizeof out);
    assert_int_equal(stoker("completion zsh"), EXIT_FINE);
    for (unsigned i = 0; i < count; i++) {
        char text[128];
        snprintf(text, sizeof text, ".SH \"STOKER %s\"\n", all[i]->name);
        assert_true((strstr(man, text) != NULL) == !all[i]->hidden);
        snprintf(text, sizeof text, "    %s) options=\"", all[i]->name);
        assert_non_null(strstr(bash, text));
        snprintf(text, sizeof text, "    %s) _arguments", all[i]->name);
        assert_non_null(strstr(out, text));
    }
    for (const char *p = man, *end; *p != '\0'; p = end + 1) {
        end = strchr(p, '\n');
        assert_true(end - p < 125 && (end == p || end[-1] != ' '));
    }
}

static void test_colour(void **state) {
    (void)state;
    assert_true(terminal_color(STDOUT_FILENO, "always"));
    assert_false(terminal_color(STDOUT_FILENO, "never"));
    FILE *file = tmpfile();
    assert_false(terminal_color(fileno(file), NULL));
    assert_int_equal(terminal_width(fileno(file)), 100);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_settings_from_the_line),
        cmocka_unit_test(test_check_asks_librdkafka),
        cmocka_unit_test(test_help_of_every_command),
        cmocka_unit_test(test_options_differ),
        cmocka_unit_test(test_pages_name_everything),
        cmocka_unit_test(test_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
