// mock: wraps librdkafka's mock cluster. The only file that sees rdkafka_mock.h. Called by `demo`
// and by tests; a wrong broker number or topic in a call here is a mistake of ours, so it stops.
#include "kafka/mock.h"

#include <dlfcn.h>

#include "base/check.h"
#include "base/mem.h"
#include "kafka/client_priv.h"

#include <librdkafka/rdkafka_mock.h>

struct mock_cluster {
    struct client client;
    rd_kafka_mock_cluster_t *mock;
};

// Newer libraries can let a group begin at once; 2.0.2 always waits 3 s for a second member.
static void start_groups_at_once(rd_kafka_mock_cluster_t *mock) {
    void (*set_delay)(rd_kafka_mock_cluster_t *, int32_t) = NULL;
    *(void **)&set_delay = dlsym(RTLD_DEFAULT, "rd_kafka_mock_group_initial_rebalance_delay_ms");
    if (set_delay != NULL) {
        set_delay(mock, 0);
    }
}

enum status mock_cluster_new(int brokers, struct mock_cluster **out, struct err *err) {
    struct mock_cluster *cluster = mem_zalloc(1, sizeof *cluster);
    client_init(&cluster->client, cluster);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum status st = client_conf_set(conf, "client.id", "mock-cluster", err);
    if (st == ST_OK) { // or it warns that it has no brokers
        st = client_conf_set(conf, "log_level", "4", err);
    }
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
    } else {
        st = client_open(&cluster->client, KAFKA_PRODUCER, conf, err);
    }
    if (st == ST_OK) {
        cluster->mock = rd_kafka_mock_cluster_new(cluster->client.rk, brokers);
        if (cluster->mock == NULL) {
            st = err_set(err, ST_FATAL, "the mock Kafka cluster cannot listen on 127.0.0.1");
        }
    }
    if (st != ST_OK) {
        mock_cluster_free(cluster);
        return st;
    }
    start_groups_at_once(cluster->mock);
    *out = cluster;
    return ST_OK;
}

void mock_cluster_free(struct mock_cluster *cluster) {
    if (cluster == NULL) {
        return;
    }
    if (cluster->mock != NULL) {
        rd_kafka_mock_cluster_destroy(cluster->mock);
    }
    client_fini(&cluster->client);
    mem_free(cluster);
}

const char *mock_cluster_bootstrap(const struct mock_cluster *cluster) {
    return rd_kafka_mock_cluster_bootstraps(cluster->mock);
}

enum status mock_cluster_create_topic(struct mock_cluster *cluster, const char *name,
                                      int partitions, struct err *err) {
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(cluster->mock, name, partitions, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return err_set(err, ST_ABORT, "topic %s: %s", name, rd_kafka_err2str(code));
    }
    return ST_OK;
}

void mock_cluster_push_error(struct mock_cluster *cluster, enum mock_request request,
                             enum mock_error error, int count) {
    rd_kafka_resp_err_t code = (rd_kafka_resp_err_t)(int)error;
    for (int i = 0; i < count; i++) {
        rd_kafka_mock_push_request_errors_array(cluster->mock, (int16_t)request, 1, &code);
    }
}

void mock_cluster_clear_errors(struct mock_cluster *cluster, enum mock_request request) {
    rd_kafka_mock_clear_request_errors(cluster->mock, (int16_t)request);
}

void mock_cluster_topic_error(struct mock_cluster *cluster, const char *topic, int error) {
    rd_kafka_mock_topic_set_error(cluster->mock, topic, (rd_kafka_resp_err_t)error);
}

void mock_cluster_move(struct mock_cluster *cluster, const char *topic, int partition, int broker) {
    require(rd_kafka_mock_partition_set_leader(cluster->mock, topic, partition, broker) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_cluster_down(struct mock_cluster *cluster, int broker) {
    require(rd_kafka_mock_broker_set_down(cluster->mock, broker) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_cluster_up(struct mock_cluster *cluster, int broker) {
    require(rd_kafka_mock_broker_set_up(cluster->mock, broker) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_cluster_rtt(struct mock_cluster *cluster, int broker, int rtt_ms) {
    require(rd_kafka_mock_broker_set_rtt(cluster->mock, broker, rtt_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
}
