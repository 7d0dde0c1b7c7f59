// command: finds the command that argv names, parses its options by its table and runs it; says
// what a word that is neither may have meant, and prints the help, all from the tables. Called by
// main; knows no command by name.
#include "commands/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "commands/terminal.h"

#define COMMAND(name) extern const struct command command_##name;
#include "commands/commands.def"
#undef COMMAND

static const struct command *const all[] = {
#define COMMAND(name) &command_##name,
#include "commands/commands.def"
#undef COMMAND
};

enum {
    OPTIONS_MAX = 24,
    LONG_FIRST = 1000
};                     // a long option's number in getopt: this and its place
enum { NEAR_MAX = 2 }; // letters that a word may differ by to be meant

// What every command has, and what those that take settings have besides.
enum { COMMON_HELP, COMMON_COLOR, COMMON_LOG_LEVEL };
static const struct command_option common[] = {
    [COMMON_HELP] = {"help", 'h', NULL, "print this help"},
    [COMMON_COLOR] = {"color", 0, "WHEN", "auto (default), always or never; NO_COLOR is honoured"},
    [COMMON_LOG_LEVEL] = {"log-level", 0, "LEVEL", "debug, info, warn or error"},
};
enum { SETTINGS_FILE, SETTINGS_SET };
static const struct command_option settings[] = {
    [SETTINGS_FILE] = {"config", 'c', "FILE",
                       "settings (YAML); STOKER_SECTION__KEY in the environment wins over it"},
    [SETTINGS_SET] = {"set", 0, "KEY=VALUE", "one setting, wins over all; may be repeated"},
};

const struct command *const *commands(unsigned *count) {
    *count = ARRAY_LEN(all);
    return all;
}

const struct command_option *command_option_at(const struct command *command, unsigned place) {
    if (place < command->option_count) {
        return &command->options[place];
    }
    place -= command->option_count;
    unsigned more = command->takes_config ? ARRAY_LEN(settings) : 0;
    if (place < more) {
        return &settings[place];
    }
    place -= more;
    return place < ARRAY_LEN(common) ? &common[place] : NULL;
}

static const struct command *find(const char *name) {
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(all[i]->name, name) == 0) {
            return all[i];
        }
    }
    return NULL;
}

const char *command_value(const struct command_args *args, const char *name) {
    for (unsigned i = 0; i < args->command->option_count; i++) {
        if (strcmp(args->command->options[i].name, name) == 0) {
            return args->values[i];
        }
    }
    require(!"the option is in the command's table");
    return NULL;
}

static void complain(const char *command, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
static void complain(const char *command, const char *fmt, va_list args) {
    fprintf(stderr, "stoker %s: ", command);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

int command_usage_error(const struct command_args *args, const char *fmt, ...) {
    va_list list;
    va_start(list, fmt);
    complain(args->command->name, fmt, list);
    va_end(list);
    const char *usage = args->command->usage;
    fprintf(stderr, "usage: stoker %s%s%s\nsee stoker %s --help\n", args->command->name,
            usage[0] != '\0' ? " " : "", usage, args->command->name);
    return EXIT_USAGE;
}

int command_choice(const struct command_args *args, const char *name, const char *const *choices) {
    const char *value = command_value(args, name);
    if (value == NULL) {
        return 0;
    }
    struct buf words = {0};
    int place = 0;
    for (; choices[place] != NULL && strcmp(choices[place], value) != 0; place++) {
        buf_printf(&words, "%s%s",
                   place == 0                   ? ""
                   : choices[place + 1] == NULL ? " or "
                                                : ", ",
                   choices[place]);
    }
    bool known = choices[place] != NULL;
    if (!known) {
        (void)command_usage_error(args, "--%s is %s, not %s", name, buf_text(&words), value);
    }
    buf_fini(&words);
    return known ? place : -1;
}

int command_failed(const struct command_args *args, const char *fmt, ...) {
    va_list list;
    va_start(list, fmt);
    complain(args->command->name, fmt, list);
    va_end(list);
    return EXIT_FAILED;
}

int command_print(const struct command_args *args, const struct buf *page) {
    if (fwrite(buf_text(page), 1, page->len, stdout) != page->len || fflush(stdout) != 0) {
        return command_failed(args, "standard output: %m");
    }
    return EXIT_FINE;
}

// The getopt tables of a command.
static void build_tables(const struct command *command, struct option *longs, char *shorts) {
    const struct command_option *o;
    unsigned n = 0;
    for (; (o = command_option_at(command, n)) != NULL; n++) {
        require(n < OPTIONS_MAX);
        longs[n] = (struct option){o->name, o->arg != NULL ? required_argument : no_argument, NULL,
                                   (int)(LONG_FIRST + n)};
        if (o->letter != 0) {
            *shorts++ = o->letter;
            if (o->arg != NULL) {
                *shorts++ = ':';
            }
        }
    }
    *shorts = '\0';
    longs[n] = (struct option){0};
}

// The place of the option that getopt found.
static unsigned place_of(const struct command *command, int code) {
    if (code >= LONG_FIRST) {
        return (unsigned)(code - LONG_FIRST);
    }
    const struct command_option *o;
    unsigned place = 0;
    while ((o = command_option_at(command, place)) != NULL && o->letter != code) {
        place++;
    }
    require(o != NULL); // getopt knows no letter but ours
    return place;
}

// The command nearest to what was typed, or NULL if none is near.
static const char *nearest_command(const char *typed) {
    const char *best = NULL;
    unsigned distance = NEAR_MAX + 1;
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        unsigned d = str_distance(str_of(typed), str_of(all[i]->name));
        if (!all[i]->hidden && d < distance) {
            distance = d;
            best = all[i]->name;
        }
    }
    return best;
}

// The same for an option's long name, without its dashes; *beginning is how many names begin with
// it.
static const char *nearest_option(const struct command *command, const char *typed,
                                  unsigned *beginning) {
    struct str name = {typed, strcspn(typed, "=")};
    const char *best = NULL;
    unsigned distance = NEAR_MAX + 1;
    const struct command_option *o;
    *beginning = 0;
    for (unsigned i = 0; (o = command_option_at(command, i)) != NULL; i++) {
        unsigned d = str_distance(name, str_of(o->name));
        if (d < distance) {
            distance = d;
            best = o->name;
        }
        *beginning += str_starts(str_of(o->name), name);
    }
    return best;
}

static int bad_option(struct command_args *args, int code, char **argv) {
    const char *typed = optind > 0 ? argv[optind - 1] : "";
    if (code == ':') {
        return command_usage_error(args, "%s needs an argument", typed);
    }
    bool is_long = strncmp(typed, "--", 2) == 0;
    if (code == '?' && is_long && optopt != 0) {
        size_t len = strcspn(typed, "=");
        return command_usage_error(args, "%.*s takes no argument", (int)len, typed);
    }
    unsigned beginning = 0;
    const char *near = is_long ? nearest_option(args->command, typed + 2, &beginning) : NULL;
    if (beginning > 1) {
        return command_usage_error(args, "%s may mean several options", typed);
    }
    if (near != NULL) {
        return command_usage_error(args, "unknown option %s; did you mean --%s?", typed, near);
    }
    return command_usage_error(args, "unknown option %s", typed);
}

// Takes one that is not the command's own, nor help; NULL, or what its argument should have been.
static const char *set_common(struct command_args *args, const struct command_option *option,
                              const char **color) {
    enum log_level level;
    require(optarg != NULL); // getopt gives every one of them an argument
    if (option == &common[COMMON_COLOR]) {
        *color = optarg;
        return strcmp(optarg, "auto") == 0 || strcmp(optarg, "always") == 0 ||
                       strcmp(optarg, "never") == 0
                   ? NULL
                   : "--color takes auto, always or never";
    }
    if (option == &common[COMMON_LOG_LEVEL]) {
        if (!log_parse_level(optarg, &level)) {
            return "--log-level takes debug, info, warn or error";
        }
        log_configure(level, LOG_LOGFMT);
        args->log_level = optarg;
        return NULL;
    }
    if (option == &settings[SETTINGS_FILE]) {
        args->config_file = optarg;
        return NULL;
    }
    require(option == &settings[SETTINGS_SET]);
    if (strchr(optarg, '=') == NULL) {
        return "--set takes KEY=VALUE";
    }
    if (args->set_count == COMMAND_SET_MAX) {
        return "too many --set";
    }
    args->sets[args->set_count++] = optarg;
    return NULL;
}

static void add_help(struct buf *out, const struct command *command) {
    buf_printf(out, "stoker %s: %s\n\nusage: stoker %s%s%s\n\n%s\nOptions:\n", command->name,
               command->summary, command->name, command->usage[0] != '\0' ? " " : "",
               command->usage, command->details);
    const struct command_option *o;
    for (unsigned i = 0; (o = command_option_at(command, i)) != NULL; i++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
        buf_printf(out, "  %-28s %s\n", left, o->help);
    }
    buf_printf(out, "\nExit codes: 0 fine, 1 failed, %s64 wrong usage, 78 wrong configuration.\n",
               command->gate ? "2 a limit is breached, 3 that cannot be told, " : "");
}

static int print_help(const struct command_args *args) {
    struct buf help = {0};
    add_help(&help, args->command);
    int code = command_print(args, &help);
    buf_fini(&help);
    return code;
}

static int run(const struct command *command, int argc, char **argv) {
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2] = ":"; // a leading colon: we word the errors
    const char *values[OPTIONS_MAX] = {0};
    const char *color = NULL;
    struct command_args args = {.command = command, .values = values};
    build_tables(command, longs, shorts + 1);
    opterr = 0;
    optind = 0; // glibc: begin anew, whatever a call before left
    int code;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (code == '?' || code == ':') {
            return bad_option(&args, code, argv);
        }
        unsigned place = place_of(command, code);
        const struct command_option *option = command_option_at(command, place);
        if (option == &common[COMMON_HELP]) {
            return print_help(&args);
        }
        if (place < command->option_count) {
            values[place] = optarg == NULL ? "" : optarg;
            continue;
        }
        const char *wrong = set_common(&args, option, &color);
        if (wrong != NULL) {
            return command_usage_error(&args, "%s, not %s", wrong, optarg);
        }
    }
    args.rest = argv + optind;
    args.rest_count = argc - optind;
    args.color_out = terminal_color(STDOUT_FILENO, color);
    args.color_err = terminal_color(STDERR_FILENO, color);
    int exit_code = command->run(&args);
    if (exit_code == EXIT_FINE && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        return command_failed(&args, "standard output cannot be written");
    }
    return exit_code;
}

static void add_list(struct buf *out) {
    buf_add_text(out,
                 "stoker: judges Spark pipelines while they run\n\nusage: stoker COMMAND ...\n\n");
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (!all[i]->hidden) {
            buf_printf(out, "  %-12s %s\n", all[i]->name, all[i]->summary);
        }
    }
    buf_add_text(out,
                 "\nstoker COMMAND --help tells more. New here? stoker demo needs nothing else.\n");
}

static int print_list(FILE *to, int code) {
    struct buf list = {0};
    add_list(&list);
    bool good = fwrite(buf_text(&list), 1, list.len, to) == list.len && fflush(to) == 0;
    buf_fini(&list);
    if (!good && code == EXIT_FINE) {
        fprintf(stderr, "stoker: standard output: %m\n");
        return EXIT_FAILED;
    }
    return code;
}

static bool is_help(const char *word) {
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int command_main(int argc, char **argv) {
    if (argc < 2) {
        return print_list(stderr, EXIT_USAGE);
    }
    const char *name = argv[1];
    bool help = is_help(name);
    if (help && (argc == 2 || is_help(argv[2]))) {
        return print_list(stdout, EXIT_FINE);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    const struct command *command = find(help ? argv[2] : name);
    if (command == NULL) {
        const char *typed = help ? argv[2] : name, *near = nearest_command(typed);
        fprintf(stderr, "stoker: there is no command %s%s%s%s\nsee stoker --help\n", typed,
                near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                near == NULL ? "" : "?");
        return EXIT_USAGE;
    }
    if (help) {
        char *ask[] = {argv[0], (char[]){"--help"}, NULL};
        return run(command, 2, ask);
    }
    return run(command, argc - 1, argv + 1);
}
