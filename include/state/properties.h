// properties: what a run's environment says of its Spark properties, as far as they may be kept
// (model/properties.def). A short list in the order they were first seen; of one that is told again
// the newest value counts. Bounded in number and bytes: what is beyond is not kept, which is
// counted. Owned by an app; written only by state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/event.h"
#include "model/kept.h"

enum {
    PROPERTIES_MAX = 128,
    PROPERTY_NAME_MAX = 128,  // of a member of a family, without the family's part; bytes
    PROPERTY_VALUE_MAX = 256, // bytes; a longer value is cut
    PROPERTIES_BYTES_MAX = 8192,
};

struct properties {
    struct buf packed; // one behind the other: number, name within its family, value
    uint32_t count;
    uint32_t bytes;  // of all names and values
    uint32_t limits; // that were hit, until the app takes them over
    struct kept kept;
};

void properties_fini(struct properties *properties);
// Keeps the property if it may be kept and there is room; repeated ones change nothing.
void properties_put(struct properties *properties, struct str key, struct str value);
// The value, "" if it was not told. `name`: of a member of a family, else NULL. Borrowed until the
// next event.
struct str properties_get(const struct properties *properties, enum property property,
                          const char *name);
// Calls `each` with every one, in the order they were first seen: `name` is that of a member of a
// family, else empty. Names and values are C strings.
typedef void property_fn(void *ctx, enum property property, struct str name, struct str value);
void properties_each(const struct properties *properties, property_fn *each, void *ctx);
