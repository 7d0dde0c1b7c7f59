// follow_priv: what the files of the follower share: the folders and logs that are looked at
// (watch), one log (tailed), whose turn it is (follow). Included by agent/eventlog/follow*.c.
#pragma once

#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include "base/hash.h"
#include "eventlog/eventlog_priv.h"
#include "eventlog/follow.h"

// The number of a part that is still written to under a name without one.
#define PART_CURRENT INT64_MAX

enum log_form {
    LOG_FILE,   // one file
    LOG_ROLLED, // Spark's numbered parts in a folder of their own
    LOG_DATED,  // Databricks' dated parts and the current one
};

// What the name of an entry of a folder tells.
struct entry {
    enum log_form form;
    struct str stem; // what the log is called below the folder; "": as the folder is
    int64_t number;
    bool compact, in_progress;
    bool status_file; // holds no lines
};

// False if it is the name of no log.
bool entry_read(struct entry *e, struct str name);

// A log. `view` comes first: the caller's pointer is ours. It is in the ring if and only if
// `ready` and it is not its turn, in the list of open ones if and only if `reader` is there.
struct tailed {
    struct follow_log view;
    UT_hash_handle hh; // by key: the given folder's number, ':', the name
    char *key;
    struct folder *folder;
    LIST_ENTRY(tailed) in_folder;
    enum log_form form;
    struct parts parts;      // in reading order; what the last listing gave
    struct parts listed;     // what the present one has given so far
    bool listed_in_progress; // a name of it ends so
    unsigned listing;        // the last one that saw it
    unsigned missing;        // listings in a row that did not

    struct follow_position position;
    struct part at; // the part being read; path NULL: none was chosen
    struct reader *reader;
    bool reread; // unpacking from a mark failed, so it was begun anew
    bool moved;  // another file has the name of the open one, or it is shorter than what was read

    bool looked; // the next five are known
    dev_t device;
    ino_t inode;
    uint64_t size_bytes;
    int64_t changed_ms;                  // by the file system
    int64_t seen_mono_ms;                // when we saw it change
    uint64_t packed_at;                  // of the part's file: read up to here
    uint64_t before_bytes, behind_bytes; // of the parts before and behind it
    int64_t next_look_ms;                // monotonic
    bool was_in_progress;                // we saw the name with .inprogress
    bool grew;                           // it changed under our eyes
    bool listed_news;                    // the listing gave it another name, or other parts
    bool gone, gone_told;
    int64_t gone_ms;   // monotonic
    bool retry;        // its file could not be read
    bool told;         // that
    bool told_short;   // that it holds less than was read
    bool told_damaged; // that the part cannot be unpacked

    bool ready; // in a ring, or its turn
    unsigned ring;
    TAILQ_ENTRY(tailed) in_ring, in_open;
};

// A folder that is listed.
struct folder {
    char *path;
    char *key; // the path as it was found; of a file that was given, the file's
    UT_hash_handle hh;
    char *below; // path below the given one, "" or ending in '/'
    char *only;  // the one log to follow in it, NULL: all
    size_t root;
    unsigned depth;       // levels below it that may hold logs
    bool is_root;         // it is the given one
    bool told;            // that it cannot be read
    bool changed;         // to be listed
    bool removed;         // with all that was in it
    int64_t changed_ns;   // its own time
    int64_t seen_mono_ms; // when we saw it change
    int64_t listed_ms;    // monotonic
    int64_t next_look_ms;
    unsigned listing;
    LIST_HEAD(tailed_logs, tailed) logs;
    TAILQ_ENTRY(folder) in_all;
};

TAILQ_HEAD(ring, tailed);

// What is followed, as far as it is known.
struct watch {
    struct follow_options options;
    char *pattern;
    char **dirs;
    size_t dirs_len;
    TAILQ_HEAD(folders, folder) folders; // those given first
    struct folder *by_key;               // the same
    struct tailed *logs;
    struct ring rings[2]; // logs with something new: what lay there, what grows
    size_t ready_len;
    struct ring open; // least recently used first
    unsigned open_len;
    struct parts trouble; // paths: what is to be told of folders
    struct buf words;     // of the item given last
};

// Takes copies of what the options borrow.
void watch_init(struct watch *w, const char *const *dirs, size_t count,
                const struct follow_options *options);
void watch_fini(struct watch *w);
// The log goes on at the position, once it is found. False if `dir` is not watched.
bool watch_expect(struct watch *w, const char *dir, const char *name,
                  const struct follow_position *position);
// Looks at folders and logs that are due: puts logs that have something new in the rings.
void watch_look(struct watch *w, int64_t now_ms);
// Puts the log in a ring, if it is in none.
void watch_stir(struct watch *w, struct tailed *log);

// A file's time.
static inline int64_t follow_ms_of(struct timespec t) {
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// ---- tailed ------------------------------------------------------------------------------------

// The next item of the log whose turn it is; false if it has none for now.
bool tailed_next(struct tailed *log, struct watch *w, struct follow_item *out);
// Chooses the part to read, if none is. False if there is none.
bool tailed_choose(struct tailed *log);
// True if nothing can come behind what lies there of the part.
bool tailed_is_final(const struct tailed *log, const struct watch *w, int64_t now_ms);
// `parts` are others, or have other names.
void tailed_renamed(struct tailed *log);
// Closes its file.
void tailed_close(struct tailed *log, struct watch *w);
