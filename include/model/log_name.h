// log_name: what the path of an event log tells by its name alone: the application and attempt that
// wrote it, the place in a rolled log, how it is packed, and whether it is still written. Used by
// eventlog for the files it reads, and by decode for the path that a log shipper puts beside a
// line. A name is a hint: the content wins where it says more. Never looks at a file.
//
// Spark's names, <codec> being .zstd, .lz4, .snappy, .lzf (others add .zst, .gz):
//   <app id>[_<attempt>][<codec>][.inprogress]
//   eventlog_v2_<app id>[_<attempt>]/events_<n>_<app id>[_<attempt>][<codec>][.compact]
//   eventlog_v2_<app id>[_<attempt>]/appstatus_<app id>[_<attempt>][.inprogress]
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// All views point into the path.
struct log_name {
    struct str app_id;  // not `known`: the bare name without endings, which may be anything
    struct str attempt; // "" if none
    struct str packing; // the ending that tells it, ".zstd"; "" if none
    int64_t part;       // of events_<n>_: n; 0: the name is of no part
    bool rolled;        // the last piece has a form of a rolled log: folder, part or status
    bool status;        // appstatus_: no events in it
    bool compact;       // .compact: replaces the parts up to its own
    bool in_progress;   // .inprogress: still written
    bool known;         // app_id has a form that Spark gives, or follows a rolled log's prefix
};

// Reads the last piece of `path` (slashes at its end ignored); of a part or status file, the folder
// adds the attempt that the file does not name.
void log_name_read(struct str path, struct log_name *out);

// The last piece of a path, slashes at its end ignored.
struct str log_name_base(struct str path);
