// follow: reads folders of event logs while they grow, each line once and in its log's order, and
// says where it stands so that it goes on there after a restart. Called by whoever feeds events as
// they are written; must never interpret a line, wait for one log while another has lines, hold
// more than its limits, or pass over what it cannot read without a word.
//
// What is a log. A file of a folder, known by its name without what is put behind it while it is
// written, packed or compacted (app-1, app-1.zstd, app-1.inprogress and app-1.lz4.inprogress are
// one log); a folder of Spark's parts (events_<n>_...), known by the folder's name; Databricks'
// "eventlog" with its dated parts. Logs lie in the folders given, rolled ones one below, others as
// deep as `depth` allows. Names that begin with '.' or '_', or end as temporary files do (.crc,
// .tmp, ...), are none. Links are followed; what is neither file nor folder is not looked at.
//
// What is a line. Text that has its line end: a growing log's last piece is handed out when its end
// is here. Only when the log has ended is the rest handed out as it is. A packed log that is not
// whole yet is waited for; it is damaged only if what is there cannot be, or if it has ended so.
//
// When has a log ended? A part, when a later one is there. A log of Spark, when the name lost its
// .inprogress (of the file, or of a rolled log's appstatus_ file). A name that never had one (a
// store of objects, a copy): when it has not changed for `settle_ms`; should it grow after all, it
// is read on. Databricks' "eventlog" never: when it is quiet, it is looked at less often.
//
// Which file? A file that is open is read to its end whatever becomes of its name. One that is
// opened again is recognised by the first bytes of its text, so a log that is renamed, packed or
// copied meanwhile goes on where it was; another one under the same name is said (FOLLOW_AGAIN) and
// read from its start.
//
// Cost: folders are listed when they changed, or now and then; logs are looked at (one stat) each
// poll while they change, less and less often while they are quiet; only logs with something new
// are opened, `max_open` at a time, the one not used for longest is closed. Turns are by bytes:
// growing logs and those that lay there get half each. Going on within a packed log costs unpacking
// from the last mark: a Zstandard, gzip or LZ4 frame, an LZ4 block; from the start for Snappy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

// How much of a log's text is its fingerprint.
#define FOLLOW_HEAD_BYTES 4096

struct follower;

struct follow_options {
    int64_t poll_ms;       // time between two looks at what changed; 0: at every wait
    int64_t settle_ms;     // see above; 0: a name without .inprogress has ended
    int64_t since_ms;      // wall clock: logs that changed before are passed over, unless they have
                           // a position; 0: none
    size_t max_line_bytes; // longer lines are passed over; 0: EVENTLOG_MAX_LINE_BYTES
    unsigned max_open;     // logs open at a time; 0: 64
    unsigned depth;        // levels of folders below those given that may hold logs; 0: rolled ones
    const char *pattern;   // fnmatch's, for a log's name; NULL: all. Borrowed for follower_new
};

// How far a log was handed out. To be kept as text (follow_position_add) together with `dir` and
// `name`; the members are for showing.
struct follow_position {
    int64_t part;         // of a log in parts; 0: it has none
    uint64_t text_bytes;  // of the part's unpacked text: behind the last line
    uint64_t head_print;  // of the first FOLLOW_HEAD_BYTES of these
    uint64_t mark_bytes;  // a place in the text at or before text_bytes where unpacking can
    uint64_t mark_packed; // begin, and the same in the file
    uint64_t seen_bytes;  // size and time of the file when the log ended: it is not opened again
    int64_t seen_ms;      // while it has these
    uint8_t packing;      // which one the mark is for
    bool ended;           // FOLLOW_ENDED was told
};

// Appends the position as text without blanks; reads it back. False, and *out untouched, if `text`
// is not one.
void follow_position_add(struct buf *out, const struct follow_position *position);
MUST_USE bool follow_position_read(struct str text, struct follow_position *out);

// A log. The pointers live until its FOLLOW_GONE, or the follower's end. Names are bytes as they
// lie on disk: neither UTF-8 nor free of line ends.
struct follow_log {
    const char *dir;            // as it was given
    const char *name;           // below it, without endings: what the log is known by
    const char *path;           // what is read of it now; changes
    struct str app_id, attempt; // as its name tells; attempt "" if none
    bool known_form;            // the name has a form Spark gives; else app_id is the bare name
    bool in_progress;           // the name says that Spark is writing it
    void *user;                 // the caller's own, NULL at first; never looked at
};

enum follow_kind {
    FOLLOW_IDLE,      // nothing for the time given
    FOLLOW_LINE,      // `line` is the next of the log
    FOLLOW_LONG_LINE, // a line beyond the limit: `line` is its first EVENTLOG_HEAD_BYTES
    FOLLOW_TROUBLE,   // something cannot be read, as `words` say, once; log is NULL if it is no log
    FOLLOW_AGAIN,     // another log has taken the name: its lines come from the start
    FOLLOW_ENDED,     // all of it was handed out, and nothing more is expected
    FOLLOW_GONE,      // it was removed; what was left of it came if it could be read. The last word
};

struct follow_item {
    enum follow_kind kind;
    struct follow_log *log;          // NULL with FOLLOW_IDLE
    struct str line;                 // valid until the next call, as are the next two
    size_t readable;                 // bytes that may be read from line.p, EVENTLOG_PADDING more
    const char *words;               // with _TROUBLE, _AGAIN, _GONE: for a person; else ""
    struct follow_position position; // of the log, behind this item
};

// Follows `dirs` (at least one; copied). Nothing is opened or read yet: a folder that is not there
// is told by FOLLOW_TROUBLE and waited for. A file in place of a folder is followed alone. ST_SKIP
// with words if a folder is given twice. The caller owns *out.
MUST_USE enum status follower_new(const char *const *dirs, size_t count,
                                  const struct follow_options *options, struct follower **out,
                                  struct err *err);
// Closes everything. Takes NULL.
void follower_free(struct follower *follower);

// The log `name` below `dir` goes on at `position`. Before the first follower_next. False if `dir`
// is not followed. A log that is not there any more is told by FOLLOW_GONE. Keep positions of logs
// that are gone for a while (a day): a folder that is not mounted right now looks the same.
MUST_USE bool follower_resume(struct follower *follower, const char *dir, const char *name,
                              const struct follow_position *position);

// The next item; waits up to `timeout_ms` for one, less if a signal comes. It always gives one:
// what goes wrong is an item. With timeout 0 FOLLOW_IDLE means: all that was there when it last
// looked was handed out.
void follower_next(struct follower *follower, int64_t timeout_ms, struct follow_item *out);

// How far it is, over all logs known. Bytes are those on disk, packed.
struct follow_progress {
    size_t logs;              // known and not gone
    size_t growing;           // of these, not ended
    size_t unread;            // of these, with bytes not read yet
    uint64_t known_bytes;     // of all logs
    uint64_t read_bytes;      // of these, read or passed over
    int64_t oldest_unread_ms; // wall clock: when the log that waits for longest changed; 0: none
};
void follower_progress(const struct follower *follower, struct follow_progress *out);
