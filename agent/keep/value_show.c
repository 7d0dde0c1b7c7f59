// value_show: values shown field by field, as JSON or as the page of what they are made of; out of
// the tables that write and read them. Called by present through keep/value.h. Trusts nothing: what
// does not fit its type makes the value damaged, and nothing more is written then.
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/scrub.h"
#include "keep/value.h"
#include "wire.h"

struct showing {
    struct json_writer *json;
    struct str bytes; // the fields around the row that is shown
};

static bool show_fields(const struct record *record, struct str bytes, struct json_writer *json);

static bool show_number(const struct record_row *row, struct str field, struct json_writer *json) {
    int64_t number;
    if (!wire_get_i64(field, &number)) {
        return false;
    }
    bool good = true;
    if (row->type == RECORD_BOOL) {
        json_put_bool(json, number != 0);
        good = number == 0 || number == 1;
    } else if (row->words != NULL && number >= 0 && number < row->words->count &&
               row->words->words[number] != NULL) {
        json_put_str(json, str_of(row->words->words[number]));
    } else {
        json_put_i64(json, number);
        good = row->type != RECORD_WORD;
    }
    return good;
}

static bool show_real(struct str field, struct json_writer *json) {
    double real = 0;
    bool good = field.len == sizeof real;
    if (good) {
        memcpy(&real, field.p, sizeof real);
    }
    json_put_number(json, real);
    return good;
}

// A place by its word, or by its number.
static bool show_place(const struct record_row *row, int64_t place, int64_t shown, int64_t number,
                       struct json_writer *json) {
    char key[24];
    if (place < 0 || place >= row->max) {
        return false;
    }
    snprintf(key, sizeof key, "%lld", (long long)shown);
    json_member_i64(json, row->words == NULL ? key : row->words->words[place], number);
    return true;
}

static bool show_places(const struct record_row *row, struct str field, struct json_writer *json) {
    struct wire_reader reader = wire_read(field);
    unsigned place;
    int64_t number;
    json_begin_object(json);
    while (wire_next(&reader, &place, &field)) {
        if (!wire_get_i64(field, &number) ||
            !show_place(row, (int64_t)place - 1, place, number, json)) {
            return false;
        }
    }
    json_end_object(json);
    return !reader.broken;
}

static bool show_item(const struct record_row *row, struct str field, struct json_writer *json) {
    if (row->type == RECORD_VALUE) {
        struct wire_reader inside = {0};
        if (wire_open(field, &inside, NULL) != ST_OK) {
            return false;
        }
        field = (struct str){inside.at, (size_t)(inside.end - inside.at)};
    }
    return show_fields(row->item, field, json);
}

// An older release may have kept what this one hides.
static void show_text(const struct record_row *row, struct str field, struct json_writer *json) {
    char room[SCRUB_COPY_MAX];
    json_put_str(json, row->prose ? scrub_cut(field, sizeof room - 1, room) : field);
}

// One field of a value under its name; of a list, one item of it.
static bool show_field(const struct record_row *row, struct str field, struct json_writer *json) {
    int64_t place, number;
    switch (row->type) {
    case RECORD_CHARS:
    case RECORD_NAME:
        show_text(row, field, json);
        return true;
    case RECORD_F64:
        return show_real(field, json);
    case RECORD_PLACES:
        return show_places(row, field, json);
    case RECORD_SPARSE:
        return wire_get_pair(field, &place, &number) && show_place(row, place, place, number, json);
    case RECORD_NESTED:
    case RECORD_VALUE:
    case RECORD_ARRAY:
    case RECORD_LIST:
        return show_item(row, field, json);
    default:
        return show_number(row, field, json);
    }
}

// What stands around the fields of a row that may have many.
enum around { AROUND_NOTHING, AROUND_LIST, AROUND_OBJECT };
static enum around around(const struct record_row *row) {
    bool list = (row->type == RECORD_ARRAY || row->type == RECORD_LIST) && row->max > 1;
    return list ? AROUND_LIST : row->type == RECORD_SPARSE ? AROUND_OBJECT : AROUND_NOTHING;
}

static void begin_row(const struct record_row *row, struct json_writer *json) {
    json_put_key(json, str_of(row->name));
    if (around(row) == AROUND_LIST) {
        json_begin_list(json);
    } else if (around(row) == AROUND_OBJECT) {
        json_begin_object(json);
    }
}

static void end_row(const struct record_row *row, struct json_writer *json) {
    if (around(row) == AROUND_LIST) {
        json_end_list(json);
    } else if (around(row) == AROUND_OBJECT) {
        json_end_object(json);
    }
}

// All fields of one row, wherever they are in the value.
static bool show_row(void *ctx, const struct record_row *row, unsigned wanted, size_t base) {
    struct showing *showing = ctx;
    struct wire_reader reader = wire_read(showing->bytes);
    unsigned number;
    struct str field;
    bool any = false;
    (void)base;
    while (wanted != 0 && row->type != RECORD_RETIRED && wire_next(&reader, &number, &field)) {
        if (number != wanted) {
            continue;
        }
        if (!any) {
            begin_row(row, showing->json);
        } else if (around(row) == AROUND_NOTHING) {
            return false;
        }
        any = true;
        if (!show_field(row, field, showing->json)) {
            return false;
        }
    }
    if (any) {
        end_row(row, showing->json);
    }
    return !reader.broken;
}

static bool show_fields(const struct record *record, struct str bytes, struct json_writer *json) {
    struct showing showing = {json, bytes};
    json_begin_object(json);
    if (!record_each_row(record, show_row, &showing)) {
        return false;
    }
    json_end_object(json);
    return true;
}

enum status value_to_json(const struct record *record, struct str value, struct buf *out,
                          struct err *err) {
    struct wire_reader reader;
    struct json_writer json = {.out = out};
    size_t before = out->len;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    if (!show_fields(record, (struct str){reader.at, (size_t)(reader.end - reader.at)}, &json)) {
        out->len = before;
        return err_set(err, ST_SKIP, "damaged state");
    }
    return ST_OK;
}

struct page {
    struct buf *out;
    const char *path; // of the struct the rows are of, with a dot at its end
};

static void add_type(const struct record_row *row, struct buf *out) {
    static const char *const names[] = {
        [RECORD_RETIRED] = "retired",
        [RECORD_I64] = "number",
        [RECORD_I32] = "number",
        [RECORD_BOOL] = "boolean",
        [RECORD_F64] = "real",
        [RECORD_CHARS] = "text",
        [RECORD_NAME] = "text",
        [RECORD_WORD] = "word",
        [RECORD_NESTED] = "",
        [RECORD_VALUE] = "value: ",
        [RECORD_ARRAY] = "list of ",
        [RECORD_LIST] = "list of ",
        [RECORD_PLACES] = "numbers by place",
        [RECORD_SPARSE] = "list of place and number",
    };
    bool one = row->type == RECORD_LIST && row->max == 1;
    buf_add_text(out, one ? "" : names[row->type]);
    buf_add_text(out, row->item != NULL ? row->item->name : "");
    if (row->words != NULL) {
        buf_printf(out, ": %s", row->words->name);
    }
}

static bool add_row(void *ctx, const struct record_row *row, unsigned number, size_t base) {
    const struct page *page = ctx;
    (void)base;
    if (number == 0) {
        return true;
    }
    struct buf path = {0};
    buf_printf(&path, "%s%s", page->path, row->name == NULL ? "" : row->name);
    buf_printf(page->out, "| %u | %s | ", number, buf_text(&path));
    add_type(row, page->out);
    buf_add_text(page->out, " |\n");
    if (row->item != NULL) {
        buf_add_char(&path, '.');
        struct page inner = {page->out, buf_text(&path)};
        record_each_row(row->item, add_row, &inner);
    }
    buf_fini(&path);
    return true;
}

void value_to_markdown(const struct record *record, struct buf *out) {
    struct page page = {out, ""};
    buf_add_text(out, "| number | field | type |\n|---|---|---|\n");
    record_each_row(record, add_row, &page);
}
