// lease: see the header. Must not tell a folder ours before the group said so.
#include "lease.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

enum { FENCES_WITHIN_MS = 60000 };

static void *on_assigned(void *ctx, const char *topic, int32_t partition) {
    struct lease *lease = ctx;
    (void)topic;
    lease->ours |= partition == 0;
    return partition == 0 ? lease : NULL;
}

static void on_revoking(void *ctx, bool lost) {
    struct lease *lease = ctx;
    if (lease->ours) {
        lease->callbacks.going(lease->callbacks.ctx, lost);
    }
}

static void on_revoked(void *ctx, void *owner, bool lost) {
    struct lease *lease = ctx;
    (void)lost;
    if (owner == lease) {
        lease->ours = false;
        lease->callbacks.gone(lease->callbacks.ctx);
    }
}

static enum status join(struct lease *lease, struct err *err) {
    struct kafka_source_options options = {.group = lease->group,
                                           .topics = &lease->options->positions,
                                           .topic_count = 1,
                                           .member = lease->options->member,
                                           .alone = lease->options->alone,
                                           .held = true};
    struct kafka_source_callbacks callbacks = {
        .ctx = lease, .assigned = on_assigned, .revoking = on_revoking, .revoked = on_revoked};
    return kafka_source_new(&lease->options->consumer, &options, callbacks, &lease->source, err);
}

enum status lease_fenced(struct lease *lease, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    metrics_add(METRIC_FENCED, 1);
    bool often = lease->fenced_ms[1] != 0 && now_ms - lease->fenced_ms[1] < FENCES_WITHIN_MS;
    lease->fenced_ms[1] = lease->fenced_ms[0];
    lease->fenced_ms[0] = now_ms;
    return often ? err_set(err, ST_FATAL,
                           "another process ships %s under the same name; give each its own "
                           "agent.instance",
                           lease->folder)
                 : ST_OK;
}

enum status lease_hear(struct lease *lease, struct err *err) {
    struct message message;
    if (lease->source == NULL) {
        return join(lease, err);
    }
    if (kafka_source_poll(lease->source, 0, &message, err) != ST_FATAL) {
        return ST_OK;
    }
    log_warn("shipper_fenced", "folder=%s error=%s", lease->folder, err->text);
    lease_end(lease);
    return lease_fenced(lease, err);
}

bool lease_standby(struct lease *lease, struct buf *reason) {
    bool well = lease->source != NULL && kafka_source_health(lease->source, reason);
    if (well) {
        buf_add_text(reason, "another shipper is at work there; waiting until it is gone");
    }
    return well;
}

void lease_end(struct lease *lease) {
    kafka_source_free(lease->source);
    lease->source = NULL;
}
