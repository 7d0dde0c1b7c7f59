// report: the event that tells who reads the topic what of a log it did not take.
#pragma once

#include "keep/shipped.h"

// Replaces *out by a StokerListenerReport: totals of the log so far, as a listener would count.
void report_write(const struct shipped *log, const struct shipped_losses *losses, struct str app_id,
                  struct buf *out);
