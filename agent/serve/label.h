// label: text as a label value or a HELP line of the exposition format. Called by exposition.c and
// pipeline_slots.c.
#pragma once

#include "base/buf.h"

// Appends `text` as a label value without its quotes: backslash, quote and line end escaped, other
// control characters and bad UTF-8 replaced by U+FFFD. Prometheus throws away a whole page for one
// bad byte.
void label_add_value(struct buf *out, struct str text);
