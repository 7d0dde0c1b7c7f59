// decode_version: the version of the JSON parser the decoder was compiled with. Called by the
// command version.
#include <simdjson.h>

#include "decode/decode.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *decode_library_version(void) {
    return TEXT(SIMDJSON_VERSION);
}
