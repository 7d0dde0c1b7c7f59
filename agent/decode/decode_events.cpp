// decode_events: jobs, stages, SQL executions, executors and the application: rare and small beside
// task ends, plans aside.
#include "decode_simd.h"

namespace decode {

void stage_field(context &c, std::string_view key, value v) {
    if (key == "Properties") {
        properties(c, v);
        return;
    }
    if (key != "Stage Info") {
        return;
    }
    event_stage &s = c.out->stage;
    fields(c, v, [&](std::string_view name, value inner) {
        if (name == "Stage ID") {
            s.id = id(inner);
        } else if (name == "Stage Attempt ID") {
            int32_t attempt = id(inner);
            s.attempt = attempt < 0 ? 0 : attempt;
        } else if (name == "Stage Name") {
            s.name = text(inner, 256);
        } else if (name == "Number of Tasks") {
            s.tasks = integer(inner, -1);
            s.tasks = s.tasks < 0 ? -1 : s.tasks;
        } else if (name == "Submission Time") {
            s.submitted_ms = metric(inner);
        } else if (name == "Completion Time") {
            s.completed_ms = metric(inner);
        } else if (name == "Failure Reason") {
            s.failure = text(inner, 512);
        } else if (name == "Resource Profile Id") {
            s.profile_id = id(inner);
        } else if (name == "RDD Info") {
            items(c, inner, [&](value rdd) {
                fields(c, rdd, [&](std::string_view n, value content) {
                    s.python = s.python || (n == "Name" && str_is(text(content), "PythonRDD"));
                });
            });
        } else if (name == "Parent IDs") {
            items(c, inner, [&](value p) {
                if (c.parents.size() < EVENT_STAGE_IDS_MAX) {
                    c.parents.push_back(id(p));
                }
            });
        }
    });
    c.essential = s.id >= 0;
    see_time(c, s.submitted_ms);
    see_time(c, s.completed_ms);
}

void job_field(context &c, std::string_view key, value v) {
    event_job &j = c.out->job;
    if (key == "Job ID") {
        j.id = id(v);
        c.essential = j.id >= 0;
    } else if (key == "Submission Time" || key == "Completion Time") {
        see_time(c, metric(v));
    } else if (key == "Properties") {
        properties(c, v);
    } else if (key == "Stage IDs") {
        items(c, v, [&](value s) {
            if (c.ints.size() < EVENT_STAGE_IDS_MAX) {
                c.ints.push_back(id(s));
            }
        });
    } else if (key == "Job Result") {
        fields(c, v, [&](std::string_view name, value inner) {
            if (name == "Result") {
                j.succeeded = !str_is(text(inner), "JobFailed");
            } else if (name == "Exception") {
                fields(c, inner, [&](std::string_view n, value message) {
                    if (n == "Message") {
                        j.error = text(message, 512);
                    }
                });
            }
        });
    }
}

namespace {

void add_metric(context &c, value v) {
    event_plan_metric m = {{"", 0}, {"", 0}, -1};
    fields(c, v, [&](std::string_view key, value inner) {
        if (key == "name") {
            m.name = text(inner, 256);
        } else if (key == "accumulatorId") {
            m.accum_id = integer(inner, -1);
        } else if (key == "metricType") {
            m.type = text(inner, 64);
        }
    });
    if (c.metrics.size() < EVENT_PLAN_METRICS_MAX) {
        c.metrics.push_back(m);
    } else {
        c.out->sql.plan.truncated = true;
    }
}

// A plan nests its children; on-demand values are read in order, so children wait as raw text.
void add_plan(context &c, value root, int depth, int32_t parent) {
    if (c.nodes.size() >= EVENT_PLAN_NODES_MAX || depth > 255) {
        c.out->sql.plan.truncated = true;
        return;
    }
    size_t index = c.nodes.size();
    c.nodes.push_back({{"", 0}, {"", 0}, parent, 0, 0});
    std::vector<event_plan_metric> mine;
    fields(c, root, [&](std::string_view key, value inner) {
        if (key == "nodeName") {
            c.nodes[index].name = text(inner, 256);
        } else if (key == "simpleString") {
            str name = c.nodes[index].name;
            if (str_contains(name, STR("Join")) || str_contains(name, STR("Exchange"))) {
                c.nodes[index].text = text(inner, 256);
            }
        } else if (key == "metrics") {
            size_t first = c.metrics.size();
            items(c, inner, [&](value m) { add_metric(c, m); });
            mine.assign(c.metrics.begin() + static_cast<long>(first), c.metrics.end());
            c.metrics.resize(first);
        } else if (key == "children") {
            items(c, inner,
                  [&](value child) { add_plan(c, child, depth + 1, static_cast<int32_t>(index)); });
        }
    });
    c.nodes[index].first_metric = static_cast<uint32_t>(c.metrics.size());
    c.nodes[index].metric_count = static_cast<uint32_t>(mine.size());
    c.metrics.insert(c.metrics.end(), mine.begin(), mine.end());
}

void driver_update(context &c, value v) {
    int64_t pair[2] = {-1, 0};
    size_t n = 0;
    items(c, v, [&](value x) {
        if (n < 2) {
            pair[n] = integer(x, n == 0 ? -1 : 0);
        }
        n++;
    });
    if (n >= 2 && pair[0] >= 0 && c.accums.size() < EVENT_ACCUMS_MAX) {
        c.accums.push_back({pair[0], pair[1]});
    }
}

} // namespace

void sql_field(context &c, std::string_view key, value v) {
    event_sql &s = c.out->sql;
    if (key == "executionId") {
        s.execution_id = integer(v, -1);
    } else if (key == "rootExecutionId") {
        s.root_execution_id = integer(v, -1);
    } else if (key == "description") {
        s.description = text(v, 256);
    } else if (key == "time") {
        see_time(c, metric(v));
    } else if (key == "errorMessage") {
        std::string_view message;
        if (!v.get_string().get(message)) {
            s.has_error = true;
            s.error = view(message);
            s.error.len = str_cut_utf8(s.error, 512);
        }
    } else if (key == "sparkPlanInfo") {
        add_plan(c, v, 0, -1);
    } else if (key == "sqlPlanMetrics") {
        items(c, v, [&](value m) { add_metric(c, m); });
    } else if (key == "accumUpdates") {
        items(c, v, [&](value u) { driver_update(c, u); });
    }
}

namespace {

void executor_field(context &c, std::string_view key, value v) {
    event_executor &e = c.out->executor;
    if (key == "Executor ID") {
        e.id = text(v, 64);
    } else if (key == "Removed Reason") {
        e.reason = text(v, 512);
    } else if (key == "Executor Info") {
        fields(c, v, [&](std::string_view name, value inner) {
            if (name == "Host") {
                e.host = text(inner, 256);
            } else if (name == "Total Cores") {
                e.cores = metric(inner);
            } else if (name == "Resource Profile Id") {
                e.profile_id = id(inner);
            } else if (name == "Request Time") {
                e.request_ms = metric(inner);
            } else if (name == "Registration Time") {
                e.registration_ms = metric(inner);
            }
        });
    }
}

void profile_field(context &c, std::string_view key, value v) {
    event_resource_profile &p = c.out->profile;
    if (key == "Resource Profile Id") {
        p.id = id(v);
    } else if (key == "Executor Resource Requests") {
        fields(c, v, [&](std::string_view name, value request) {
            fields(c, request, [&](std::string_view n, value amount) {
                int64_t *into = name == "cores"            ? &p.cores
                                : name == "memory"         ? &p.memory_mib
                                : name == "memoryOverhead" ? &p.overhead_mib
                                : name == "offHeap"        ? &p.offheap_mib
                                : name == "pyspark.memory" ? &p.pyspark_mib
                                                           : nullptr;
                if (n == "Amount" && into != nullptr) {
                    *into = metric(amount);
                }
            });
        });
    } else if (key == "Task Resource Requests") {
        fields(c, v, [&](std::string_view name, value request) {
            fields(c, request, [&](std::string_view n, value amount) {
                if (name == "cpus" && n == "Amount") {
                    p.task_cpus = real(amount);
                }
            });
        });
    }
}

void exclusion_field(context &c, std::string_view key, value v) {
    event_exclusion &e = c.out->exclusion;
    if (key == "executorId") {
        e.executor = text(v, 64);
    } else if (key == "hostId") {
        e.host = text(v, 256);
    } else if (key == "taskFailures" || key == "executorFailures") {
        e.failures = metric(v);
    } else if (key == "stageId") {
        e.stage = id(v);
    } else if (key == "stageAttemptId") {
        e.stage_attempt = id(v);
    } else if (key == "time") {
        see_time(c, metric(v));
    }
}

void app_start_field(context &c, std::string_view key, value v) {
    event_app_start &a = c.out->app_start;
    if (key == "App Name") {
        a.name = text(v, 256);
    } else if (key == "App ID") {
        a.app_id = c.out->app_id = text(v, 256);
    } else if (key == "App Attempt ID") {
        a.attempt = c.out->app_attempt = text(v, 32);
    } else if (key == "User") {
        a.user = text(v, 128);
    }
}

} // namespace

void world_field(context &c, std::string_view key, value v) {
    event *out = c.out;
    if (key == "Timestamp") {
        see_time(c, metric(v));
        return;
    }
    switch (out->kind) {
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
        if (key == "Spark Version") {
            out->version = text(v, 64);
        }
        break;
    case EVENT_APP_START:
        app_start_field(c, key, v);
        break;
    case EVENT_APP_END:
        if (key == "ExitCode") {
            int64_t code = integer(v, INT64_MIN);
            out->app_end.has_exit_code = code != INT64_MIN;
            out->app_end.exit_code = code == INT64_MIN ? 0 : code;
        }
        break;
    case EVENT_ENVIRONMENT:
        if (key == "Spark Properties") {
            properties(c, v);
        }
        break;
    case EVENT_RESOURCE_PROFILE:
        profile_field(c, key, v);
        break;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
        executor_field(c, key, v);
        break;
    case EVENT_OTHER:
        break;
    default:
        exclusion_field(c, key, v);
        break;
    }
}

} // namespace decode
