// ledger: see the header. A table of logs by name, walked in the order in which they came.
#include "ledger.h"

#include <string.h>

#include "base/check.h"

static void drop(struct ledger *ledger, struct ledger_log *log) {
    HASH_DEL(ledger->logs, log);
    mem_free(log->losses);
    mem_free(log->name);
    mem_free(log);
}

void ledger_fini(struct ledger *ledger) {
    while (ledger->logs != NULL) {
        drop(ledger, ledger->logs);
    }
    ledger->changed = NULL;
    buf_fini(&ledger->key);
    buf_fini(&ledger->value);
}

struct ledger_log *ledger_of(struct ledger *ledger, struct str name) {
    struct ledger_log *log = NULL;
    HASH_FIND(hh, ledger->logs, name.p, name.len, log);
    if (log == NULL) {
        log = mem_zalloc(1, sizeof *log);
        log->name = mem_strndup(name.p, name.len);
        HASH_ADD_KEYPTR(hh, ledger->logs, log->name, name.len, log);
    }
    return log;
}

enum status ledger_take(struct ledger *ledger, struct str key, struct str value, struct err *err) {
    char kind;
    struct str name;
    if (!shipped_key_read(key, str_of(ledger->cluster), str_of(ledger->shipper), &kind, &name)) {
        return ST_OK;
    }
    struct ledger_log *log = ledger_of(ledger, name);
    enum status status = ST_OK;
    if (kind == 'l') {
        log->known = value.p != NULL;
        log->at = (struct shipped){0};
        status = value.p == NULL ? ST_OK : shipped_read(value, &log->at, err);
    } else if (value.p == NULL) {
        mem_free(log->losses);
        log->losses = NULL;
    } else {
        log->losses = log->losses == NULL ? mem_zalloc(1, sizeof *log->losses) : log->losses;
        status = shipped_losses_read(value, log->losses, err);
    }
    if (!log->known && log->losses == NULL) {
        drop(ledger, log);
    }
    return status == ST_OK ? ST_OK : (err->status = ST_FATAL);
}

void ledger_touch(struct ledger *ledger, struct ledger_log *log) {
    if (!log->changed) {
        log->changed = true;
        log->next_changed = ledger->changed;
        ledger->changed = log;
    }
}

void ledger_lose(struct ledger *ledger, struct ledger_log *log, struct str event,
                 int64_t event_ms) {
    log->losses = log->losses == NULL ? mem_zalloc(1, sizeof *log->losses) : log->losses;
    shipped_lose(log->losses, event, event_ms);
    ledger_touch(ledger, log);
}

void ledger_begin_again(struct ledger *ledger, struct ledger_log *log) {
    log->at.lines = 0;
    log->at.app_id[0] = log->at.attempt[0] = '\0';
    if (log->losses != NULL) {
        *log->losses = (struct shipped_losses){0};
    }
    ledger_touch(ledger, log);
}

// One of the two records of a log, or that it is gone.
static void hand_out(struct ledger *ledger, const struct ledger_log *log, char kind,
                     keep_each_fn each, void *ctx) {
    shipped_key(kind, str_of(ledger->cluster), str_of(ledger->shipper), str_of(log->name),
                &ledger->key);
    if (log->known && kind == 'l') {
        shipped_write(&log->at, &ledger->value);
    } else if (log->known) {
        shipped_losses_write(log->losses, &ledger->value);
    }
    each(ctx, buf_str(&ledger->key), log->known ? buf_str(&ledger->value) : (struct str){0});
}

void ledger_changes(struct ledger *ledger, keep_each_fn each, void *ctx) {
    struct ledger_log *log;
    while ((log = ledger->changed) != NULL) {
        ledger->changed = log->next_changed;
        log->changed = false;
        if (log->moved) {
            log->moved = false;
            buf_clear(&ledger->value);
            follow_position_add(&ledger->value, &log->position);
            require(str_copy(log->at.position, sizeof log->at.position, buf_str(&ledger->value)));
        }
        hand_out(ledger, log, 'l', each, ctx);
        if (log->losses != NULL) {
            hand_out(ledger, log, 'd', each, ctx);
        }
        if (!log->known) {
            drop(ledger, log);
        }
    }
}
