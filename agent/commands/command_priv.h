// command_priv: what the files of the frame share.
#pragma once

#include "commands/command.h"

// Calls f for every option of a command: its own, then -c and --set if it takes them, then those
// that every command has.
void command_each_option(const struct command *command,
                         void (*f)(void *ctx, const struct command_option *option), void *ctx);
