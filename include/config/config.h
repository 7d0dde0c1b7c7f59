// config: the settings in force: defaults, then a YAML file, then STOKER_SECTION__KEY variables,
// then single settings from the command line; the later wins. Every mistake is collected with its
// place, so one run shows them all. Read by the commands only; everything below gets plain values.
//
// A setting is one row of a table (setting.h) and nothing else: parsing, range, sample file,
// reference page and `config show` are walks over the rows. The store is an array with an entry per
// row, in the order of the tables: the text as written, its value by type, and the place it came
// from. A value is checked as it comes in, so an entry always holds one that its row allows: the
// default, until a source gives a better one. A key is in one row only. Of a secret nothing but its
// entry ever holds the value: no message, no page.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/setting.h"

struct config;

// Settings of all tables at their defaults. The tables are borrowed for the config's life.
struct config *config_new(const struct setting_table *tables, unsigned count);
void config_free(struct config *config);

// Reads a YAML file (at most 1 MiB). Mistakes are added to config_errors.
void config_load_file(struct config *config, const char *path);
// The same from memory; `name` stands for the file in messages.
void config_load_text(struct config *config, const char *name, struct str text);
// Takes STOKER_* from an environment (NULL-terminated "NAME=value").
void config_load_env(struct config *config, char *const *environment);
// Sets one key, or the _file twin of a secret, which is read at once; `origin` is where it comes
// from, for messages ("--set").
void config_set(struct config *config, const char *key, const char *value, const char *origin);
// Adds the mistakes that only show across keys of settings_agent, whose rows must be there. Call it
// once, after the last source.
void settings_agent_check(struct config *config);

// Adds a mistake that only a caller can see, at the place that set `key`, which must exist: a
// setting, or an entry of a MAP.
void config_add_error(struct config *config, const char *key, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
// All mistakes so far, one "place: key: words" a line; empty if there is none.
const char *config_errors(const struct config *config);

// Where a setting's value comes from: "default", "file:line", "STOKER_X", "--set". Also of one
// entry of a MAP ("kafka.common.x"), NULL if it has none of that name.
const char *config_origin(const struct config *config, const char *key);

// Values. The key must be in a table with that type: anything else is an internal error.
const char *config_text(const struct config *config, const char *key); // also CHOICE; "" if empty
bool config_bool(const struct config *config, const char *key);
int64_t config_int(const struct config *config, const char *key); // also DURATION (ms) and BYTES
double config_real(const struct config *config, const char *key);
// Elements of a LIST; the array and texts live as long as the config is not changed.
const char *const *config_list(const struct config *config, const char *key, unsigned *count);
struct config_pair {
    const char *key, *value;
};
// Entries of a MAP, in the order they were set.
const struct config_pair *config_map(const struct config *config, const char *key, unsigned *count);

// The effective settings as YAML with where each comes from; secrets as [hidden].
void config_show(const struct config *config, struct buf *out);
// A commented file with every setting at its default.
void config_sample(const struct setting_table *tables, unsigned count, struct buf *out);
// The reference page (Markdown).
void config_doc(const struct setting_table *tables, unsigned count, struct buf *out);

// The version of the YAML parser that runs now (static).
const char *config_library_version(void);
