// mock: librdkafka's mock cluster inside this process, a Kafka on 127.0.0.1 for `demo` and tests.
// It keeps about 5 MB a partition (the oldest goes first), has no admin API (topics are made here)
// and takes transactions for plain writes. Never part of a real run.
#pragma once

#include "base/err.h"

struct mock_cluster;

// Requests that errors can be pushed for; the numbers are the Kafka protocol's.
enum mock_request {
    MOCK_PRODUCE = 0,
    MOCK_FETCH = 1,
    MOCK_METADATA = 3,
    MOCK_OFFSET_COMMIT = 8,
    MOCK_FIND_COORDINATOR = 10,
    MOCK_JOIN_GROUP = 11,
    MOCK_HEARTBEAT = 12,
    MOCK_INIT_PRODUCER_ID = 22,
    MOCK_ADD_PARTITIONS = 24,
    MOCK_ADD_OFFSETS = 25,
    MOCK_END_TXN = 26,
    MOCK_TXN_OFFSET_COMMIT = 28,
};

// Answers that can be pushed; the numbers are the Kafka protocol's, MOCK_DISCONNECT is
// librdkafka's.
enum mock_error {
    MOCK_DISCONNECT = -195,
    MOCK_UNKNOWN = -1,
    MOCK_UNKNOWN_TOPIC = 3,
    MOCK_NOT_LEADER = 6,
    MOCK_TIMED_OUT = 7,
    MOCK_TOO_LARGE = 10,
    MOCK_COORDINATOR_LOADS = 14,
    MOCK_COORDINATOR_AWAY = 15,
    MOCK_NOT_COORDINATOR = 16,
    MOCK_NOT_ENOUGH_REPLICAS = 19,
    MOCK_ILLEGAL_GENERATION = 22,
    MOCK_UNKNOWN_MEMBER = 25,
    MOCK_REBALANCE = 27,
    MOCK_TOPIC_DENIED = 29,
    MOCK_GROUP_DENIED = 30,
    MOCK_BAD_TIMESTAMP = 32,
    MOCK_OUT_OF_ORDER = 45,
    MOCK_PRODUCER_EPOCH = 47,
    MOCK_TXN_STATE = 48,
    MOCK_PRODUCER_ID_MAPPING = 49,
    MOCK_CONCURRENT_TXNS = 51,
    MOCK_TXN_DENIED = 53,
    MOCK_UNKNOWN_PRODUCER_ID = 59,
    MOCK_FENCED_INSTANCE = 82,
    MOCK_PRODUCER_FENCED = 90,
};

// Starts a cluster of `brokers` nodes; freed with mock_cluster_free (NULL is fine).
enum status mock_cluster_new(int brokers, struct mock_cluster **out, struct err *err) MUST_USE;
void mock_cluster_free(struct mock_cluster *cluster);

// "127.0.0.1:port,...": what to give as kafka_settings.brokers. Lives as long as the cluster.
const char *mock_cluster_bootstrap(const struct mock_cluster *cluster);
// Makes a topic; ST_ABORT if it exists or the name is refused.
enum status mock_cluster_create_topic(struct mock_cluster *cluster, const char *name,
                                      int partitions, struct err *err) MUST_USE;

// The next `count` requests of this kind, from any client, are answered by `error`.
void mock_cluster_push_error(struct mock_cluster *cluster, enum mock_request request,
                             enum mock_error error, int count);
// Forgets what was pushed for a kind of request.
void mock_cluster_clear_errors(struct mock_cluster *cluster, enum mock_request request);
// Metadata requests for the topic are answered by `error` from here on; 0 ends that.
void mock_cluster_topic_error(struct mock_cluster *cluster, const char *topic, int error);

// Another node (1..n) leads the partition from here on.
void mock_cluster_move(struct mock_cluster *cluster, const char *topic, int partition, int broker);

// One node (1..n), or all of them for -1: cuts its connections and refuses new ones, or not.
void mock_cluster_down(struct mock_cluster *cluster, int broker);
void mock_cluster_up(struct mock_cluster *cluster, int broker);
// Delays every answer of a node (-1: all).
void mock_cluster_rtt(struct mock_cluster *cluster, int broker, int rtt_ms);
