// topic: see the header. Holds the table and the few questions that are asked of it; must never
// know a topic by its name.
#include "model/topic.h"

#include "base/check.h"

static const struct topic_row rows[TOPIC_COUNT] = {
#define TOPIC(id, setting, def, use, state_of, counts, too_large, help)                            \
    [TOPIC_##id] = {"topics." setting, def, help, use, state_of, counts, too_large},
#include "model/topics.def"
#undef TOPIC
};

const struct topic_row *topic_row(enum topic topic) {
    require(topic < TOPIC_COUNT);
    return &rows[topic];
}

bool topic_is_written(enum topic topic, bool dead_letters_kept) {
    enum topic_use use = topic_row(topic)->use;
    return use != TOPIC_INPUT && use != TOPIC_POSITIONS &&
           (use != TOPIC_DEAD_LETTERS || dead_letters_kept);
}

enum topic topic_of_state(enum topic input) {
    enum topic topic = 0;
    while (topic < TOPIC_COUNT &&
           (rows[topic].use != TOPIC_STATE || rows[topic].state_of != input)) {
        topic++;
    }
    return topic;
}
