// plans: see plans.h. Called by app_plan.c and app.c for events of SQL executions and for the
// metrics of tasks. A plan costs its nodes, a task the accumulators it tells of: nothing here
// allocates for a task.
#include "state/plans.h"

#include <string.h>

#include "app_priv.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/sat.h"

void plans_fini(struct plans *plans) {
    mem_free(plans->joins);
    mem_free(plans->values);
    mem_free(plans->overs);
    mem_free(plans->scans);
    mem_free(plans->engines);
    *plans = (struct plans){0};
}

int64_t plans_bytes(const struct plans *plans) {
    return (int64_t)(plans->join_count * sizeof *plans->joins +
                     plans->value_count * sizeof *plans->values +
                     plans->over_count * sizeof *plans->overs +
                     plans->scan_count * sizeof *plans->scans +
                     plans->engine_count * sizeof *plans->engines);
}

// The place of an id among the values, or where it would be.
static uint32_t place_of(const struct plans *plans, int64_t id) {
    uint32_t from = 0, to = plans->value_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (plans->values[middle].id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static struct plan_value *value_of(const struct plans *plans, int64_t id) {
    uint32_t at = place_of(plans, id);
    bool there = at < plans->value_count && plans->values[at].id == id;
    return there ? &plans->values[at] : NULL;
}

static int64_t sum_of(const struct plans *plans, int64_t id) {
    const struct plan_value *value = id < 0 ? NULL : value_of(plans, id);
    return value == NULL ? PLANS_UNKNOWN : value->sum;
}

// --- what a plan says ---

// The accumulator of a metric of a node, -1 if it has none of these names.
static int64_t metric_of(const struct event_plan *plan, uint32_t node, const char *name,
                         const char *other) {
    const struct event_plan_node *n = &plan->nodes[node];
    for (uint32_t i = 0; i < n->metric_count; i++) {
        const struct event_plan_metric *metric = &plan->metrics[n->first_metric + i];
        if (str_is(metric->name, name) || (other != NULL && str_is(metric->name, other))) {
            return metric->accum_id;
        }
    }
    return -1;
}

// The first and second child of each node, 0 if there is none: every walk is as long as it is deep.
struct tree {
    const struct event_plan *plan;
    uint32_t *first, *second;
};

static struct tree tree_of(const struct event_plan *plan) {
    uint32_t *places = mem_zalloc(2 * (size_t)plan->node_count, sizeof *places);
    struct tree tree = {plan, places, places + plan->node_count};
    for (uint32_t n = 1; n < plan->node_count; n++) {
        int32_t parent = plan->nodes[n].parent;
        if (parent >= 0 && (uint32_t)parent < n) {
            uint32_t *child = tree.first[parent] == 0 ? tree.first : tree.second;
            child[parent] = child[parent] == 0 ? n : child[parent];
        }
    }
    return tree;
}

// Below such a node are not the rows that came to the join: of several inputs, or those of whoever
// filled a cache.
static bool is_end_of_side(const struct tree *tree, uint32_t node) {
    const struct event_plan *plan = tree->plan;
    struct str name = plan->nodes[node].name;
    if (operator_join_way(name) != JOIN_WAY_NONE || str_contains(name, STR("Union")) ||
        str_contains(name, STR("InMemory")) || str_contains(name, STR("TableCache"))) {
        return true;
    }
    uint32_t second = tree->second[node];
    return second != 0 && !str_contains(plan->nodes[second].name, STR("Subquery"));
}

// Rows are counted nearest to the join, sizes at the exchange.
static struct plan_side side_of(const struct tree *tree, uint32_t node) {
    const struct event_plan *plan = tree->plan;
    struct plan_side side = {-1, -1, -1};
    while (node != 0) {
        struct str name = plan->nodes[node].name;
        bool shuffle = operator_is_shuffle(name);
        if (side.rows < 0) {
            side.rows =
                metric_of(plan, node, shuffle ? "shuffle records written" : "number of output rows",
                          shuffle ? NULL : "output rows");
        }
        if (shuffle || str_contains(name, STR("BroadcastExchange"))) {
            side.bytes = metric_of(plan, node, "data size", NULL);
            side.moved = metric_of(plan, node, "shuffle bytes written", NULL);
            if (side.rows >= 0) {
                break;
            }
        }
        node = is_end_of_side(tree, node) ? 0 : tree->first[node];
    }
    return side;
}

static bool read_join(const struct tree *tree, uint32_t node, struct plan_join *out) {
    const struct event_plan *plan = tree->plan;
    const struct event_plan_node *n = &plan->nodes[node];
    enum join_way way = operator_join_way(n->name);
    uint32_t left = tree->first[node], right = tree->second[node];
    if (way == JOIN_WAY_NONE || left == 0 || right == 0) {
        return false;
    }
    *out = (struct plan_join){
        .way = way,
        .type = n->join,
        .out = metric_of(plan, node, "number of output rows", "output rows"),
        .left = side_of(tree, left),
        .right = side_of(tree, right),
        .stage = -1,
        .attempt = -1,
    };
    return true;
}

// --- the joins that are over ---

static struct join_side side_now(const struct plans *plans, const struct plan_side *side) {
    return (struct join_side){sum_of(plans, side->rows), sum_of(plans, side->bytes),
                              sum_of(plans, side->moved)};
}

// Of what its stage read from shuffles, what the join's sides are: the rest is other work's.
static double share_of(const struct join_over *join, const struct stage *stage) {
    double moved = (double)(join->left.moved > 0 ? join->left.moved : 0) +
                   (double)(join->right.moved > 0 ? join->right.moved : 0);
    double all = (double)stage->summary.shuffle_read_bytes;
    return moved > 0 && moved < all ? moved / all : 1;
}

struct join_over plans_join_now(const struct app *app, const struct plan_join *join) {
    const struct plans *plans = &app->plans;
    struct join_over now = {
        .execution = join->execution,
        .way = join->way,
        .type = join->type,
        .out = sum_of(plans, join->out),
        .left = side_now(plans, &join->left),
        .right = side_now(plans, &join->right),
        .stage = join->stage,
        .attempt = join->attempt,
        .final = join->final,
    };
    const struct stage *stage = app_stage(app, join->stage, join->attempt);
    int64_t slots = stage != NULL && stage->slots > 0 ? stage->slots : 1;
    now.cost_ms = join->task_ms / slots;
    if (stage != NULL && stage_wall_ms(stage) < now.cost_ms) {
        now.cost_ms = stage_wall_ms(stage);
    }
    if (stage != NULL && join->way == JOIN_WAY_SHUFFLED) {
        now.cost_ms = (int64_t)((double)now.cost_ms * share_of(&now, stage));
    }
    return now;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

bool plans_matters(const struct join_over *join) {
    int64_t least = smaller(join->left.rows, join->right.rows);
    int64_t most = larger(join->left.rows, join->right.rows);
    bool known = least != PLANS_UNKNOWN;
    switch (join->way) {
    case JOIN_WAY_CARTESIAN:
    case JOIN_WAY_NESTED:
        return true;
    case JOIN_WAY_SHUFFLED:
        return known && (least < PLANS_SMALL_ROWS || join->out / 2 > most);
    default:
        return known && join->out / 2 > most;
    }
}

// Kept if it is among those that cost most.
static void keep_over(struct plans *plans, const struct join_over *join) {
    uint32_t at = plans->over_count;
    while (at > 0 && plans->overs[at - 1].cost_ms < join->cost_ms) {
        at--;
    }
    if (at == PLANS_OVERS_MAX) {
        return;
    }
    if (plans->over_count < PLANS_OVERS_MAX) {
        MEM_GROW(plans->overs, plans->over_count, plans->over_cap);
        plans->over_count++;
    }
    memmove(&plans->overs[at + 1], &plans->overs[at],
            (plans->over_count - 1 - at) * sizeof *plans->overs);
    plans->overs[at] = *join;
}

// --- the open joins ---

// Takes the joins of an execution out; *taken, for as many as may be open, gets them. Returns how
// many.
static uint32_t take_out(struct plans *plans, int64_t execution, struct plan_join *taken) {
    uint32_t kept = 0, count = 0;
    for (uint32_t i = 0; i < plans->join_count; i++) {
        if (plans->joins[i].execution == execution) {
            taken[count++] = plans->joins[i];
        } else {
            plans->joins[kept++] = plans->joins[i];
        }
    }
    plans->join_count = kept;
    return count;
}

unsigned plans_joins_of(const struct app *app, const struct stage *stage) {
    unsigned joins = (unsigned)stage->joins;
    for (uint32_t i = 0; i < app->plans.join_count; i++) {
        const struct plan_join *join = &app->plans.joins[i];
        if (join->way == JOIN_WAY_SHUFFLED && join->stage == stage->summary.stage &&
            join->attempt == stage->summary.attempt) {
            joins |= 1u << join->type;
        }
    }
    return joins;
}

// Its stage has done the join, whatever becomes of the rest.
static void tell_stage(const struct app *app, const struct plan_join *join) {
    struct stage *stage = app_stage(app, join->stage, join->attempt);
    if (stage != NULL && join->way == JOIN_WAY_SHUFFLED) {
        stage->joins |= 1 << join->type;
        keep_touch(&stage->kept);
    }
}

// The joins of an execution are over: what may matter of them is kept. Returns how many there were.
static uint32_t end_joins(struct app *app, int64_t execution) {
    struct plans *plans = &app->plans;
    struct plan_join taken[PLANS_JOINS_MAX];
    for (uint32_t i = 0; i < plans->join_count; i++) {
        if (plans->joins[i].execution == execution) {
            struct join_over now = plans_join_now(app, &plans->joins[i]);
            tell_stage(app, &plans->joins[i]);
            if (now.cost_ms > 0 && plans_matters(&now)) {
                keep_over(plans, &now);
            }
        }
    }
    return take_out(plans, execution, taken);
}

static void forget_role(struct app *app, int64_t id) {
    int64_t role;
    if (idmap_get(&app->accum_roles, id, &role) && role == ROLE_PLAN) {
        idmap_remove(&app->accum_roles, id);
        app_touch_accum(app, id);
    }
}

static void add_value(struct app *app, int64_t id, const struct plan_value *old) {
    struct plans *plans = &app->plans;
    uint32_t at = place_of(plans, id);
    bool there = at < plans->value_count && plans->values[at].id == id;
    if (id < app->accums_from || id < 0 || there || plans->value_count == PLANS_VALUES_MAX) {
        return;
    }
    if (!idmap_get(&app->accum_roles, id, NULL)) {
        if (!idmap_put(&app->accum_roles, id, ROLE_PLAN, APP_ACCUMS_MAX)) {
            return;
        }
        app_touch_accum(app, id);
    }
    struct plan_value value = {id, PLANS_UNKNOWN};
    if (old != NULL) {
        value = *old;
    } else {
        idmap_get(&app->driver_values, id, &value.sum); // it may have come before the plan
    }
    MEM_GROW(plans->values, plans->value_count, plans->value_cap);
    memmove(&plans->values[at + 1], &plans->values[at],
            (plans->value_count - at) * sizeof *plans->values);
    plans->values[at] = value;
    plans->value_count++;
}

// The values are those that the open joins name; what is known of them stays.
static void renew_values(struct app *app) {
    struct plans *plans = &app->plans, old = *plans;
    plans->values = NULL;
    plans->value_count = plans->value_cap = 0;
    for (uint32_t i = 0; i < plans->join_count; i++) {
        const struct plan_join *j = &plans->joins[i];
        const int64_t ids[] = {j->out,        j->left.rows,   j->left.bytes, j->left.moved,
                               j->right.rows, j->right.bytes, j->right.moved};
        for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
            add_value(app, ids[k], value_of(&old, ids[k]));
        }
    }
    for (uint32_t i = 0; i < old.value_count; i++) {
        if (value_of(plans, old.values[i].id) == NULL) {
            forget_role(app, old.values[i].id);
        }
    }
    mem_free(old.values);
    if (plans->join_count == 0) {
        mem_free(plans->joins);
        plans->joins = NULL;
        plans->join_cap = 0;
    }
}

// Room for one more join: the oldest other execution goes, judged as it stands.
static bool make_room(struct app *app, int64_t execution) {
    struct plans *plans = &app->plans;
    if (plans->join_count < PLANS_JOINS_MAX) {
        return true;
    }
    for (uint32_t i = 0; i < plans->join_count; i++) {
        if (plans->joins[i].execution != execution) {
            end_joins(app, plans->joins[i].execution);
            return true;
        }
    }
    return false;
}

static void add_join(struct plans *plans, const struct plan_join *join) {
    for (uint32_t i = 0; i < plans->join_count; i++) {
        if (plans->joins[i].execution == join->execution && join->out >= 0 &&
            plans->joins[i].out == join->out) {
            return; // the same, below an exchange that is used again
        }
    }
    MEM_GROW(plans->joins, plans->join_count, plans->join_cap);
    plans->joins[plans->join_count++] = *join;
}

// The topmost adaptive plan says whether it is the one that ran; a plan that is not adaptive is.
static bool is_final(const struct event_plan *plan) {
    for (uint32_t n = 0; n < plan->node_count; n++) {
        if (str_is(plan->nodes[n].name, "AdaptiveSparkPlan")) {
            return !plan->nodes[n].unfinished;
        }
    }
    return true;
}

bool plans_apply(struct app *app, const struct event_sql *sql, bool first) {
    struct plans *plans = &app->plans;
    const struct event_plan *plan = &sql->plan;
    struct plan_join before[PLANS_JOINS_MAX], join;
    bool whole = true, final = is_final(plan);
    if (sql->execution_id < 0 || plan->node_count == 0) {
        return true;
    }
    for (uint32_t i = 0; first && i < plans->join_count; i++) {
        if (plans->joins[i].execution == sql->execution_id) {
            return true; // the first plan, told late or again
        }
    }
    uint32_t count = take_out(plans, sql->execution_id, before);
    struct tree tree = tree_of(plan);
    for (uint32_t n = 0; n < plan->node_count && whole; n++) {
        if (!read_join(&tree, n, &join)) {
            continue;
        }
        join.execution = sql->execution_id;
        join.final = final;
        for (uint32_t i = 0; i < count && join.out >= 0; i++) {
            if (before[i].out == join.out) {
                join.task_ms = before[i].task_ms;
                join.stage = before[i].stage;
                join.attempt = before[i].attempt;
            }
        }
        whole = make_room(app, sql->execution_id);
        if (whole) {
            add_join(plans, &join);
        }
    }
    mem_free(tree.first);
    if (count > 0 || plans->join_count > 0) {
        renew_values(app);
    }
    return whole;
}

void plans_add(struct plans *plans, int64_t id, int64_t update, bool set) {
    struct plan_value *value = plans->value_count == 0 ? NULL : value_of(plans, id);
    if (value != NULL) {
        value->sum = set || value->sum == PLANS_UNKNOWN ? update : sat_add(value->sum, update);
    }
}

void plans_add_task(struct plans *plans, const struct event_task *task) {
    for (uint32_t i = 0; plans->value_count > 0 && i < task->accum_count; i++) {
        int64_t id = task->accums[i].id, update = task->accums[i].update;
        plans_add(plans, id, update < 0 ? 0 : update, false);
        for (uint32_t j = 0; j < plans->join_count; j++) {
            struct plan_join *join = &plans->joins[j];
            if (join->out == id) {
                sat_inc(&join->task_ms, sat_sub0(task->finish_ms, task->launch_ms));
                join->stage = task->stage;
                join->attempt = task->stage_attempt;
            }
        }
    }
}

void plans_end(struct app *app, int64_t execution) {
    plans_end_facts(&app->plans, execution);
    if (end_joins(app, execution) > 0) {
        renew_values(app);
    }
}

void plans_let_go(struct app *app) {
    app->plans.join_count = 0;
    app->plans.scan_count = 0;
    renew_values(app);
}
