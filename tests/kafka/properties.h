// properties: what the client says of one property, as kafka.common or as kafka.consumer and
// kafka.producer give it.
#pragma once

#include "support/test.h"

#include "kafka/client.h"

static inline enum status check(const char *key, const char *value, bool common,
                                enum kafka_role role, struct err *err) {
    struct kafka_property property = {key, value};
    struct kafka_settings settings = {.brokers = "127.0.0.1:1",
                                      .common = &property,
                                      .common_count = common,
                                      .role = &property,
                                      .role_count = !common};
    err->text[0] = '\0';
    return kafka_settings_check(&settings, role, err);
}
