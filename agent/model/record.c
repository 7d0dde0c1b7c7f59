// record: looking up rows of a table, and the rules every table must obey. Called by those who bind
// or walk records, and by the test of all tables.
#include "model/record.h"

#include <string.h>

#include "base/compiler.h"

static bool each_row(const struct record *record, size_t base, bool kept, record_each_fn *each,
                     void *ctx) {
    for (size_t i = 0; i < record->row_count; i++) {
        const struct record_row *row = &record->rows[i];
        unsigned number = kept ? row->number : 0;
        bool more = row->type == RECORD_INLINE
                        ? each_row(row->item, base + row->offset, number != 0, each, ctx)
                        : each(ctx, row, number, base);
        if (!more) {
            return false;
        }
    }
    return true;
}

bool record_each_row(const struct record *record, record_each_fn *each, void *ctx) {
    return each_row(record, 0, true, each, ctx);
}

struct search {
    const char *name; // NULL: by number
    unsigned number;
    const struct record_row *found;
    size_t base;
};

static bool is_other(void *ctx, const struct record_row *row, unsigned number, size_t base) {
    struct search *search = ctx;
    bool same = search->name != NULL ? row->name != NULL && strcmp(row->name, search->name) == 0
                                     : number != 0 && number == search->number;
    if (same) {
        search->found = row;
        search->base = base;
    }
    return !same;
}

static const struct record_row *find(const struct record *record, struct search search,
                                     size_t *base) {
    record_each_row(record, is_other, &search);
    *base = search.base;
    return search.found;
}

const struct record_row *record_by_name(const struct record *record, const char *name,
                                        size_t *base) {
    return find(record, (struct search){.name = name}, base);
}

const struct record_row *record_by_number(const struct record *record, unsigned number,
                                          size_t *base) {
    return find(record, (struct search){.number = number}, base);
}

static const char *size_fault(const struct record_row *row) {
    static const size_t sizes[] = {
        [RECORD_I64] = 8, [RECORD_I32] = 4,  [RECORD_WORD] = 4, [RECORD_BOOL] = sizeof(bool),
        [RECORD_F64] = 8, [RECORD_NAME] = 8, [RECORD_TEXT] = 8, [RECORD_LIST] = 8,
    };
    bool sized = (size_t)row->type < ARRAY_LEN(sizes) && sizes[row->type] != 0 && row->list == NULL;
    if (sized && row->size != sizes[row->type]) {
        return "a member is not of its row's type";
    }
    bool in_place = row->type == RECORD_NESTED || row->type == RECORD_INLINE;
    if (in_place && (row->item == NULL || row->size != row->item->size)) {
        return "a nested struct is not of its table's size";
    }
    bool numbers = row->type == RECORD_PLACES || row->type == RECORD_SPARSE;
    return numbers && row->size != 4 && row->size != 8 ? "numbers of an odd size" : NULL;
}

static const char *row_fault(const struct record *record, const struct record_row *row) {
    bool structs = row->type >= RECORD_INLINE && row->type <= RECORD_LIST;
    bool counted = row->type >= RECORD_ARRAY || row->type == RECORD_VALUE;
    if (row->type == RECORD_RETIRED) {
        return row->number == 0 ? "a retired field has no number" : NULL;
    }
    if (row->name == NULL && row->type != RECORD_INLINE) {
        return "a field has no name";
    }
    if ((row->words == NULL && row->type == RECORD_WORD) || (row->item == NULL && structs)) {
        return "a row does not say of what";
    }
    if (counted && row->max == 0) {
        return "a list has no bound";
    }
    if (row->number != 0 && row->type == RECORD_TEXT) {
        return "a kept text is no array of characters";
    }
    bool places = row->type == RECORD_PLACES || row->type == RECORD_SPARSE;
    if (row->words != NULL && places && row->words->count != row->max) {
        return "places and words differ in number";
    }
    if (row->list == NULL &&
        row->offset + (row->type == RECORD_ARRAY ? 0 : row->size) > record->size) {
        return "a member lies outside of its struct";
    }
    return size_fault(row);
}

struct fault {
    const struct record *record;
    const char *words;
};

static bool no_fault(void *ctx, const struct record_row *row, unsigned number, size_t base) {
    struct fault *fault = ctx;
    size_t unused;
    (void)base;
    if (row->name != NULL && record_by_name(fault->record, row->name, &unused) != row) {
        fault->words = "two fields have one name";
    } else if (number != 0 && record_by_number(fault->record, number, &unused) != row) {
        fault->words = "two fields have one number";
    } else if (row->item != NULL) {
        fault->words = record_fault(row->item);
    }
    return fault->words == NULL;
}

const char *record_fault(const struct record *record) {
    struct fault fault = {.record = record};
    for (size_t i = 0; i < record->row_count && fault.words == NULL; i++) {
        fault.words = row_fault(record, &record->rows[i]);
    }
    if (fault.words == NULL) {
        record_each_row(record, no_fault, &fault);
    }
    return fault.words;
}
