// command_priv: what the files of the frame share.
#pragma once

#include "commands/command.h"

// Calls f for every option of a command: its own, then -c and --set if it takes them, then those
// that every command has.
void command_each_option(const struct command *command,
                         void (*f)(void *ctx, const struct command_option *option), void *ctx);

// command_guess.c
// The command nearest to what was typed, or NULL if none is near.
const char *command_nearest(const char *typed);
// The same for an option's long name, without its dashes.
const char *command_nearest_option(const struct command *command, const char *typed);
// How many long options begin with what was typed.
unsigned command_count_beginning(const struct command *command, const char *typed);
