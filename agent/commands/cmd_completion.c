// completion: prints the completion script of a shell, made from the tables of commands.
#include <string.h>

#include "commands/command.h"

static int run(const struct command_args *args) {
    const char *shell = args->rest_count == 1 ? args->rest[0] : "";
    bool bash = strcmp(shell, "bash") == 0;
    if (!bash && strcmp(shell, "zsh") != 0) {
        return command_usage_error(args, "say bash or zsh");
    }
    struct buf out = {0};
    if (bash) {
        command_render_bash(&out);
    } else {
        command_render_zsh(&out);
    }
    int code = command_print(args, &out);
    buf_fini(&out);
    return code;
}

const struct command command_completion = {
    .name = "completion",
    .summary = "print a completion script for bash or zsh",
    .usage = "bash|zsh",
    .details = "Examples:\n"
               "  source <(stoker completion bash)\n"
               "  stoker completion zsh > ~/.zfunc/_stoker\n",
    .run = run,
};
