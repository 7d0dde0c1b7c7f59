// render_advice: what is advised, for people who want to do it: each piece with what to do, why,
// the settings and lines, what it saves and when not to; and the whole as one set. Pure functions
// to a buffer; everything from a log is escaped. Called by `stoker advise`.
#pragma once

#include "present/render.h"
#include "runs/given.h"

// Appends the advice on a run of `duration_s` (0: of no run), in as many lines as it takes.
void render_advice(struct buf *out, const struct recommendation *list, uint32_t count,
                   double duration_s, const struct render_style *style);
// Whose advice it is. All borrowed.
struct render_advised {
    const struct run_identity *identity;
    enum run_status status;
    double duration_s;
    const struct given *given; // out of the topics: what became of it; NULL: of a log
};
// Appends one object on one line: who the run is (`run` NULL: of no run), the advice, all settings
// as one map, and, of advice out of the topics, what became of it.
void render_advice_json(struct buf *out, const struct render_advised *run,
                        const struct recommendation *list, uint32_t count);
// Appends what became of advice out of the topics: outcomes, what was withdrawn or is missing, and
// what the run tells of advice that it applied. Nothing if there is nothing to tell.
void render_given(struct buf *out, const struct given *given, const struct render_style *style);
// The same as members of the object that render_advice_json writes: "outcomes", "withdrawn",
// "missing" and "told", each a list.
struct json_writer;
void render_given_members(struct json_writer *json, const struct given *given);

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
