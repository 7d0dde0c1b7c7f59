// slots: which task slots a stage may use, by its resource profile, and for how long they were
// there. A task slot is room for one task: an executor has as many as its cores and other resources
// allow by what the profile's tasks need. Kept per profile are the slots that live now and their
// integral over the time of events, so a stage that remembers the integral's value at its first
// task knows its slots, weighted by how long each was there. Bounded: SLOT_PROFILES_MAX profiles.
// Part of struct executors, written only by state; knows no single executor.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/record.h"

enum { SLOT_PROFILES_MAX = 16, SLOT_NEEDS_MAX = 3, SLOT_HAS_MAX = 2 };
// The default profile, and the place of what Spark's properties say of tasks' needs.
enum { PROFILE_DEFAULT = 0, PROFILE_PROPERTIES = -1 };

// What a task needs of a resource beside cores, and an executor of its profile is asked to have.
struct slot_need {
    int32_t resource; // event_resource_id
    double task;      // below 1: so many share one; 0 unknown
    int64_t executor; // 0 unknown
};

struct slot_profile {
    int32_t id;
    bool told;       // what its tasks need; else the properties say it
    bool tasks_only; // asks nothing of executors
    int64_t cpus;    // of a task, 0 unknown
    struct slot_need needs[SLOT_NEEDS_MAX];
    uint32_t need_count;
    int64_t live;  // slots on the executors alive now that it may use
    int64_t pool;  // of these, slots of executors that were let go
    double before; // slot-ms up to a time t: live x t + before
};

struct slots {
    struct slot_profile *profiles; // owned
    uint32_t count;
    int64_t task_cpus; // spark.task.cpus, for profiles that do not tell; 0 unknown
    int64_t from_ms;   // times are measured from here, 0 until an executor came
    bool dynamic;      // executors come and go by need: each profile has its own
};

// What an executor has, by its events.
struct slot_executor {
    int32_t profile;
    struct {
        int32_t resource, amount;
    } has[SLOT_HAS_MAX];
    int64_t cores; // 0 until ExecutorAdded
};

void slots_fini(struct slots *slots);
// The profile's entry, made if it is new; that of the default one if there are too many.
struct slot_profile *slots_profile(struct slots *slots, int32_t id);
// The entry, or NULL.
const struct slot_profile *slots_known(const struct slots *slots, int32_t id);
// Takes over what ResourceProfileAdded says; true if it is new.
bool slots_tell(struct slots *slots, const struct event_resource_profile *profile);
// Notes what the properties say of a task's or an executor's share of a resource; true if it is
// new.
bool slots_property(struct slots *slots, struct str name, bool of_task, double amount);
// Cores that a task of a profile takes, at least 1.
int64_t slots_task_cpus(const struct slots *slots, int32_t profile);
// Tasks of a profile that run at once on an executor; 0 if it may not use it or its cores are not
// known.
int64_t slots_on(const struct slots *slots, const struct slot_profile *profile,
                 const struct slot_executor *executor);
// An executor came (sign 1) or went (-1) at a time.
void slots_change(struct slots *slots, const struct slot_executor *executor, int sign,
                  int64_t time_ms);
// The slots of a profile are so many from that time on; its integral goes on from where it was.
void slots_set(struct slots *slots, struct slot_profile *profile, int64_t live, int64_t time_ms);
// How profiles are kept: a list of struct executors.
extern const struct record record_slot_profile;
extern const struct record_list slot_profile_list;

// Slot-ms of a profile up to a time that is not before any change.
double slots_until(const struct slots *slots, const struct slot_profile *profile, int64_t time_ms);
