// ship: see the header. Gives each folder's shipper its turn; waits only when none has anything to
// do. Must not know what a shipper does.
#include "ship/ship.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "shipper.h"

enum { IDLE_SLEEP_MS = 20 };

struct ship {
    struct ship_options options;
    struct shipper **shippers; // owned
    bool *done;                // per shipper
    unsigned count;
};

enum status ship_new(const struct ship_options *options, struct ship **out, struct err *err) {
    require(options->folder_count > 0 && options->note != NULL);
    struct ship *ship = mem_zalloc(1, sizeof *ship);
    ship->options = *options;
    ship->shippers = mem_zalloc(options->folder_count, sizeof *ship->shippers);
    ship->done = mem_zalloc(options->folder_count, sizeof *ship->done);
    enum status status = ST_OK;
    while (ship->count < options->folder_count && status == ST_OK) {
        status = shipper_new(&ship->options, options->folders[ship->count],
                             &ship->shippers[ship->count], err);
        ship->count += status == ST_OK;
    }
    if (status != ST_OK) {
        ship_free(ship);
        return ST_FATAL;
    }
    *out = ship;
    return ST_OK;
}

enum status ship_turn(struct ship *ship, int budget_ms, bool *done, struct err *err) {
    bool all_idle = true;
    enum status status = ST_OK;
    *done = true;
    for (unsigned i = 0; i < ship->count && status == ST_OK; i++) {
        bool idle = true;
        if (!ship->done[i]) {
            status = shipper_turn(ship->shippers[i], budget_ms / (int)ship->count + 1, &idle,
                                  &ship->done[i], err);
        }
        all_idle = all_idle && idle;
        *done = *done && ship->done[i];
    }
    if (status == ST_OK && all_idle && !*done) {
        clock_sleep_ms(budget_ms < IDLE_SLEEP_MS ? budget_ms : IDLE_SLEEP_MS);
    }
    return status;
}

enum status ship_finish(struct ship *ship, struct err *err) {
    enum status status = ST_OK;
    for (unsigned i = 0; i < ship->count && status == ST_OK; i++) {
        status = shipper_finish(ship->shippers[i], err);
    }
    return status;
}

void ship_look(const struct ship *ship, struct ship_view *out) {
    *out = (struct ship_view){.ready = true};
    for (unsigned i = 0; i < ship->count; i++) {
        shipper_look(ship->shippers[i], out);
    }
}

void ship_free(struct ship *ship) {
    if (ship == NULL) {
        return;
    }
    for (unsigned i = 0; i < ship->count; i++) {
        shipper_free(ship->shippers[i]);
    }
    mem_free(ship->shippers);
    mem_free(ship->done);
    mem_free(ship);
}
