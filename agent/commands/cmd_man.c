// cmd_man: `stoker man`: prints the reference pages that need the whole program: the man page, the
// list of metrics and the tables of rules. Called by deploy/docs.sh; hidden, because users read the
// results.
#include <string.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/scrub.h"
#include "commands/command.h"
#include "decode/decode.h"
#include "detect/detector.h"
#include "model/event.h"
#include "serve/exposition.h"

#define MAN_DATE "2026-11-29" // of the version, not of the build: the page must come out the same

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

static void add_option(struct buf *out, const struct command_option *o) {
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

static void add_command(struct buf *out, const struct command *command) {
    buf_printf(out, ".SH \"STOKER %s\"\n", command->name);
    buf_printf(out, ".B stoker %s\n", command->name);
    add_filled(out, command->usage);
    buf_add_text(out, "\n.PP\n");
    add_filled(out, command->summary);
    buf_add_text(out, ".\n.PP\n.nf\n");
    add_roff(out, command->details);
    buf_add_text(out, ".fi\n");
    const struct command_option *o;
    for (unsigned i = 0; (o = command_option_at(command, i)) != NULL; i++) {
        add_option(out, o);
    }
}

static void add_page(struct buf *out) {
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
        if (!all[i]->hidden) {
            add_command(out, all[i]);
        }
    }
    buf_add_text(out,
                 ".SH \"EXIT STATUS\"\n0 fine, 1 failed, 64 wrong usage, 78 wrong configuration.\n"
                 "Of analyze with limits, 2 if one is breached, 3 if that cannot be told.\n"
                 ".SH ENVIRONMENT\n.TP\n.B STOKER_SECTION__KEY\nany setting, for example "
                 "STOKER_KAFKA__BROKERS.\n.TP\n.B NO_COLOR\nno colour if set and not empty.\n");
}

// What the Spark listener keeps of events and properties, and what it takes for a secret.
static void add_events(struct buf *out) {
    buf_add_text(out,
                 "# What the agent reads of Spark's events, which of Spark's properties it may "
                 "keep, and by what a secret is\n# known. Printed by: stoker man events\n");
    decode_page(out);
    for (int p = PROPERTY_NONE + 1; p < PROPERTY_COUNT; p++) {
        const char *key = property_key((enum property)p);
        if (key[0] != '\0') {
            bool family = property_is_family((enum property)p);
            buf_printf(out, "property %s%s\n", key, family ? "*" : "");
        }
    }
    scrub_page(out);
}

static const struct {
    const char *word; // after the command; "" if none
    void (*print)(struct buf *out);
} pages[] = {
    {"", add_page},
    {"metrics", exposition_document},
    {"rules", detectors_to_markdown},
    {"severities", severities_to_markdown},
    {"thresholds", thresholds_to_markdown},
    {"advisors", advisors_to_markdown},
    {"settings", settings_to_markdown},
    {"events", add_events},
};

static int run(const struct command_args *args) {
    const char *word = args->rest_count > 0 ? args->rest[0] : "";
    for (size_t i = 0; i < ARRAY_LEN(pages) && args->rest_count < 2; i++) {
        if (strcmp(word, pages[i].word) == 0) {
            struct buf out = {0};
            pages[i].print(&out);
            int code = command_print(args, &out);
            buf_fini(&out);
            return code;
        }
    }
    return command_usage_error(args,
                               "say nothing, metrics, rules, severities, thresholds, advisors, "
                               "settings or events");
}

const struct command command_man = {
    .name = "man",
    .summary = "print the man page, or tables of the reference pages",
    .usage = "[metrics|rules|severities|thresholds|advisors|settings|events]",
    .details = "Without an argument: stoker(1). With metrics: docs/metrics.md; with events: the "
               "listener's table;\nthe others: the tables of docs/rules.md.\n",
    .hidden = true,
    .run = run,
};
