// advise: what to do about a run's bottlenecks: one recommendation per kind, the general advice
// followed by this run's numbers. Knows verdicts, not detectors; owns nothing.
#pragma once

#include "model/run.h"

// Fills *out (to be released with recommendation_fini) from the run's verdicts of one kind that are
// worth advice (severity above negligible, neither retracted nor resolved). `duration_s` bounds the
// saving. False and *out untouched if there are none.
bool advise_kind(const struct run_identity *identity, enum bottleneck_kind kind,
                 const struct bottleneck *const *verdicts, uint32_t count, double duration_s,
                 struct recommendation *out);
