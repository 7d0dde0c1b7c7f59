// avro_put: moves fields of our structs into Avro values by the rows of avro_rows.c. Called by
// the codec. Avro C is given only what it cannot choke on: known fields, branches in range, valid
// UTF-8.
#include <math.h>
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"

avro_value_t avro_field(avro_value_t *record, const char *name) {
    avro_value_t field;
    require(avro_value_get_by_name(record, name, &field, NULL) == 0); // schema and rows agree
    return field;
}

// Bytes that are not UTF-8 become U+FFFD, as in JSON.
static struct str mend(struct avro_codec *codec, struct str text) {
    buf_clear(&codec->text);
    if (str_is_utf8(text)) {
        buf_add_str(&codec->text, text); // Avro C wants a NUL behind it
        return buf_str(&codec->text);
    }
    for (size_t i = 0; i < text.len;) {
        size_t n = 1;
        while (n <= 4 && i + n <= text.len && !str_is_utf8((struct str){text.p + i, n})) {
            n++;
        }
        bool good = n <= 4 && i + n <= text.len;
        buf_add(&codec->text, good ? text.p + i : "\xEF\xBF\xBD", good ? n : 3);
        i += good ? n : 1;
    }
    return buf_str(&codec->text);
}

void avro_put_text_value(struct avro_codec *codec, avro_value_t *value, struct str text) {
    text = mend(codec, text);
    require(avro_value_set_string_len(value, text.p, text.len + 1) == 0); // counts the NUL
}

void avro_put_double(avro_value_t *value, double number) {
    require(avro_value_set_double(value, isfinite(number) ? number : 0) == 0);
}

avro_value_t avro_put_key(struct avro_codec *codec, avro_value_t *map, struct str key) {
    avro_value_t element;
    require(avro_value_add(map, mend(codec, key).p, &element, NULL, NULL) == 0);
    return element;
}

void avro_put_text(struct avro_codec *codec, avro_value_t *record, const char *name,
                   struct str text) {
    avro_value_t field = avro_field(record, name);
    avro_put_text_value(codec, &field, text);
}

// The branch of ["null", T]: value if `present`.
static avro_value_t choose(avro_value_t *field, bool present) {
    avro_value_t branch;
    require(avro_value_set_branch(field, present ? 1 : 0, &branch) == 0);
    if (!present) {
        require(avro_value_set_null(&branch) == 0);
    }
    return branch;
}

static void put_row(struct avro_codec *codec, avro_value_t *record, const void *from,
                    const struct field_row *row) {
    const char *at = (const char *)from + row->offset;
    avro_value_t field = avro_field(record, row->name);
    avro_value_t branch;
    int failed = 0;
    switch (row->type) {
    case FIELD_CHARS:
        avro_put_text_value(codec, &field, str_of(at));
        break;
    case FIELD_TEXT:
        avro_put_text_value(codec, &field, str_of(*(const char *const *)(const void *)at));
        break;
    case FIELD_I64:
        failed = avro_value_set_long(&field, *(const int64_t *)(const void *)at);
        break;
    case FIELD_I32:
        failed = avro_value_set_int(&field, *(const int32_t *)(const void *)at);
        break;
    case FIELD_F64:
        avro_put_double(&field, *(const double *)(const void *)at);
        break;
    case FIELD_BOOL:
        failed = avro_value_set_boolean(&field, *(const bool *)(const void *)at);
        break;
    case FIELD_TIME:
        branch = choose(&field, *(const int64_t *)(const void *)at != 0);
        if (*(const int64_t *)(const void *)at != 0) {
            failed = avro_value_set_long(&branch, *(const int64_t *)(const void *)at);
        }
        break;
    case FIELD_OPT_I32:
        branch = choose(&field, *(const int32_t *)(const void *)at >= 0);
        if (*(const int32_t *)(const void *)at >= 0) {
            failed = avro_value_set_int(&branch, *(const int32_t *)(const void *)at);
        }
        break;
    case FIELD_WORD:
        avro_put_text_value(codec, &field, str_of(row->word(*(const int *)(const void *)at)));
        break;
    }
    require(failed == 0);
}

void avro_put_rows(struct avro_codec *codec, avro_value_t *record, const void *from,
                   const struct field_row *rows, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        put_row(codec, record, from, &rows[i]);
    }
}
