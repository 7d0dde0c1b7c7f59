// formulas: what the base formulas say of numbers alone, without a run: as advice, each piece with
// its settings. For `stoker advise --data-size`.
#pragma once

#include "advise/advise.h"

struct formulas {
    double data_bytes;                             // that are read or shuffled
    int64_t executors, executor_cores, partitions; // as they are; 0: not told
};

// Fills *out, which starts zeroed; released with advice_fini. What it saves is not known.
void formulas_advise(const struct formulas *numbers, struct advice *out);
