// metrics_doc: docs/metrics.md, written from the same rows as /metrics. Called by a command
// and by the test that keeps the page up to date.
#pragma once

#include "base/buf.h"

// Appends the Markdown page: every family with its type, labels and meaning.
void metrics_doc_render(struct buf *out);
