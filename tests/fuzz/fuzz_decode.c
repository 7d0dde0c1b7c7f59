// fuzz_decode: hostile bytes as one message: both decoders, which must agree on what jansson takes
// for JSON. The first byte chooses whether accumulators are filtered and whether the message is
// read in place, the rest is the message.
#include <stdint.h>
#include <stdlib.h>

#include "../decode/both.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct decode_options options = {.max_bytes = 1 << 20,
                                                  .wrapper_event_key = "",
                                                  .wrapper_app_key = "",
                                                  .wrapper_attempt_key = ""};
    static struct both both;
    static struct idmap wanted;
    if (both.decoder == NULL) {
        both_init(&both, &options);
        for (int64_t id = 0; id < 100; id += 3) {
            idmap_put(&wanted, id, 1, 1000);
        }
    }
    if (size == 0) {
        return 0;
    }
    size_t padding = data[0] & 1 ? DECODE_PADDING : 0;
    size_t len = size - 1;
    char *copy = mem_zalloc(len + padding + 1, 1); // of its own, so that a byte too far is seen
    memcpy(copy, data + 1, len);
    const char *different =
        both_decode(&both, (struct str){copy, len}, len + padding, data[0] & 2 ? &wanted : NULL);
    if (different != NULL) {
        fprintf(stderr, "the decoders differ: %s\n", different);
        abort();
    }
    mem_free(copy);
    return 0;
}
