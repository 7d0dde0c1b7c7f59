// command: the frame of the command line: a command is one file (agent/commands/cmd_<name>.c) that
// ends in a const struct command, and one row in commands.def. Parsing, help, completion and the
// man page follow from the tables.
//
// A command owns nothing that outlives its run(): it gets what the line said as borrowed texts,
// makes plain values of the settings (setup.h), opens what it needs, and frees all before it
// returns an exit code. The frame knows no command by name, a command nothing of the frame but this
// header; words about a mistake go to standard error through command_usage_error and
// command_failed, the result to standard output. Names and letters of a command's options differ
// from each other and from those that every command has.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum exit_code {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_BREACHED = 2,     // of a gate: a limit does not hold
    EXIT_INCONCLUSIVE = 3, // of a gate: that cannot be told
    EXIT_USAGE = 64,
    EXIT_CONFIG = 78
};

struct command_option {
    const char *name; // long name without dashes
    char letter;      // short one, 0 if none
    const char *arg;  // name of its argument, NULL for a switch
    const char *help; // one line
};

enum { COMMAND_SET_MAX = 64 };

// What the command line said. Texts are borrowed from argv.
struct command_args {
    const struct command *command;
    const char *const
        *values; // per option of the command, in its order: argument, "" for a switch, or NULL
    const char *config_file;           // -c, NULL if none
    const char *sets[COMMAND_SET_MAX]; // --set KEY=VALUE, in order
    unsigned set_count;
    const char *log_level; // --log-level, valid; NULL if not given
    char **rest;           // what is no option
    int rest_count;
    bool color_out, color_err; // colour wanted on standard output / standard error
};

struct command {
    const char *name;
    const char *summary; // one line, for the list
    const char *usage;   // what follows the name, e.g. "[--format text|json] LOG..."
    const char *details; // paragraphs of the long help, examples included
    const struct command_option *options;
    unsigned option_count;
    bool takes_config;                           // -c FILE and --set KEY=VALUE
    bool hidden;                                 // not in the list
    bool gate;                                   // it may end as a gate does
    int (*run)(const struct command_args *args); // returns an exit code
};

// All commands in the order of commands.def.
const struct command *const *commands(unsigned *count);

// Runs the command that argv names; returns the exit code. Prints help and errors itself.
int command_main(int argc, char **argv);

// The option of a command at a place from 0: its own, then -c and --set if it takes settings, then
// those that every command has. NULL behind the last.
const struct command_option *command_option_at(const struct command *command, unsigned place);

// The argument of an option by its name ("" for a switch that is set), or NULL. The name must
// exist.
const char *command_value(const struct command_args *args, const char *name);
// The place of an option's argument among `choices` (NULL at the end); 0, the default, if the
// option is not given; -1 if it is none of them, and that was said as by command_usage_error.
int command_choice(const struct command_args *args, const char *name, const char *const *choices);
// Prints "stoker CMD: message" and a hint at --help to standard error; returns EXIT_USAGE.
int command_usage_error(const struct command_args *args, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Prints "stoker CMD: message" to standard error; returns EXIT_FAILED.
int command_failed(const struct command_args *args, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Writes a page to standard output; EXIT_FINE, or EXIT_FAILED with the reason (a full disk).
int command_print(const struct command_args *args, const struct buf *page);
