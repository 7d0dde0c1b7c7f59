// fuzz_wrapper: hostile bytes around and inside a wrapper, under configured keys. The first byte
// chooses how the rest is wrapped: not at all, as an object, or as JSON in a string.
#include <stdint.h>
#include <stdlib.h>

#include "../decode/both.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void wrap(struct buf *out, unsigned how, struct str inside) {
    static const char *const keys[] = {"payload", "event", "value", "run"};
    buf_clear(out);
    if (how % 4 == 0) {
        buf_add_str(out, inside);
        return;
    }
    buf_printf(out, "{\"run\":\"r-1\",\"%s\":", keys[how / 4 % 4]);
    if (how % 4 == 1) {
        buf_add_str(out, inside);
    } else {
        buf_add_json(out, inside);
    }
    buf_add_text(out, how % 4 == 2 ? ",\"try\":\"2\",\"app_id\":\"a\"}" : "}");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct decode_options options[] = {{.max_bytes = 1 << 20,
                                                     .wrapper_event_key = "",
                                                     .wrapper_app_key = "",
                                                     .wrapper_attempt_key = ""},
                                                    {.max_bytes = 1 << 20,
                                                     .wrapper_event_key = "payload",
                                                     .wrapper_app_key = "run",
                                                     .wrapper_attempt_key = "try"}};
    static struct both both[2];
    static struct buf text;
    if (both[0].decoder == NULL) {
        both_init(&both[0], &options[0]);
        both_init(&both[1], &options[1]);
    }
    if (size == 0) {
        return 0;
    }
    wrap(&text, data[0], (struct str){(const char *)data + 1, size - 1});
    for (int i = 0; i < 2; i++) {
        struct str value = buf_str(&text);
        const char *different = both_decode(&both[i], value, value.len, NULL);
        if (different != NULL) {
            fprintf(stderr, "the decoders differ: %s\n", different);
            abort();
        }
    }
    return 0;
}
