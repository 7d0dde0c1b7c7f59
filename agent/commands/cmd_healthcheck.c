// cmd_healthcheck: `stoker healthcheck`: asks a running agent whether it is ready, for containers
// and scripts that have no curl.
#include <stdio.h>

#include "base/check.h"
#include "commands/setup.h"
#include "net/http_client.h"
#include "serve/listen.h"

enum { TIMEOUT_MS = 5000, REASON_MAX = 300, ANSWER_MAX_BYTES = 65536 };

static int not_ready(const struct command_args *args, const struct http_answer *answer) {
    struct str reason = answer->body;
    while (reason.len > 0 && reason.p[reason.len - 1] == '\n') {
        reason.len--;
    }
    struct buf shown = {0};
    buf_add_printable(&shown, (struct str){reason.p, str_cut_utf8(reason, REASON_MAX)});
    int code = command_failed(args, "not ready (%d): %s", answer->code, buf_text(&shown));
    buf_fini(&shown);
    return code;
}

// An agent is asked directly: a proxy of the environment knows nothing of this machine.
// `certificate`: of the agent's own file, NULL: it serves plain text or is not ours.
static int ask(const struct command_args *args, const char *text, const char *certificate) {
    struct url url;
    struct err err;
    if (url_parse(text, "", &url, &err) != ST_OK) {
        return command_usage_error(args, "%s: %s", text, err.text);
    }
    struct http_client *client =
        http_client_new(&(struct http_settings){.timeout_ms = TIMEOUT_MS,
                                                .answer_max_bytes = ANSWER_MAX_BYTES,
                                                .pinned_file = certificate,
                                                .direct = true});
    struct http_request request = {.url = &url};
    struct http_answer answer;
    int exit_code = EXIT_FINE;
    if (http_client_send(client, &request, &answer, &err) != ST_OK) {
        exit_code = command_failed(args, "%s: %s", url.shown, err.text);
    } else if (answer.code != 200) {
        exit_code = not_ready(args, &answer);
    } else {
        puts("ready");
    }
    http_client_free(client);
    url_fini(&url);
    return exit_code;
}

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    const char *url = command_value(args, "url");
    if (url != NULL) {
        return ask(args, url, NULL);
    }
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    char address[100], ready_url[120];
    const char *listen = config_text(config, "http.listen");
    if (listen[0] == '\0') {
        code = command_failed(args, "http.listen is empty: this agent has no pages to ask");
    } else {
        require(listen_local(listen, address, sizeof address)); // setup_config checked it
        struct setup_web web;
        setup_web_init(&web, config);
        snprintf(ready_url, sizeof ready_url, "http%s://%s/readyz",
                 web.web.cert_file != NULL ? "s" : "", address);
        code = ask(args, ready_url, web.web.cert_file);
        setup_web_fini(&web);
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
