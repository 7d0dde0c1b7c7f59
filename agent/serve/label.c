// label: escaping for the exposition format. Called by exposition.c and pipeline_slots.c.
#include "label.h"

void label_add_value(struct buf *out, struct str text) {
    struct str_char c;
    while (str_next(&text, &c)) {
        if (c.byte == '\\' || c.byte == '"') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c.byte);
        } else if (c.byte == '\n') {
            buf_add_text(out, "\\n");
        } else if (c.byte < 0x20 || c.byte == 0x7F) {
            buf_add_text(out, "\xEF\xBF\xBD");
        } else {
            buf_add_str(out, c.shown);
        }
    }
}
