// libraries: see the header. Called by the command version.
#include "sink/libraries.h"

#include <curl/curl.h>
#include <jansson.h>

const char *libraries_curl(void) {
    return curl_version_info(CURLVERSION_NOW)->version;
}

const char *libraries_jansson(void) {
    return jansson_version_str();
}
