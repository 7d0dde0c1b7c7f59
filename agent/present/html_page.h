// html_page: the page around what is shown as HTML: one file by itself, without a script, fit for a
// screen of either colour and for paper. Private to present.
#pragma once

#include "base/buf.h"

// Everything before the first section; `title` is ours and needs no escaping.
void html_begin(struct buf *out, const char *title);
void html_end(struct buf *out);
