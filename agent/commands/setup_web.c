// setup_web: the file of http.web_config_file, in the form that Prometheus and its exporters have
// for theirs: TLS and who may see the pages. Called by setup.c, and by what asks an agent here.
// What that form has and Stoker has not is refused, never passed over.
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "commands/setup.h"
#include "serve/http.h"

#define NO_CLIENTS "NoClientCert"
#define ALL_CLIENTS "RequireAndVerifyClientCert"

static const char *const client_auth_types[] = {NO_CLIENTS, ALL_CLIENTS, NULL};
static const char *const min_versions[] = {"TLS12", "TLS13", NULL};

static const struct setting rows[] = {
    {.key = "tls_server_config.cert_file",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Certificate chain (PEM) that the pages are served with."},
    {.key = "tls_server_config.key_file",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Its key (PEM, without a password)."},
    {.key = "tls_server_config.client_auth_type",
     .type = SETTING_CHOICE,
     .def = NO_CLIENTS,
     .choices = client_auth_types,
     .help = "Whether clients must show a certificate."},
    {.key = "tls_server_config.client_ca_file",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Authorities (PEM) that clients' certificates must hold against."},
    {.key = "tls_server_config.min_version",
     .type = SETTING_CHOICE,
     .def = "TLS12",
     .choices = min_versions,
     .help = "The oldest version of TLS that is spoken."},
    {.key = "basic_auth_users",
     .type = SETTING_MAP,
     .def = "",
     .help = "Names and bcrypt hashes of who may see the pages."},
};
static const struct setting_table table = {rows, ARRAY_LEN(rows)};

static const char *text_of(const struct config *file, const char *key) {
    const char *text = config_text(file, key);
    return text[0] == '\0' ? NULL : text;
}

static bool is(const struct config *file, const char *key, const char *value) {
    return strcmp(config_text(file, key), value) == 0;
}

static void check_users(struct config *file) {
    unsigned count;
    const struct config_pair *users = config_map(file, "basic_auth_users", &count);
    for (unsigned i = 0; i < count; i++) {
        struct buf key = {0};
        buf_printf(&key, "basic_auth_users.%s", users[i].key);
        if (!http_hash_good(users[i].value)) {
            config_add_error(file, buf_text(&key),
                             "not a bcrypt hash, as `htpasswd -nBC 10 NAME` makes them");
        } else if (strchr(users[i].key, ':') != NULL) {
            config_add_error(file, buf_text(&key), "a name cannot hold a colon");
        }
        buf_fini(&key);
    }
}

static void check_tls(struct config *file) {
    const char *cert = text_of(file, "tls_server_config.cert_file");
    const char *key = text_of(file, "tls_server_config.key_file");
    const char *authorities = text_of(file, "tls_server_config.client_ca_file");
    bool all = is(file, "tls_server_config.client_auth_type", ALL_CLIENTS);
    if ((cert == NULL) != (key == NULL)) {
        config_add_error(
            file, cert == NULL ? "tls_server_config.cert_file" : "tls_server_config.key_file",
            "is missing: certificate and key go together");
    }
    if (all && (authorities == NULL || cert == NULL)) {
        config_add_error(file, "tls_server_config.client_auth_type",
                         "needs cert_file, key_file and client_ca_file");
    } else if (!all && authorities != NULL) {
        config_add_error(file, "tls_server_config.client_ca_file",
                         "counts only with client_auth_type: " ALL_CLIENTS);
    }
}

static struct config *load(const char *path) {
    struct config *file = config_new(&table, 1);
    config_load_file(file, path);
    check_tls(file);
    check_users(file);
    return file;
}

void setup_web_check(struct config *config) {
    const char *path = config_text(config, "http.web_config_file");
    if (path[0] == '\0') {
        return;
    }
    struct config *file = load(path);
    for (const char *at = config_errors(file); *at != '\0';) {
        size_t len = strcspn(at, "\n");
        config_add_error(config, "http.web_config_file", "%.*s", (int)len, at);
        at += len + (at[len] == '\n');
    }
    config_free(file);
}

void setup_web_init(struct setup_web *web, const struct config *config) {
    const char *path = config_text(config, "http.web_config_file");
    *web = (struct setup_web){0};
    if (path[0] == '\0') {
        return;
    }
    web->file = load(path);
    unsigned count;
    const struct config_pair *pairs = config_map(web->file, "basic_auth_users", &count);
    web->users = mem_zalloc(count + 1, sizeof *web->users);
    for (unsigned i = 0; i < count; i++) {
        web->users[i] = (struct http_user){pairs[i].key, pairs[i].value};
    }
    web->web = (struct http_web){
        .cert_file = text_of(web->file, "tls_server_config.cert_file"),
        .key_file = text_of(web->file, "tls_server_config.key_file"),
        .client_ca_file = text_of(web->file, "tls_server_config.client_ca_file"),
        .tls13_only = is(web->file, "tls_server_config.min_version", "TLS13"),
        .users = web->users,
        .user_count = count,
    };
}

void setup_web_fini(struct setup_web *web) {
    mem_free(web->users);
    if (web->file != NULL) {
        config_free(web->file);
    }
}
