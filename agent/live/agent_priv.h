// agent_priv: what the files of the agent share.
#pragma once

#include "live/agent.h"
#include "serve/exposition.h"
#include "serve/http.h"
#include "worker.h"

struct agent {
    struct agent_options options;
    struct alertmanager *alerts;
    struct http *http;
    struct exposition *exposition;
    struct worker **workers; // owned
    int worker_count, threads;
    int64_t started_ms, page_ms;
    int64_t stuck_since_ms; // monotonic time since when a worker stands still, 0: none does
};

// agent_pages.c: /metrics, /, /status, readiness
void agent_publish_pages(struct agent *agent, int64_t now_ms);
