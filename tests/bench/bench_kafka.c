// bench_kafka bare|plain BROKERS TOPIC MESSAGES [RUNS OUT]: reads a topic from its beginning and
// prints how many bytes a second it took between the first tenth of its messages and the last
// twentieth. bare: a librdkafka consumer that looks at nothing. plain: both stages as in the agent,
// runs by way of the topic RUNS, all other records to OUT, but no transactions and no kept state.
// Run by tests/bench/throughput.py.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "../support/quiet.h"
#include "avro/avro_codec.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "kafka/sink.h"
#include "kafka/source.h"

enum { PARTITIONS_MAX = 64, QUIET_MS = 30000 };

struct meter {
    int64_t total, messages, bytes; // messages there are, and came
    int64_t from_us, from_bytes;
};

static void die(const char *what, const char *why) {
    fprintf(stderr, "bench_kafka: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

// True when enough has come; the figure is printed then.
static bool take(struct meter *meter, size_t bytes) {
    meter->messages++;
    meter->bytes += (int64_t)bytes;
    if (meter->from_us == 0 && meter->messages >= meter->total / 10) {
        meter->from_us = now_us();
        meter->from_bytes = meter->bytes;
    }
    if (meter->messages < meter->total - meter->total / 20) {
        return false;
    }
    double seconds = (double)(now_us() - meter->from_us) / 1e6;
    printf("%.0f\n", (double)(meter->bytes - meter->from_bytes) / seconds);
    return true;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        die(name, text);
    }
}

static void bare(const char *brokers, const char *topic, struct meter *meter) {
    char text[256], group[64];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    snprintf(group, sizeof group, "bench-%ld", (long)getpid());
    set(conf, "bootstrap.servers", brokers);
    set(conf, "group.id", group);
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.auto.commit", "false");
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (rk == NULL) {
        die("consumer", text);
    }
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(rk, 0, rkt, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, "no metadata");
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    for (int p = 0; p < metadata->topics[0].partition_cnt; p++) {
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (bool done = false; !done;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, QUIET_MS);
        if (m == NULL) {
            die(topic, "nothing comes");
        }
        done = m->err == RD_KAFKA_RESP_ERR_NO_ERROR && take(meter, m->len);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
}

struct plain {
    struct avro_codec *codec;
    struct kafka_sink *sink;
    const char *runs, *out;
    struct buf encoded;
};

static void put(struct plain *plain, const char *topic, const char *key) {
    struct err err;
    struct sink_record record = {
        .topic = topic, .key = str_of(key), .value = buf_str(&plain->encoded)};
    enum status status;
    while ((status = kafka_sink_send(plain->sink, &record, &err)) == ST_RETRY) {
    }
    if (status != ST_OK && status != ST_SKIP) {
        die(topic, err.text);
    }
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    struct plain *plain = ctx;
    avro_encode_run(plain->codec, run, &plain->encoded);
    put(plain, plain->runs, run->identity.pipeline);
}
static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *b) {
    struct plain *plain = ctx;
    avro_encode_bottleneck(plain->codec, identity, run_id, b, &plain->encoded);
    put(plain, plain->out, identity->pipeline);
}
static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *r) {
    struct plain *plain = ctx;
    avro_encode_recommendation(plain->codec, identity, run_id, r, &plain->encoded);
    put(plain, plain->out, identity->pipeline);
}
static void on_window(void *ctx, const struct pipeline_window *window) {
    struct plain *plain = ctx;
    avro_encode_window(plain->codec, window, &plain->encoded);
    put(plain, plain->out, window->pipeline);
}

static void take_run(struct plain *plain, struct pipelines *pipelines,
                     const struct message *message) {
    struct pipeline_run run;
    if (avro_decode_run(plain->codec, message->value, AVRO_SKIP_STAGES, &run, NULL) == ST_OK) {
        pipelines_feed(pipelines, &run, message->offset, message->timestamp_ms);
        pipeline_run_fini(&run);
    }
}

static void plain(const char *brokers, const char *topic, const char *runs, const char *out,
                  struct meter *meter) {
    struct err err = {0};
    struct kafka_settings settings = {.brokers = brokers};
    struct plain plain = {.codec = avro_codec_new(), .runs = runs, .out = out};
    const char *const topics[] = {topic, runs};
    struct kafka_sink_options sink_options = {0};
    char group[64];
    snprintf(group, sizeof group, "bench-%ld", (long)getpid());
    struct kafka_source_options options = {
        .group = group, .topics = topics, .topic_count = 2, .alone = true};
    struct kafka_source *source;
    if (kafka_sink_new(&settings, &sink_options, (struct kafka_sink_callbacks){0}, &plain.sink,
                       &err) != ST_OK ||
        kafka_source_new(&settings, &options, (struct kafka_source_callbacks){0}, &source, &err) !=
            ST_OK) {
        die("kafka", err.text);
    }
    struct decoder *decoder = decoder_new(&plain_decode);
    struct engine_options engine_options;
    engine_options_init(&engine_options);
    struct engine_output output = {&plain, on_run, on_bottleneck, on_recommendation};
    struct pipelines_options pipelines_options;
    pipelines_options_init(&pipelines_options);
    struct pipelines_output windows = {&plain, on_window, quiet_alert, quiet_recommendation};
    struct engine *engines[PARTITIONS_MAX] = {0};
    struct pipelines *pipelines[PARTITIONS_MAX] = {0};
    int64_t quiet_ms = clock_mono_ms();
    for (bool done = false; !done;) {
        struct message message;
        if (kafka_source_poll(source, 100, &message, &err) != ST_OK) {
            if (clock_mono_ms() - quiet_ms > QUIET_MS) {
                die(topic, "nothing comes");
            }
            continue;
        }
        quiet_ms = clock_mono_ms();
        if (strcmp(message.topic, runs) == 0) {
            struct pipelines **p = &pipelines[message.partition % PARTITIONS_MAX];
            *p = *p == NULL ? pipelines_new(&pipelines_options, &windows) : *p;
            take_run(&plain, *p, &message);
            continue;
        }
        struct engine **engine = &engines[message.partition % PARTITIONS_MAX];
        *engine = *engine == NULL ? engine_new(&engine_options, decoder, &output) : *engine;
        (void)!engine_feed(*engine, &message, message.value.len, NULL, NULL);
        done = take(meter, message.value.len);
    }
    _exit(fflush(stdout)); // what is left to end costs nothing of what was measured
}

int main(int argc, char **argv) {
    if (argc < 5) {
        die("usage", "bare|plain BROKERS TOPIC MESSAGES [RUNS OUT]");
    }
    struct meter meter = {.total = strtoll(argv[4], NULL, 10)};
    if (strcmp(argv[1], "bare") == 0) {
        bare(argv[2], argv[3], &meter);
    } else if (argc > 6) {
        plain(argv[2], argv[3], argv[5], argv[6], &meter);
    }
    return 0;
}
