// render_given: what became of advice, as the topic of recommendations tells it, for people and for
// programs. Called by `stoker advise --pipeline`; works nothing out; everything from a record is
// escaped.
#include "base/json_writer.h"
#include "present/render_advice.h"
#include "wrap.h"

static bool is_told(const struct avro_recommendation *record) {
    return record->recommendation.action != NULL;
}

// --- for programs

static void add_kind_of(struct json_writer *json, const struct given_advice *advice) {
    json_member_text(json, "id", advice->id);
    json_member_text(json, "kind", advice_kind_name(advice->kind));
}

static void add_outcome(struct json_writer *json, const struct avro_recommendation *record) {
    const struct recommendation *r = &record->recommendation;
    const struct advice_outcome *o = &r->outcome;
    json_begin_object(json);
    json_member_text(json, "id", r->id);
    json_member_text(json, "kind", r->kind);
    json_member_text(json, "outcome", vocabulary_name(&vocabulary_fate, o->fate));
    json_member_number(json, "change", o->change);
    json_member_number(json, "spread", o->spread);
    json_member_i64(json, "runs", o->runs);
    json_member_text(json, "per", o->per != NULL ? o->per : "");
    json_member_text(json, "confidence", confidence_name(o->confidence));
    json_member_text(json, "action", r->action);
    json_member_i64(json, "revision", r->revision);
    json_member_text(json, "told_by", record->identity.app_id);
    json_member_text(json, "told_by_attempt", record->identity.attempt);
    json_end_object(json);
}

static void add_state(struct json_writer *json, const char *key, const struct given *given,
                      enum given_state state) {
    json_member_list(json, key);
    for (uint32_t i = 0; i < given->count; i++) {
        if (given_state_of(&given->list[i]) == state) {
            json_begin_object(json);
            add_kind_of(json, &given->list[i]);
            json_end_object(json);
        }
    }
    json_end_list(json);
}

void render_given_members(struct json_writer *json, const struct given *given) {
    json_member_list(json, "outcomes");
    for (uint32_t i = 0; i < given->count; i++) {
        if (is_told(&given->list[i].later)) {
            add_outcome(json, &given->list[i].later);
        }
    }
    json_end_list(json);
    add_state(json, "withdrawn", given, GIVEN_WITHDRAWN);
    add_state(json, "missing", given, GIVEN_MISSING);
    json_member_list(json, "told");
    for (uint32_t i = 0; i < given->told_count; i++) {
        add_outcome(json, &given->told[i]);
    }
    json_end_list(json);
}

// --- for people

// "  memory: helped. Applied: ...", under its title if it is the first.
static void add_line(struct buf *out, bool *any, const char *title, const char *kind,
                     const struct buf *words, const struct render_style *style) {
    struct buf line = {0};
    if (!*any) {
        buf_printf(out, "\n%s%s%s\n", style->color ? "\033[1m" : "", title,
                   style->color ? "\033[0m" : "");
    }
    *any = true;
    buf_printf(&line, "%s: %s", kind, buf_text(words));
    wrap_words(out, buf_text(&line), 2, style->width);
    buf_fini(&line);
}

static void put_outcome(struct buf *words, const struct avro_recommendation *record, bool whose) {
    buf_clear(words);
    if (record->recommendation.outcome.fate == FATE_WITHDRAWN) { // the title has said it
        buf_add_text(words, record->recommendation.action);
        return;
    }
    buf_add_text(words, vocabulary_name(&vocabulary_fate, record->recommendation.outcome.fate));
    if (whose) {
        buf_printf(words, ", as %s tells", record->identity.app_id);
    }
    buf_printf(words, ". %s", record->recommendation.action);
}

static void add_states(struct buf *out, const struct given *given, enum given_state state,
                       const char *title, const struct render_style *style) {
    bool any = false;
    struct buf words = {0};
    for (uint32_t i = 0; i < given->count; i++) {
        const struct given_advice *advice = &given->list[i];
        if (given_state_of(advice) != state ||
            (state == GIVEN_STANDS && !is_told(&advice->later))) {
            continue;
        }
        if (is_told(&advice->later)) {
            put_outcome(&words, &advice->later, state == GIVEN_STANDS);
        } else {
            buf_clear(&words);
            buf_add_text(&words, "the run was given it");
        }
        add_line(out, &any, title, advice_kind_name(advice->kind), &words, style);
    }
    buf_fini(&words);
}

void render_given(struct buf *out, const struct given *given, const struct render_style *style) {
    bool any = false;
    struct buf words = {0};
    add_states(out, given, GIVEN_STANDS, "what became of it", style);
    add_states(out, given, GIVEN_WITHDRAWN, "withdrawn: no part of the set, do not apply it",
               style);
    add_states(out, given, GIVEN_MISSING, "not on the topic any more: no part of the set", style);
    for (uint32_t i = 0; i < given->told_count; i++) {
        put_outcome(&words, &given->told[i], false);
        add_line(out, &any, "what this run tells of earlier advice, which it applied",
                 given->told[i].recommendation.kind, &words, style);
    }
    buf_fini(&words);
}
