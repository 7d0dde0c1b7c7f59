// fuzz_avro: bytes that claim to be records of ours, by this release's schemas, an earlier or a
// later one: the reader must refuse or read them without harm, with the stages or without alike.
// The first byte chooses which schema's frame is put before the rest; with FUZZ_SCHEMA the rest is
// itself a schema to be added.
#include <stdint.h>
#include <stdlib.h>

#include "avro/avro_codec.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEEDED                                                                                     \
    "{\"type\":\"record\",\"name\":\"io.stoker.PipelineRun\",\"fields\":["                         \
    "{\"name\":\"pipeline\",\"type\":\"string\"},{\"name\":\"app_id\",\"type\":\"string\"},"       \
    "{\"name\":\"cluster\",\"type\":\"string\"},{\"name\":\"attempt\",\"type\":\"string\"}"

static const char *const writers[] = {
    NEEDED "]}", // all that has a default is absent
    NEEDED
    ",{\"name\":\"x\",\"type\":[\"long\",\"null\",{\"type\":\"map\",\"values\":\"boolean\"}]},"
    "{\"name\":\"open_bottlenecks\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
    "\"name\":\"O\",\"fields\":[{\"name\":\"y\",\"type\":{\"type\":\"array\",\"items\":[\"null\","
    "\"double\"]}},{\"name\":\"severity\",\"type\":\"string\"},{\"name\":\"id\",\"type\":"
    "\"string\"},{\"name\":\"kind\",\"type\":\"string\"}]}}},{\"name\":\"status\",\"type\":"
    "\"string\"}]}",
};
enum { FUZZ_SCHEMA = 0xFF };

static struct avro_codec *codec;
static struct buf bytes, json;
static uint64_t frames[AVRO_RECORD_COUNT + ARRAY_LEN(writers) + 1];

static void release(void) {
    avro_codec_free(codec);
    buf_fini(&bytes);
    buf_fini(&json);
}

// The schema of runs of the first release.
static uint64_t first_release(void) {
    struct avro_codec *first = avro_codec_new();
    const struct pipeline_run run = {.id = "0b6cf9b2-0000-5000-8000-00000000000a"};
    uint64_t fingerprint = 0;
    require(avro_codec_write_as(first, "0.1.0", NULL) == ST_OK);
    avro_encode_run(first, &run, &bytes);
    for (int i = 0; i < 8; i++) {
        fingerprint |= (uint64_t)(unsigned char)bytes.data[2 + i] << (8 * i);
    }
    avro_codec_free(first);
    return fingerprint;
}

static void open_codec(void) {
    codec = avro_codec_new();
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        frames[i] = avro_schema_fingerprint(codec, (enum avro_record)i);
    }
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        require(avro_codec_add_writer(codec, str_of(writers[i]), &frames[AVRO_RECORD_COUNT + i],
                                      NULL) == ST_OK);
    }
    frames[ARRAY_LEN(frames) - 1] = first_release();
    atexit(release);
}

static void add_schema(struct str text) {
    struct avro_codec *fresh = avro_codec_new();
    struct err err;
    if (avro_codec_add_writer(fresh, text, NULL, &err) != ST_OK) {
        require(err.text[0] != '\0');
    }
    avro_codec_free(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (codec == NULL) {
        open_codec();
    }
    if (size == 0) {
        return 0;
    }
    if (data[0] == FUZZ_SCHEMA) {
        add_schema((struct str){(const char *)data + 1, size - 1});
        return 0;
    }
    uint64_t fingerprint = frames[data[0] % ARRAY_LEN(frames)];
    buf_clear(&bytes);
    buf_clear(&json);
    buf_add(&bytes, "\xC3\x01", 2);
    for (int i = 0; i < 8; i++) {
        buf_add_char(&bytes, (char)(fingerprint >> (8 * i)));
    }
    buf_add(&bytes, data + 1, size - 1);
    struct pipeline_run run, brief;
    struct err err;
    if (avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err) == ST_OK) {
        require(avro_decode_run(codec, buf_str(&bytes), AVRO_SKIP_STAGES, &brief, &err) == ST_OK);
        require(brief.revision == run.revision && brief.open_count == run.open_count);
        pipeline_run_fini(&brief);
        avro_encode_run(codec, &run, &json);
        pipeline_run_fini(&run);
    }
    struct avro_recommendation advice;
    if (avro_decode_recommendation(codec, buf_str(&bytes), &advice, &err) == ST_OK) {
        avro_encode_recommendation(codec, &advice.identity, advice.run_id, &advice.recommendation,
                                   &json);
        avro_recommendation_fini(&advice);
    }
    buf_clear(&json);
    if (avro_to_json(codec, buf_str(&bytes), NULL, &json, &err) != ST_OK) {
        buf_clear(&json);
    }
    return 0;
}
