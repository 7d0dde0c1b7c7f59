// secret: see the header. Called by config, decode, kafka, model and state, before anything is kept
// or shown. A word may be added, or count in more places; none may ever be taken out, or count in
// fewer: what one release hides, every later one hides.
#include "base/secret.h"

#include "base/compiler.h"

enum place { SETTING = 1, PROPERTY = 2, SENTENCE = 4, EVERYWHERE = 7 };

static const struct {
    const char *word;
    unsigned places;
} words[] = {
    {"password", EVERYWHERE},
    {"secret", EVERYWHERE},
    {"token", EVERYWHERE},
    {"credential", EVERYWHERE},
    {"jaas", EVERYWHERE}, // Java's login settings hold user and password
    {"jwt", SETTING},
    {"key.pem", SETTING},            // ssl.key.pem is the key itself, ssl.key.location is none
    {"oauthbearer.config", SETTING}, // holds what the token is asked for with
    {"key", PROPERTY},
    {"auth", PROPERTY},
};

static bool holds_word(struct str text, enum place place) {
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((words[i].places & place) != 0 && str_contains_nocase(text, str_of(words[i].word))) {
            return true;
        }
    }
    return false;
}

bool secret_setting(struct str name) {
    return holds_word(name, SETTING);
}

bool secret_property(struct str name) {
    return holds_word(name, PROPERTY);
}

bool secret_mentioned(struct str sentence) {
    return holds_word(sentence, SENTENCE);
}
