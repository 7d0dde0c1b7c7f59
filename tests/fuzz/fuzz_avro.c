// fuzz_avro: bytes that claim to be records of ours: the reader must refuse or read them without
// harm. The first byte chooses which record's frame is put before the rest.
#include <stdint.h>
#include <stdlib.h>

#include "avro/avro_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct avro_codec *codec;
static struct buf bytes, json;

static void release(void) {
    avro_codec_free(codec);
    buf_fini(&bytes);
    buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (codec == NULL) {
        codec = avro_codec_new();
        atexit(release);
    }
    if (size == 0) {
        return 0;
    }
    uint64_t fingerprint =
        avro_schema_fingerprint(codec, (enum avro_record)(data[0] % AVRO_RECORD_COUNT));
    buf_clear(&bytes);
    buf_clear(&json);
    buf_add(&bytes, "\xC3\x01", 2);
    for (int i = 0; i < 8; i++) {
        buf_add_char(&bytes, (char)(fingerprint >> (8 * i)));
    }
    buf_add(&bytes, data + 1, size - 1);
    struct pipeline_run run;
    struct err err;
    if (avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err) == ST_OK) {
        avro_encode_run(codec, &run, &json);
        pipeline_run_fini(&run);
    }
    buf_clear(&json);
    if (avro_to_json(codec, buf_str(&bytes), NULL, &json, &err) != ST_OK) {
        buf_clear(&json);
    }
    return 0;
}
