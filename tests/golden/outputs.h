// outputs: the way of the live agent from what an engine hands out to alerts: every record as its
// bytes, stage 2 from the run that was decoded. What becomes of bytes and alerts is the test's.
#pragma once

#include "support/test.h"

#include "avro/avro_codec.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"

static struct avro_codec *codec;
static struct pipelines *pipelines;
static int64_t run_offset; // of the next run in its topic

// `name` is that of the schema.
static void add_record(const char *name, struct str bytes);
static void on_alert(void *ctx, const struct alert *alert);

// What the bytes of a record say, as JSON.
static void add_json(struct buf *out, struct str bytes) {
    struct err err;
    if (avro_to_json(codec, bytes, NULL, out, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    struct buf bytes = {0};
    struct pipeline_run heard;
    struct err err;
    avro_encode_run(codec, run, &bytes);
    add_record("PipelineRun", buf_str(&bytes));
    if (avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &heard, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    pipelines_feed(pipelines, &heard, run_offset++, 0);
    pipeline_run_fini(&heard);
    buf_fini(&bytes);
}
static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_bottleneck(codec, identity, run_id, bottleneck, &bytes);
    add_record("Bottleneck", buf_str(&bytes));
    buf_fini(&bytes);
}
static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_recommendation(codec, identity, run_id, recommendation, &bytes);
    add_record("Recommendation", buf_str(&bytes));
    buf_fini(&bytes);
}
static void on_window(void *ctx, const struct pipeline_window *window) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_window(codec, window, &bytes);
    add_record("PipelineWindow", buf_str(&bytes));
    buf_fini(&bytes);
}

static const struct engine_output engine_output = {NULL, on_run, on_bottleneck, on_recommendation};
static const struct pipelines_output pipelines_output = {NULL, on_window, on_alert,
                                                         on_recommendation};
