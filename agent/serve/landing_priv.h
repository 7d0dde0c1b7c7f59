// landing_priv: the order of pipelines, shared by the HTML and the JSON page.
#pragma once

#include "serve/landing.h"

// A copy of the pipelines to show, worst first: by open bottlenecks from the worst severity down,
// then by name. *count gets how many, at most LANDING_PIPELINES_MAX. Owned by the caller.
struct landing_pipeline *landing_sorted(const struct landing *landing, size_t *count);
