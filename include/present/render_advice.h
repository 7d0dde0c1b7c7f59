// render_advice: what is advised, for people who want to do it: each piece with what to do, why,
// the settings and lines, what it saves and when not to; and the whole as one set. Pure functions
// to a buffer; everything from a log is escaped. Called by `stoker advise`.
#pragma once

#include "present/render.h"

// Appends the advice on a run of `duration_s` (0: of no run), in as many lines as it takes.
void render_advice(struct buf *out, const struct recommendation *list, uint32_t count,
                   double duration_s, const struct render_style *style);
// Appends one object on one line: who the run is (`app` NULL: of no run), the advice, and all
// settings as one map.
void render_advice_json(struct buf *out, const struct app *app, enum run_status status,
                        const struct recommendation *list, uint32_t count);

// A SparkApplication of the Spark operator: who it is and what it runs; the rest are the settings.
enum { RENDER_NAME_SIZE = 64 };
struct render_manifest {
    char name[RENDER_NAME_SIZE];
    const char *main_file, *main_class, *spark_version; // main_class: "" if there is none
};
// The nearest name that Kubernetes takes: lower case, digits and dashes, 1 to 63 of them.
void render_manifest_name(const char *text, char out[RENDER_NAME_SIZE]);
// Appends it as YAML, with the settings of the recommendation.
void render_manifest(struct buf *out, const struct render_manifest *manifest,
                     const struct recommendation *r);
