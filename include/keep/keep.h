// keep: what of a partition is kept: which keys it has, what has changed, and how it is read back.
//
// A stage keeps its state as values under keys, one per thing that changes on its own: a run, a
// stage attempt, a pane. The stage describes each such thing once, in a row of its table of kinds:
// the letter its keys begin with, how the rest of a key is made, the table of the struct
// (model/record.h), and where a value that is read back goes. Every thing carries a mark (struct
// kept). That is all keep knows: it must not know a stage.
//
//     engine, fleet: keep_touch(&thing->kept)      a thing changed
//                    keep_forget(...)              it goes, so does its key
//                    keep_visit(walk, key, ...)    for each thing, in a walk begun by
//     keep:          keep_changes / keep_all       values out
//                    keep_load                     values in
//
// What holds:
// - a key is handed out at most once by keep_changes: with its newest value, or with none if it is
//   gone; applied to a table in any order, changes give what keep_all gives;
// - a thing that was never handed out leaves no key behind when it goes;
// - keys that begin with '#' are the caller's own, keys with an unknown letter are of a later
//   release: both are passed over when loading.
// No I/O: where the values are kept is the caller's.
#pragma once

#include "keep/table.h"
#include "keep/value.h"
#include "model/kept.h"

struct keep_kind;

// A key taken apart. As text: the letter, then `numbers` or `word` (as its kind says), each ended
// by a dot, then the owner.
struct keep_key {
    const struct keep_kind *kind;
    int64_t numbers[2];
    struct str word;  // of a kind that has one; it may hold dots, so a key alone cannot tell it
    struct str owner; // whose it is; empty for a kind that is alone in its partition
    struct str text;  // the whole, when it was read; with a word, all that is to be trusted
    void *of;         // left by `open` for `close`: what the owner's key stands for
};

// One kind of key of a state topic.
struct keep_kind {
    char letter;
    unsigned numbers;         // in front of the owner
    bool word;                // there instead
    bool owned;               // false: the letter is the whole key
    const char *form, *holds; // of the key, of the value, in words
    const struct record *record;
    // Where a value of this key goes: a zeroed struct of the record, NULL if there can be none.
    void *(*open)(void *stage, struct keep_key *key);
    // It was read (good) or could not be: the stage takes it in, or releases it if it was not taken
    // in by `open` already. False: it does not fit.
    bool (*close)(void *stage, const struct keep_key *key, void *object, bool good);
};

// All kinds of keys of one stage.
struct keep_kinds {
    const struct keep_kind *list; // in the order of loading
    size_t count;
};
// NULL: no kind of these.
const struct keep_kind *keep_kind_of(const struct keep_kinds *kinds, struct str key);

// The keys of a partition that are gone since the last changes. Zeroed at first; a part of the
// stage's own struct.
struct keep {
    struct keep_table *gone; // NULL while there are none
};
// Releases it; usable again.
void keep_fini(struct keep *keep);

// A walk over all that is kept. Begun by the functions below, handed through the stage to
// keep_visit.
struct keep_walk;

// True if the walk is of changes alone: what was not touched need not be visited.
bool keep_only_changes(const struct keep_walk *walk);
// One thing under its key; to be called for each. `kept` is its mark; one that was never touched or
// written is passed over.
void keep_visit(struct keep_walk *walk, const struct keep_key *key, struct kept *kept,
                const void *object);
// False if nothing that belongs to this thing can be of interest, as it did not change itself: the
// stage may leave its parts out.
bool keep_wants(const struct keep_walk *walk, const struct kept *kept);
// The same for a part (model/kept.h) of what has the key `owner`.
void keep_visit_part(struct keep_walk *walk, const struct keep_kinds *kinds, struct kept_part part,
                     struct str owner, struct kept *kept, const void *object);
// Parts that went before the walk: their keys go, too, and the list is cleared.
void keep_visit_gone(struct keep_walk *walk, const struct keep_kinds *kinds, struct kept_gone *gone,
                     struct str owner);

// Visits everything of a stage, or of `thing` alone if that is not NULL.
typedef void keep_visit_fn(void *stage, void *thing, struct keep_walk *walk);

// Hands out every key whose value changed since the last call, since the load or since the
// beginning, each once, keys that are gone with a NULL value; then the changes are forgotten. Costs
// next to nothing for what did not change.
void keep_changes(struct keep *keep, void *stage, keep_visit_fn *visit, keep_each_fn each,
                  void *ctx);
// Hands out every key with its value; no change is forgotten.
void keep_all(void *stage, keep_visit_fn *visit, keep_each_fn each, void *ctx);
// The thing and all that belongs to it is about to go: so do its keys.
void keep_forget(struct keep *keep, void *stage, keep_visit_fn *visit, void *thing);
// The same for one thing without parts, by its key.
void keep_forget_one(struct keep *keep, const struct keep_key *key, const struct kept *kept);

// Loads a stage that has seen nothing yet from all values of its partition, kind by kind, and lets
// it put in order what came in none: `whole` returns false, with words in *err, if a part is
// missing. ST_SKIP with words that name the key on damaged values, on a newer version than this
// release reads, or on a part whose whole is missing; the stage must then be thrown away.
enum status keep_load(const struct keep_kinds *kinds, void *stage, const struct keep_table *table,
                      bool (*whole)(void *stage, struct err *err), struct err *err) MUST_USE;
