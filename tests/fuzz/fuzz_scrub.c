// fuzz_scrub: any bytes scrubbed, and secrets planted into any bytes. The first byte chooses the
// way a secret is written, the second how long it is; what is behind is the text around it.
#include <stdint.h>

#include "../base/scrub_plant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A secret of letters and digits that no text around it holds by chance.
static struct str secret_of(unsigned length, char *room) {
    static const char letters[] = "Zq7xW2vK9mPd4RtY8nHs";
    size_t len = 8 + length % 40;
    for (size_t i = 0; i < len; i++) {
        room[i] = letters[(i * 7 + i / 20) % (sizeof letters - 1)];
    }
    return (struct str){room, len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char room[64];
    if (size < 2) {
        return 0;
    }
    struct str text = {(const char *)data + 2, size - 2};
    plant_check(text);
    struct str secret = secret_of(data[1], room);
    if (!str_contains(text, secret)) {
        plant_secret(data[0] % (sizeof plants / sizeof *plants), secret, text);
    }
    return 0;
}
