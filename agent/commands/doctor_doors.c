// doctor_doors: the checks of what is beside Kafka: folders of event logs, receivers of alerts, the
// agent's own pages. Called through doctor_checks.def.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/doctor.h"
#include "commands/setup.h"
#include "net/http_client.h"
#include "serve/listen.h"

enum { ASK_MS = 2000, ANSWER_MAX_BYTES = 4096 };

void doctor_logs(struct doctor *doctor) {
    unsigned count;
    const char *const *folders = config_list(doctor->config, "input.event_logs", &count);
    for (unsigned i = 0; i < count; i++) {
        unsigned entries = 0;
        DIR *folder = opendir(folders[i]);
        if (folder == NULL) {
            doctor_say(doctor, DOCTOR_FAIL, "mount it here, or let the agent's user read it",
                       "%s: %s", folders[i], strerror(errno));
            continue;
        }
        for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
            entries += entry->d_name[0] != '.';
        }
        closedir(folder);
        doctor_say(doctor, entries > 0 ? DOCTOR_OK : DOCTOR_WARN,
                   entries > 0 ? "" : "is it spark.eventLog.dir of your applications?",
                   "%s can be read and has %u entries", folders[i], entries);
    }
}

static unsigned check_target(struct doctor *doctor, const struct alert_target *target) {
    for (size_t i = 0; i < target->settings.url_count; i++) {
        struct err err;
        struct buf shown = {0};
        bool ready = alert_doors_probe(target, i, &shown, &err) == ST_OK;
        doctor_say(doctor, ready ? DOCTOR_OK : DOCTOR_FAIL,
                   ready ? "" : "is its address right, and may this host reach it?", "%s %s%s%s",
                   target->door->title, buf_text(&shown), ready ? " is ready" : ": ",
                   ready ? "" : err.text);
        buf_fini(&shown);
    }
    return (unsigned)target->settings.url_count;
}

void doctor_alerts(struct doctor *doctor) {
    struct setup_alerts alerts;
    unsigned urls = 0;
    setup_alerts_init(&alerts, doctor->config);
    for (size_t i = 0; i < alerts.count; i++) {
        urls += check_target(doctor, &alerts.targets[i]);
    }
    setup_alerts_fini(&alerts);
    if (urls == 0) {
        doctor_say(doctor, DOCTOR_OK, "",
                   "sent to nobody: alertmanager.urls and webhook.urls are empty");
    }
}

// True if an agent answers there.
static bool agent_answers(const struct config *config, const char *listen) {
    char address[100], text[140];
    struct url url;
    struct err err;
    struct http_answer answer;
    if (!listen_local(listen, address, sizeof address)) {
        return false;
    }
    struct setup_web web;
    setup_web_init(&web, config);
    snprintf(text, sizeof text, "http%s://%s/livez", web.web.cert_file != NULL ? "s" : "", address);
    if (url_parse(text, "", &url, &err) != ST_OK) {
        setup_web_fini(&web);
        return false;
    }
    struct http_client *client =
        http_client_new(&(struct http_settings){.timeout_ms = ASK_MS,
                                                .answer_max_bytes = ANSWER_MAX_BYTES,
                                                .pinned_file = web.web.cert_file,
                                                .direct = true});
    struct http_request request = {.url = &url};
    bool answers = http_client_send(client, &request, &answer, &err) == ST_OK && answer.code == 200;
    http_client_free(client);
    url_fini(&url);
    setup_web_fini(&web);
    return answers;
}

void doctor_pages(struct doctor *doctor) {
    const char *listen = config_text(doctor->config, "http.listen");
    struct err err;
    uint16_t port;
    int fd;
    if (listen[0] == '\0') {
        doctor_say(doctor, DOCTOR_OK, "", "none: http.listen is empty");
    } else if (listen_open(listen, &fd, &port, &err) == ST_OK) {
        close(fd);
        doctor_say(doctor, DOCTOR_OK, "", "%s is free for an agent", listen);
    } else if (agent_answers(doctor->config, listen)) {
        doctor_say(doctor, DOCTOR_OK, "", "an agent answers at %s", listen);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "http.listen: another port, or end what has this one", "%s",
                   err.text);
    }
}
