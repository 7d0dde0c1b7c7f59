// cmd_healthcheck: `stoker healthcheck`: asks a running agent whether it is ready, for containers
// and scripts that have no curl.
#include <stdio.h>

#include "commands/setup.h"
#include "net/http_get.h"

enum { TIMEOUT_MS = 5000, REASON_MAX = 300 };

static int ask(const struct command_args *args, const char *url) {
    struct buf body = {0}, shown = {0};
    struct err err;
    int code = 0, exit_code = EXIT_FINE;
    enum status status = http_get(url, TIMEOUT_MS, &code, &body, &err);
    if (status == ST_FATAL) {
        exit_code = command_usage_error(args, "%s: %s", url, err.text);
    } else if (status != ST_OK) {
        exit_code = command_failed(args, "%s: %s", url, err.text);
    } else if (code != 200) {
        struct str reason = buf_str(&body);
        while (reason.len > 0 && reason.p[reason.len - 1] == '\n') {
            reason.len--;
        }
        buf_add_printable(&shown, (struct str){reason.p, str_cut_utf8(reason, REASON_MAX)});
        exit_code = command_failed(args, "not ready (%d): %s", code, buf_text(&shown));
    } else {
        puts("ready");
    }
    buf_fini(&body);
    buf_fini(&shown);
    return exit_code;
}

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    const char *url = command_value(args, "url");
    if (url != NULL) {
        return ask(args, url);
    }
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    char ready_url[400];
    const char *listen = config_text(config, "http.listen");
    if (listen[0] == '\0') {
        code = command_failed(args, "http.listen is empty: this agent has no pages to ask");
    } else if (!http_get_ready_url(listen, ready_url, sizeof ready_url)) {
        code = command_failed(args, "http.listen is no address: %s", listen);
    } else {
        code = ask(args, ready_url);
    }
    config_free(config);
    return code;
}

static const struct command_option options[] = {
    {"url", 0, "URL", "what to ask; default: /readyz at http.listen"},
};

const struct command command_healthcheck = {
    .name = "healthcheck",
    .summary = "ask a running agent whether it is ready",
    .usage = "[--url URL] [-c FILE]",
    .details =
        "Exits 0 if the agent answers that it is ready, else 1 with the reason. It waits 5 s "
        "at most.\n"
        "\n"
        "Examples:\n"
        "  stoker healthcheck -c stoker.yaml\n"
        "  stoker healthcheck --url http://127.0.0.1:9571/livez\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
