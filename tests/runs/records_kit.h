// records_kit: messages of the topics that an agent writes, made by the codec, for the tests of
// what looks back. A test overrides what it is about.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "avro/avro_codec.h"
#include "base/mem.h"
#include "model/message.h"

struct records {
    struct avro_codec *codec;
    struct buf bytes;
    int64_t next; // offset
};

static inline int records_set_up(void **state) {
    struct records *records = mem_zalloc(1, sizeof *records);
    records->codec = avro_codec_new();
    *state = records;
    return 0;
}

static inline int records_tear_down(void **state) {
    struct records *records = *state;
    avro_codec_free(records->codec);
    buf_fini(&records->bytes);
    mem_free(records);
    return 0;
}

// A run of "etl" that began at `start_s`, took 100 s and succeeded, without stages.
static inline struct pipeline_run records_run(const char *app_id, int64_t start_s) {
    struct pipeline_run run = {.revision = 1,
                               .started_ms = start_s * 1000,
                               .ended_ms = (start_s + 100) * 1000,
                               .time_ms = (start_s + 100) * 1000,
                               .duration_s = 100,
                               .status = RUN_SUCCEEDED,
                               .completeness = 1};
    snprintf(run.identity.app_id, sizeof run.identity.app_id, "%s", app_id);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "etl");
    snprintf(run.id, sizeof run.id, "id-of-%s", app_id);
    return run;
}

// The record as a message, valid until the next one.
static inline struct message records_message(struct records *records, const char *key) {
    return (struct message){.topic = "runs",
                            .key = str_of(key),
                            .value = buf_str(&records->bytes),
                            .partition = 3,
                            .offset = records->next++};
}

static inline struct message records_of_run(struct records *records,
                                            const struct pipeline_run *run) {
    avro_encode_run(records->codec, run, &records->bytes);
    return records_message(records, run->identity.pipeline);
}
