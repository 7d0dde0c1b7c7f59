// given: see the header. Called by the commands that look back.
#include "runs/given.h"

#include <stdio.h>
#include <string.h>

#include "advise/setting.h"
#include "base/mem.h"

static const char in_this_run[] = " In this run: "; // as advisors part what to do from why

void given_init(struct given *given, struct avro_codec *codec, const struct pipeline_run *run) {
    *given = (struct given){.run = run, .codec = codec, .closed = run->advice_count > 0};
    for (uint32_t i = 0; i < run->advice_count && i < RUN_ADVICE_MAX; i++) {
        struct given_advice *advice = &given->list[given->count++];
        advice->kind = run->advice[i].kind;
        advice->saving_s = run->advice[i].saving_s;
        memcpy(advice->id, run->advice[i].id, sizeof advice->id);
    }
}

void given_fini(struct given *given) {
    for (uint32_t i = 0; i < given->count; i++) {
        avro_recommendation_fini(&given->list[i].given);
        avro_recommendation_fini(&given->list[i].later);
    }
    for (uint32_t i = 0; i < given->told_count; i++) {
        avro_recommendation_fini(&given->told[i]);
    }
    *given = (struct given){0};
}

static struct given_advice *find(struct given *given, const char *id) {
    for (uint32_t i = 0; i < given->count; i++) {
        if (strcmp(given->list[i].id, id) == 0) {
            return &given->list[i];
        }
    }
    return NULL;
}

// One that the run's record does not name, as it names none.
static struct given_advice *add(struct given *given, const struct avro_recommendation *record) {
    int kind = advice_kind_parse(str_of(record->recommendation.kind));
    if (given->closed || kind < 0 || given->count == RUN_ADVICE_MAX) {
        return NULL;
    }
    struct given_advice *advice = &given->list[given->count++];
    *advice = (struct given_advice){.kind = (enum advice_kind)kind, .saving_s = -1};
    memcpy(advice->id, record->recommendation.id, sizeof advice->id);
    return advice;
}

// The newer one stays; the other is released.
static void keep_newer(struct avro_recommendation *kept, struct avro_recommendation *record) {
    bool newer = kept->recommendation.action == NULL ||
                 record->recommendation.revision >= kept->recommendation.revision;
    avro_recommendation_fini(newer ? kept : record);
    if (newer) {
        *kept = *record;
    }
}

// Told by this run, of advice that it applied.
static void keep_told(struct given *given, struct avro_recommendation *record) {
    for (uint32_t i = 0; i < given->told_count; i++) {
        if (strcmp(given->told[i].recommendation.id, record->recommendation.id) == 0) {
            keep_newer(&given->told[i], record);
            return;
        }
    }
    if (given->told_count < RUN_ADVICE_MAX) {
        given->told[given->told_count++] = *record;
    } else {
        avro_recommendation_fini(record);
    }
}

static void keep(struct given *given, struct avro_recommendation *record) {
    bool own = str_is(str_of(record->run_id), given->run->id);
    bool outcome = record->recommendation.outcome.fate != FATE_NONE;
    struct given_advice *advice = find(given, record->recommendation.id);
    if (advice == NULL && own && !outcome) {
        advice = add(given, record);
    }
    if (advice != NULL && (own || outcome)) {
        keep_newer(outcome ? &advice->later : &advice->given, record);
    } else if (own && outcome) {
        keep_told(given, record);
    } else {
        avro_recommendation_fini(record);
    }
}

void given_take(struct given *given, const struct message *message) {
    struct avro_recommendation record;
    struct err err;
    if (!str_is(message->key, given->run->identity.pipeline) || message->value.len == 0) {
        return;
    }
    if (avro_decode_recommendation(given->codec, message->value, &record, &err) == ST_OK) {
        if (record.recommendation.action == NULL) {
            record.recommendation.action = mem_strdup("");
        }
        keep(given, &record);
    } else if (given->unreadable++ == 0) {
        snprintf(given->unreadable_why, sizeof given->unreadable_why,
                 "partition %d offset %lld: %s", (int)message->partition,
                 (long long)message->offset, err.text);
    }
}

enum given_state given_state_of(const struct given_advice *advice) {
    return advice->later.recommendation.outcome.fate == FATE_WITHDRAWN ? GIVEN_WITHDRAWN
           : advice->given.recommendation.action == NULL               ? GIVEN_MISSING
                                                                       : GIVEN_STANDS;
}

// What may be pasted: a setting of ours, and a value that no shell takes for more than a word.
static bool is_plain(const char *key, const char *value) {
    bool plain =
        key != NULL && value != NULL && value[0] != '\0' && setting_of_key(str_of(key)) >= 0;
    for (const char *at = key; plain && *at != '\0'; at++) {
        plain = *at > ' ' && *at < 0x7F && strchr("\"'`\\", *at) == NULL;
    }
    for (const char *at = value; plain && *at != '\0'; at++) {
        plain = *at > ' ' && *at < 0x7F && strchr("\"'`\\", *at) == NULL;
    }
    return plain;
}

static bool is_set(const struct recommendation *set, uint32_t count, const char *key) {
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < set[i].setting_count; k++) {
            if (strcmp(set[i].settings[k].key, key) == 0) {
                return true;
            }
        }
    }
    return false;
}

// What must not be pasted goes out of the recommendation, and what the set has already.
static void refuse(struct given *given, struct recommendation *r, const struct recommendation *set,
                   uint32_t set_count) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < r->setting_count; i++) {
        struct setting_advice *s = &r->settings[i];
        if (is_plain(s->key, s->value) && !is_set(set, set_count, s->key)) {
            r->settings[left++] = *s;
        } else {
            mem_free(s->key);
            mem_free(s->value);
        }
    }
    given->settings_refused += r->setting_count - left;
    r->setting_count = left;
    left = 0;
    for (uint32_t i = 0; i < r->own_count; i++) {
        struct own_setting *own = &r->own[i];
        if (is_plain(own->key, own->fits)) {
            r->own[left++] = *own;
        } else {
            mem_free(own->key);
            mem_free(own->value);
            mem_free(own->fits);
        }
    }
    given->settings_refused += r->own_count - left;
    r->own_count = left;
}

uint32_t given_set(struct given *given, struct recommendation *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < given->count; i++) {
        struct given_advice *advice = &given->list[i];
        struct recommendation *r = &advice->given.recommendation;
        if (given_state_of(advice) != GIVEN_STANDS) {
            continue;
        }
        const char *why = strstr(r->action, in_this_run);
        r->remedy_bytes = why == NULL ? 0 : (size_t)(why - r->action);
        r->saving_s = advice->saving_s >= 0 ? advice->saving_s : r->saving_s;
        refuse(given, r, out, count);
        out[count++] = *r;
    }
    return count;
}
