// properties: the list, and how it is kept. Called by app per environment update.
#include "state/properties.h"

#include <string.h>

#include "app_priv.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"

void properties_fini(struct properties *properties) {
    for (uint32_t i = 0; i < properties->count; i++) {
        mem_free(properties->list[i].name);
        mem_free(properties->list[i].value);
    }
    mem_free(properties->list);
    *properties = (struct properties){0};
}

static struct run_property *find(const struct properties *properties, enum property property,
                                 struct str name) {
    for (uint32_t i = 0; i < properties->count; i++) {
        struct run_property *kept = &properties->list[i];
        if (kept->number == (int32_t)property &&
            (kept->name == NULL ? name.len == 0 : str_is(name, kept->name))) {
            return kept;
        }
    }
    return NULL;
}

// False if there is no room.
static bool add(struct properties *properties, enum property property, struct str name,
                struct str value) {
    if (properties->count == PROPERTIES_MAX ||
        properties->bytes + name.len + value.len > PROPERTIES_BYTES_MAX) {
        return false;
    }
    MEM_GROW(properties->list, properties->count, properties->cap);
    properties->list[properties->count++] = (struct run_property){
        .number = (int32_t)property,
        .name = property_is_family(property) ? mem_strndup(name.p, name.len) : NULL,
        .value = mem_strndup(value.p, value.len)};
    properties->bytes += (uint32_t)(name.len + value.len);
    return true;
}

static bool replace(struct properties *properties, struct run_property *kept, struct str value) {
    size_t without = properties->bytes - strlen(kept->value);
    if (without + value.len > PROPERTIES_BYTES_MAX) {
        return false;
    }
    mem_free(kept->value);
    kept->value = mem_strndup(value.p, value.len);
    properties->bytes = (uint32_t)(without + value.len);
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
    struct str name = up_to_nul((struct str){key.p + own, key.len - own});
    value = up_to_nul(value);
    value.len = str_cut_utf8(value, PROPERTY_VALUE_MAX);
    struct run_property *kept = find(properties, property, name);
    if (value.len == 0 || (kept != NULL && str_is(value, kept->value))) {
        return;
    }
    bool room =
        name.len <= PROPERTY_NAME_MAX &&
        (kept == NULL ? add(properties, property, name, value) : replace(properties, kept, value));
    if (!room) {
        metrics_add(METRIC_LIMIT_HITS, 1);
        return;
    }
    keep_touch(&properties->kept);
}

struct str properties_get(const struct properties *properties, enum property property,
                          const char *name) {
    require(property_is_of_run(property) && property_is_family(property) == (name != NULL));
    const struct run_property *kept =
        find(properties, property, name == NULL ? STR("") : str_of(name));
    return kept == NULL ? STR("") : str_of(kept->value);
}

// A property as it is written and read.
struct kept_property {
    int64_t number;
    char name[PROPERTY_NAME_MAX + 1], value[PROPERTY_VALUE_MAX + 1];
};
static const struct record_row property_rows[] = {
    RECORD_ROW(1, I64, kept_property, number, .most = INT64_MAX),
    RECORD_ROW(2, CHARS, kept_property, name),
    RECORD_ROW(3, CHARS, kept_property, value),
};
static const struct record record_property = RECORD_OF("property", kept_property, property_rows);
_Static_assert(sizeof(struct kept_property) <= sizeof(union record_scratch), "built in scratch");

static uint32_t size(const void *properties) {
    return ((const struct properties *)properties)->count;
}
static const void *property_at(const void *properties, uint32_t i, union record_scratch *scratch) {
    const struct run_property *property = &((const struct properties *)properties)->list[i];
    struct kept_property *kept = (struct kept_property *)(void *)scratch;
    kept->number = property->number;
    str_copy(kept->name, sizeof kept->name, str_of(property->name));
    str_copy(kept->value, sizeof kept->value, str_of(property->value));
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
    return property != PROPERTY_NONE && property_is_of_run(property) && value.len > 0 &&
           (property_is_family(property) || name.len == 0) &&
           find(properties, property, name) == NULL && add(properties, property, name, value);
}
static const struct record_list property_list = {size, property_at, property_add, property_added};
static const struct record_row properties_rows[] = {
    RECORD_HOOKED(220, LIST, "properties", &property_list, .item = &record_property,
                  .max = PROPERTIES_MAX),
};
const struct record record_properties = RECORD_OF("properties", properties, properties_rows);
