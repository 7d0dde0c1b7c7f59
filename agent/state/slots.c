// slots: see the header; this is the arithmetic and how profiles are kept. Called by executors per
// change of an executor or a profile, and by app per task for a stage's share.
#include "state/slots.h"

#include <math.h>

#include "app_priv.h"
#include "base/mem.h"

// More than any machine has, and few enough for the sum over all executors.
enum { SLOTS_MAX = 1 << 20 };

void slots_fini(struct slots *slots) {
    mem_free(slots->profiles);
    *slots = (struct slots){0};
}

const struct slot_profile *slots_known(const struct slots *slots, int32_t id) {
    for (uint32_t i = 0; i < slots->count; i++) {
        if (slots->profiles[i].id == id) {
            return &slots->profiles[i];
        }
    }
    return NULL;
}

// Nearly every run has one, so there is room for no more than there are.
static struct slot_profile *add_profile(struct slots *slots) {
    slots->profiles = mem_resize(slots->profiles, slots->count + 1, sizeof *slots->profiles);
    slots->profiles[slots->count] = (struct slot_profile){0};
    return &slots->profiles[slots->count++];
}

struct slot_profile *slots_profile(struct slots *slots, int32_t id) {
    const struct slot_profile *known = slots_known(slots, id);
    if (known != NULL) {
        return &slots->profiles[known - slots->profiles];
    }
    // Room for the default one and for what the properties say is kept.
    if (id > PROFILE_DEFAULT && slots->count >= SLOT_PROFILES_MAX - 2) {
        return slots_profile(slots, PROFILE_DEFAULT);
    }
    struct slot_profile *profile = add_profile(slots);
    profile->id = id;
    return profile;
}

static bool add_need(struct slot_profile *profile, int32_t resource, double task,
                     int64_t executor) {
    uint32_t i = 0;
    while (i < profile->need_count && profile->needs[i].resource != resource) {
        i++;
    }
    if (i == SLOT_NEEDS_MAX) {
        return false;
    }
    struct slot_need *need = &profile->needs[i];
    struct slot_need before = i < profile->need_count ? *need : (struct slot_need){0};
    *need = (struct slot_need){resource, task > 0 ? task : before.task,
                               executor > 0 ? executor : before.executor};
    profile->need_count += i == profile->need_count;
    return need->task != before.task || need->executor != before.executor;
}

bool slots_tell(struct slots *slots, const struct event_resource_profile *told) {
    struct slot_profile *profile = slots_profile(slots, told->id < 0 ? PROFILE_DEFAULT : told->id);
    if (profile->told) {
        return false; // a profile never changes
    }
    profile->told = true;
    profile->tasks_only = !told->asks_executors;
    profile->cpus = told->task_cpus >= 1 ? (int64_t)fmin(told->task_cpus, SLOTS_MAX) : 0;
    for (uint32_t i = 0; i < told->resource_count; i++) {
        const struct event_resource *resource = &told->resources[i];
        if (resource->task > 0) {
            add_need(profile, resource->id, resource->task, resource->executor);
        }
    }
    return true;
}

bool slots_property(struct slots *slots, struct str name, bool of_task, double amount) {
    struct slot_profile *said = slots_profile(slots, PROFILE_PROPERTIES);
    return add_need(said, event_resource_id(name), of_task ? amount : 0,
                    of_task ? 0 : (int64_t)fmin(amount, SLOTS_MAX));
}

// Where a profile's tasks' needs stand.
static const struct slot_profile *needs_of(const struct slots *slots,
                                           const struct slot_profile *profile) {
    const struct slot_profile *said = slots_known(slots, PROFILE_PROPERTIES);
    // The default profile's are the properties', where it does not tell.
    bool told = profile->told && (profile->id != PROFILE_DEFAULT || profile->need_count > 0);
    return told || said == NULL ? profile : said;
}

static int64_t cpus_of(const struct slots *slots, const struct slot_profile *profile) {
    int64_t cpus = profile != NULL && profile->cpus > 0 ? profile->cpus : slots->task_cpus;
    return cpus < 1 ? 1 : cpus;
}

int64_t slots_task_cpus(const struct slots *slots, int32_t profile) {
    return cpus_of(slots, slots_known(slots, profile < 0 ? PROFILE_DEFAULT : profile));
}

// What the executor has of a resource: by its own word, else what its profile asks for; 0 unknown.
static int64_t amount_of(const struct slots *slots, const struct slot_executor *executor,
                         const struct slot_need *need) {
    for (unsigned i = 0; i < SLOT_HAS_MAX; i++) {
        if (executor->has[i].resource == need->resource && executor->has[i].amount > 0) {
            return executor->has[i].amount;
        }
    }
    const struct slot_profile *own = slots_known(slots, executor->profile);
    own = own != NULL ? needs_of(slots, own) : slots_known(slots, PROFILE_PROPERTIES);
    for (uint32_t i = 0; own != NULL && i < own->need_count; i++) {
        if (own->needs[i].resource == need->resource && own->needs[i].executor > 0) {
            return own->needs[i].executor;
        }
    }
    return need->executor;
}

static bool may_use(const struct slots *slots, const struct slot_profile *profile,
                    const struct slot_executor *executor) {
    return executor->profile == profile->id ||
           (profile->told && profile->tasks_only && !slots->dynamic && executor->profile == 0);
}

int64_t slots_on(const struct slots *slots, const struct slot_profile *profile,
                 const struct slot_executor *executor) {
    if (executor->cores < 1 || profile->id < 0 || !may_use(slots, profile, executor)) {
        return 0;
    }
    int64_t at_once = executor->cores / cpus_of(slots, profile);
    const struct slot_profile *needs = needs_of(slots, profile);
    for (uint32_t i = 0; i < needs->need_count; i++) {
        double task = needs->needs[i].task;
        double amount = (double)amount_of(slots, executor, &needs->needs[i]);
        if (task > 0 && amount > 0) { // a task takes whole ones, or several share one
            double parts = task < 1 ? floor(1 / task) : 1;
            double most = floor(amount * parts / ceil(task));
            at_once = (double)at_once > most ? (int64_t)most : at_once;
        }
    }
    at_once = at_once < SLOTS_MAX ? at_once : SLOTS_MAX;
    // Spark starts no executor of a profile that has no room for its tasks.
    return at_once < 1 && executor->profile == profile->id ? 1 : at_once;
}

// Time since the first executor; small enough for sums of slot-ms to be exact in all but hostile
// logs.
static double since(const struct slots *slots, int64_t time_ms) {
    return time_ms > slots->from_ms ? (double)(time_ms - slots->from_ms) : 0;
}

void slots_set(struct slots *slots, struct slot_profile *profile, int64_t live, int64_t time_ms) {
    profile->before += (double)(profile->live - live) * since(slots, time_ms);
    profile->live = live;
}

void slots_change(struct slots *slots, const struct slot_executor *executor, int sign,
                  int64_t time_ms) {
    for (uint32_t i = 0; i < slots->count; i++) {
        struct slot_profile *profile = &slots->profiles[i];
        int64_t on = slots_on(slots, profile, executor);
        if (sign > 0) { // executors that were let go and are heard of again count once
            int64_t known = on < profile->pool ? on : profile->pool;
            profile->pool -= known;
            slots_set(slots, profile, profile->live + on - known, time_ms);
        } else {
            slots_set(slots, profile, on < profile->live ? profile->live - on : 0, time_ms);
        }
    }
}

double slots_until(const struct slots *slots, const struct slot_profile *profile, int64_t time_ms) {
    return (double)profile->live * since(slots, time_ms) + profile->before;
}

// How they are kept.
static const struct record_row need_rows[] = {
    RECORD_ROW(1, I32, slot_need, resource),
    RECORD_ROW(2, F64, slot_need, task, .most = INT64_MAX),
    RECORD_ROW(3, I64, slot_need, executor, .most = SLOTS_MAX),
};
static const struct record record_need = RECORD_OF("need", slot_need, need_rows);

static const struct record_row profile_rows[] = {
    RECORD_ROW(1, I32, slot_profile, id, .least = PROFILE_PROPERTIES, .most = INT32_MAX),
    RECORD_ROW(2, BOOL, slot_profile, told),
    RECORD_ROW(3, BOOL, slot_profile, tasks_only),
    RECORD_ROW(4, I64, slot_profile, cpus, .most = SLOTS_MAX),
    RECORD_AS(5, ARRAY, slot_profile, needs, "needs", .item = &record_need,
              .count_offset = offsetof(struct slot_profile, need_count), .max = SLOT_NEEDS_MAX),
    RECORD_ROW(6, I64, slot_profile, live, .most = INT64_MAX),
    RECORD_ROW(7, I64, slot_profile, pool, .most = INT64_MAX),
    RECORD_ROW(8, F64, slot_profile, before, .least = INT64_MIN),
};
const struct record record_slot_profile = RECORD_OF("profile", slot_profile, profile_rows);

static uint32_t size(const void *executors) {
    return ((const struct executors *)executors)->slots.count;
}
static const void *profile_at(const void *executors, uint32_t i, union record_scratch *scratch) {
    (void)scratch;
    return &((const struct executors *)executors)->slots.profiles[i];
}
static void *profile_add(void *executors, uint32_t count, union record_scratch *scratch) {
    struct slots *slots = &((struct executors *)executors)->slots;
    (void)count, (void)scratch;
    if (slots->count >= SLOT_PROFILES_MAX) {
        return NULL;
    }
    return add_profile(slots);
}
static bool profile_added(void *executors, void *item) {
    const struct slots *slots = &((const struct executors *)executors)->slots;
    return slots_known(slots, ((const struct slot_profile *)item)->id) == item;
}
const struct record_list slot_profile_list = {size, profile_at, profile_add, profile_added};
