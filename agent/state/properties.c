// properties: the list, its value as kept, and back. Called by app per environment update and by
// value_parts.c.
#include "state/properties.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "value_priv.h"

void properties_fini(struct properties *properties) {
    for (uint32_t i = 0; i < properties->count; i++) {
        mem_free(properties->list[i].name);
        mem_free(properties->list[i].value);
    }
    mem_free(properties->list);
    *properties = (struct properties){0};
}

static struct kept_property *find(const struct properties *properties, enum property property,
                                  struct str name) {
    for (uint32_t i = 0; i < properties->count; i++) {
        struct kept_property *kept = &properties->list[i];
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
    properties->list[properties->count++] = (struct kept_property){
        .number = (int32_t)property,
        .name = property_is_family(property) ? mem_strndup(name.p, name.len) : NULL,
        .value = mem_strndup(value.p, value.len)};
    properties->bytes += (uint32_t)(name.len + value.len);
    return true;
}

static bool replace(struct properties *properties, struct kept_property *kept, struct str value) {
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
    struct kept_property *kept = find(properties, property, name);
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
    properties->touched = true;
}

struct str properties_get(const struct properties *properties, enum property property,
                          const char *name) {
    require(property_is_of_run(property) && property_is_family(property) == (name != NULL));
    const struct kept_property *kept =
        find(properties, property, name == NULL ? STR("") : str_of(name));
    return kept == NULL ? STR("") : str_of(kept->value);
}

void properties_write(const struct properties *properties, struct buf *value) {
    struct buf nested = {0};
    for (uint32_t i = 0; i < properties->count; i++) {
        const struct kept_property *kept = &properties->list[i];
        buf_clear(&nested);
        wire_put_i64(&nested, 1, kept->number);
        if (kept->name != NULL && kept->name[0] != '\0') {
            wire_put(&nested, 2, str_of(kept->name));
        }
        wire_put(&nested, 3, str_of(kept->value));
        wire_put(value, VALUE_PROPERTY, buf_str(&nested));
    }
    buf_fini(&nested);
}

bool properties_read(struct properties *properties, struct str bytes) {
    struct wire_reader reader = wire_read(bytes);
    unsigned field;
    struct str at, name = STR(""), value = STR("");
    int64_t number = 0;
    while (wire_next(&reader, &field, &at)) {
        if (field == 1 && !wire_get_i64(at, &number)) {
            return false;
        }
        name = field == 2 ? at : name;
        value = field == 3 ? at : value;
    }
    if (reader.broken || number <= PROPERTY_NONE) {
        return false;
    }
    if (number >= PROPERTY_COUNT) {
        return true; // of a later release
    }
    enum property property = (enum property)number;
    bool fits = property_is_of_run(property) && name.len <= PROPERTY_NAME_MAX &&
                (property_is_family(property) || name.len == 0) && value.len > 0 &&
                value.len <= PROPERTY_VALUE_MAX && memchr(value.p, '\0', value.len) == NULL &&
                memchr(name.p, '\0', name.len) == NULL;
    return fits && find(properties, property, name) == NULL &&
           add(properties, property, name, value);
}
