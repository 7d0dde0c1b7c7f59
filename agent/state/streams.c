// streams: batches of streaming queries, one by one, into a window of the last few. Called by app
// for each progress of a query; allocates for a query that is new.
#include "state/streams.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/scrub.h"

void streams_fini(struct streams *streams) {
    mem_free(streams->list);
    *streams = (struct streams){0};
}

// The same in every process: it is kept.
static int64_t hash_of(struct str text) {
    return (int64_t)(hash_siphash13(0, 0, text.p, text.len) >> 1);
}

static struct stream_query *find(const struct streams *streams, struct str query_id) {
    int64_t id = hash_of(query_id);
    for (uint32_t i = 0; i < streams->count; i++) {
        if (streams->list[i].id == id) {
            return &streams->list[i];
        }
    }
    return NULL;
}

// Room for a query that is new: that of one that ended, if there is no other.
static struct stream_query *make(struct streams *streams, struct str query_id) {
    struct stream_query *stream = NULL;
    if (streams->count < STREAMS_MAX) {
        streams->list = mem_resize(streams->list, streams->count + 1, sizeof *streams->list);
        stream = &streams->list[streams->count++];
    }
    for (uint32_t i = 0; i < streams->count && stream == NULL; i++) {
        stream = streams->list[i].ended ? &streams->list[i] : NULL;
    }
    if (stream != NULL) {
        *stream = (struct stream_query){.id = hash_of(query_id), .batch = -1};
    }
    return stream;
}

// A query that was stopped and started again warms up again; its batches go on being counted.
static void restart(struct stream_query *stream, int64_t run) {
    stream->run = run;
    stream->batch = -1;
    stream->batches = stream->began_ms = stream->took_ms = 0;
    stream->recent_count = 0;
    stream->ended = stream->empty = false;
}

// An idle query tells the number of the batch that is to come, and tells it again with its rows.
static bool is_new(const struct stream_query *stream, const struct event_stream *progress) {
    return progress->batch_id > stream->batch ||
           (progress->batch_id == stream->batch && stream->empty && progress->input_rows > 0);
}

// The time in which the batch's rows came, by the rates that Spark tells and by the batches'
// begins: the longer one counts. A query that looks for rows without a pause tells the rate since
// it last looked, which for rows that come in bursts is far above what comes. 0 unknown.
static int64_t came_in_ms(const struct stream_query *stream, const struct event_stream *progress,
                          int64_t took_ms) {
    int64_t by_begins_ms = 0;
    double by_rates_ms = 0;
    if (stream->began_ms > 0 && progress->began_ms > stream->began_ms) {
        by_begins_ms = progress->began_ms - stream->began_ms;
    }
    if (progress->input_per_s > 0 && progress->processed_per_s > 0) {
        by_rates_ms = (double)took_ms * progress->processed_per_s / progress->input_per_s;
    }
    bool sane = by_rates_ms < (double)EVENT_TIME_MAX_MS;
    int64_t rates_ms = sane ? (int64_t)by_rates_ms : 0;
    return rates_ms > by_begins_ms ? rates_ms : by_begins_ms;
}

static void keep_batch(struct stream_query *stream, int64_t took_ms, int64_t came_ms) {
    if (stream->recent_count == STREAM_BATCHES) {
        stream->recent_count--;
        memmove(stream->recent, stream->recent + 1,
                stream->recent_count * sizeof stream->recent[0]);
    }
    stream->recent[stream->recent_count++] = (struct stream_batch){took_ms, came_ms};
}

// A batch that was done before the next one began waited for its trigger.
static void see_trigger(struct stream_query *stream, int64_t began_ms) {
    int64_t between_ms = stream->began_ms > 0 ? began_ms - stream->began_ms : 0;
    bool waited = stream->took_ms < between_ms - between_ms / 10;
    if (waited && (stream->trigger_ms == 0 || between_ms < stream->trigger_ms)) {
        stream->trigger_ms = between_ms;
    }
}

void streams_progress(struct streams *streams, const struct event_stream *progress) {
    struct stream_query *stream = find(streams, progress->query_id);
    int64_t run = hash_of(progress->run_id);
    stream = stream == NULL ? make(streams, progress->query_id) : stream;
    if (stream == NULL || progress->batch_id < 0) {
        return;
    }
    if (stream->run != run && progress->began_ms < stream->began_ms) {
        return; // of a run before this one, late
    }
    if (stream->run != run) {
        restart(stream, run);
    }
    if (!is_new(stream, progress)) {
        return;
    }
    int64_t took_ms = progress->trigger_ms > 0 ? progress->trigger_ms : progress->batch_ms;
    took_ms = took_ms < EVENT_TIME_MAX_MS ? took_ms : EVENT_TIME_MAX_MS;
    scrub_copy(stream->name, sizeof stream->name, progress->name);
    int64_t came_ms = came_in_ms(stream, progress, took_ms);
    see_trigger(stream, progress->began_ms);
    stream->batch = progress->batch_id;
    stream->began_ms = progress->began_ms;
    stream->took_ms = took_ms;
    stream->empty = progress->input_rows == 0;
    stream->input_per_s = progress->input_per_s;
    stream->processed_per_s = progress->processed_per_s;
    if (stream->empty) {
        stream->recent_count = 0;
    } else if (stream->batches++ > 0 && came_ms > 0) {
        keep_batch(stream, took_ms, came_ms);
    }
}

void streams_ended(struct streams *streams, const struct event_stream *end) {
    struct stream_query *stream = find(streams, end->query_id);
    if (stream != NULL && stream->run == hash_of(end->run_id)) {
        stream->ended = true;
    }
}

static const struct record_row batch_rows[] = {
    RECORD_ROW(1, I64, stream_batch, took_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(2, I64, stream_batch, came_ms, .most = EVENT_TIME_MAX_MS),
};
static const struct record record_batch = RECORD_OF("batch", stream_batch, batch_rows);

static const struct record_row stream_rows[] = {
    RECORD_ROW(1, I64, stream_query, id),
    RECORD_ROW(2, I64, stream_query, run),
    RECORD_ROW(3, CHARS, stream_query, name, .prose = true),
    RECORD_ROW(4, I64, stream_query, batch, .least = -1, .most = INT64_MAX),
    RECORD_ROW(5, I64, stream_query, batches, .most = INT64_MAX),
    RECORD_ROW(6, I64, stream_query, began_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(7, I64, stream_query, took_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(8, I64, stream_query, trigger_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(9, F64, stream_query, input_per_s),
    RECORD_ROW(10, F64, stream_query, processed_per_s),
    RECORD_ROW(11, BOOL, stream_query, empty),
    RECORD_ROW(12, BOOL, stream_query, ended),
    RECORD_AS(13, ARRAY, stream_query, recent, "recent", .item = &record_batch,
              .count_offset = offsetof(struct stream_query, recent_count), .max = STREAM_BATCHES),
};
const struct record record_stream = RECORD_OF("query", stream_query, stream_rows);
