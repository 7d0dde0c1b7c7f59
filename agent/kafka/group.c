// group: see the header. One admin request over a handle of its own.
#include "kafka/group.h"

#include <stdio.h>

#include "kafka/client_priv.h"

enum { NAMED_MAX = 4, EXTRA_MS = 500 };

static void describe(const rd_kafka_ConsumerGroupDescription_t *group, struct group_view *out,
                     struct buf *who) {
    out->members = rd_kafka_ConsumerGroupDescription_member_count(group);
    client_printable(
        out->state, sizeof out->state,
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group)));
    for (size_t i = 0; i < out->members && i < NAMED_MAX; i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *name = rd_kafka_MemberDescription_group_instance_id(member),
                   *host = rd_kafka_MemberDescription_host(member);
        name = name == NULL ? rd_kafka_MemberDescription_client_id(member) : name;
        buf_printf(who, "%s%s at %s", i > 0 ? ", " : "", name == NULL ? "?" : name,
                   host == NULL ? "?" : host);
    }
    buf_add_text(who, out->members > NAMED_MAX ? ", ..." : "");
}

static enum status take(struct client *client, rd_kafka_event_t *event, const char *name,
                        struct group_view *out, struct buf *who, struct err *err) {
    rd_kafka_resp_err_t code;
    const rd_kafka_ConsumerGroupDescription_t *group = client_group(event, &code);
    if (group != NULL) {
        describe(group, out, who);
        return ST_OK;
    }
    char what[160], trouble[CLIENT_TROUBLE_SIZE];
    client_trouble(client, trouble);
    snprintf(what, sizeof what, "consumer group %.120s", name);
    client_error_right(err, what, code, trouble, "READ");
    return err->status = ST_RETRY;
}

enum status group_look(const struct kafka_settings *settings, const char *group, int timeout_ms,
                       struct group_view *out, struct buf *who, struct err *err) {
    struct client client;
    char text[256];
    *out = (struct group_view){0};
    client_init(&client, &client);
    enum status st = client_open_reader(&client, settings, group, "read_committed", err);
    if (st == ST_OK) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(client.rk);
        rd_kafka_AdminOptions_t *options =
            rd_kafka_AdminOptions_new(client.rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
        rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text, sizeof text);
        rd_kafka_DescribeConsumerGroups(client.rk, (const char *[]){group}, 1, options, queue);
        rd_kafka_AdminOptions_destroy(options);
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + EXTRA_MS);
        st = take(&client, event, group, out, who, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        rd_kafka_queue_destroy(queue);
    }
    client_close(&client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    client_fini(&client);
    return st;
}
