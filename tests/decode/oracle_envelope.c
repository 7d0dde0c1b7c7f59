// oracle_envelope: what the oracle makes of the keys around an event: words instead of the other
// decoder's table, names compared in their plain form.
#include <ctype.h>
#include <stdio.h>

#include "model/log_name.h"
#include "oracle_priv.h"

#define EVENTS                                                                                     \
    "event sparkevent value body properties payload message msg log line data record records "     \
    "logevents events content text raw original fullmessage jsonpayload textpayload fields"
#define APPS "appid applicationid sparkappid"
#define ATTEMPTS "appattempt appattemptid applicationattemptid sparkappattemptid"
#define PATHS                                                                                      \
    "file path filepath filename logfile logpath logfilepath logfilename tailedpath source"
#define HOLDERS "log fields file source attributes metadata labels resource"
#define MANY "records logevents events"

// A key without its capitals and - _ . @; "" if it has anything else but letters and digits.
static void plain(const char *key, char out[24]) {
    size_t n = 0;
    for (; *key != '\0'; key++) {
        if (strchr("-_.@", *key) == NULL) {
            if (n == 20 || (unsigned char)*key >= 0x80 || !isalnum((unsigned char)*key)) {
                n = 0;
                break;
            }
            out[n++] = (char)tolower(*key);
        }
    }
    out[n] = '\0';
}

// The place of a key among words, from 1; 0 if it is none.
static size_t place_in(const char *words, const char *key) {
    char word[24];
    plain(key, word);
    size_t len = strlen(word), place = 1;
    for (const char *at = words; len > 0; at = strchr(at, ' ') + 1, place++) {
        if (strncmp(at, word, len) == 0 && (at[len] == ' ' || at[len] == '\0')) {
            return place;
        }
        if (strchr(at, ' ') == NULL) {
            break;
        }
    }
    return 0;
}

static void note_attempt(struct around *around, const json_t *value) {
    if (around->attempt.len > 0) {
        return;
    }
    if (json_is_integer(value)) {
        int n = snprintf(around->number, sizeof around->number, "%lld",
                         (long long)json_integer_value(value));
        around->attempt = (struct str){around->number, (size_t)n};
    } else {
        around->attempt = oracle_name_of(value, 32);
    }
}

static void note_path(struct around *around, const json_t *value) {
    struct log_name says;
    log_name_read(oracle_word_of(value, SIZE_MAX), &says);
    if (says.known && around->log_app_id.len == 0) {
        around->log_app_id = says.app_id;
        around->log_attempt = says.attempt;
    }
}

static void note(struct around *around, const char *key, const json_t *value) {
    if (place_in(APPS, key) > 0 && around->app_id.len == 0) {
        around->app_id = oracle_name_of(value, 256);
    } else if (place_in(ATTEMPTS, key) > 0) {
        note_attempt(around, value);
    } else if (place_in(PATHS, key) > 0) {
        note_path(around, value);
    }
}

static void look_into(struct around *around, const json_t *holder, int depth) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)holder, key, value) {
        if (place_in(HOLDERS, key) > 0 && json_is_object(value)) {
            if (depth > 0) {
                look_into(around, value, depth - 1);
            }
        } else {
            note(around, key, value);
        }
    }
}

void oracle_look_around(struct around *around, const struct decode_options *options,
                        const json_t *object, bool top, bool flat) {
    bool app = top && options->wrapper_app_key[0] != '\0';
    bool attempt = top && options->wrapper_attempt_key[0] != '\0';
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (app && strcmp(key, options->wrapper_app_key) == 0) {
            around->app_id = better(around->app_id, oracle_name_of(value, 256));
        } else if (attempt && strcmp(key, options->wrapper_attempt_key) == 0) {
            note_attempt(around, value);
        } else if (place_in(HOLDERS, key) > 0 && json_is_object(value)) {
            look_into(around, value, 1);
        } else if ((!app || flat || place_in(APPS, key) == 0) &&
                   (!attempt || flat || place_in(ATTEMPTS, key) == 0)) {
            note(around, key, value);
        }
    }
}

void oracle_place(const struct around *around, struct event *out) {
    struct str id = better(around->app_id, around->log_app_id);
    if (id.len > 0) {
        bool same = str_eq(id, around->log_app_id);
        out->app_id = id;
        out->app_attempt = better(around->attempt, same ? around->log_attempt : STR(""));
    } else {
        out->app_attempt = better(around->attempt, out->app_attempt);
    }
}

// Those of one place: the first that can be an event, and the first text that cannot.
static size_t take(const json_t *object, const char *words, size_t place,
                   const json_t *found[ORACLE_CANDIDATES]) {
    bool event = false, text = false;
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (place_in(words, key) != place || (strcmp(key, "Event") == 0 && json_is_string(value))) {
            continue;
        }
        bool line =
            json_is_string(value) && oracle_json_in(oracle_word_of(value, SIZE_MAX)).len == 0;
        bool fits = json_is_object(value) || json_is_string(value) ||
                    (json_is_array(value) && place_in(MANY, key) > 0);
        if (fits && !(line ? text : event)) {
            found[count++] = value;
            text = text || line;
            event = event || !line;
        }
    }
    return count;
}

size_t oracle_candidates(const struct decode_options *options, const json_t *object, bool top,
                         const json_t *found[ORACLE_CANDIDATES]) {
    if (top && options->wrapper_event_key[0] != '\0') {
        found[0] = oracle_field(object, options->wrapper_event_key);
        return json_is_object(found[0]) || json_is_array(found[0]) || json_is_string(found[0]);
    }
    size_t count = 0;
    for (size_t place = 1; place <= ORACLE_PLACES; place++) {
        count += take(object, EVENTS, place, found + count);
    }
    return count;
}

const char *oracle_category(const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (place_in("category", key) > 0 && json_string_length(value) > 0) {
            return json_string_value(value);
        }
    }
    return "";
}

// "Event", a colon and the name of an event of Spark's, whatever marks of escape are between.
bool oracle_mentions(struct str text) {
    char *plain_text = mem_alloc(text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        size_t quote = i; // only what stands before a quote is escaped again and again
        while (quote < text.len && text.p[quote] == '\\') {
            quote++;
        }
        i = quote < text.len && text.p[quote] == '"' ? quote : i;
        if (text.p[i] != '\\' || i < quote) {
            plain_text[n++] = text.p[i] == '\0' ? ' ' : text.p[i];
        }
    }
    plain_text[n] = '\0';
    bool found = false;
    for (const char *at = plain_text; !found && (at = strstr(at, "\"Event\"")) != NULL; at++) {
        const char *name = at + 7 + strspn(at + 7, " \t\r\n");
        if (*name != ':') {
            continue;
        }
        name += 1 + strspn(name + 1, " \t\r\n");
        name += strspn(name, "\\");
        name += *name == '"';
        found =
            strncmp(name, "SparkListener", 13) == 0 || strncmp(name, "org.apache.spark.", 17) == 0;
    }
    mem_free(plain_text);
    return found;
}
