// tls: see the header. Called by http.c, and by GnuTLS inside its thread.
#include "serve/tls.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { FILE_MAX_BYTES = 1 << 20, CHAIN_MAX = 16, LOOK_EVERY_MS = 10000 };

// A chain and its key, as the library wants them.
struct pair {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
};

// Of a file: equal ones are the same content.
struct stamp {
    struct timespec modified;
    off_t size;
    ino_t inode;
};

struct tls {
    char *cert_file, *key_file;
    struct buf authorities;
    struct pair *now, *before; // before: a handshake under way may still use it
    struct stamp stamps[2];
    int64_t looked_ms;
};

static enum status read_file(const char *path, struct buf *out, struct err *err) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return err_set(err, ST_FATAL, "%s cannot be read: %m", path);
    }
    size_t n = fread(buf_reserve(out, FILE_MAX_BYTES + 1), 1, FILE_MAX_BYTES + 1, file);
    bool bad = ferror(file) != 0 || n > FILE_MAX_BYTES;
    fclose(file);
    out->len = n;
    out->data[n] = '\0';
    return bad ? err_set(err, ST_FATAL, "%s cannot be read or is larger than 1 MiB", path) : ST_OK;
}

static void pair_free(struct pair *pair) {
    if (pair == NULL) {
        return;
    }
    for (unsigned i = 0; i < pair->count; i++) {
        gnutls_pcert_deinit(&pair->chain[i]);
    }
    if (pair->key != NULL) {
        gnutls_privkey_deinit(pair->key);
    }
    mem_free(pair);
}

static gnutls_datum_t datum_of(const struct buf *text) {
    return (gnutls_datum_t){(unsigned char *)text->data, (unsigned)text->len};
}

static enum status load_chain(const char *path, struct pair *pair, struct err *err) {
    struct buf text = {0};
    enum status status = read_file(path, &text, err);
    if (status == ST_OK) {
        gnutls_datum_t pem = datum_of(&text);
        pair->count = CHAIN_MAX;
        int rc = gnutls_pcert_list_import_x509_raw(pair->chain, &pair->count, &pem,
                                                   GNUTLS_X509_FMT_PEM, 0);
        if (rc < 0 || pair->count == 0) {
            pair->count = 0;
            status = err_set(err, ST_FATAL, "%s holds no certificate in PEM: %s", path,
                             gnutls_strerror(rc));
        }
    }
    buf_fini(&text);
    return status;
}

static enum status load_key(const char *path, struct pair *pair, struct err *err) {
    struct buf text = {0};
    enum status status = read_file(path, &text, err);
    require(gnutls_privkey_init(&pair->key) == 0);
    if (status == ST_OK) {
        gnutls_datum_t pem = datum_of(&text);
        int rc = gnutls_privkey_import_x509_raw(pair->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (rc < 0) {
            status = err_set(err, ST_FATAL, "%s holds no key in PEM without a password: %s", path,
                             gnutls_strerror(rc));
        }
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    buf_fini(&text);
    return status;
}

// The certificate's own key is the one of the file.
static bool belong_together(const struct pair *pair) {
    gnutls_pubkey_t of_key;
    unsigned char ids[2][64];
    size_t sizes[2] = {sizeof ids[0], sizeof ids[1]};
    require(gnutls_pubkey_init(&of_key) == 0);
    bool same = gnutls_pubkey_import_privkey(of_key, pair->key, 0, 0) == 0 &&
                gnutls_pubkey_get_key_id(of_key, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) == 0 &&
                gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, ids[1],
                                         &sizes[1]) == 0 &&
                sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
    gnutls_pubkey_deinit(of_key);
    return same;
}

static enum status load(const struct tls *tls, struct pair **out, struct err *err) {
    struct pair *pair = mem_zalloc(1, sizeof *pair);
    enum status status = load_chain(tls->cert_file, pair, err);
    status = status == ST_OK ? load_key(tls->key_file, pair, err) : status;
    if (status == ST_OK && !belong_together(pair)) {
        status = err_set(err, ST_FATAL, "the key of %s is not that of the certificate in %s",
                         tls->key_file, tls->cert_file);
    }
    if (status != ST_OK) {
        pair_free(pair);
        return status;
    }
    *out = pair;
    return ST_OK;
}

// True if a file is another one than when it was read; notes what is there now.
static bool changed(struct tls *tls) {
    const char *const files[] = {tls->cert_file, tls->key_file};
    bool any = false;
    for (int i = 0; i < 2; i++) {
        struct stat about;
        if (stat(files[i], &about) == 0) {
            struct stamp stamp = {0};
            stamp.modified = about.st_mtim;
            stamp.size = about.st_size;
            stamp.inode = about.st_ino;
            any |= memcmp(&stamp, &tls->stamps[i], sizeof stamp) != 0;
            tls->stamps[i] = stamp;
        }
    }
    return any;
}

enum status tls_new(const struct http_web *web, struct tls **out, struct err *err) {
    struct tls *tls = mem_zalloc(1, sizeof *tls);
    tls->cert_file = mem_strdup(web->cert_file);
    tls->key_file = mem_strdup(web->key_file);
    (void)changed(tls);
    enum status status = load(tls, &tls->now, err);
    if (status == ST_OK && web->client_ca_file != NULL) {
        status = read_file(web->client_ca_file, &tls->authorities, err);
    }
    if (status != ST_OK) {
        tls_free(tls);
        return status;
    }
    tls->looked_ms = clock_mono_ms();
    *out = tls;
    return ST_OK;
}

void tls_free(struct tls *tls) {
    if (tls != NULL) {
        pair_free(tls->now);
        pair_free(tls->before);
        mem_free(tls->cert_file);
        mem_free(tls->key_file);
        buf_fini(&tls->authorities);
        mem_free(tls);
    }
}

const char *tls_client_authorities(const struct tls *tls) {
    return tls->authorities.len > 0 ? tls->authorities.data : NULL;
}

bool tls_client_holds(const struct tls *tls, struct MHD_Connection *connection) {
    if (tls->authorities.len == 0) {
        return true;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned wrong = 1;
    return info != NULL && info->tls_session != NULL &&
           gnutls_certificate_verify_peers3(info->tls_session, NULL, &wrong) == 0 && wrong == 0;
}

// Looks at the files now and then. A handshake is over long before the next look but one.
static void renew(struct tls *tls) {
    int64_t now_ms = clock_mono_ms();
    if (now_ms - tls->looked_ms < LOOK_EVERY_MS) {
        return;
    }
    tls->looked_ms = now_ms;
    struct pair *fresh = NULL;
    struct err err;
    if (!changed(tls)) {
        return;
    }
    if (load(tls, &fresh, &err) != ST_OK) {
        log_error("http_certificate", "error=%s the old one stays", err.text);
        memset(tls->stamps, 0, sizeof tls->stamps); // it may be half written: look again
        return;
    }
    log_write(LOG_INFO, "http_certificate", "renewed=%s", tls->cert_file);
    pair_free(tls->before);
    tls->before = tls->now;
    tls->now = fresh;
}

static _Thread_local struct tls *ours;

void tls_enter(struct tls *tls) {
    ours = tls;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain, unsigned *chain_count, gnutls_privkey_t *key) {
    (void)session, (void)authorities, (void)count, (void)algorithms, (void)algorithm_count;
    require(ours != NULL); // the thread entered
    renew(ours);
    *chain = ours->now->chain;
    *chain_count = ours->now->count;
    *key = ours->now->key;
    return 0;
}

void *tls_callback(void) {
    gnutls_certificate_retrieve_function2 *callback = retrieve;
    void *pointer;
    memcpy(&pointer, &callback, sizeof pointer);
    return pointer;
}
