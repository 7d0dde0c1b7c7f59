// executors: the executors and hosts of one application, and the task slots that are alive, by
// resource profile (slots.h). Owned by an app; written only by state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/kept.h"
#include "state/slots.h"

enum { EXECUTOR_ID_MAX = 64, HOST_NAME_KEPT_MAX = 128 };
enum { EXECUTORS_MAX = 10000, EXECUTORS_PER_CHUNK = 128 };
enum { EXECUTOR_CHUNKS = EXECUTORS_MAX / EXECUTORS_PER_CHUNK + 1 };

enum executor_loss {
    LOSS_NONE,    // alive, or removed on purpose (scale-down)
    LOSS_MEMORY,  // killed for its memory or out of heap
    LOSS_INFRA,   // node drained, preempted, bad node
    LOSS_UNKNOWN, // lost, no reason that tells
};

struct executor; // opaque: looked up by id
struct host;     // opaque

struct executors {
    struct executor *by_id;
    struct host *by_name;
    struct host **hosts; // index -> host
    uint32_t host_count, host_cap;
    struct executor **list; // in order of appearance
    uint32_t count, list_cap;
    struct kept kept[EXECUTOR_CHUNKS]; // of the executors and hosts in a chunk
    struct slots slots;
    int64_t gone_slots; // that were alive when all were let go, 0 if none were
    int64_t added, lost_memory, lost_infra, lost_unknown;
    int64_t first_added_ms, last_added_ms;
    // Cores of executors that are alive, but the driver's own: how many, and their time so far, as
    // if each had been there since `cores_from_ms` and were there until then.
    int64_t cores, cores_ms, cores_from_ms;
    uint32_t limits;         // that were hit, until the app takes them over
    struct executor *recent; // the one looked up last: tasks come in bursts
};

void executors_fini(struct executors *executors);
// What of the environment says how many tasks run at once, and what a resource profile asks for;
// repeated ones change nothing. Times called now are the app's: they never go back.
void executors_environment(struct executors *executors, const struct event_environment *environment,
                           int64_t now_ms);
void executors_profile(struct executors *executors, const struct event_resource_profile *profile,
                       int64_t now_ms);
// ExecutorAdded and ExecutorRemoved with their own time, heard of now; repeated ones change
// nothing.
void executors_add(struct executors *executors, const struct event_executor *added, int64_t time_ms,
                   int64_t now_ms);
void executors_remove(struct executors *executors, const struct event_executor *removed,
                      int64_t time_ms, int64_t now_ms);
// Time of all cores that executors had until then, ms; -1 if that is not known any more.
int64_t executors_cores_ms(const struct executors *executors, int64_t until_ms);
// A task ended on an executor (made known if it was not). Returns the host's index and sets *cold
// to whether this was among the executor's first tasks (one per slot).
int32_t executors_task(struct executors *executors, struct str id, struct str host, bool *cold);
// The index of the host of an executor (made known if it was not), -1 beyond the bounds.
int32_t executors_host(struct executors *executors, struct str id, struct str host);
// Task slots of the executors alive now, each by its own profile; 0 if none is known.
int64_t executors_live_slots(const struct executors *executors);
// True if each executor that is known was told of with its cores, and not only by its tasks.
bool executors_all_told(const struct executors *executors);
// The slots that a profile may use: what slots_until and `live` say of it. Borrowed until the next
// call.
const struct slot_profile *executors_slots_of(struct executors *executors, int32_t profile,
                                              int64_t now_ms);
// A stage ended in which the host's tasks took far longer than those elsewhere; in how many that
// was so, 0 for a host that is not known.
void executors_note_slow_stage(struct executors *executors, int32_t host);
int32_t executors_slow_stages(const struct executors *executors, int32_t host);
// Name of a host by index ("" if unknown). Borrowed.
const char *executors_host_name(const struct executors *executors, int32_t host);
// What a removal text means.
enum executor_loss executors_classify_loss(struct str reason);
