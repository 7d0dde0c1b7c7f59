// label: escaping for the exposition format. Called by exposition.c and pipeline_slots.c.
#include "label.h"

// Bytes of the well-formed sequence at the start of `text`, or 0.
static size_t sequence_len(struct str text) {
    for (size_t n = 1; n <= 4 && n <= text.len; n++) {
        if (str_is_utf8((struct str){text.p, n})) {
            return n;
        }
    }
    return 0;
}

void label_add_value(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.p[i];
        size_t n = sequence_len((struct str){text.p + i, text.len - i});
        if (c == '\\' || c == '"') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c == '\n') {
            buf_add_text(out, "\\n");
        } else if (n == 0 || c < 0x20 || c == 0x7F) {
            buf_add_text(out, "\xEF\xBF\xBD");
        } else {
            buf_add(out, text.p + i, n);
        }
        i += n == 0 ? 1 : n;
    }
}
