// config_check: what only shows once all sources are read: values that must fit each other, and
// names that have a form of their own. Called by the commands, which also ask the room that will
// take an address whether it is one. Asks nothing of the network.
#include <ctype.h>
#include <string.h>

#include "config/config_priv.h"
#include "model/topic.h"

enum { PANES_MAX = 1440, TOPIC_NAME_MAX = 249 };

// A broker takes no other names.
static bool good_topic(const char *name) {
    size_t len = strlen(name);
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL) {
            return false;
        }
    }
    return len <= TOPIC_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void check_topics(struct config *config) {
    for (enum topic i = 0; i < TOPIC_COUNT; i++) {
        const char *key = topic_row(i)->setting, *name = config_text(config, key);
        if (name[0] == '\0') {
            config_add_error(config, key, "is empty; name a topic");
            continue;
        }
        if (!good_topic(name)) {
            config_add_error(config, key,
                             "no name for a topic: %.80s; letters, digits, '.', '_' and '-' make "
                             "one, at most %d",
                             name, TOPIC_NAME_MAX);
        }
        for (enum topic other = 0; other < i; other++) {
            const char *other_key = topic_row(other)->setting;
            if (strcmp(name, config_text(config, other_key)) == 0) {
                config_add_error(config, key, "is the same topic as %s", other_key);
            }
        }
    }
}

static void check_window(struct config *config) {
    int64_t length = config_int(config, "window.length"), pane = config_int(config, "window.pane");
    if (length % pane != 0 || length / pane > PANES_MAX) {
        config_add_error(config, "window.pane", "must divide window.length into at most %d panes",
                         PANES_MAX);
    }
}

void config_finish(struct config *config) {
    if (config_find(config, "window.length") == NULL) {
        return; // a table of a test
    }
    check_window(config);
    if (config_text(config, "kafka.brokers")[0] == '\0') {
        config_add_error(config, "kafka.brokers", "is empty; name at least one broker, host:port");
    }
    if (config_text(config, "agent.group")[0] == '\0') {
        config_add_error(config, "agent.group", "is empty; name a consumer group");
    }
    check_topics(config);
}
