// avro_read: framed bytes back to a PipelineRun or a Recommendation, and any record of ours to
// JSON. Called by the second stage and by the commands that read topics. Bytes come from a topic
// anyone may write to: they are verified along the writer's schema first, bounded by the bytes
// given and in what a reader would make of them, and then read along it without building values.
// Must never trust a length, nor take memory but for what it returns: a value of Avro C 1.11.1
// costs a hundred times the bytes it is read from, and leaks on what it cannot decode.
#include <math.h>
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/scrub.h"

// Avro binary that is being read.
struct avro_bytes {
    const unsigned char *at, *end;
};

static bool read_long(struct avro_bytes *w, int64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        unsigned char byte = *w->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

static bool skip_bytes(struct avro_bytes *w, int64_t len) {
    if (len < 0 || len > w->end - w->at) {
        return false;
    }
    w->at += len;
    return true;
}

static bool walk_text(struct avro_bytes *w, struct str *text) {
    int64_t len;
    if (!read_long(w, &len)) {
        return false;
    }
    *text = (struct str){(const char *)w->at, len > 0 ? (size_t)len : 0};
    return skip_bytes(w, len) && str_is_utf8(*text);
}

// The key of entry `i`: unlike those before it.
static bool walk_key(struct avro_bytes *w, struct str *keys, int64_t i) {
    if (i >= AVRO_MAP_MAX || !walk_text(w, &keys[i])) {
        return false;
    }
    for (int64_t k = 0; k < i; k++) {
        if (str_eq(keys[k], keys[i])) {
            return false;
        }
    }
    return true;
}

static bool walk(struct avro_bytes *w, const struct avro_node *node);

// Every item takes at least a byte, or a few bytes could claim any number of them.
static bool walk_item(struct avro_bytes *w, const struct avro_node *item) {
    const unsigned char *start = w->at;
    return walk(w, item) && w->at > start;
}

// Blocks of an array or map. Lists of records are as long as our longest; a text is never much
// larger in memory than its bytes, so lists of texts need no bound.
static bool walk_blocks(struct avro_bytes *w, const struct avro_node *item, bool map) {
    struct str keys[AVRO_MAP_MAX];
    int64_t count, walked = 0, max = item->type == AVRO_T_RECORD ? RUN_STAGES_MAX : INT64_MAX;
    while (read_long(w, &count)) {
        if (count == 0) {
            return true;
        }
        // Less than 0 is a block with its size in bytes: our writer makes none.
        if (count < 0 || count > w->end - w->at || count > max - walked) {
            return false;
        }
        for (int64_t end = walked + count; walked < end; walked++) {
            if ((map && !walk_key(w, keys, walked)) || !walk_item(w, item)) {
                return false;
            }
        }
    }
    return false;
}

static bool walk_record(struct avro_bytes *w, const struct avro_node *record) {
    for (unsigned i = 0; i < record->count; i++) {
        if (!walk(w, &record->children[i])) {
            return false;
        }
    }
    return true;
}

static bool walk_number(struct avro_bytes *w, enum avro_type type) {
    int64_t number;
    if (type == AVRO_T_DOUBLE) {
        return skip_bytes(w, 8);
    }
    if (type == AVRO_T_BOOLEAN) {
        return w->at < w->end && *w->at++ <= 1;
    }
    return read_long(w, &number) &&
           (type != AVRO_T_INT || (number >= INT32_MIN && number <= INT32_MAX));
}

static bool walk(struct avro_bytes *w, const struct avro_node *node) {
    int64_t branch;
    struct str text;
    switch (node->type) {
    case AVRO_T_NULL:
        return true;
    case AVRO_T_BOOLEAN:
    case AVRO_T_INT:
    case AVRO_T_LONG:
    case AVRO_T_DOUBLE:
        return walk_number(w, node->type);
    case AVRO_T_STRING:
        return walk_text(w, &text);
    case AVRO_T_ARRAY:
    case AVRO_T_MAP:
        return walk_blocks(w, node->children, node->type == AVRO_T_MAP);
    case AVRO_T_UNION:
        return read_long(w, &branch) && branch >= 0 && branch < (int64_t)node->count &&
               walk(w, &node->children[branch]);
    case AVRO_T_RECORD:
        return walk_record(w, node);
    case AVRO_T_FOREIGN:
        break;
    }
    return false;
}

static struct avro_bytes bytes_of(struct str text) {
    return (struct avro_bytes){(const unsigned char *)text.p,
                               (const unsigned char *)text.p + text.len};
}

bool avro_verify(const struct avro_node *node, struct str bytes) {
    struct avro_bytes w = bytes_of(bytes);
    return walk(&w, node) && w.at == w.end;
}

static int64_t take_long(struct avro_bytes *from) {
    int64_t number = 0;
    require(read_long(from, &number));
    return number;
}

static struct str take_text(struct avro_bytes *from) {
    int64_t len = take_long(from);
    struct str text = {(const char *)from->at, (size_t)len};
    require(skip_bytes(from, len));
    return text;
}

// What is no number counts as 0, as when it is written.
static double take_double(struct avro_bytes *from) {
    uint64_t bits = 0;
    double real;
    require(from->end - from->at >= 8);
    for (unsigned i = 0; i < 8; i++) {
        bits |= (uint64_t)from->at[i] << (8 * i);
    }
    from->at += 8;
    memcpy(&real, &bits, sizeof real);
    return isfinite(real) ? real : 0;
}

static bool take_bool(struct avro_bytes *from) {
    require(from->at < from->end);
    return *from->at++ != 0;
}

static bool take_item(struct avro_bytes *from, int64_t *block) {
    if (*block == 0) {
        *block = take_long(from);
    }
    return (*block)-- > 0;
}

// Where the fields of a record that is being read go: the structs that rows speak of, by the part
// of a field, and whoever has the fields that are no row (may be NULL; returns false for those it
// does not know either).
enum { PARTS_MAX = 3 };
struct taking {
    void *into[PARTS_MAX];
    const struct record_row *left; // passed over
    bool (*take_rest)(struct avro_bytes *from, const struct avro_node *field, void *ctx);
    void *ctx;
    bool item; // of a list
};

static bool take_record(struct avro_bytes *from, const struct avro_node *record,
                        const struct taking *to);

static char *take_own_text(struct avro_bytes *from) {
    struct str text = take_text(from);
    return mem_strndup(text.p, text.len);
}

// An entry of a map of texts as the struct of two texts that it is to us.
static void take_pair(struct avro_bytes *from, const struct record *pair, char *into) {
    for (size_t i = 0; i < 2; i++) {
        require(pair->row_count == 2 && pair->rows[i].type == RECORD_TEXT);
        *(char **)(void *)(into + pair->rows[i].offset) = take_own_text(from);
    }
}

// A list takes its first items; what is beyond its bound was verified and is passed over. So is an
// item with a word of a newer release: the rest of the run is no worse without a bottleneck that
// nobody here has a name for.
static void take_list(struct avro_bytes *from, const struct avro_node *field, char *owner) {
    const struct record_row *row = field->row;
    char **items = (char **)(void *)(owner + row->offset);
    uint32_t *count = (uint32_t *)(void *)(owner + row->count_offset);
    uint32_t cap = *count;
    require(row->type == RECORD_LIST);
    for (int64_t block = 0; take_item(from, &block);) {
        if (*count == row->max) { // never of a map, which has a bound of its own
            require(walk(from, field->children));
            continue;
        }
        if (*count == cap) {
            cap = cap == 0 ? 8 : cap * 2;
            *items = mem_resize(*items, cap, row->item->size);
        }
        char *item = *items + row->item->size * (*count)++;
        memset(item, 0, row->item->size);
        if (field->type == AVRO_T_MAP) {
            take_pair(from, row->item, item);
        } else if (!take_record(from, field->children,
                                &(struct taking){.into = {item}, .item = true})) {
            metrics_add(METRIC_WORDS_UNKNOWN, 1);
            (*count)--;
        }
    }
}

// What stands for the null that was chosen in a ["null", T], see avro_codec.c; true if a value
// follows.
static bool take_branch(struct avro_bytes *from, const struct avro_node *field) {
    return field->type != AVRO_T_UNION || take_long(from) == 1;
}

// False if a word is none of ours.
static bool take_row(struct avro_bytes *from, const struct avro_node *field, char *into) {
    const struct record_row *row = field->row;
    void *at = into + field->at;
    int word;
    switch (field->row_type) {
    case RECORD_I64:
        *(int64_t *)at = take_branch(from, field) ? take_long(from) : 0;
        break;
    case RECORD_I32:
        *(int32_t *)at = take_branch(from, field) ? (int32_t)take_long(from) : -1;
        break;
    case RECORD_F64:
        *(double *)at = take_double(from);
        break;
    case RECORD_BOOL:
        *(bool *)at = take_bool(from);
        break;
    case RECORD_CHARS:
        (row->prose ? scrub_copy : str_copy)(at, row->size, take_text(from));
        break;
    case RECORD_WORD:
        word = vocabulary_parse(row->words, take_text(from));
        *(int *)at = word;
        return word >= 0;
    case RECORD_TEXT:
    case RECORD_NAME: // owned, whoever wants it to last makes it so
        mem_free(*(char **)at);
        *(char **)at = take_own_text(from);
        break;
    default:
        take_list(from, field, into + field->base);
        break;
    }
    return true;
}

static struct avro_bytes initial_of(const struct avro_node *field) {
    return bytes_of((struct str){field->initial, field->initial_bytes});
}

// False if a word is none of ours.
static bool take_field(struct avro_bytes *from, const struct avro_node *field,
                       const struct taking *to) {
    if (field->row != NULL && field->row != to->left) {
        char *into = to->into[field->part];
        bool known = take_row(from, field, into);
        if (!known && to->item && field->initial != NULL) { // a cause that is none of ours
            struct avro_bytes initial = initial_of(field);
            metrics_add(METRIC_WORDS_UNKNOWN, 1);
            known = take_row(&initial, field, into);
        }
        return known;
    }
    if (field->row != NULL || to->take_rest == NULL || !to->take_rest(from, field, to->ctx)) {
        require(walk(from, field)); // verified; only other readers want it
    }
    return true;
}

// The fields that the writer knew, then the reader's defaults for those it did not. False if a word
// is none of ours; all are taken or passed over.
static bool take_record(struct avro_bytes *from, const struct avro_node *record,
                        const struct taking *to) {
    bool known = true;
    for (unsigned i = 0; i < record->count; i++) {
        known &= take_field(from, &record->children[i], to);
    }
    for (unsigned i = 0; i < record->absent_count; i++) {
        struct avro_bytes initial = initial_of(record->absent[i]);
        known &= take_field(&initial, record->absent[i], to);
    }
    return known;
}

static void take_json(struct avro_bytes *from, const struct avro_node *node,
                      struct json_writer *json);

static void take_json_map(struct avro_bytes *from, const struct avro_node *item,
                          struct json_writer *json) {
    json_begin_object(json);
    for (int64_t block = 0; take_item(from, &block);) {
        json_put_key(json, take_text(from));
        take_json(from, item, json);
    }
    json_end_object(json);
}

static void take_json_list(struct avro_bytes *from, const struct avro_node *item,
                           struct json_writer *json) {
    json_begin_list(json);
    for (int64_t block = 0; take_item(from, &block);) {
        take_json(from, item, json);
    }
    json_end_list(json);
}

static void take_json_record(struct avro_bytes *from, const struct avro_node *record,
                             struct json_writer *json) {
    json_begin_object(json);
    for (unsigned i = 0; i < record->count; i++) {
        json_put_key(json, str_of(record->children[i].name));
        take_json(from, &record->children[i], json);
    }
    json_end_object(json);
}

static void take_json(struct avro_bytes *from, const struct avro_node *node,
                      struct json_writer *json) {
    switch (node->type) {
    case AVRO_T_UNION:
        take_json(from, &node->children[take_long(from)], json);
        break;
    case AVRO_T_STRING:
        json_put_str(json, take_text(from));
        break;
    case AVRO_T_BOOLEAN:
        json_put_bool(json, take_bool(from));
        break;
    case AVRO_T_INT:
    case AVRO_T_LONG:
        json_put_i64(json, take_long(from));
        break;
    case AVRO_T_DOUBLE:
        json_put_number(json, take_double(from));
        break;
    case AVRO_T_RECORD:
        take_json_record(from, node, json);
        break;
    case AVRO_T_MAP:
        take_json_map(from, node->children, json);
        break;
    case AVRO_T_ARRAY:
        take_json_list(from, node->children, json);
        break;
    case AVRO_T_NULL:
    case AVRO_T_FOREIGN:
        json_put_null(json);
        break;
    }
}

// Verifies the record; *body is then where its fields begin, *schema what it was written by.
static enum status open_record(const struct avro_codec *codec, struct str bytes,
                               const struct avro_schema **schema, struct avro_bytes *body,
                               struct err *err) {
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.len < AVRO_FRAME_BYTES || p[0] != 0xC3 || p[1] != 0x01) {
        return err_set(err, ST_SKIP, "not a record of stoker (unknown framing)");
    }
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++) {
        fingerprint |= (uint64_t)p[2 + i] << (8 * i);
    }
    *schema = avro_codec_find(codec, fingerprint);
    if (*schema == NULL) {
        return err_set(
            err, ST_RETRY,
            "its schema, fingerprint %016llx, is unknown to stoker %s: a newer release's?",
            (unsigned long long)fingerprint, STOKER_VERSION);
    }
    struct str rest = {bytes.p + AVRO_FRAME_BYTES, bytes.len - AVRO_FRAME_BYTES};
    if (!avro_verify(&(*schema)->root, rest)) {
        return err_set(err, ST_SKIP, "a damaged %s record", avro_record_name((*schema)->record));
    }
    *body = bytes_of(rest);
    return ST_OK;
}

// Limits of a newer release are left out.
static void take_limits(struct avro_bytes *from, struct pipeline_run *run) {
    for (int64_t block = 0; take_item(from, &block);) {
        int limit = vocabulary_parse(&vocabulary_limit, take_text(from));
        run->limits |= limit >= 0 ? 1u << limit : 0;
    }
}

static bool take_texts(struct avro_bytes *from, const struct avro_node *field, void *ctx) {
    struct pipeline_run *run = ctx;
    uint32_t cap = run->recommendation_count;
    if (strcmp(field->name, "limits") == 0) {
        take_limits(from, run);
        return true;
    }
    if (strcmp(field->name, "recommendations") != 0) {
        return false;
    }
    for (int64_t block = 0; take_item(from, &block);) {
        struct str text = take_text(from);
        if (run->recommendation_count < RUN_RECOMMENDATIONS_MAX) {
            MEM_GROW(run->recommendations, run->recommendation_count, cap);
            run->recommendations[run->recommendation_count++] = mem_strndup(text.p, text.len);
        }
    }
    return true;
}

enum status avro_decode_run(struct avro_codec *codec, struct str bytes, enum avro_stages stages,
                            struct pipeline_run *out, struct err *err) {
    const struct avro_schema *schema = NULL;
    struct avro_bytes body;
    *out = (struct pipeline_run){0};
    enum status status = open_record(codec, bytes, &schema, &body, err);
    if (status != ST_OK) {
        return status;
    }
    if (schema->record != AVRO_RUN) {
        return err_set(err, ST_SKIP, "a %s record where a PipelineRun is wanted",
                       avro_record_name(schema->record));
    }
    struct taking to = {.into = {out}, .take_rest = take_texts, .ctx = out};
    if (stages == AVRO_SKIP_STAGES) {
        to.left = avro_node_field(&codec->current[AVRO_RUN].root, "stages")->row;
        require(to.left != NULL);
    }
    if (!take_record(&body, &schema->root, &to)) {
        pipeline_run_fini(out);
        return err_set(err, ST_SKIP, "a PipelineRun with a word this release does not know");
    }
    return ST_OK;
}

// Ids of what it answers, and kinds of advice that were applied with it: those of a newer release
// are left out.
static bool take_lists(struct avro_bytes *from, const struct avro_node *field, void *ctx) {
    struct recommendation *r = ctx;
    bool ids = strcmp(field->name, "bottlenecks") == 0;
    if (!ids && strcmp(field->name, "outcome_with") != 0) {
        return false;
    }
    uint32_t cap = r->bottleneck_count;
    for (int64_t block = 0; take_item(from, &block);) {
        struct str text = take_text(from);
        int kind = ids ? -1 : advice_kind_parse(text);
        if (ids) {
            MEM_GROW(r->bottlenecks, r->bottleneck_count, cap);
            str_copy(r->bottlenecks[r->bottleneck_count++], sizeof *r->bottlenecks, text);
        }
        r->outcome.with |= kind >= 0 ? advice_bit((enum advice_kind)kind) : 0;
    }
    return true;
}

// Texts that the struct wants static, by our own words; what is none of them goes. False: a kind
// that this release does not know.
static bool settle_names(struct avro_recommendation *out) {
    static const char *const pers[] = {"byte", "record", "run"};
    struct recommendation *r = &out->recommendation;
    char *kind = (char *)(uintptr_t)r->kind, *per = (char *)(uintptr_t)r->outcome.per;
    int known = kind == NULL ? -1 : advice_kind_parse(str_of(kind));
    out->when_not = (char *)(uintptr_t)r->when_not;
    r->when_not = out->when_not != NULL && out->when_not[0] != '\0' ? out->when_not : NULL;
    r->kind = known >= 0 ? advice_kind_name((enum advice_kind)known) : NULL;
    r->outcome.per = NULL;
    for (size_t i = 0; i < ARRAY_LEN(pers); i++) {
        r->outcome.per = per != NULL && strcmp(per, pers[i]) == 0 ? pers[i] : r->outcome.per;
    }
    mem_free(kind);
    mem_free(per);
    return known >= 0;
}

void avro_recommendation_fini(struct avro_recommendation *out) {
    mem_free(out->when_not);
    recommendation_fini(&out->recommendation);
    *out = (struct avro_recommendation){0};
}

enum status avro_decode_recommendation(struct avro_codec *codec, struct str bytes,
                                       struct avro_recommendation *out, struct err *err) {
    const struct avro_schema *schema = NULL;
    struct avro_bytes body;
    struct avro_of_run of_run = {0};
    *out = (struct avro_recommendation){0};
    enum status status = open_record(codec, bytes, &schema, &body, err);
    if (status != ST_OK) {
        return status;
    }
    if (schema->record != AVRO_RECOMMENDATION) {
        return err_set(err, ST_SKIP, "a %s record where a Recommendation is wanted",
                       avro_record_name(schema->record));
    }
    struct taking to = {.into = {&out->recommendation, &out->identity, &of_run},
                        .take_rest = take_lists,
                        .ctx = &out->recommendation};
    bool known = take_record(&body, &schema->root, &to);
    str_copy(out->run_id, sizeof out->run_id, str_of(of_run.run_id));
    mem_free((char *)(uintptr_t)of_run.run_id);
    if (!settle_names(out) || !known) {
        avro_recommendation_fini(out);
        return err_set(err, ST_SKIP, "a Recommendation with a word this release does not know");
    }
    return ST_OK;
}

enum status avro_to_json(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                         struct buf *out, struct err *err) {
    const struct avro_schema *schema = NULL;
    struct avro_bytes body;
    enum status status = open_record(codec, bytes, &schema, &body, err);
    if (status != ST_OK) {
        return status;
    }
    require(schema != NULL);
    take_json(&body, &schema->root, &(struct json_writer){.out = out});
    if (record != NULL) {
        *record = schema->record;
    }
    return ST_OK;
}
