// cmd_completion: `stoker completion SHELL`: prints the completion script of a shell, made from the
// tables of commands.
#include <string.h>

#include "commands/command.h"

static void add_bash(struct buf *out) {
    unsigned count;
    const struct command *const *all = commands(&count);
    buf_add_text(out,
                 "# bash completion of stoker, printed by: stoker completion bash\n_stoker() {\n"
                 "  local word=${COMP_WORDS[COMP_CWORD]}\n  if [ \"$COMP_CWORD\" = 1 ]; then\n"
                 "    COMPREPLY=($(compgen -W \"help");
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "%s%s", all[i]->hidden ? "" : " ", all[i]->hidden ? "" : all[i]->name);
    }
    buf_add_text(
        out, "\" -- \"$word\"))\n    return\n  fi\n  local options=\n  case ${COMP_WORDS[1]} in\n");
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "    %s) options=\"", all[i]->name);
        const struct command_option *o;
        for (unsigned p = 0; (o = command_option_at(all[i], p)) != NULL; p++) {
            buf_printf(out, " --%s", o->name);
        }
        buf_add_text(out, "\" ;;\n");
    }
    buf_add_text(
        out,
        "  esac\n  case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
        "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}\n"
        "complete -o filenames -F _stoker stoker\n");
}

// Text inside the single quotes of a zsh word; `special` is escaped for _arguments or _describe.
static void add_quoted(struct buf *out, const char *text, const char *special) {
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr(special, *p) != NULL) {
            buf_add_char(out, '\\');
        }
        if (*p == '\'') {
            buf_add_text(out, "'\\''");
        } else {
            buf_add_char(out, *p);
        }
    }
}

static void add_zsh_option(struct buf *out, const struct command_option *o) {
    buf_printf(out, " '--%s[", o->name);
    add_quoted(out, o->help, "[]:\\");
    buf_add_char(out, ']');
    if (o->arg != NULL) {
        buf_add_char(out, ':');
        add_quoted(out, o->arg, ":\\");
    }
    buf_add_char(out, '\'');
}

static void add_zsh(struct buf *out) {
    unsigned count;
    const struct command *const *all = commands(&count);
    buf_add_text(out,
                 "#compdef stoker\n# zsh completion of stoker, printed by: stoker completion zsh\n"
                 "_stoker() {\n  if (( CURRENT == 2 )); then\n    local -a names=(");
    for (unsigned i = 0; i < count; i++) {
        if (!all[i]->hidden) {
            buf_printf(out, " '%s:", all[i]->name);
            add_quoted(out, all[i]->summary, ":\\");
            buf_add_char(out, '\'');
        }
    }
    buf_add_text(out, " )\n    _describe command names\n    return\n  fi\n  case $words[2] in\n");
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "    %s) _arguments", all[i]->name);
        const struct command_option *o;
        for (unsigned p = 0; (o = command_option_at(all[i], p)) != NULL; p++) {
            add_zsh_option(out, o);
        }
        buf_add_text(out, " '*:file:_files' ;;\n");
    }
    buf_add_text(out, "  esac\n}\n_stoker \"$@\"\n");
}

static int run(const struct command_args *args) {
    const char *shell = args->rest_count == 1 ? args->rest[0] : "";
    bool bash = strcmp(shell, "bash") == 0;
    if (!bash && strcmp(shell, "zsh") != 0) {
        return command_usage_error(args, "say bash or zsh");
    }
    struct buf out = {0};
    if (bash) {
        add_bash(&out);
    } else {
        add_zsh(&out);
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
