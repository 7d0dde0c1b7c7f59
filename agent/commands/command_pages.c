// command_pages: help, man page and completions, all from the tables of commands. Called by
// command.c and by the commands that print them.
#include <stdio.h>
#include <string.h>

#include "commands/command_priv.h"

#define MAN_DATE "2026-11-23" // of the version, not of the build: the page must come out the same

static const struct command_option common[] = {
    {"help", 'h', NULL, "print this help"},
    {"color", 0, "WHEN", "auto (default), always or never; NO_COLOR is honoured"},
    {"log-level", 0, "LEVEL", "debug, info, warn or error"},
};
static const struct command_option with_config[] = {
    {"config", 'c', "FILE", "settings (YAML); STOKER_SECTION__KEY in the environment wins over it"},
    {"set", 0, "KEY=VALUE", "one setting, wins over all; may be repeated"},
};

void command_each_option(const struct command *command,
                         void (*f)(void *ctx, const struct command_option *option), void *ctx) {
    for (unsigned i = 0; i < command->option_count; i++) {
        f(ctx, &command->options[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(with_config) && command->takes_config; i++) {
        f(ctx, &with_config[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(common); i++) {
        f(ctx, &common[i]);
    }
}

static void help_option(void *ctx, const struct command_option *o) {
    struct buf *out = ctx;
    char left[64];
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
             o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
    buf_printf(out, "  %-28s %s\n", left, o->help);
}

void command_render_help(struct buf *out, const struct command *command) {
    buf_printf(out, "stoker %s: %s\n\nusage: stoker %s%s%s\n\n%s\nOptions:\n", command->name,
               command->summary, command->name, command->usage[0] != '\0' ? " " : "",
               command->usage, command->details);
    command_each_option(command, help_option, out);
    buf_add_text(out, "\nExit codes: 0 fine, 1 failed, 64 wrong usage, 78 wrong configuration.\n");
}

void command_render_list(struct buf *out) {
    unsigned count;
    const struct command *const *all = commands(&count);
    buf_add_text(out,
                 "stoker: judges Spark pipelines while they run\n\nusage: stoker COMMAND ...\n\n");
    for (unsigned i = 0; i < count; i++) {
        if (!all[i]->hidden) {
            buf_printf(out, "  %-12s %s\n", all[i]->name, all[i]->summary);
        }
    }
    buf_add_text(out,
                 "\nstoker COMMAND --help tells more. New here? stoker demo needs nothing else.\n");
}

// Text for roff: backslashes, hyphens and dots at the start of a line mean something there.
static void add_roff(struct buf *out, const char *text) {
    for (const char *p = text; *p != '\0'; p++) {
        bool line_start = p == text || p[-1] == '\n';
        if (*p == '\\') {
            buf_add_text(out, "\\e");
        } else if (*p == '-') {
            buf_add_text(out, "\\-");
        } else if (line_start && (*p == '.' || *p == '\'')) {
            buf_printf(out, "\\&%c", *p);
        } else {
            buf_add_char(out, *p);
        }
    }
}

// The same for running text: lines are broken at blanks, as the readers of the source want it.
static void add_filled(struct buf *out, const char *text) {
    enum { LINE_MAX_BYTES = 60 };
    struct buf line = {0};
    while (*text != '\0') {
        size_t len = strcspn(text, " \n");
        if (line.len > 0 && line.len + len > LINE_MAX_BYTES) {
            add_roff(out, line.data);
            buf_add_char(out, '\n');
            buf_clear(&line);
        }
        buf_add_text(&line, line.len > 0 ? " " : "");
        buf_add(&line, text, len);
        text += len + (text[len] != '\0');
    }
    add_roff(out, buf_text(&line));
    buf_fini(&line);
}

static void man_option(void *ctx, const struct command_option *o) {
    struct buf *out = ctx;
    buf_add_text(out, ".TP\n.B ");
    if (o->letter != 0) {
        buf_printf(out, "\\-%c, ", o->letter);
    }
    buf_add_text(out, "\\-\\-");
    add_roff(out, o->name);
    if (o->arg != NULL) {
        buf_printf(out, " \\fI%s\\fR", o->arg);
    }
    buf_add_char(out, '\n');
    add_filled(out, o->help);
    buf_add_char(out, '\n');
}

void command_render_man(struct buf *out) {
    unsigned count;
    const struct command *const *all = commands(&count);
    buf_add_text(out,
                 ".TH STOKER 1 \"" MAN_DATE "\" \"Stoker " STOKER_VERSION
                 "\" \"User Commands\"\n.SH NAME\nstoker \\- judges Spark pipelines while they "
                 "run\n.SH SYNOPSIS\n.B stoker\n.I COMMAND\n[options]\n.SH DESCRIPTION\n");
    add_filled(out, "Stoker reads Spark listener events from Kafka or from event logs, judges "
                    "bottlenecks while the applications run, and publishes findings, advice and "
                    "alerts.");
    buf_add_char(out, '\n');
    for (unsigned i = 0; i < count; i++) {
        if (all[i]->hidden) {
            continue;
        }
        buf_printf(out, ".SH \"STOKER %s\"\n", all[i]->name);
        buf_printf(out, ".B stoker %s\n", all[i]->name);
        add_filled(out, all[i]->usage);
        buf_add_text(out, "\n.PP\n");
        add_filled(out, all[i]->summary);
        buf_add_text(out, ".\n.PP\n.nf\n");
        add_roff(out, all[i]->details);
        buf_add_text(out, ".fi\n");
        command_each_option(all[i], man_option, out);
    }
    buf_add_text(out,
                 ".SH \"EXIT STATUS\"\n0 fine, 1 failed, 64 wrong usage, 78 wrong configuration.\n"
                 ".SH ENVIRONMENT\n.TP\n.B STOKER_SECTION__KEY\nany setting, for example "
                 "STOKER_KAFKA__BROKERS.\n.TP\n.B NO_COLOR\nno colour if set and not empty.\n");
}

static void bash_option(void *ctx, const struct command_option *o) {
    struct buf *out = ctx;
    buf_printf(out, " --%s", o->name);
}

void command_render_bash(struct buf *out) {
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
        command_each_option(all[i], bash_option, out);
        buf_add_text(out, "\" ;;\n");
    }
    buf_add_text(
        out,
        "  esac\n  case $word in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
        "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n  esac\n}\n"
        "complete -o filenames -F _stoker stoker\n");
}

// Text inside the single quotes of a zsh word; `special` is escaped for _arguments or _describe.
static void add_zsh(struct buf *out, const char *text, const char *special) {
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

static void zsh_option(void *ctx, const struct command_option *o) {
    struct buf *out = ctx;
    buf_printf(out, " '--%s[", o->name);
    add_zsh(out, o->help, "[]:\\");
    buf_add_char(out, ']');
    if (o->arg != NULL) {
        buf_add_char(out, ':');
        add_zsh(out, o->arg, ":\\");
    }
    buf_add_char(out, '\'');
}

void command_render_zsh(struct buf *out) {
    unsigned count;
    const struct command *const *all = commands(&count);
    buf_add_text(out,
                 "#compdef stoker\n# zsh completion of stoker, printed by: stoker completion zsh\n"
                 "_stoker() {\n  if (( CURRENT == 2 )); then\n    local -a names=(");
    for (unsigned i = 0; i < count; i++) {
        if (!all[i]->hidden) {
            buf_printf(out, " '%s:", all[i]->name);
            add_zsh(out, all[i]->summary, ":\\");
            buf_add_char(out, '\'');
        }
    }
    buf_add_text(out, " )\n    _describe command names\n    return\n  fi\n  case $words[2] in\n");
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "    %s) _arguments", all[i]->name);
        command_each_option(all[i], zsh_option, out);
        buf_add_text(out, " '*:file:_files' ;;\n");
    }
    buf_add_text(out, "  esac\n}\n_stoker \"$@\"\n");
}
