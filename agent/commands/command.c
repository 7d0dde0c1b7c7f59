// command: finds the command that argv names, parses its options by its table and runs it. Called
// by main only; knows no command by name but those it must (help).
#include "commands/command_priv.h"

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

enum { OPTIONS_MAX = 24, FIRST_OWN = 1000 };
enum { OPT_HELP = 500, OPT_SET, OPT_COLOR, OPT_LOG_LEVEL };

const struct command *const *commands(unsigned *count) {
    *count = ARRAY_LEN(all);
    return all;
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

// The getopt tables of a command: its own options, then those every command has.
static void build_tables(const struct command *command, struct option *longs, char *shorts) {
    unsigned n = 0;
    for (unsigned i = 0; i < command->option_count; i++) {
        const struct command_option *o = &command->options[i];
        longs[n++] = (struct option){o->name, o->arg != NULL ? required_argument : no_argument,
                                     NULL, (int)(FIRST_OWN + i)};
        if (o->letter != 0) {
            *shorts++ = o->letter;
            if (o->arg != NULL) {
                *shorts++ = ':';
            }
        }
    }
    longs[n++] = (struct option){"help", no_argument, NULL, OPT_HELP};
    longs[n++] = (struct option){"color", required_argument, NULL, OPT_COLOR};
    longs[n++] = (struct option){"log-level", required_argument, NULL, OPT_LOG_LEVEL};
    if (command->takes_config) {
        longs[n++] = (struct option){"config", required_argument, NULL, 'c'};
        longs[n++] = (struct option){"set", required_argument, NULL, OPT_SET};
        *shorts++ = 'c';
        *shorts++ = ':';
    }
    *shorts++ = 'h';
    *shorts = '\0';
    require(n < OPTIONS_MAX);
    longs[n] = (struct option){0};
}

static int own_index(const struct command *command, int code) {
    if (code >= FIRST_OWN) {
        return code - FIRST_OWN;
    }
    for (unsigned i = 0; i < command->option_count; i++) {
        if (command->options[i].letter == code) {
            return (int)i;
        }
    }
    return -1;
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
    if (is_long && command_count_beginning(args->command, typed + 2) > 1) {
        return command_usage_error(args, "%s may mean several options", typed);
    }
    const char *near = is_long ? command_nearest_option(args->command, typed + 2) : NULL;
    if (near != NULL) {
        return command_usage_error(args, "unknown option %s; did you mean --%s?", typed, near);
    }
    return command_usage_error(args, "unknown option %s", typed);
}

// Takes an option that every command has; NULL, or what its argument should have been.
static const char *set_common(struct command_args *args, int code, const char **color) {
    enum log_level level;
    require(optarg != NULL); // getopt gives every one of them an argument
    switch (code) {
    case OPT_COLOR:
        *color = optarg;
        return strcmp(optarg, "auto") == 0 || strcmp(optarg, "always") == 0 ||
                       strcmp(optarg, "never") == 0
                   ? NULL
                   : "--color takes auto, always or never";
    case OPT_LOG_LEVEL:
        if (!log_parse_level(optarg, &level)) {
            return "--log-level takes debug, info, warn or error";
        }
        log_configure(level, LOG_LOGFMT);
        args->log_level = optarg;
        return NULL;
    case OPT_SET:
        if (strchr(optarg, '=') == NULL) {
            return "--set takes KEY=VALUE";
        }
        if (args->set_count == COMMAND_SET_MAX) {
            return "too many --set";
        }
        args->sets[args->set_count++] = optarg;
        return NULL;
    default:
        args->config_file = optarg;
        return NULL;
    }
}

static int run(const struct command *command, int argc, char **argv) {
    struct option longs[OPTIONS_MAX];
    char shorts[2 * OPTIONS_MAX + 4] = ":"; // a leading colon: we word the errors
    const char *values[OPTIONS_MAX] = {0};
    const char *color = NULL;
    struct command_args args = {.command = command, .values = values};
    build_tables(command, longs, shorts + 1);
    opterr = 0;
    optind = 0; // glibc: begin anew, whatever a call before left
    int code;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        int own = own_index(command, code);
        if (code == OPT_HELP || (code == 'h' && own < 0)) {
            struct buf help = {0};
            command_render_help(&help, command);
            int printed = command_print(&args, &help);
            buf_fini(&help);
            return printed;
        }
        if (code == '?' || code == ':') {
            return bad_option(&args, code, argv);
        }
        if (own >= 0) {
            values[own] = optarg == NULL ? "" : optarg;
            continue;
        }
        const char *wrong = set_common(&args, code, &color);
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

static int print_list(FILE *to, int code) {
    struct buf list = {0};
    command_render_list(&list);
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
        const char *typed = help ? argv[2] : name, *near = command_nearest(typed);
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
