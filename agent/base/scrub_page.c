// scrub_page: what scrub knows of secrets, as text: one row of scrub_words.def a line. For the
// Spark listener, which takes secrets out before they leave the driver, by the same words. Says
// nothing of any text.
#include "base/compiler.h"
#include "base/scrub.h"

void scrub_page(struct buf *out) {
    static const char *const rows[] = {
#define SECRET_KEY(word, strength, names) "secret " word " " #strength ", " #names "\n",
#define KEY_TAIL(word) "tail " word "\n",
#define SECRET_SHAPE(beginning, least) "shape " beginning " " #least "\n",
#define PLAIN_WORD(word) "plain " word "\n",
#define NO_SECRET(value) "none " value "\n",
#define TYPE_WORD(word) "type " word "\n",
#define NAME_SCHEME(scheme) "login " scheme "\n",
#include "scrub_words.def"
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_add_text(out, rows[i]);
    }
}
