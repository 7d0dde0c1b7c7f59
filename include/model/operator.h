// operator: what the names of Spark's operators and RDDs say of the work: the nodes of SQL plans,
// the scopes of a stage's RDDs, which carry the same names, and the classes of the RDDs. Engines
// beside Spark's own (Photon, Gluten, Comet, RAPIDS) name their operators after Spark's, with a
// beginning or an end of theirs, so a name is taken by its parts. Names only: what a work costs is
// in no name, and one that is not known says nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// Kinds of work, as a set.
enum work_kind {
    WORK_FILES = 1 << 0,      // reads files
    WORK_TEXT = 1 << 1,       // whose format is text: one compressed file is one task
    WORK_JDBC = 1 << 2,       // reads a database, which tells no bytes
    WORK_TABLE = 1 << 3,      // reads another source
    WORK_CARTESIAN = 1 << 4,  // pairs all with all
    WORK_PYTHON_RDD = 1 << 5, // RDD functions in Python
    // SQL functions in Python, handed rows one by one, or in batches of columns
    WORK_PYTHON_ROWS = 1 << 6,
    WORK_PYTHON_BATCHES = 1 << 7,
    WORK_PYTHON_SQL = WORK_PYTHON_ROWS | WORK_PYTHON_BATCHES,
    WORK_READS = WORK_FILES | WORK_TEXT | WORK_JDBC | WORK_TABLE,
    WORK_COALESCED = 1 << 8, // tasks that take several partitions each: coalesce
    WORK_CACHED = 1 << 9,    // what it works on is to be kept: in memory, on disk, or both
    WORK_ALL = (1 << 10) - 1,
};

// Which rows a join gives.
enum join_type {
    JOIN_UNKNOWN,
    JOIN_INNER, // also a cross join
    JOIN_LEFT_OUTER,
    JOIN_RIGHT_OUTER,
    JOIN_FULL_OUTER,
    JOIN_LEFT_SEMI, // or anti, or existence: rows of the left side alone
    JOIN_TYPE_COUNT,
};

// How a join works.
enum join_way {
    JOIN_WAY_NONE,      // no join
    JOIN_WAY_SHUFFLED,  // both sides by their keys over the network, then merged or hashed
    JOIN_WAY_BROADCAST, // one side to all executors, hashed
    JOIN_WAY_NESTED,    // one side to all executors, compared with every row of the other
    JOIN_WAY_CARTESIAN, // all pairs
    JOIN_WAY_COUNT,
};

// How the join that a plan's node is works.
enum join_way operator_join_way(struct str node);
// Which rows the join gives, by the text that a plan has of it ("SortMergeJoin [a#1], [b#2],
// LeftOuter").
enum join_type operator_join_type(struct str text);
// An exchange of rows between executors by a shuffle; a broadcast is none.
bool operator_is_shuffle(struct str node);
// What an RDD does, by its class ("FileScanRDD").
unsigned rdd_works(struct str name);
// What an operator does, by the name of a plan's node or of an RDD's scope ("Scan text ",
// "textFile").
unsigned operator_works(struct str name);
// What tells a stage of one plan from those of another: the sum of these over its RDDs, by their
// classes and the names of their scopes, in whatever order they are told. Numbers in a name, which
// differ from run to run, do not count; nor does the name of an RDD that is no class, as those
// after a path are: 0.
uint32_t rdd_shape(struct str name);
uint32_t operator_shape(struct str name);

// A plan's node that reads: of files, a database, a table, or rows that the driver holds.
bool operator_is_scan(struct str node);
// A scan of rows that no source holds: they are in the plan, or an RDD's that reads for itself.
bool operator_is_local_scan(struct str node);
// Rows that are made, not read.
bool operator_is_range(struct str node);
// A node of an engine beside Spark's own.
bool operator_is_native(struct str node);
// Between such an engine and the JVM: columns to rows, or rows to columns.
bool operator_is_transition(struct str node);
// One that does a part of a query's work, as Spark's own do it: not a wrapper, a command, a part of
// adaptive execution, or what hands the result over.
bool operator_is_work(struct str node);
// Work outside the JVM's task thread, so that CPU time says little of it: Python workers and such
// engines.
bool operator_is_foreign(struct str node);
