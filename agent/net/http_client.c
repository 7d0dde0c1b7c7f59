// http_client: one libcurl handle with everything set that makes it safe. Called by the alert
// doors' sending threads and by the commands check and healthcheck.
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

enum { CLIENT_MAGIC = 0x68747470 };

struct http_client {
    uint32_t magic;
    CURL *curl;
    int64_t timeout_ms;
    size_t answer_max_bytes;
    const _Atomic int64_t *give_up_ms;
    struct buf answer;
    char curl_error[CURL_ERROR_SIZE];
};

#define SET(option, value) require(curl_easy_setopt(client->curl, option, value) == CURLE_OK)

static size_t on_answer(char *data, size_t size, size_t count, void *ctx) {
    struct http_client *client = ctx;
    MAGIC_CHECK(client, CLIENT_MAGIC);
    size_t len = size * count, room = client->answer_max_bytes - client->answer.len;
    buf_add(&client->answer, data, len < room ? len : room);
    // Reading on to the end keeps the connection alive; a flood is not worth it.
    return client->answer.len < client->answer_max_bytes ? len : 0;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    const struct http_client *client = ctx;
    MAGIC_CHECK(client, CLIENT_MAGIC);
    int64_t give_up_ms = client->give_up_ms == NULL ? 0 : atomic_load(client->give_up_ms);
    return give_up_ms != 0 && clock_mono_ms() >= give_up_ms;
}

static void set_identity(struct http_client *client, const struct http_settings *settings) {
    SET(CURLOPT_USERAGENT, settings->user_agent != NULL ? settings->user_agent : "stoker");
    if (settings->username != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, settings->username);
        SET(CURLOPT_PASSWORD, settings->password != NULL ? settings->password : "");
    } else if (settings->bearer != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, settings->bearer);
    }
}

static void set_limits(struct http_client *client, const struct http_settings *settings) {
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (settings->ca_file != NULL) {
        SET(CURLOPT_CAINFO, settings->ca_file);
    }
    if (settings->pinned_file != NULL) {
        SET(CURLOPT_CAINFO, settings->pinned_file);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (settings->direct) {
        SET(CURLOPT_NOPROXY, "*");
    }
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->timeout_ms);
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_start(void) {
    require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

struct http_client *http_client_new(const struct http_settings *settings) {
    require(settings->timeout_ms > 0 && settings->answer_max_bytes > 0);
    require(settings->username == NULL || settings->bearer == NULL);
    require(settings->ca_file == NULL || settings->pinned_file == NULL);
    pthread_once(&curl_once, curl_start);
    struct http_client *client = mem_zalloc(1, sizeof *client);
    client->magic = CLIENT_MAGIC;
    client->timeout_ms = settings->timeout_ms;
    client->answer_max_bytes = settings->answer_max_bytes;
    client->give_up_ms = settings->give_up_ms;
    client->curl = curl_easy_init();
    require(client->curl != NULL);
    set_identity(client, settings);
    set_limits(client, settings);
    SET(CURLOPT_ERRORBUFFER, client->curl_error);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_WRITEDATA, client);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, client);
    return client;
}

void http_client_free(struct http_client *client) {
    if (client == NULL) {
        return;
    }
    MAGIC_CHECK(client, CLIENT_MAGIC);
    curl_easy_cleanup(client->curl);
    buf_fini(&client->answer);
    mem_free(client);
}

static enum status explain(const struct http_client *client, CURLcode rc, struct err *err) {
    if (rc == CURLE_ABORTED_BY_CALLBACK) {
        return err_set(err, ST_ABORT, "given up");
    }
    if (rc == CURLE_OPERATION_TIMEDOUT) {
        return err_set(err, ST_RETRY, "no answer within %g s", (double)client->timeout_ms / 1e3);
    }
    long error = 0;
    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &error);
    const char *text = client->curl_error[0] != '\0' ? client->curl_error : curl_easy_strerror(rc);
    if (rc == CURLE_COULDNT_CONNECT && error != 0) {
        text = strerror((int)error); // the library only says that it could not
    }
    struct buf shown = {0}; // it may quote the server
    buf_add_printable(&shown, str_of(text));
    enum status status = err_set(err, ST_RETRY, "%s", buf_text(&shown));
    buf_fini(&shown);
    return status;
}

// The request's own headers, for as long as it runs.
static struct curl_slist *set_body(struct http_client *client, const struct http_request *request) {
    struct curl_slist *headers = NULL;
    if (request->body.p == NULL) {
        SET(CURLOPT_HTTPGET, 1L);
    } else {
        struct buf type = {0};
        buf_printf(&type, "Content-Type: %s", request->content_type);
        headers = curl_slist_append(NULL, buf_text(&type));
        // A large body goes out without asking first.
        require(headers != NULL && curl_slist_append(headers, "Expect:") != NULL);
        require(request->header == NULL || curl_slist_append(headers, request->header) != NULL);
        buf_fini(&type);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        SET(CURLOPT_POSTFIELDS, request->body.p); // makes it a POST
    }
    SET(CURLOPT_HTTPHEADER, headers);
    return headers;
}

enum status http_client_send(struct http_client *client, const struct http_request *request,
                             struct http_answer *answer, struct err *err) {
    MAGIC_CHECK(client, CLIENT_MAGIC);
    require(request->url->target != NULL);
    *answer = (struct http_answer){0};
    buf_clear(&client->answer);
    client->curl_error[0] = '\0';
    SET(CURLOPT_URL, request->url->target);
    struct curl_slist *headers = set_body(client, request);
    CURLcode rc = curl_easy_perform(client->curl);
    SET(CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    // An answer longer than we read is an answer all the same.
    answer->cut = rc == CURLE_WRITE_ERROR && client->answer.len == client->answer_max_bytes;
    if (rc != CURLE_OK && !answer->cut) {
        return explain(client, rc, err);
    }
    long code = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &code);
    answer->code = (int)code;
    answer->body = buf_str(&client->answer);
    return ST_OK;
}

const char *net_library_version(void) {
    return curl_version_info(CURLVERSION_NOW)->version;
}
