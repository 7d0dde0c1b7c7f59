// alert_probe: see the header. Never follows a redirect, reads no body, prints no secret.
#include "alert/alert_probe.h"

#include <curl/curl.h>
#include <string.h>

#include "base/check.h"

#define SET(option, value) require(curl_easy_setopt(curl, option, value) == CURLE_OK)

static size_t drop_body(char *data, size_t size, size_t count, void *ctx) {
    (void)data, (void)ctx;
    return size * count;
}

static void show_url(CURLU *parts, struct buf *shown) {
    CURLU *bare = curl_url_dup(parts);
    char *text = NULL;
    require(bare != NULL);
    curl_url_set(bare, CURLUPART_USER, NULL, 0);
    curl_url_set(bare, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(bare, CURLUPART_QUERY, NULL, 0);
    curl_url_set(bare, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(bare, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        buf_add_printable(shown, str_of(text));
    }
    curl_free(text);
    curl_url_cleanup(bare);
}

// The URL's path with /-/ready behind it.
static void set_path(CURLU *parts) {
    char *path = NULL;
    require(curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK);
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    struct buf ready = {0};
    buf_add(&ready, path, len);
    buf_add_text(&ready, "/-/ready");
    curl_url_set(parts, CURLUPART_PATH, ready.data, 0);
    curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
    buf_fini(&ready);
    curl_free(path);
}

static enum status ask(CURL *curl, const struct alertmanager_settings *settings, CURLU *parts,
                       struct err *err) {
    SET(CURLOPT_CURLU, parts);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)(settings->timeout_ms > 0 ? settings->timeout_ms : 10000));
    SET(CURLOPT_USERAGENT, settings->user_agent != NULL ? settings->user_agent : "stoker");
    SET(CURLOPT_WRITEFUNCTION, drop_body);
    if (settings->username != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, settings->username);
        SET(CURLOPT_PASSWORD, settings->password != NULL ? settings->password : "");
    } else if (settings->bearer != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, settings->bearer);
    }
    if (settings->ca_file != NULL) {
        SET(CURLOPT_CAINFO, settings->ca_file);
    }
    CURLcode rc = curl_easy_perform(curl);
    if (rc != CURLE_OK) {
        return err_set(err, ST_RETRY, "%s", curl_easy_strerror(rc));
    }
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code == 200 ? ST_OK : err_set(err, ST_RETRY, "answers %ld to /-/ready", code);
}

enum status alert_probe(const struct alertmanager_settings *settings, const char *url,
                        struct buf *shown, struct err *err) {
    CURLU *parts = curl_url();
    CURL *curl = curl_easy_init();
    require(parts != NULL && curl != NULL);
    enum status status;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
        // The text may hold a password, so it is not repeated.
        status = err_set(err, ST_FATAL, "not a URL of the form http://host:port/path");
    } else {
        if (shown != NULL) {
            show_url(parts, shown);
        }
        set_path(parts);
        status = ask(curl, settings, parts, err);
    }
    curl_easy_cleanup(curl);
    curl_url_cleanup(parts);
    return status;
}
