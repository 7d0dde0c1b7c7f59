// match: which stage of one run is which of another. Stages are alike by what they are, never by
// their numbers: by the place in the user's code that their name tells, without lines and paths,
// and by their operators (shape, see struct stage). The only stages at a place that read exactly so
// many records are a pair. Else runs of the same code do their work in the same order, so the pairs
// are those of the best alignment of both in the order of their numbers; what is left is paired by
// its number among its equals. Pure.
#pragma once

#include <stdint.h>

#include "runs/facts.h"

enum { MATCH_CELLS_MAX = 4000000 }; // stages of one times stages of the other that are aligned

// Places in the lists of stages; -1: there is none.
struct stage_pair {
    int32_t a, b;
};

// All stages of both, each in one pair, in the order of b; those of a alone at the end. The array
// is the caller's to free; the number of pairs goes to *count.
struct stage_pair *match_stages(const struct run_facts *a, const struct run_facts *b,
                                uint32_t *count);

// Appends the place that a stage's name tells, for people and for comparing: without the folders of
// paths, and without numbers ("collect at job.py" for "collect at /opt/jobs/job.py:550").
void match_site(struct str name, struct buf *out);
