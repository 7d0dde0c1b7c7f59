// agent_priv: what the files of the agent share.
#pragma once

#include "base/metrics.h"
#include "commands/agent.h"
#include "serve/exposition.h"
#include "serve/http.h"
#include "sink/avro_codec.h"
#include "sink/kafka_sink.h"
#include "source/kafka_source.h"

// One assigned partition, of the events or of the runs topic.
struct agent_part {
    struct agent *agent;
    const char *topic; // one of options.topics
    int32_t partition;
    struct engine *engine;       // events
    struct pipelines *pipelines; // runs
    int64_t next_offset;         // of the next message; -1 before the first
    int64_t committed_offset;    // last committed, -1 if none by us
    int64_t heard_ms;            // monotonic time of the last message
    bool flushed;                // open panes were handed out since
};

// A record that found no room in the producer's queue.
struct agent_pending {
    enum agent_topic topic;
    char *key, *value; // owned
    size_t key_len, value_len;
    struct sink_header headers[5]; // values owned
    size_t header_count;
};

struct agent {
    struct agent_options options;
    struct kafka_source *source;
    struct kafka_sink *sink;
    struct alertmanager *alerts;
    struct http *http;
    struct exposition *exposition;
    struct decoder *decoder;
    struct avro_codec *codec;
    struct agent_part **parts; // owned
    uint32_t part_count, part_cap;
    struct agent_pending *pending;
    uint32_t pending_count, pending_cap;
    struct alert *news; // alerts that changed since the last commit
    uint32_t news_count, news_cap;
    struct buf encoded;
    bool paused, broken; // broken: the producer refused records; start again from what is committed
    char trouble[256];   // why, for /readyz; "" if none
    int64_t started_ms, committed_ms, page_ms, retry_ms;
    int64_t newest_event_ms;
};

enum { AGENT_FLUSH_MS = 5000 };

// agent.c
struct agent_part *agent_find_part(const struct agent *agent, const char *topic, int32_t partition);
enum status agent_open_source(struct agent *agent, struct err *err);

// agent_commit.c
// Output acknowledged, then input committed, then alerts sent. ST_RETRY: not yet, call again.
enum status agent_commit(struct agent *agent, int flush_ms, struct err *err);
// The producer refused records: state and output are at odds. Drops all state and, a while later,
// reads again from what is committed.
enum status agent_start_again(struct agent *agent, int64_t now_ms, struct err *err);

// agent_out.c: records to the producer
extern const struct engine_output agent_engine_output;       // ctx: struct agent_part
extern const struct pipelines_output agent_pipelines_output; // ctx: struct agent_part
void agent_dead_letter(struct agent *agent, const struct message *message, enum metric reason,
                       const char *words);
// Sends what found no room before; true if nothing is left.
bool agent_send_pending(struct agent *agent);
void agent_drop_pending(struct agent *agent);

// agent_pages.c: /metrics, /, /status, readiness
void agent_publish_pages(struct agent *agent, int64_t now_ms);
