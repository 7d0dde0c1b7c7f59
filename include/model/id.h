// id: deterministic identities: UUID v5 (RFC 4122, SHA-1 name-based) over the parts that make a
// thing what it is, so a replay gives the same ids. The only user of libuuid.
#pragma once

#include <stdint.h>

#include "model/kind.h"
#include "model/run.h"

// Of a run: cluster, app id, attempt.
void id_of_run(const struct run_identity *run, char out[ID_TEXT_SIZE]);
// Of a verdict: the run, stage, stage attempt (-1 both for the run), kind.
void id_of_bottleneck(const struct run_identity *run, int32_t stage, int32_t stage_attempt,
                      enum bottleneck_kind kind, char out[ID_TEXT_SIZE]);
// Of a recommendation: the run and the kind of advice.
void id_of_recommendation(const struct run_identity *run, const char *kind, char out[ID_TEXT_SIZE]);
