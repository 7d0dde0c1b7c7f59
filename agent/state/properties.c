// properties: the list, and how it is kept. Called by app per environment update. Every live run
// has some ten of them, so they lie in one block of memory: finding one walks it.
#include "state/properties.h"

#include <string.h>

#include "app_priv.h"
#include "base/check.h"

// One of the list, as it lies in `packed`: its number, then two C strings.
struct entry {
    int32_t number; // an enum property
    const char *name, *value;
    size_t at, end; // in packed; at == end: there is none
};

void properties_fini(struct properties *properties) {
    buf_fini(&properties->packed);
    *properties = (struct properties){0};
}

static struct entry entry_at(const struct properties *properties, size_t at) {
    const struct buf *packed = &properties->packed;
    struct entry entry = {.at = at, .end = at};
    require(at <= packed->len);
    if (at < packed->len) {
        memcpy(&entry.number, packed->data + at, sizeof entry.number);
        entry.name = packed->data + at + sizeof entry.number;
        entry.value = entry.name + strlen(entry.name) + 1;
        entry.end = (size_t)(entry.value + strlen(entry.value) + 1 - packed->data);
    }
    return entry;
}

static bool is_there(const struct entry *entry) {
    return entry->end > entry->at;
}

static struct entry find(const struct properties *properties, enum property property,
                         struct str name) {
    struct entry entry = entry_at(properties, 0);
    while (is_there(&entry) && (entry.number != (int32_t)property || !str_is(name, entry.name))) {
        entry = entry_at(properties, entry.end);
    }
    return entry;
}

static void pack(struct buf *packed, enum property property, struct str name, struct str value) {
    int32_t number = (int32_t)property;
    buf_add(packed, &number, sizeof number);
    buf_add_str(packed, name);
    buf_add_char(packed, '\0');
    buf_add_str(packed, value);
    buf_add_char(packed, '\0');
}

// False if there is no room.
static bool add(struct properties *properties, enum property property, struct str name,
                struct str value) {
    if (properties->count == PROPERTIES_MAX ||
        properties->bytes + name.len + value.len > PROPERTIES_BYTES_MAX) {
        return false;
    }
    pack(&properties->packed, property, name, value);
    properties->count++;
    properties->bytes += (uint32_t)(name.len + value.len);
    return true;
}

// Puts another value in its place.
static bool replace(struct properties *properties, const struct entry *entry, struct str value) {
    size_t without = properties->bytes - strlen(entry->value);
    if (without + value.len > PROPERTIES_BYTES_MAX) {
        return false;
    }
    struct buf old = properties->packed, packed = {0};
    buf_add(&packed, old.data, entry->at);
    pack(&packed, (enum property)entry->number, str_of(entry->name), value);
    buf_add(&packed, old.data + entry->end, old.len - entry->end);
    properties->packed = packed;
    properties->bytes = (uint32_t)(without + value.len);
    buf_fini(&old);
    return true;
}

// They are kept as C strings.
static struct str up_to_nul(struct str text) {
    return (struct str){text.p, strnlen(text.p, text.len)};
}

void properties_put(struct properties *properties, struct str key, struct str value) {
    enum property property = event_property_of(key);
    if (!property_is_of_run(property)) {
        return;
    }
    size_t own = strlen(property_key(property));
    struct str name = STR("");
    if (property_is_family(property)) {
        name = up_to_nul((struct str){key.p + own, key.len - own});
    }
    value = up_to_nul(value);
    value.len = str_cut_utf8(value, PROPERTY_VALUE_MAX);
    struct entry kept = find(properties, property, name);
    if (value.len == 0 || (is_there(&kept) && str_is(value, kept.value))) {
        return;
    }
    bool room =
        name.len <= PROPERTY_NAME_MAX && (is_there(&kept) ? replace(properties, &kept, value)
                                                          : add(properties, property, name, value));
    if (!room) {
        limit_hit(&properties->limits, LIMIT_PROPERTIES);
        return;
    }
    keep_touch(&properties->kept);
}

struct str properties_get(const struct properties *properties, enum property property,
                          const char *name) {
    require(property_is_of_run(property) && property_is_family(property) == (name != NULL));
    struct entry kept = find(properties, property, name == NULL ? STR("") : str_of(name));
    return is_there(&kept) ? str_of(kept.value) : STR("");
}

void properties_each(const struct properties *properties, property_fn *each, void *ctx) {
    for (struct entry entry = entry_at(properties, 0); is_there(&entry);
         entry = entry_at(properties, entry.end)) {
        each(ctx, (enum property)entry.number, str_of(entry.name), str_of(entry.value));
    }
}

// A property as it is written and read.
struct kept_property {
    int64_t number;
    char name[PROPERTY_NAME_MAX + 1], value[PROPERTY_VALUE_MAX + 1];
};
static const struct record_row property_rows[] = {
    RECORD_ROW(1, I64, kept_property, number, .most = INT64_MAX),
    RECORD_ROW(2, CHARS, kept_property, name),
    RECORD_ROW(3, CHARS, kept_property, value, .prose = true),
};
static const struct record record_property = RECORD_OF("property", kept_property, property_rows);
_Static_assert(sizeof(struct kept_property) <= sizeof(union record_scratch), "built in scratch");

static uint32_t size(const void *properties) {
    return ((const struct properties *)properties)->count;
}
static const void *property_at(const void *properties, uint32_t i, union record_scratch *scratch) {
    struct entry entry = entry_at(properties, 0);
    struct kept_property *kept = (struct kept_property *)(void *)scratch;
    for (; i > 0; i--) {
        entry = entry_at(properties, entry.end);
    }
    kept->number = entry.number;
    str_copy(kept->name, sizeof kept->name, str_of(entry.name));
    str_copy(kept->value, sizeof kept->value, str_of(entry.value));
    return kept;
}
static void *property_add(void *properties, uint32_t count, union record_scratch *scratch) {
    (void)properties, (void)count;
    return scratch;
}
static bool property_added(void *of, void *item) {
    struct properties *properties = of;
    const struct kept_property *kept = item;
    if (kept->number >= PROPERTY_COUNT) {
        return true; // of a later release
    }
    enum property property = (enum property)kept->number;
    struct str name = str_of(kept->name), value = str_of(kept->value);
    struct entry before = find(properties, property, name);
    return property != PROPERTY_NONE && property_is_of_run(property) && value.len > 0 &&
           (property_is_family(property) || name.len == 0) && !is_there(&before) &&
           add(properties, property, name, value);
}
static const struct record_list property_list = {size, property_at, property_add, property_added};
static const struct record_row properties_rows[] = {
    RECORD_HOOKED(220, LIST, "properties", &property_list, .item = &record_property,
                  .max = PROPERTIES_MAX),
};
const struct record record_properties = RECORD_OF("properties", properties, properties_rows);
