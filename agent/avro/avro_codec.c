// avro_codec: the schemas that records may be written by: this program's own, those of every
// release, and what is added while it runs. Each is bound to our structs when it comes in, so that
// reading and writing along any of them is one walk. Called by each worker and by `stoker tail`
// when they start.
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/mem.h"

// Made from schemas/ by the build: this program's schemas, those of each release one after another
// (NULL where it had no such record), and what avro.write_version may say: "current", then the
// releases in the same order, then NULL.
extern const char *const avro_schema_texts[AVRO_RECORD_COUNT];
extern const char *const avro_released_texts[];
extern const char *const avro_write_versions[];

enum { ADDED_MAX = 256, TEXT_BYTES_MAX = 1 << 20 };

static const char *const names[AVRO_RECORD_COUNT] = {
    [AVRO_RUN] = "PipelineRun",
    [AVRO_BOTTLENECK] = "Bottleneck",
    [AVRO_RECOMMENDATION] = "Recommendation",
    [AVRO_WINDOW] = "PipelineWindow",
};

const char *avro_record_name(enum avro_record record) {
    return names[record];
}

const char *avro_schema_text(enum avro_record record) {
    return avro_schema_texts[record];
}

uint64_t avro_schema_fingerprint(const struct avro_codec *codec, enum avro_record record) {
    return codec->current[record].fingerprint;
}

const struct avro_schema *avro_codec_find(const struct avro_codec *codec, uint64_t fingerprint) {
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        if (codec->current[i].fingerprint == fingerprint) {
            return &codec->current[i];
        }
    }
    for (unsigned i = 0; i < codec->other_count; i++) {
        if (codec->others[i]->fingerprint == fingerprint) {
            return codec->others[i];
        }
    }
    return NULL;
}

static enum avro_record record_of(const char *full_name) {
    static const char space[] = "io.stoker.";
    int record = AVRO_RECORD_COUNT;
    if (strncmp(full_name, space, sizeof space - 1) == 0) {
        for (record = 0; record < AVRO_RECORD_COUNT &&
                         strcmp(names[record], full_name + sizeof space - 1) != 0;) {
            record++;
        }
    }
    return (enum avro_record)record;
}

// Takes over *schema, or refuses it and lets it go.
static enum status take_schema(struct avro_codec *codec, struct avro_schema *schema,
                               struct err *err) {
    enum status status = ST_OK;
    schema->record = record_of(schema->name);
    if (schema->record == AVRO_RECORD_COUNT) {
        status = err_set(err, ST_SKIP, "schema: %s is no record of Stoker", schema->name);
    } else {
        status = avro_resolve(&schema->root, &codec->current[schema->record].root, err);
        if (status != ST_OK) {
            err_wrap(err, "schema: %s", schema->name);
        }
    }
    if (status != ST_OK) {
        avro_schema_fini(schema);
        return status;
    }
    MEM_GROW(codec->others, codec->other_count, codec->other_cap);
    codec->others[codec->other_count] = mem_alloc(sizeof *schema);
    *codec->others[codec->other_count++] = *schema;
    return ST_OK;
}

enum status avro_codec_add_writer(struct avro_codec *codec, struct str schema_text,
                                  uint64_t *fingerprint, struct err *err) {
    struct avro_schema schema;
    if (schema_text.len > TEXT_BYTES_MAX || codec->other_count >= codec->released + ADDED_MAX) {
        return err_set(err, ST_SKIP, "schema: too large, or one too many");
    }
    enum status status = avro_schema_init(&schema, schema_text, err);
    if (status != ST_OK) {
        return status;
    }
    if (fingerprint != NULL) {
        *fingerprint = schema.fingerprint;
    }
    if (avro_codec_find(codec, schema.fingerprint) != NULL) {
        avro_schema_fini(&schema);
        return ST_OK;
    }
    return take_schema(codec, &schema, err);
}

enum status avro_codec_write_as(struct avro_codec *codec, const char *version, struct err *err) {
    int at = 0;
    while (avro_write_versions[at] != NULL && strcmp(avro_write_versions[at], version) != 0) {
        at++;
    }
    if (avro_write_versions[at] == NULL) {
        return err_set(err, ST_SKIP, "no released schemas are called %s", version);
    }
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        const char *text = at == 0 ? NULL : avro_released_texts[(at - 1) * AVRO_RECORD_COUNT + i];
        uint64_t fingerprint = codec->current[i].fingerprint;
        if (text != NULL) {
            require(avro_fingerprint(str_of(text), &fingerprint, NULL, NULL) == ST_OK);
        }
        codec->writes[i] = avro_codec_find(codec, fingerprint);
        require(codec->writes[i] != NULL);
    }
    return ST_OK;
}

static bool is_text(const struct record_row *row) {
    return row->type == RECORD_NAME || row->type == RECORD_TEXT;
}

// A list of structs is an array of records, or, if they are a text and a value, a map.
static bool list_fits(const struct avro_node *node, const struct record_row *row) {
    const struct record_row *pair = row->item->rows;
    if (node->type == AVRO_T_MAP) {
        return row->item->row_count == 2 && is_text(&pair[0]) &&
               node->children->type == (is_text(&pair[1]) ? AVRO_T_STRING : AVRO_T_DOUBLE) &&
               (is_text(&pair[1]) || pair[1].type == RECORD_F64);
    }
    return node->type == AVRO_T_ARRAY && node->children->type == AVRO_T_RECORD;
}

// What stands for null in ["null", T]: no text, no time (0), no number (below 0; TRI_NULL is, too).
static bool fits(const struct avro_node *node, const struct record_row *row) {
    bool optional =
        node->type == AVRO_T_UNION && node->count == 2 && node->children[0].type == AVRO_T_NULL;
    enum avro_type type = optional ? node->children[1].type : node->type;
    switch (row->type) {
    case RECORD_I64:
        return type == AVRO_T_LONG;
    case RECORD_I32:
        return type == AVRO_T_INT || (optional && type == AVRO_T_BOOLEAN);
    case RECORD_NAME:
        return type == AVRO_T_STRING;
    case RECORD_CHARS:
    case RECORD_TEXT:
    case RECORD_WORD:
        return node->type == AVRO_T_STRING;
    case RECORD_BOOL:
        return node->type == AVRO_T_BOOLEAN;
    case RECORD_F64:
        return node->type == AVRO_T_DOUBLE;
    case RECORD_ARRAY:
    case RECORD_LIST:
        return row->list == NULL && list_fits(node, row);
    case RECORD_PLACES:
        return row->list == NULL && row->words != NULL && row->size == sizeof(int64_t) &&
               node->type == AVRO_T_MAP && node->children->type == AVRO_T_LONG;
    default:
        return false;
    }
}

// Fields of the schema that are called as rows of the record are those rows, in the struct that is
// given as number `part` to whoever reads or writes one.
static void bind(struct avro_node *node, unsigned part, const struct record *record) {
    for (unsigned i = 0; i < node->count; i++) {
        struct avro_node *field = &node->children[i];
        size_t base = 0;
        const struct record_row *row = record_by_name(record, field->name, &base);
        if (row == NULL) {
            continue;
        }
        require(field->row == NULL && fits(field, row));
        field->row = row;
        field->row_type = row->type;
        field->part = part;
        field->at = base + row->offset;
        field->base = base;
        if (field->type == AVRO_T_ARRAY) {
            bind(field->children, 0, row->item);
        }
    }
}

static const struct record_row of_run[] = {RECORD_ROW(0, NAME, avro_of_run, run_id)};
static const struct record record_of_run = RECORD_OF("of a run", avro_of_run, of_run);

static void bind_all(struct avro_schema *current) {
    bind(&current[AVRO_RUN].root, 0, &record_pipeline_run);
    bind(&current[AVRO_WINDOW].root, 0, &record_pipeline_window);
    bind(&current[AVRO_BOTTLENECK].root, 0, &record_bottleneck);
    bind(&current[AVRO_RECOMMENDATION].root, 0, &record_recommendation);
    for (int i = AVRO_BOTTLENECK; i <= AVRO_RECOMMENDATION; i++) {
        bind(&current[i].root, 1, &record_run_identity);
        bind(&current[i].root, 2, &record_of_run);
    }
}

struct avro_codec *avro_codec_new(void) {
    struct avro_codec *codec = mem_zalloc(1, sizeof *codec);
    struct err err = {0};
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        struct avro_schema *schema = &codec->current[i];
        require(avro_schema_init(schema, str_of(avro_schema_texts[i]), NULL) == ST_OK);
        require(record_of(schema->name) == (enum avro_record)i);
        schema->record = (enum avro_record)i;
    }
    bind_all(codec->current);
    for (int v = 0; avro_write_versions[v + 1] != NULL; v++) {
        for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
            const char *text = avro_released_texts[v * AVRO_RECORD_COUNT + i];
            require(text == NULL ||
                    avro_codec_add_writer(codec, str_of(text), NULL, &err) == ST_OK);
        }
    }
    codec->released = codec->other_count;
    require(avro_codec_write_as(codec, "current", NULL) == ST_OK);
    return codec;
}

void avro_codec_free(struct avro_codec *codec) {
    if (codec == NULL) {
        return;
    }
    for (unsigned i = 0; i < codec->other_count; i++) {
        avro_schema_fini(codec->others[i]);
        mem_free(codec->others[i]);
    }
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        avro_schema_fini(&codec->current[i]);
    }
    mem_free(codec->others);
    mem_free(codec);
}

const char *const *avro_versions(void) {
    return avro_write_versions;
}
