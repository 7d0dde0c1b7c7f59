// wrap: breaks words into the lines of a terminal. Called by the forms for people; nothing of a log
// leaves it unescaped.
#include "wrap.h"

#include <string.h>

// Columns that a terminal takes for valid UTF-8: two for the wide characters of East Asia and for
// pictures, none for marks that combine.
static int columns_of(const char *text, size_t len) {
    int columns = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c & 0xC0) == 0x80) {
            continue;
        }
        uint32_t code = c < 0x80 ? c : c < 0xE0 ? c & 0x1Fu : c < 0xF0 ? c & 0x0Fu : c & 0x07u;
        for (size_t k = i + 1; c >= 0xC0 && k < len && ((unsigned char)text[k] & 0xC0) == 0x80;
             k++) {
            code = code << 6 | ((unsigned char)text[k] & 0x3Fu);
        }
        bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
        bool combines = (code >= 0x300 && code <= 0x36F) || (code >= 0xFE00 && code <= 0xFE0F);
        columns += wide ? 2 : combines ? 0 : 1;
    }
    return columns;
}

void wrap_words(struct buf *out, const char *text, int indent, int width) {
    struct buf clean = {0};
    buf_add_printable(&clean, str_of(text));
    int column = 0;
    for (const char *word = buf_text(&clean); *word != '\0';) {
        size_t len = strcspn(word, " ");
        int columns = columns_of(word, len);
        if (column > 0 && column + 1 + columns > width - indent) {
            buf_add_char(out, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_printf(out, "%*s", indent, "");
        } else {
            buf_add_char(out, ' ');
            column++;
        }
        buf_add(out, word, len);
        column += columns;
        word += len + strspn(word + len, " ");
    }
    buf_add_char(out, '\n');
    buf_fini(&clean);
}
