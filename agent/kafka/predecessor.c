// predecessor: see the header. Two questions to the brokers, one after the other and never waited
// for longer than the caller says: which positions of the group were kept by the earlier release,
// and, if any, whether our namesake owns one of those. What is refused or not known by a broker
// counts as no: then what is open ends by its timeout. Must never take over an id without both
// answers.
#include "kafka/predecessor.h"

#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client_priv.h"
#include "kafka/sink.h"

#define MAGIC 0x50524544u // "PRED"
#define LOOKING "looking for what a predecessor left open"

enum { ASK_MS = 500 };

struct predecessor {
    uint32_t magic;
    struct predecessor_options options;
    struct client client; // a consumer, which never joins
    rd_kafka_queue_t *queue;
    rd_kafka_topic_partition_list_t *former; // partitions with a position of the earlier release
    bool asked;                              // who is in the group, and not answered
    struct kafka_sink *sink;                 // takes the former id over
};

enum status predecessor_new(const struct predecessor_options *options, struct predecessor **out,
                            struct err *err) {
    struct predecessor *p = mem_zalloc(1, sizeof *p);
    *p = (struct predecessor){.magic = MAGIC, .options = *options};
    client_init(&p->client, p);
    // Uncommitted: positions are told although a transaction over them is open.
    enum status st =
        client_open_reader(&p->client, options->consumer, options->group, "read_uncommitted", err);
    if (st != ST_OK) {
        predecessor_free(p);
        return st;
    }
    p->queue = rd_kafka_queue_new(p->client.rk);
    *out = p;
    return ST_OK;
}

static void forget_former(struct predecessor *p) {
    if (p->former != NULL) {
        rd_kafka_topic_partition_list_destroy(p->former);
        p->former = NULL;
    }
}

void predecessor_free(struct predecessor *p) {
    if (p == NULL) {
        return;
    }
    MAGIC_CHECK(p, MAGIC);
    kafka_sink_free(p->sink);
    if (p->queue != NULL) {
        rd_kafka_queue_destroy(p->queue);
    }
    forget_former(p);
    client_close(&p->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    client_fini(&p->client);
    p->magic = 0;
    mem_free(p);
}

// An answer that is an error: ST_RETRY to ask again, if that may help. What a call only waits for,
// as the right to read the group, is told to the consumer.
static enum status unanswered(struct predecessor *p, rd_kafka_resp_err_t code, struct err *err) {
    char trouble[CLIENT_TROUBLE_SIZE];
    rd_kafka_message_t *told = rd_kafka_consumer_poll(p->client.rk, 0);
    if (told != NULL) {
        code = told->err != RD_KAFKA_RESP_ERR_NO_ERROR ? told->err : code;
        rd_kafka_message_destroy(told);
    }
    client_trouble(&p->client, trouble);
    enum status st = client_error(err, LOOKING, code, trouble);
    return code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ? ST_SKIP : st;
}

// All partitions of the topics that are there.
static enum status list_partitions(struct predecessor *p, rd_kafka_topic_partition_list_t *list,
                                   struct err *err) {
    for (size_t i = 0; i < p->options.topic_count; i++) {
        int count = 0;
        rd_kafka_resp_err_t code;
        const char *topic = p->options.topics[i];
        if (client_ask_topic(&p->client, topic, ASK_MS, &count, &code) != ST_OK) {
            return unanswered(p, code, err);
        }
        for (int n = 0; n < count; n++) {
            rd_kafka_topic_partition_list_add(list, topic, n);
        }
    }
    return ST_OK;
}

// Fills p->former.
static enum status ask_positions(struct predecessor *p, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    enum status st = list_partitions(p, list, err);
    if (st == ST_OK && list->cnt > 0) {
        rd_kafka_resp_err_t code = rd_kafka_committed(p->client.rk, list, ASK_MS);
        st = code == RD_KAFKA_RESP_ERR_NO_ERROR ? ST_OK : unanswered(p, code, err);
    }
    if (st == ST_OK) {
        p->former = rd_kafka_topic_partition_list_new(1);
    }
    for (int i = 0; i < list->cnt && st == ST_OK; i++) {
        if (client_former_mark(&list->elems[i])) {
            rd_kafka_topic_partition_list_add(p->former, list->elems[i].topic,
                                              list->elems[i].partition);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return st;
}

// True if it owns one of those partitions, or if a rebalance hides what it owned.
static bool owns_former(const struct predecessor *p, const rd_kafka_MemberDescription_t *member) {
    const rd_kafka_topic_partition_list_t *owned =
        rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member));
    bool owns = owned == NULL || owned->cnt == 0;
    for (int i = 0; !owns && i < owned->cnt; i++) {
        owns = rd_kafka_topic_partition_list_find(p->former, owned->elems[i].topic,
                                                  owned->elems[i].partition) != NULL;
    }
    return owns;
}

// True if our namesake is in the group and owns one of those.
static bool has_predecessor(const struct predecessor *p,
                            const rd_kafka_ConsumerGroupDescription_t *group) {
    bool found = false;
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *name = rd_kafka_MemberDescription_group_instance_id(member);
        found |= name != NULL && strcmp(name, p->options.member) == 0 && owns_former(p, member);
    }
    return found;
}

// ST_OK: *found says whether there is one.
static enum status ask_members(struct predecessor *p, bool *found, struct err *err) {
    if (!p->asked) {
        rd_kafka_DescribeConsumerGroups(p->client.rk, (const char *[]){p->options.group}, 1, NULL,
                                        p->queue);
        p->asked = true;
    }
    rd_kafka_event_t *event = rd_kafka_queue_poll(p->queue, ASK_MS);
    rd_kafka_resp_err_t code;
    const rd_kafka_ConsumerGroupDescription_t *group = client_group(event, &code);
    *found = group != NULL && has_predecessor(p, group);
    enum status st = group != NULL ? ST_OK : unanswered(p, code, err);
    p->asked = event == NULL;
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    return st;
}

// ST_OK and *found: there is one.
static enum status look(struct predecessor *p, bool *found, struct err *err) {
    enum status st = p->former == NULL ? ask_positions(p, err) : ST_OK;
    if (st == ST_OK && p->former->cnt > 0) {
        st = ask_members(p, found, err);
    }
    return st == ST_RETRY ? ST_RETRY : ST_OK;
}

enum status predecessor_end(struct predecessor *p, struct err *err) {
    MAGIC_CHECK(p, MAGIC);
    static const char *const no_topics[] = {NULL};
    if (p->sink == NULL) {
        bool found = false;
        enum status st = look(p, &found, err);
        if (st != ST_OK || !found) {
            return st;
        }
        log_info("predecessor_found", "group=%s member=%s transactional_id=%s", p->options.group,
                 p->options.member, p->options.former);
        struct kafka_sink_options options = {.transactional_id = p->options.former};
        st = kafka_sink_new(p->options.producer, &options, (struct kafka_sink_callbacks){0},
                            &p->sink, err);
        if (st != ST_OK) {
            return st;
        }
    }
    return kafka_sink_open(p->sink, no_topics, ASK_MS, err);
}
