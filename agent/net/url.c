// url: from text to what is asked and what may be shown. Called by whoever asks a server and by the
// check of the settings. Must never let a password into what is shown or said.
#include "net/url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"

// libcurl forgives one slash or three behind the scheme, and a ':' without a port: slips that would
// ask another host than was meant.
static bool is_strict(const char *text) {
    const char *host = strstr(text, "://");
    size_t len = host == NULL ? 0 : strcspn(host + 3, "/?#");
    return len > 0 && host[3 + len - 1] != ':';
}

static bool part_is(CURLU *parts, CURLUPart part, const char *a, const char *b) {
    char *value = NULL;
    bool same = curl_url_get(parts, part, &value, 0) == CURLUE_OK &&
                (strcmp(value, a) == 0 || strcmp(value, b) == 0);
    curl_free(value);
    return same;
}

static char *whole(CURLU *parts) {
    char *text = NULL;
    require(curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK);
    char *ours = mem_strdup(text);
    curl_free(text);
    return ours;
}

// The parts without what must not be shown.
static char *without_secrets(CURLU *parts) {
    static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                       CURLUPART_FRAGMENT};
    CURLU *bare = curl_url_dup(parts);
    require(bare != NULL);
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        require(curl_url_set(bare, hidden[i], NULL, 0) == CURLUE_OK);
    }
    char *text = whole(bare);
    struct buf shown = {0};
    buf_add_printable(&shown, str_of(text));
    mem_free(text);
    text = mem_strdup(buf_text(&shown));
    buf_fini(&shown);
    curl_url_cleanup(bare);
    return text;
}

static bool put_below(CURLU *parts, const char *below) {
    if (below[0] == '\0') {
        return true;
    }
    char *path = NULL;
    require(curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK);
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    struct buf longer = {0};
    buf_add(&longer, path, len);
    buf_add_text(&longer, below);
    bool fine = curl_url_set(parts, CURLUPART_PATH, buf_text(&longer), 0) == CURLUE_OK;
    buf_fini(&longer);
    curl_free(path);
    return fine;
}

enum status url_parse(const char *text, const char *below, struct url *out, struct err *err) {
    *out = (struct url){0};
    CURLU *parts = curl_url();
    require(parts != NULL);
    if (is_strict(text) && curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK &&
        part_is(parts, CURLUPART_SCHEME, "http", "https") &&
        !part_is(parts, CURLUPART_PORT, "0", "0")) {
        char *shown = without_secrets(parts);
        if (put_below(parts, below) &&
            curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK) {
            *out = (struct url){.target = whole(parts), .shown = shown};
        } else {
            mem_free(shown);
        }
    }
    curl_url_cleanup(parts);
    return out->target != NULL
               ? ST_OK
               : err_set(err, ST_FATAL, "not a URL of the form http://host:port/path");
}

void url_hide_path(struct url *url) {
    const char *host = strstr(url->shown, "://");
    require(host != NULL); // as it was parsed
    size_t len = (size_t)(host - url->shown) + 3 + strcspn(host + 3, "/");
    struct buf shown = {0};
    buf_add(&shown, url->shown, len);
    buf_add_text(&shown, "/...");
    mem_free(url->shown);
    url->shown = mem_strdup(buf_text(&shown));
    buf_fini(&shown);
}

void url_fini(struct url *url) {
    mem_free(url->target);
    mem_free(url->shown);
    *url = (struct url){0};
}
