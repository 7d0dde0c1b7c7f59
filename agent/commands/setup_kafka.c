// setup_kafka: the Kafka part of setup.h. Never prints the value of a property.
#include <stdio.h>

#include "base/mem.h"
#include "commands/setup.h"

static const char *role_key(enum kafka_role role) {
    return role == KAFKA_CONSUMER ? "kafka.consumer" : "kafka.producer";
}

static struct kafka_property *properties(const struct config *config, const char *key,
                                         size_t *count) {
    unsigned n;
    const struct config_pair *pairs = config_map(config, key, &n);
    struct kafka_property *out = mem_zalloc(n + 1, sizeof *out);
    for (unsigned i = 0; i < n; i++) {
        out[i] = (struct kafka_property){pairs[i].key, pairs[i].value};
    }
    *count = n;
    return out;
}

void setup_kafka_init(struct setup_kafka *kafka, const struct config *config,
                      enum kafka_role role) {
    const char *instance = config_text(config, "agent.instance");
    struct kafka_settings *settings = &kafka->settings;
    *settings = (struct kafka_settings){.brokers = config_text(config, "kafka.brokers"),
                                        .client_id = instance[0] == '\0' ? NULL : instance};
    kafka->common = properties(config, "kafka.common", &settings->common_count);
    kafka->role = properties(config, role_key(role), &settings->role_count);
    settings->common = kafka->common;
    settings->role = kafka->role;
}

void setup_kafka_fini(struct setup_kafka *kafka) {
    mem_free(kafka->common);
    mem_free(kafka->role);
    *kafka = (struct setup_kafka){0};
}

// One property on its own, for the sake of its place; false with the mistake printed.
static bool check_property(const struct config *config, const struct kafka_property *property,
                           bool common, enum kafka_role role) {
    struct kafka_settings settings = {.brokers = config_text(config, "kafka.brokers"),
                                      .common = common ? property : NULL,
                                      .common_count = common,
                                      .role = common ? NULL : property,
                                      .role_count = !common};
    struct err err;
    if (kafka_settings_check(&settings, role, &err) == ST_OK) {
        return true;
    }
    struct buf key = {0};
    buf_printf(&key, "%s.%s", common ? "kafka.common" : role_key(role), property->key);
    const char *origin = config_origin(config, buf_text(&key));
    fprintf(stderr, "%s: %s\n", origin != NULL ? origin : "settings", err.text);
    buf_fini(&key);
    return false;
}

bool setup_kafka_check(const struct config *config) {
    static const enum kafka_role roles[] = {KAFKA_CONSUMER, KAFKA_PRODUCER};
    struct setup_kafka kafka;
    struct err err;
    bool good = true;
    for (unsigned r = 0; r < ARRAY_LEN(roles); r++) {
        setup_kafka_init(&kafka, config, roles[r]);
        const struct kafka_settings *settings = &kafka.settings;
        bool single_good = true;
        for (size_t i = 0; i < settings->common_count && (r == 0 || good); i++) {
            single_good = check_property(config, &kafka.common[i], true, roles[r]) && single_good;
        }
        for (size_t i = 0; i < settings->role_count; i++) {
            single_good = check_property(config, &kafka.role[i], false, roles[r]) && single_good;
        }
        // What only shows when they come together.
        if (single_good && good && kafka_settings_check(settings, roles[r], &err) != ST_OK) {
            fprintf(stderr, "settings: %s\n", err.text);
            single_good = false;
        }
        good = good && single_good;
        setup_kafka_fini(&kafka);
    }
    return good;
}
