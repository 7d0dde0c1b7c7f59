// annotation: what a configuration adds to every alert: links to a runbook or a dashboard, say,
// with the alert's own labels in them: "https://runbooks/{kind}", "see #{pipeline}". Plain text;
// what a receiver makes of it is its own.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/alert.h"

// ST_FATAL with the reason: a brace that is left open, or the name of nothing.
enum status annotation_check(const char *text, struct err *err) MUST_USE;
// Appends the text with the alert's values in the place of {alertname}, {severity}, {cluster},
// {pipeline} and {kind}: as they are, or percent-encoded if the text is a link (it begins with
// http:// or https://), so that a pipeline's name cannot lead elsewhere. `text` was checked.
void annotation_add(const char *text, const struct alert *alert, struct buf *out);
