// wrap: text in the lines of a terminal, shared by the forms for people. Private to present.
#pragma once

#include "base/buf.h"

// Appends the words of `text`, escaped, in lines of `width` columns at most (a longer word has its
// own), each behind `indent` spaces and with its end.
void wrap_words(struct buf *out, const char *text, int indent, int width);
