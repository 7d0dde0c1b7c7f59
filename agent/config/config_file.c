// config_file: the bytes of a settings file, and where in them a mistake is. Called by the commands
// and by config_yaml; must never read more than CONFIG_FILE_MAX bytes.
#include <stdio.h>

#include "config_priv.h"

size_t config_line_of(struct str text, size_t offset) {
    size_t line = 0;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        line += text.p[i] == '\n';
    }
    return line;
}

bool config_tab_indented(struct str text, size_t line) {
    size_t at = 0;
    for (; line > 0 && at < text.len; at++) {
        line -= text.p[at] == '\n';
    }
    while (at < text.len && text.p[at] == ' ') {
        at++;
    }
    return at < text.len && text.p[at] == '\t';
}

void config_load_file(struct config *config, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        config_complain(config, path, "", "cannot be read: %m");
        return;
    }
    struct buf text = {0};
    size_t n;
    while (text.len <= CONFIG_FILE_MAX &&
           (n = fread(buf_reserve(&text, 65536), 1, 65536, file)) > 0) {
        text.len += n;
    }
    if (ferror(file)) {
        config_complain(config, path, "", "cannot be read: %m");
    } else {
        config_load_text(config, path, buf_str(&text));
    }
    fclose(file);
    buf_fini(&text);
}
