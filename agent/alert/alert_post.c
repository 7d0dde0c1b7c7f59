// alert_post: POST /api/v2/alerts over libcurl, and what the answer means. Called by the sending
// threads of alert_queue.c. Must never follow a redirect (it would carry the credentials along),
// never trust an answer's size or bytes, never log a secret.
#include "alert_post.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

enum { ANSWER_MAX = 4096 };

struct post {
    CURL *curl;
    struct curl_slist *headers;
    char *shown_url;
    const _Atomic int64_t *deadline_ms;
    char answer[ANSWER_MAX];
    size_t answer_len;
    char curl_error[CURL_ERROR_SIZE];
};

static size_t on_answer(char *data, size_t size, size_t count, void *ctx) {
    struct post *post = ctx;
    size_t len = size * count, room = ANSWER_MAX - post->answer_len;
    memcpy(post->answer + post->answer_len, data, len < room ? len : room);
    post->answer_len += len < room ? len : room;
    // A long answer is of no use; reading on keeps the connection alive, a flood does not.
    return post->answer_len < ANSWER_MAX ? len : 0;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    const struct post *post = ctx;
    int64_t deadline_ms = atomic_load(post->deadline_ms);
    return deadline_ms != 0 && clock_mono_ms() >= deadline_ms;
}

// Checks `url`, appends the API's path for *target and strips what must not be shown for *shown.
static enum status read_url(const char *url, char **target, char **shown, struct err *err) {
    CURLU *parts = curl_url();
    require(parts != NULL);
    char *scheme = NULL, *path = NULL, *full = NULL;
    enum status status = ST_OK;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        // The text may hold a password, so it is not repeated.
        status = err_set(err, ST_FATAL, "not a URL of the form http://host:port/path");
    } else {
        curl_url_get(parts, CURLUPART_PATH, &path, 0);
        struct buf api = {0};
        size_t len = strlen(path);
        while (len > 0 && path[len - 1] == '/') {
            len--;
        }
        buf_add(&api, path, len);
        buf_add_text(&api, "/api/v2/alerts");
        curl_url_set(parts, CURLUPART_PATH, api.data, 0);
        buf_fini(&api);
        curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
        require(curl_url_get(parts, CURLUPART_URL, &full, 0) == CURLUE_OK);
        *target = mem_strdup(full);
        curl_free(full);
        curl_url_set(parts, CURLUPART_PATH, path, 0);
        curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
        curl_url_set(parts, CURLUPART_USER, NULL, 0);
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
        require(curl_url_get(parts, CURLUPART_URL, &full, 0) == CURLUE_OK);
        *shown = mem_strdup(full);
        curl_free(full);
    }
    curl_free(scheme);
    curl_free(path);
    curl_url_cleanup(parts);
    return status;
}

static void add_header(struct post *post, const char *name, const char *value) {
    struct buf line = {0};
    buf_printf(&line, "%s%s", name, value);
    struct curl_slist *more = curl_slist_append(post->headers, line.data);
    require(more != NULL);
    post->headers = more;
    explicit_bzero(line.data, line.len);
    buf_fini(&line);
}

#define SET(option, value) require(curl_easy_setopt(post->curl, option, value) == CURLE_OK)

static void set_credentials(struct post *post, const struct alertmanager_settings *settings) {
    if (settings->username != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, settings->username);
        SET(CURLOPT_PASSWORD, settings->password != NULL ? settings->password : "");
    }
    if (settings->bearer != NULL) {
        add_header(post, "Authorization: Bearer ", settings->bearer);
    }
    if (settings->ca_file != NULL) {
        SET(CURLOPT_CAINFO, settings->ca_file);
    }
}

enum status post_new(const struct alertmanager_settings *settings, const char *url,
                     const _Atomic int64_t *deadline_ms, struct post **out, struct err *err) {
    char *target = NULL, *shown = NULL;
    enum status status = read_url(url, &target, &shown, err);
    if (status != ST_OK) {
        return status;
    }
    struct post *post = mem_zalloc(1, sizeof *post);
    post->shown_url = shown;
    post->deadline_ms = deadline_ms;
    post->curl = curl_easy_init();
    require(post->curl != NULL);
    SET(CURLOPT_URL, target);
    mem_free(target);
    add_header(post, "Content-Type: ", "application/json");
    add_header(post, "Expect:", "");
    set_credentials(post, settings);
    SET(CURLOPT_HTTPHEADER, post->headers);
    SET(CURLOPT_USERAGENT, settings->user_agent != NULL ? settings->user_agent : "stoker");
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->timeout_ms);
    SET(CURLOPT_ERRORBUFFER, post->curl_error);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_WRITEDATA, post);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, post);
    *out = post;
    return ST_OK;
}

void post_free(struct post *post) {
    if (post == NULL) {
        return;
    }
    curl_easy_cleanup(post->curl);
    curl_slist_free_all(post->headers);
    mem_free(post->shown_url);
    mem_free(post);
}

const char *post_shown_url(const struct post *post) {
    return post->shown_url;
}

static enum post_class classify(long code) {
    if (code >= 200 && code < 300) {
        return POST_TAKEN;
    }
    if (code == 400 || code == 413 || code == 422) {
        return POST_REFUSED;
    }
    if (code < 300 || code >= 500 || code == 408 || code == 429) {
        return POST_FAILED;
    }
    return POST_FORBIDDEN;
}

// Alertmanager answers with a bare JSON string or with {"code":..,"message":".."}; a proxy, or
// another server, with anything. True if the answer is of the first kind.
static bool describe(const char *raw, size_t len, char *out, size_t cap) {
    json_t *root = json_loadb(raw, len, JSON_DECODE_ANY, NULL);
    json_t *text = json_is_object(root) ? json_object_get(root, "message") : root;
    struct str said = {raw, len};
    if (json_is_string(text)) {
        said = (struct str){json_string_value(text), json_string_length(text)};
    }
    while (said.len > 0 && strchr("\r\n ", said.p[said.len - 1]) != NULL) {
        said.len--;
    }
    struct buf shown = {0};
    buf_add_printable(&shown, (struct str){said.p, str_cut_utf8(said, cap)});
    str_copy(out, cap, buf_str(&shown));
    buf_fini(&shown);
    bool known = json_is_string(text);
    json_decref(root);
    return known;
}

void post_send(struct post *post, const struct buf *body, struct post_result *result) {
    *result = (struct post_result){0};
    post->answer_len = 0;
    post->curl_error[0] = '\0';
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    SET(CURLOPT_POSTFIELDS, body->data);
    CURLcode rc = curl_easy_perform(post->curl);
    // An answer longer than we read is an answer all the same.
    bool cut = rc == CURLE_WRITE_ERROR && post->answer_len == ANSWER_MAX;
    if (rc == CURLE_OK || cut) {
        curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &result->code);
        result->class = classify(result->code);
        if (result->class != POST_TAKEN) {
            bool known =
                describe(post->answer, post->answer_len, result->text, sizeof result->text);
            // E.g. plain HTTP to a TLS port: nothing is wrong with the alerts.
            if ((result->code == 400 || result->code == 422) && !known) {
                result->class = POST_FORBIDDEN;
            }
        }
        return;
    }
    result->class = POST_FAILED;
    const char *text = post->curl_error[0] != '\0' ? post->curl_error : curl_easy_strerror(rc);
    text = rc == CURLE_ABORTED_BY_CALLBACK ? "given up: the agent stops" : text;
    describe(text, strlen(text), result->text, sizeof result->text);
}

const char *post_class_name(enum post_class class) {
    static const char *const names[] = {"taken", "refused", "forbidden", "failed"};
    return names[class];
}
