// kubernetes: the complete set of properties for a run on Kubernetes: where it runs, what its pods
// have, how many there are, where shuffled data goes, what is measured. Filled from a run, from its
// data's size, or by hand, then turned into settings: used by the advisor of that name and by
// `stoker advise kubernetes`. Must never name a thing of the cluster (a zone, a class of storage)
// that nobody told it: pods that ask for what is not there wait for ever.
#pragma once

#include <stdbool.h>

#include "advise/sizing.h"
#include "model/run.h"
#include "state/app.h"

struct kubernetes_set {
    char image[257], name_space[64]; // "": not known
    // "": not asked for. Storage: a class and a size ("100Gi") of a volume for each executor's
    // local directories.
    char zone[64], service_account[64], storage_class[64], storage_size[16];
    int64_t executor_cores, driver_cores;
    int64_t executor_limit; // of cores, if it is more than they are
    struct sizing_memory memory;
    int64_t driver_overhead_mib;
    int64_t least, first, most; // executors
    bool python;                // most of its memory beside the heap is Python's
};

// What holds without a run: 4 cores, driver 2, the base formula for the data, 1 to 10 executors.
void kubernetes_init(struct kubernetes_set *set, double data_bytes);
// What a run had, where that is known and more than the above: its image, namespace, cores, memory,
// and as many executors as it used at most.
void kubernetes_take(struct kubernetes_set *set, const struct app *app);
// Work of Python workers, which live beside the heap: Spark's own share for them, at least.
void kubernetes_for_python(struct kubernetes_set *set);
// Puts all of it into a recommendation of kind kubernetes.
void kubernetes_settings(const struct kubernetes_set *set, struct recommendation *r);
