// decode_sql: SQL executions with their plans and metrics, and streaming queries. A plan nests as
// deep as its author likes, so it is walked with a stack of its own; what is beyond a limit is
// skipped and the plan marked truncated.
#include "base/sat.h"
#include "decode_shape.h"

namespace decode {

namespace {

using simdjson::ondemand::array_iterator;
using simdjson::ondemand::object_iterator;

// Two levels of JSON each; half of what a message may nest.
constexpr size_t PLAN_DEPTH_MAX = 256;
constexpr size_t ERROR_MAX = 512;
constexpr uint16_t ERROR_LOOK_MAX = 2048; // a class or a sentence of Spark's may stand so far on

enum { METRIC_NAME, METRIC_ID, METRIC_TYPE };
const rule metric_rules[] = {
    {"name", as::call, METRIC_NAME, 256},
    {"accumulatorId", as::call, METRIC_ID},
    {"metricType", as::call, METRIC_TYPE, 64},
};
const shape metric_shape(metric_rules);

enum { NODE_NAME, NODE_TEXT, NODE_CHILDREN, NODE_METRICS, NODE_OTHER };
const rule node_rules[] = {
    {"nodeName", as::call, NODE_NAME, 256},
    // Read where it comes, but asked of nobody: it holds what people wrote into their queries.
    {"simpleString", as::skip, NODE_TEXT, 512},
    {"children", as::call, NODE_CHILDREN, 0, nullptr, nullptr, form::tree},
    {"metadata", as::skip, NODE_OTHER},
    {"metrics", as::call, NODE_METRICS, 0, nullptr, nullptr, form::list, &metric_shape},
};
const shape node_shape(node_rules);

// A node that is being read: where its fields are, and its children while they are.
struct level {
    object_iterator at, end;
    array_iterator child, child_end;
    size_t hint;
    uint32_t node;
    bool in_children;
};

struct walk {
    context &c;
    level levels[PLAN_DEPTH_MAX];
    size_t depth;
};

void add_metric(context &c, value v) {
    event_plan_metric m = {{"", 0}, {"", 0}, -1};
    if (c.metrics.len == EVENT_PLAN_METRICS_MAX) {
        c.out->sql.plan.truncated = true;
        return;
    }
    bool is_object = each_field(c, v, metric_shape, [&](const rule &r, value inner) {
        if (r.at == METRIC_NAME) {
            m.name = word(inner, r.limit);
        } else if (r.at == METRIC_ID) {
            m.accum_id = id64(inner);
        } else {
            m.type = word(inner, r.limit);
        }
        return true;
    });
    if (is_object && m.accum_id >= 0) {
        c.metrics.push(m);
    }
}

// Begins a node; one that is no object is passed over.
void enter(walk &w, value v, int32_t parent) {
    context &c = w.c;
    object o;
    if (!open_object(c, v, &o)) {
        return;
    }
    if (w.depth == PLAN_DEPTH_MAX || c.nodes.len == EVENT_PLAN_NODES_MAX) {
        c.out->sql.plan.truncated = true;
        return;
    }
    level &l = w.levels[w.depth];
    if (o.begin().get(l.at) || o.end().get(l.end)) {
        c.broken = true;
        return;
    }
    l.hint = 0;
    l.node = c.nodes.len;
    l.in_children = false;
    w.depth++;
    c.nodes.push({{"", 0}, parent, c.metrics.len, 0, JOIN_UNKNOWN, false});
}

void read_node_metrics(context &c, uint32_t node, value v) {
    c.nodes.items[node].first_metric = c.metrics.len;
    items(c, v, [&](value metric) { add_metric(c, metric); });
    c.nodes.items[node].metric_count = c.metrics.len - c.nodes.items[node].first_metric;
}

bool is_adaptive(const event_plan_node &node) {
    return str_is(node.name, "AdaptiveSparkPlan");
}

// What only the text of a node tells, of nodes that it is asked of: long texts of others are not
// unescaped, unless they come before the name.
void read_node_text(event_plan_node &node, value v, size_t limit) {
    if (node.name.len == 0 || is_adaptive(node) || operator_join_way(node.name) != JOIN_WAY_NONE) {
        str text = word(v, limit);
        node.join = operator_join_type(text);
        node.unfinished = str_contains(text, STR("isFinalPlan=false"));
    }
}

// Reads one field; true if it was the children, which are to be walked first.
bool read_node_field(context &c, level &l, const rule &r, value v) {
    event_plan_node &node = c.nodes.items[l.node];
    array a;
    switch (r.at) {
    case NODE_NAME:
        node.name = word(v, r.limit);
        node.join = operator_join_way(node.name) != JOIN_WAY_NONE ? node.join : JOIN_UNKNOWN;
        node.unfinished = node.unfinished && is_adaptive(node);
        break;
    case NODE_TEXT:
        read_node_text(node, v, r.limit);
        break;
    case NODE_METRICS:
        read_node_metrics(c, l.node, v);
        break;
    case NODE_CHILDREN:
        if (!open_array(c, v, &a)) {
            break;
        }
        if (a.begin().get(l.child) || a.end().get(l.child_end)) {
            c.broken = true;
            break;
        }
        l.in_children = true;
        return true;
    default:
        break;
    }
    return false;
}

void step_child(walk &w, level &l) {
    value child;
    if (!(l.child != l.child_end)) {
        l.in_children = false;
        ++l.at;
        return;
    }
    if ((*l.child).get(child)) {
        w.c.broken = true;
        return;
    }
    size_t depth = w.depth;
    enter(w, child, static_cast<int32_t>(l.node));
    if (w.depth == depth && !w.c.broken) {
        ++l.child; // not entered: past it at once
    }
}

void step_field(walk &w, level &l) {
    context &c = w.c;
    field f;
    if (!(l.at != l.end)) {
        w.depth--;
        if (w.depth > 0) {
            ++w.levels[w.depth - 1].child;
        }
        return;
    }
    if ((*l.at).get(f)) {
        c.broken = true;
        return;
    }
    const rule *r = find_rule(node_shape, f.key().raw(), &l.hint);
    r = r == nullptr ? find_escaped(c, node_shape, f) : r;
    if (c.broken || (r != nullptr && read_node_field(c, l, *r, f.value())) || c.broken) {
        return;
    }
    ++l.at;
}

void read_plan(context &c, value v) {
    walk w = {c, {}, 0};
    enter(w, v, -1);
    while (w.depth > 0 && !c.broken) {
        level &l = w.levels[w.depth - 1];
        if (l.in_children) {
            step_child(w, l);
        } else {
            step_field(w, l);
        }
    }
}

void read_plan_metrics(context &c, value v) {
    items(c, v, [&](value metric) { add_metric(c, metric); });
}

void read_driver_accums(context &c, value v) {
    items(c, v, [&](value pair) {
        int64_t id = -1, update = 0;
        size_t n = 0;
        items(c, pair, [&](value element) {
            if (n == 0) {
                id = id64(element);
            } else if (n == 1) {
                update = metric(element);
            }
            n++;
        });
        if (n == 2 && id >= 0 && c.accums.len < EVENT_ACCUMS_MAX && !c.broken) {
            c.accums.push({id, update});
        }
    });
}

void read_error_message(context &c, value v) {
    event_sql &sql = c.out->sql;
    sql.has_error = get_text(c, v, ERROR_MAX, &sql.error, &sql.whole_error);
}

const rule sql_rules[] = {
    {"executionId", as::id64, AT(sql.execution_id)},
    {"rootExecutionId", as::id64, AT(sql.root_execution_id)},
    {"description", as::text, AT(sql.description), 512, nullptr, nullptr, form::stream},
    // Somebody's SQL may stand in it.
    {"details", as::text, AT(sql.details), 512, nullptr, nullptr, form::one, nullptr, nullptr,
     true},
    {"physicalPlanDescription"},
    {"sparkPlanInfo", as::call, 0, 0, nullptr, read_plan, form::one, &node_shape},
    {"errorMessage", as::call, AT(sql.error), ERROR_LOOK_MAX, nullptr, read_error_message},
    {"accumUpdates", as::call, 0, 0, nullptr, read_driver_accums, form::list},
    {"sqlPlanMetrics", as::call, 0, 0, nullptr, read_plan_metrics, form::list, &metric_shape},
};
const shape sql_shape(sql_rules);

bool finish_sql(context &c) {
    event_sql &s = c.out->sql;
    s.accums = c.accums.items;
    s.accum_count = c.accums.len;
    s.plan.nodes = c.nodes.items;
    s.plan.node_count = c.nodes.len;
    s.plan.metrics = c.metrics.items;
    s.plan.metric_count = c.metrics.len;
    s.plan.truncated = s.plan.truncated || c.out->cut;
    return true;
}

enum { SOURCE_ROWS, SOURCE_INPUT_RATE, SOURCE_PROCESSED_RATE };
const rule source_rules[] = {
    {"numInputRows", as::call, SOURCE_ROWS},
    {"inputRowsPerSecond", as::call, SOURCE_INPUT_RATE},
    {"processedRowsPerSecond", as::call, SOURCE_PROCESSED_RATE},
};
const shape source_shape(source_rules);

void read_sources(context &c, value v) {
    items(c, v, [&](value source) {
        each_field(c, source, source_shape, [&](const rule &r, value number) {
            if (r.at == SOURCE_ROWS) {
                sat_inc(&c.out->stream.input_rows, metric(number));
            } else if (r.at == SOURCE_INPUT_RATE) {
                c.out->stream.input_per_s += real(number);
            } else {
                c.out->stream.processed_per_s += real(number);
            }
            return true;
        });
    });
}

// The digits at a place of a text; -1 if others stand there.
int64_t digits(str s, size_t at, size_t count) {
    int64_t number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= s.len || s.p[i] < '0' || s.p[i] > '9') {
            return -1;
        }
        number = number * 10 + (s.p[i] - '0');
    }
    return number;
}

// Days from 1970 to a day of the proleptic Gregorian calendar: years begin in March, so that the
// leap day is the last.
int64_t days_to(int64_t year, int64_t month, int64_t day) {
    int64_t y = month > 2 ? year : year - 1;
    int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

// "2025-06-01T00:00:09.950Z" as ms since 1970, as Spark writes it; 0 for anything else.
int64_t instant_ms(str s) {
    static const char form[] = "0000-00-00T00:00:00.000Z";
    for (size_t i = 0; i + 1 < sizeof form; i++) {
        if (s.len != sizeof form - 1 || (form[i] != '0' && s.p[i] != form[i])) {
            return 0;
        }
    }
    int64_t year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
    int64_t hour = digits(s, 11, 2), minute = digits(s, 14, 2), second = digits(s, 17, 2);
    int64_t ms = digits(s, 20, 3);
    bool valid = year >= 1970 && year < 2100 && month >= 1 && month <= 12 && day >= 1 &&
                 day <= 31 && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                 second < 60 && ms >= 0;
    return valid
               ? (((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms
               : 0;
}

void read_began(context &c, value v) {
    c.out->stream.began_ms = instant_ms(word(v, 64));
}

const rule duration_rules[] = {{"triggerExecution", as::metric, AT(stream.trigger_ms)}};
const shape duration_shape(duration_rules);
#define STREAM_NAMES                                                                               \
    {"id", as::name, AT(stream.query_id), 64}, {"runId", as::name, AT(stream.run_id), 64}, {       \
        "name", as::text, AT(stream.name), 256                                                     \
    }
const rule progress_rules[] = {
    STREAM_NAMES,
    {"timestamp", as::call, 0, 64, nullptr, read_began},
    {"batchId", as::id64, AT(stream.batch_id)},
    {"batchDuration", as::metric, AT(stream.batch_ms)},
    {"durationMs", as::object, 0, 0, &duration_shape},
    {"sources", as::call, 0, 0, nullptr, read_sources, form::list, &source_shape},
};
const shape progress_shape(progress_rules);
const rule stream_rules[] = {
    STREAM_NAMES,
    {"progress", as::object, 0, 0, &progress_shape},
    {"exception", as::text, AT(stream.error), 512},
};
const shape stream_shape(stream_rules);

} // namespace

const kind_fields sql_fields = {&sql_shape, finish_sql};
const kind_fields stream_fields = {&stream_shape, nullptr};

} // namespace decode
