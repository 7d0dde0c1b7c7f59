// partitions: how a stage's input is cut. Shared by low_parallelism and oversized_partitions;
// private to detect.
#pragma once

#include "detect/detector.h"

// Bytes that Spark puts into one task of files that can be split: spark.sql.files.maxPartitionBytes
// of the run, or its default; of files that a scan of the stage was planned to read, no more than
// gives every core a task, and no less than opening a file counts.
double partitions_split_bytes(const struct app *app, const struct stage *stage);
// True if tasks read whole files of more than a split, by the scan's plan; without one, if they
// read, on the average, far more of an input than a split.
bool partitions_cannot_be_split(const struct app *app, const struct stage *stage);
