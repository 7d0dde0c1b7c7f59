// setting: the settings of Spark that advice may give, a row each (advise/settings.def), and what a
// run has of them. An advisor sets one by its name here and by a number; how that is written, and
// whether it may be said at all, is the row's to tell: a key nobody looked at cannot be printed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/run.h"
#include "state/app.h"

enum setting {
#define SETTING(id, ...) SETTING_##id,
#define SETTING_FAMILY SETTING
#include "advise/settings.def"
#undef SETTING
#undef SETTING_FAMILY
    SETTING_COUNT
};

// How a value is written. A plain number, as others may have written it, is in the unit named.
enum setting_type {
    AS_INT,
    AS_BOOL,
    AS_FRACTION, // a number that need not be whole
    AS_TEXT,
    AS_BYTES, // "512m", "10g", plain: bytes
    AS_MIB,   // likewise, in whole MiB; plain: MiB
    AS_MS,    // "500ms", "60s", plain: milliseconds
    AS_S,     // likewise, in whole seconds; plain: seconds
};

// Where it may be set: whoever may do so there may also do so at the places below.
enum setting_place {
    IN_SESSION,     // SET in SQL, spark.conf.set
    IN_APPLICATION, // before it starts: --conf, spark-defaults
    IN_CLUSTER,     // likewise, and only to what the cluster offers
};

struct setting_row {
    const char *key;          // of a family what its keys begin with
    const char *least, *most; // of what is advised; of a text its length
    const char *defaults;     // see setting_default
    const char *example, *example_name;
    enum setting_type type;
    enum setting_place place;
    int since;   // major x 100 + minor
    uint32_t by; // of kinds of advice
    bool family;
};

// The row; static.
const struct setting_row *setting_row(enum setting setting);
// Which one a key is, or of which family it is a member; -1 if none.
int setting_of_key(struct str key);
// Appends the table of settings in docs/rules.md.
void settings_to_markdown(struct buf *out);

// The Spark of a run: major x 100 + minor, 0 unknown.
int setting_spark_of(const struct app *app);
// What that Spark does where nobody set it, as text; "" if it works a value out, has none or is not
// known and releases differ. Static.
struct str setting_default(enum setting setting, int spark);
// The text as a number: bytes, milliseconds, 0 or 1 of a bool. False if it is none, and of texts.
bool setting_parse(enum setting setting, struct str text, double *out);
// The number as text. False if it is beyond the row's bounds or no number; of no text.
enum { SETTING_NUMBER_SIZE = 32 };
bool setting_write(enum setting setting, double value, char out[SETTING_NUMBER_SIZE]);
// True if that Spark knows the key; of an unknown one those that were there in 3.0 are.
bool setting_known(enum setting setting, int spark);
// What the run was told, "" if nothing: by its program, else by its environment. Borrowed until the
// next event. Of no family.
struct str setting_told(const struct app *app, enum setting setting);
// True if the program itself set it while it ran: what is set before it starts does not count.
bool setting_is_programs(const struct app *app, enum setting setting);
// What holds in the run: what it was told, else what its Spark does by itself. False if that is no
// number or not known.
bool setting_number(const struct app *app, enum setting setting, double *out);

// For advisors: what the recommendation says to set, in the row's unit, written as the row says.
// True if it is said: not if it is beyond the row's bounds or no number, nor if the recommendation
// sets it already: its first value stays. The row must be of that type, and a row of that kind of
// advice.
bool advice_set_int(struct recommendation *recommendation, enum setting setting, double value);
bool advice_set_bytes(struct recommendation *recommendation, enum setting setting, double bytes);
bool advice_set_ms(struct recommendation *recommendation, enum setting setting, double ms);
bool advice_set_fraction(struct recommendation *recommendation, enum setting setting, double value);
bool advice_set_bool(struct recommendation *recommendation, enum setting setting, bool value);
// Text is copied; it must be of visible characters without blanks.
bool advice_set_text(struct recommendation *recommendation, enum setting setting,
                     const char *value);
// A member of a family: (SETTING_KUBERNETES_NODE_SELECTOR, "topology.kubernetes.io/zone", "a").
bool advice_set_member(struct recommendation *recommendation, enum setting family, const char *name,
                       const char *value);
// True if it says to set it.
bool advice_sets(const struct recommendation *recommendation, enum setting setting);
