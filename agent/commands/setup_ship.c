// setup_ship: from the settings to what ships event logs, for `ship` and for an agent with
// input.event_logs. A folder is known by its path as it is named, made absolute, without looking at
// the disk: what it is called must be the same when it is not mounted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/setup.h"

// An absolute path without empty parts, "." and "..". The caller's to free.
static char *absolute(const char *path) {
    struct buf out = {0};
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *const texts[] = {here == NULL ? "" : here, path};
    for (int i = 0; i < 2; i++) {
        const char *at = texts[i];
        while (*at != '\0') {
            size_t len = strcspn(at, "/");
            if (len == 2 && memcmp(at, "..", 2) == 0) {
                while (out.len > 0 && out.data[--out.len] != '/') {
                }
            } else if (len > 0 && !(len == 1 && *at == '.')) {
                buf_add_char(&out, '/');
                buf_add(&out, at, len);
            }
            at += len + (at[len] == '/');
        }
    }
    free(here); // getcwd's
    char *text = out.len == 0 ? mem_strdup("/") : mem_strndup(out.data, out.len);
    buf_fini(&out);
    return text;
}

static int64_t since_ms(const struct config *config) {
    int64_t span_ms = config_int(config, "ship.since");
    return span_ms == 0 ? 0 : clock_wall_ms() - span_ms;
}

bool setup_ship_init(struct setup_ship *ship, const struct config *config,
                     const char *const *folders, unsigned count, const char *what,
                     const char **twice) {
    char instance[SETUP_INSTANCE_SIZE];
    *ship = (struct setup_ship){.folders = mem_zalloc(count + 1, sizeof(char *))};
    *twice = NULL;
    for (unsigned i = 0; i < count; i++) {
        ship->folders[i] = absolute(folders[i]);
        for (unsigned j = 0; j < i; j++) {
            *twice = strcmp(ship->folders[i], ship->folders[j]) == 0 ? ship->folders[i] : *twice;
        }
    }
    setup_instance(config, instance);
    snprintf(ship->member, sizeof ship->member, "%s-%s", instance, what);
    setup_kafka_init(&ship->consumer, config, KAFKA_CONSUMER);
    setup_kafka_init(&ship->producer, config, KAFKA_PRODUCER);
    bool dynamic = strcmp(config_text(config, "agent.membership"), "dynamic") == 0;
    ship->options = (struct ship_options){
        .consumer = ship->consumer.settings,
        .producer = ship->producer.settings,
        .group = config_text(config, "agent.group"),
        .cluster = config_text(config, "cluster"),
        .name = config_text(config, "ship.name"),
        .member = dynamic ? NULL : ship->member,
        .folders = (const char *const *)ship->folders,
        .folder_count = count,
        .events = config_text(config, topic_row(TOPIC_EVENTS)->setting),
        .positions = config_text(config, topic_row(TOPIC_STATE_SHIP)->setting),
        .max_record_bytes = setup_largest_record(config, TOPIC_EVENTS),
        .commit_interval_ms = config_int(config, "agent.commit_interval"),
        .since_ms = since_ms(config),
    };
    return *twice == NULL;
}

void setup_ship_check(struct config *config) {
    struct setup_ship ship;
    const char *twice;
    unsigned count;
    const char *const *folders = config_list(config, "input.event_logs", &count);
    if (!setup_ship_init(&ship, config, folders, count, "agent", &twice)) {
        config_add_error(config, "input.event_logs", "%.300s is named twice", twice);
    }
    setup_ship_fini(&ship);
}

void setup_ship_fini(struct setup_ship *ship) {
    for (char **folder = ship->folders; folder != NULL && *folder != NULL; folder++) {
        mem_free(*folder);
    }
    mem_free(ship->folders);
    setup_kafka_fini(&ship->consumer);
    setup_kafka_fini(&ship->producer);
    *ship = (struct setup_ship){0};
}
