// config_secret: what must not be shown, and secrets that lie in files of their own. Called by the
// store and the pages; must never put the content of a secret's file into a message.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/secret.h"
#include "config_priv.h"

enum { SECRET_MAX = 65536 };

void config_add_url(struct buf *out, const char *url) {
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end == NULL ? url : scheme_end + 3;
    const char *at = NULL;
    for (const char *p = host; *p != '\0' && strchr("/?#", *p) == NULL; p++) {
        at = *p == '@' ? p : at;
    }
    if (at == NULL) {
        buf_add_text(out, url);
    } else {
        buf_add(out, url, (size_t)(host - url));
        buf_printf(out, "********%s", at);
    }
}

char *config_twin_of(const struct config *config, const char *key) {
    size_t len = strlen(key);
    if (len <= 5 || strcmp(key + len - 5, "_file") != 0 || config_find(config, key) != NULL) {
        return NULL;
    }
    char *twin = mem_strndup(key, len - 5);
    const struct entry *entry = config_find(config, twin), *map = config_find_map(config, twin);
    bool secret = entry != NULL ? (entry->setting->flags & SETTING_SECRET) != 0
                                : map != NULL && strncmp(twin, "kafka.", 6) == 0 &&
                                      secret_setting(str_of(twin + strlen(map->setting->key) + 1));
    if (!secret) {
        mem_free(twin);
        return NULL;
    }
    return twin;
}

// The whole file, at most SECRET_MAX bytes; NULL if it is fine, else what is wrong.
static const char *read_file(const char *path, struct buf *out) {
    struct stat about;
    if (stat(path, &about) != 0) {
        return "cannot be read";
    }
    if (!S_ISREG(about.st_mode)) { // a pipe might keep us waiting for ever
        return "is not a plain file";
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be read";
    }
    size_t n = fread(buf_reserve(out, SECRET_MAX + 1), 1, SECRET_MAX + 1, file);
    bool bad = ferror(file) != 0;
    fclose(file);
    out->len = n;
    out->data[n] = '\0';
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = '\0';
    }
    return bad                                         ? "cannot be read"
           : n > SECRET_MAX                            ? "is larger than 64 KiB"
           : out->len == 0                             ? "is empty"
           : memchr(out->data, '\0', out->len) != NULL ? "holds a NUL byte"
                                                       : NULL;
}

char *config_read_secret(struct config *config, const char *origin, const char *key,
                         const char *path) {
    struct buf content = {0};
    const char *wrong = read_file(path, &content);
    char *secret = NULL;
    if (wrong != NULL) {
        config_complain(config, origin, key, "%.300s %s", path, wrong);
    } else {
        secret = mem_strndup(content.data, content.len);
    }
    buf_fini(&content);
    return secret;
}
