// shipped: see the header. Reading trusts nothing.
#include "keep/shipped.h"

#include <string.h>

#include "base/compiler.h"

static const struct record_row shipped_rows[] = {
    RECORD_ROW(1, CHARS, shipped, position),
    RECORD_ROW(2, I64, shipped, lines, .most = INT64_MAX),
    RECORD_ROW(3, I64, shipped, missing_ms, .most = INT64_MAX),
    RECORD_ROW(4, CHARS, shipped, app_id),
    RECORD_ROW(5, CHARS, shipped, attempt),
};
static const struct record record_shipped = RECORD_OF("shipped log", shipped, shipped_rows);

static const struct record_row loss_rows[] = {
    RECORD_ROW(1, CHARS, shipped_loss, event),
    RECORD_ROW(2, I64, shipped_loss, count, .most = INT64_MAX),
};
static const struct record record_loss = RECORD_OF("kind of event", shipped_loss, loss_rows);

static const struct record_row losses_rows[] = {
    RECORD_ROW(1, ARRAY, shipped_losses, kinds, .item = &record_loss,
               .count_offset = offsetof(struct shipped_losses, kind_count), .max = SHIPPED_KINDS),
    RECORD_ROW(2, I64, shipped_losses, total, .most = INT64_MAX),
    RECORD_ROW(3, I64, shipped_losses, told, .most = INT64_MAX),
    RECORD_ROW(4, I64, shipped_losses, time_ms, .most = INT64_MAX),
};
static const struct record record_losses = RECORD_OF("losses", shipped_losses, losses_rows);

static const struct keep_kind kinds[] = {
    {.letter = 'l',
     .owned = true,
     .form = "l<log key>",
     .holds = "how far an event log is shipped (`topics.state_ship`)",
     .record = &record_shipped},
    {.letter = 'd',
     .owned = true,
     .form = "d<log key>",
     .holds = "what of an event log was too large for `topics.events` (`topics.state_ship`)",
     .record = &record_losses},
};
const struct keep_kinds shipped_kinds = {kinds, ARRAY_LEN(kinds)};

void shipped_lose(struct shipped_losses *losses, struct str event, int64_t event_ms) {
    uint32_t i = 0;
    char name[SHIPPED_EVENT_SIZE];
    (void)str_copy(name, sizeof name, event.len > 0 ? event : STR("unknown"));
    while (i < losses->kind_count && strcmp(losses->kinds[i].event, name) != 0) {
        i++;
    }
    if (i >= SHIPPED_KINDS - 1) {
        i = SHIPPED_KINDS - 1;
        (void)str_copy(name, sizeof name, STR("other"));
    }
    if (i >= losses->kind_count) {
        losses->kind_count = i + 1;
        memcpy(losses->kinds[i].event, name, sizeof name);
    }
    losses->kinds[i].count++;
    losses->total++;
    losses->time_ms = event_ms > losses->time_ms ? event_ms : losses->time_ms;
}

void shipped_key(char kind, struct str cluster, struct str shipper, struct str log,
                 struct buf *key) {
    buf_clear(key);
    buf_add_char(key, kind);
    buf_add_str(key, cluster);
    buf_add_char(key, '\n');
    buf_add_str(key, shipper);
    buf_add_char(key, '\n');
    buf_add_str(key, log);
}

// Takes `part` and a line end off the front of *rest.
static bool take_line(struct str *rest, struct str part) {
    if (!str_starts(*rest, part) || rest->len == part.len || rest->p[part.len] != '\n') {
        return false;
    }
    *rest = (struct str){rest->p + part.len + 1, rest->len - part.len - 1};
    return true;
}

bool shipped_key_read(struct str key, struct str cluster, struct str shipper, char *kind,
                      struct str *log) {
    if (key.len == 0) {
        return false;
    }
    *kind = key.p[0];
    *log = (struct str){key.p + 1, key.len - 1};
    return keep_kind_of(&shipped_kinds, key) != NULL && take_line(log, cluster) &&
           take_line(log, shipper);
}

void shipped_write(const struct shipped *shipped, struct buf *value) {
    value_write(&record_shipped, shipped, value);
}

enum status shipped_read(struct str value, struct shipped *out, struct err *err) {
    *out = (struct shipped){0};
    return value_read(&record_shipped, value, out, err);
}

void shipped_losses_write(const struct shipped_losses *losses, struct buf *value) {
    value_write(&record_losses, losses, value);
}

enum status shipped_losses_read(struct str value, struct shipped_losses *out, struct err *err) {
    *out = (struct shipped_losses){0};
    return value_read(&record_losses, value, out, err);
}
