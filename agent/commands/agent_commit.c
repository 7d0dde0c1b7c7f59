// agent_commit: when work counts as done, and what happens when it cannot be: the order output,
// input, alerts, and the way back to what was committed last. Called by agent.c.
#include <stdio.h>
#include <string.h>

#include "agent_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { RESTART_AFTER_MS = 5000 };

// Where a restart must begin reading to have the state again.
static int64_t needed_offset(const struct agent_part *part) {
    int64_t oldest = part->engine != NULL ? engine_oldest_offset(part->engine)
                                          : pipelines_oldest_offset(part->pipelines);
    return oldest < part->next_offset ? oldest : part->next_offset;
}

static enum status commit_positions(struct agent *agent, struct err *err) {
    struct source_position *positions = mem_alloc(agent->part_count * sizeof *positions);
    size_t count = 0;
    for (uint32_t i = 0; i < agent->part_count; i++) {
        struct agent_part *part = agent->parts[i];
        int64_t offset = part->next_offset < 0 ? -1 : needed_offset(part);
        if (offset >= 0 && offset != part->committed_offset) {
            positions[count++] = (struct source_position){part->topic, part->partition, offset};
        }
    }
    enum status status =
        count == 0 ? ST_OK
                   : kafka_source_commit(agent->source, positions, count, AGENT_FLUSH_MS, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        agent_find_part(agent, positions[i].topic, positions[i].partition)->committed_offset =
            positions[i].offset;
    }
    mem_free(positions);
    return status;
}

enum status agent_commit(struct agent *agent, int flush_ms, struct err *err) {
    if (!agent_send_pending(agent) && !agent->broken) {
        return ST_RETRY;
    }
    enum status status = agent->broken ? ST_ABORT : kafka_sink_flush(agent->sink, flush_ms, err);
    if (status != ST_OK) {
        if (status != ST_RETRY && !agent->broken) {
            agent->broken = true;
            snprintf(agent->trouble, sizeof agent->trouble, "publishing: %.200s", err->text);
            log_error("publish_failed", "error=%s", err->text);
        }
        return status;
    }
    status = commit_positions(agent, err);
    metrics_add(status == ST_OK ? METRIC_COMMITS : METRIC_COMMIT_ERRORS, 1);
    if (status == ST_RETRY) {
        return status; // the same or later positions next time
    }
    if (agent->news_count > 0) {
        alertmanager_update(agent->alerts, agent->news, agent->news_count, clock_wall_ms());
        agent->news_count = 0;
    }
    return ST_OK;
}

// The producer refused records: state and output are at odds. Drop all state and read again from
// what is committed.
enum status agent_start_again(struct agent *agent, int64_t now_ms, struct err *err) {
    if (agent->retry_ms == 0) {
        agent->retry_ms = now_ms + RESTART_AFTER_MS;
        kafka_source_free(agent->source);
        agent->source = NULL;
        agent_drop_pending(agent);
        agent->news_count = 0;
        kafka_sink_flush(agent->sink, AGENT_FLUSH_MS, NULL) == ST_OK ? (void)0
                                                                     : kafka_sink_poll(agent->sink);
    }
    if (now_ms < agent->retry_ms) {
        clock_sleep_ms(50);
        return ST_OK;
    }
    agent->retry_ms = 0;
    agent->broken = agent->paused = false;
    agent->trouble[0] = '\0';
    return agent_open_source(agent, err);
}
