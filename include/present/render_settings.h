// render_settings: settings of Spark as people and programs paste them, in one of four forms. What
// is printed was made by advise/setting.h: keys of its table, values that are one visible word.
#pragma once

#include "base/buf.h"
#include "model/run.h"

enum settings_form {
    SETTINGS_CONF,     // --conf key=value: spark-submit, spark-shell, pyspark, spark-sql
    SETTINGS_DEFAULTS, // key value: spark-defaults.conf
    SETTINGS_SQL,      // SET key=value; of those alone that a session may set
    SETTINGS_OPERATOR, // sparkConf: of the Spark operator's SparkApplication (YAML)
};
// The word by which a command line asks for a form; NULL beyond the last one.
const char *settings_form_name(enum settings_form form);

// Appends a line for each, behind `indent` spaces, and for SETTINGS_OPERATOR the line sparkConf:
// before them, if there is any. Returns how many are left out because the form has no place for
// them.
uint32_t render_settings(struct buf *out, enum settings_form form,
                         const struct setting_advice *settings, uint32_t count, int indent);
// Appends for a person what the recommendation gives, as --conf, and as comments of a shell what
// would fit where the run has something else on purpose: "# --conf key=8 (set to 2000)".
void render_advised_settings(struct buf *out, const struct recommendation *recommendation,
                             int indent);
