// facts: what several advisors have to know of how a run was set up, beyond single settings
// (advise/setting.h): where it ran, and what memory its tasks had. Private to advise; nothing here
// judges. A property that was changed while the run went on is not seen.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "detect/detector.h"
#include "state/app.h"

// The driver runs the tasks itself: its heap is theirs, and there is no executor to size.
bool facts_is_local(const struct app *app);
// Executors have a container of heap and overhead; with a master of Spark's own they have not.
bool facts_has_containers(const struct app *app);

// The heap that the tasks had, MiB: of an executor, in local mode the driver's.
int64_t facts_heap_mib(const struct app *app);
// What an executor's container has beside its heap, MiB.
int64_t facts_overhead_mib(const struct app *app);
// Cores of an executor, as far as known; at least 1.
int64_t facts_executor_cores(const struct app *app);
// Tasks that an executor runs at once, at least 1.
int64_t facts_tasks_at_once(const struct app *app);
// True if as many tasks as spark.sql.shuffle.partitions says read a shuffle in the stage: it is
// what made them.
bool facts_cut_by_setting(const struct app *app, const struct stage *stage);

// A number of a verdict's evidence, -1 if it has none of that name.
double facts_evidence(const struct bottleneck *verdict, const char *name);
