// http_version: the version of the web server's library. Called by the command version.
#include <microhttpd.h>

#include "serve/http.h"

const char *http_library_version(void) {
    return MHD_get_version();
}
