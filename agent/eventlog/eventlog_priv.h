// eventlog_priv: what the files of the event log reader share: bytes from outside (input), the
// unpackers (codec, blocks), the lines of a part (reader) and the list of parts (parts). Included
// by agent/eventlog/*.c and their tests; nobody else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "eventlog/eventlog.h"
#include "eventlog/follow.h"
#include "model/log_name.h"

// ---- input: bytes as they lie on disk -------------------------------------------------------

// How much is read at once.
#define INPUT_READ_BYTES ((size_t)1 << 20)
// How much is looked at to tell the packing.
#define INPUT_SNIFF_BYTES 16

struct input {
    int fd; // -1: memory
    bool close_fd;
    const uint8_t *memory;
    size_t memory_len;
    size_t read_bytes;   // at most so many a read
    uint8_t *data;       // what was read and not yet taken is [pos, len)
    size_t pos, len;     //
    uint64_t read_total; // where the next byte from outside lies in it
    bool eof;
    bool growing; // more may come: ST_RETRY at the end, and no eof
    bool failed;  // reading went wrong outside: what was read is no worse for it
};

// Opens a file, a named pipe, or standard input (`path` NULL). A named pipe gets a few seconds to
// be opened for writing too. ST_SKIP with the path and words if it cannot be read, is neither, or
// nobody writes to it; *in is not open then.
MUST_USE enum status input_init_path(struct input *in, const char *path, struct err *err);
// `memory` is borrowed; at most `read_bytes` of it come at once.
void input_init_memory(struct input *in, const void *memory, size_t len, size_t read_bytes);
void input_fini(struct input *in);
// Goes on at byte `at` of the file.
MUST_USE enum status input_seek(struct input *in, uint64_t at, struct err *err);
// Position in the file of the next byte that input_* will give.
uint64_t input_offset(const struct input *in);
// Makes the first INPUT_SNIFF_BYTES visible without taking them; *out is shorter only at the end,
// or with another status than ST_OK.
MUST_USE enum status input_peek(struct input *in, struct str *out, struct err *err);
// Makes at least one byte available in [pos, len), or sets eof.
MUST_USE enum status input_more(struct input *in, struct err *err);
// Appends to *into until it holds `want` bytes; fewer only at the end of the input. After ST_RETRY
// the same call goes on.
MUST_USE enum status input_collect(struct input *in, struct buf *into, size_t want,
                                   struct err *err);
// Reads straight into `out`, taking what is buffered first; *got == 0 only at the end.
MUST_USE enum status input_read(struct input *in, void *out, size_t room, size_t *got,
                                struct err *err);

// ---- codec: from packed bytes to text ---------------------------------------------------------

struct codec {
    const char *name;
    uint8_t number; // stands in kept positions: never another
    // `midway`: unpacking begins where `between` was true once, not at the start.
    void *(*create)(bool midway);
    void (*destroy)(void *state);
    // True if all that was unpacked was handed out and the next byte of the input begins something
    // whole: unpacking can begin there, and would notice if it were somewhere else. NULL: nowhere.
    bool (*between)(const void *state);
    // Unpacks at least one byte into out[0..room), room >= 1. ST_OK with *got == 0: the end.
    // ST_SKIP: damaged, with words and without the place; *got bytes before it are good. ST_RETRY:
    // call again.
    enum status (*read)(void *state, struct input *in, char *out, size_t room, size_t *got,
                        struct err *err);
};

extern const struct codec codec_plain;
extern const struct codec codec_zstd;
extern const struct codec codec_gzip;
extern const struct codec codec_lz4_block;
extern const struct codec codec_lz4_frame;
extern const struct codec codec_snappy;

// Largest block that a block stream (LZ4, Snappy) may declare: LZ4's own limit.
#define CODEC_MAX_BLOCK_BYTES ((size_t)32 << 20)

// Chooses by the first bytes of the content and, where these are too few, by the name. ST_SKIP
// with words if the packing is not supported or contradicts the name.
MUST_USE enum status codec_choose(struct str file_name, struct str first_bytes,
                                  const struct codec **out, struct err *err);

// ---- reader: the lines of one part ------------------------------------------------------------

// The same place in a part's text and in its file.
struct mark {
    uint64_t text, packed;
};

// Always true: pos <= scanned <= end <= cap, and EVENTLOG_PADDING bytes behind cap are readable.
struct reader {
    const char *name; // of the log, for words; borrowed, as is `path`
    const char *path; // of the open part
    struct input input;
    bool is_open;
    const struct codec *codec; // NULL until the first bytes were seen
    void *codec_state;
    bool part_ended;    // no more text will come from the open part
    bool fresh;         // its first bytes of text were not looked at yet
    struct err pending; // words to hand out when the lines before are gone; ST_OK: none

    char *data; // text not handed out yet is [pos, end), [pos, scanned) holds no line end
    size_t cap, read_bytes, pos, scanned, end;
    size_t max_line;
    char *head;   // of a line beyond the limit
    bool passing; // within such a line: drop text until its end
    bool cut;     // the line given last had no line end
    uint64_t long_lines;

    uint64_t text_total; // unpacked of the part so far
    uint64_t skip_to;    // text before it is not handed out
    struct mark mark, next_mark;
    struct buf start; // the first FOLLOW_HEAD_BYTES of the part's text, as far as it came
};

void reader_init(struct reader *r, const char *name, size_t read_bytes);
void reader_fini(struct reader *r);
// Begins the part in the file at `path`, closing the one before. ST_SKIP as input_init_path.
MUST_USE enum status reader_open(struct reader *r, const char *path, struct err *err);
// The same for r->input, which the caller has opened.
void reader_begin(struct reader *r, const char *path);
// Chooses the packing now, so that what is wrong with it is said now.
MUST_USE enum status reader_choose(struct reader *r, struct err *err);
void reader_close(struct reader *r);
// eventlog_next for the part: line->p == NULL with ST_OK is its end; ST_RETRY with `growing` input:
// nothing more for now.
MUST_USE enum status reader_next(struct reader *r, struct str *line, size_t *readable,
                                 struct err *err);
// Place in the part's text behind the last line given.
uint64_t reader_offset(const struct reader *r);
// The last place known before that where unpacking could begin.
struct mark reader_mark(struct reader *r);
// Unpacks until r->start holds `want` bytes, or the part ends: what comes is lost, a reader_seek
// must follow. ST_RETRY: there is no more for now.
MUST_USE enum status reader_look(struct reader *r, size_t want, struct err *err);
// Goes on behind `text` bytes of the text, unpacking from the mark.
MUST_USE enum status reader_seek(struct reader *r, struct mark mark, uint64_t text,
                                 struct err *err);

// ---- parts: which files make up a log --------------------------------------------------------

struct part {
    char *path;
    int64_t number; // 0: not numbered
    bool compact;
};

struct parts {
    struct part *items;
    size_t len, cap;
    bool in_progress;
};

void parts_fini(struct parts *parts);
void parts_add(struct parts *parts, const char *path, int64_t number, bool compact);
// Puts them in reading order.
void parts_sort(struct parts *parts);
// Lists the parts of the log in the folder `path` in reading order. ST_SKIP with words if the
// folder holds no log, or more than one.
MUST_USE enum status parts_scan(const char *path, struct parts *out, struct err *err);
// Says in *err (ST_SKIP) what is missing before part `at`, or that it comes twice; ST_OK if
// nothing is wrong.
MUST_USE enum status parts_check(const struct parts *parts, size_t at, struct err *err);

// ---- the log ----------------------------------------------------------------------------------

// eventlog_open for anything but a folder.
MUST_USE enum status eventlog_open_file(const char *path, struct eventlog **out, struct err *err);
