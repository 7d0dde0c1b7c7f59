// eventlog: reads Spark event logs line by line, whatever they are packed in. Called by analyze,
// replay and demo; must never interpret a line, hold a whole log in memory, or stop at bad input:
// what can be read is delivered, what cannot is said in words and passed over.
//
// A log is a file, a folder or standard input ("-"). A folder is a rolled log (Spark's
// events_<n>_..., with a .compact part replacing what came before it; Databricks' eventlog-<date>
// parts) or holds exactly one file that is an event log. Packing is told by the content, checked
// against the name: plain, Zstandard, gzip, LZ4 (Spark's block stream, or LZ4 frames) and Snappy
// (Spark's stream). Text is UTF-8; a byte order mark at the start of a line is no part of it, and
// UTF-16 is refused in words.
//
// The data goes through three stages, each with one buffer: the input gives bytes as they lie
// outside, a codec unpacks them behind the text not yet handed out, and lines are cut out of that
// text where it lies. Always true: pos <= scanned <= end <= cap of the text, and EVENTLOG_PADDING
// bytes behind cap are readable; a part is open from its first byte to its end and no two are; the
// buffer never holds more than a line of the limit and one reading; what is wrong with a part is
// said once, after every line before it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

// Bytes that may be read after the end of every line.
#define EVENTLOG_PADDING 64
// Longest line delivered whole, unless eventlog_set_max_line says otherwise.
#define EVENTLOG_MAX_LINE_BYTES ((size_t)32 << 20)
// What is shown of a longer one.
#define EVENTLOG_HEAD_BYTES 4096

struct eventlog;

// Opens the log at `path` ("-" = standard input). ST_SKIP with words if there is none, it cannot be
// read, or its packing is not supported; *out is NULL then. Standard input and pipes are looked at
// by the first eventlog_next only; a named pipe that nobody opens for writing within a few seconds,
// a device and a socket are refused. All words name their place. The caller owns *out.
MUST_USE enum status eventlog_open(const char *path, struct eventlog **out, struct err *err);
// The same for a log of one part in memory (borrowed). `name` chooses as a file name
// would; at most `read_bytes` are read at once.
MUST_USE enum status eventlog_open_memory(const char *name, const void *bytes, size_t len,
                                          size_t read_bytes, struct eventlog **out,
                                          struct err *err);
// Closes the log. Takes NULL.
void eventlog_free(struct eventlog *log);

// Lines longer than `bytes` (at least 1) are passed over from here on. Call it before the first
// eventlog_next.
void eventlog_set_max_line(struct eventlog *log, size_t bytes);

// The next line that is not empty, without its line end (LF or CRLF). *line lies in the reader's
// buffer and is valid until the next call; *readable (may be NULL) is how many bytes may be read
// from line->p, at least line->len + EVENTLOG_PADDING.
//   ST_OK     a line; or line->p == NULL: the end of the log, also on every later call
//   ST_SKIP   with line->p: a line beyond the limit, *line is its first EVENTLOG_HEAD_BYTES
//             with line->p == NULL: a part is missing, damaged or unreadable, *err says which and
//             where; it comes once, after all lines before it; reading goes on behind it
//   ST_RETRY  a signal came while waiting for input: call again
MUST_USE enum status eventlog_next(struct eventlog *log, struct str *line, size_t *readable,
                                   struct err *err);

// True if the line returned last had no line end: the log is still being written, or was cut.
bool eventlog_cut(const struct eventlog *log);
// True if the name says that Spark is still writing (.inprogress).
bool eventlog_in_progress(const struct eventlog *log);
// How many lines were beyond the limit so far.
uint64_t eventlog_long_lines(const struct eventlog *log);
// Bytes read so far as they lie on disk (packed), and of how many; total is 0 for standard input
// and pipes. done may pass total while a log is being written.
void eventlog_progress(const struct eventlog *log, uint64_t *done_bytes, uint64_t *total_bytes);

// The path as it was given, "stdin" for "-". Lives as long as the log.
const char *eventlog_name(const struct eventlog *log);

// The application id and attempt ("" if none) that the name of the file or folder tells, for logs
// whose content tells none. True if the name is one that Spark gives (model/log_name.h); otherwise
// false and *app_id is the bare name without endings ("" for stdin). The views live as long as the
// log.
bool eventlog_name_app_id(const struct eventlog *log, struct str *app_id, struct str *attempt);
