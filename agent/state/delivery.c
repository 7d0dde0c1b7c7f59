// delivery: see the header. Called by app.c for every event of a listener that numbers them: one
// look into a short list, and no memory but for gaps.
#include "state/delivery.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "kept_array.h"

void delivery_fini(struct delivery *delivery) {
    rangeset_fini(&delivery->numbers);
}

static int64_t newest(const struct delivery *delivery) {
    const struct rangeset *numbers = &delivery->numbers;
    return numbers->len > 0 ? numbers->ranges[numbers->len - 1].last : 0;
}

static int64_t missing(const struct delivery *delivery) {
    return sat_sub0(newest(delivery), delivery->came);
}

// The numbers below the first one are not missing here.
static void begin_behind(struct delivery *delivery, int64_t number) {
    for (int64_t n = 1; n < number && number <= DELIVERY_HEAD_MAX; n++) {
        delivery->came += rangeset_add(&delivery->numbers, n, DELIVERY_RANGES_MAX, NULL);
    }
}

bool delivery_take(struct delivery *delivery, int64_t number) {
    int64_t last = newest(delivery), before = missing(delivery);
    if (number < 1 || (number > last && number - last > DELIVERY_JUMP_MAX)) {
        metrics_add(METRIC_LISTENER_NUMBERS_IGNORED, 1);
        return false;
    }
    if (delivery->follows && last == 0) {
        begin_behind(delivery, number);
    }
    delivery->came += rangeset_add(&delivery->numbers, number, DELIVERY_RANGES_MAX, NULL);
    return missing(delivery) != before;
}

// Returns by how much.
static int64_t raise_to(int64_t *known, int64_t told) {
    int64_t before = *known;
    *known = told > before ? told : before;
    return *known - before;
}

void delivery_report(struct delivery *delivery, const struct event_listener_report *report) {
    struct event_listener_report *known = &delivery->report;
    raise_to(&known->accepted, report->accepted);
    raise_to(&known->lost_task_ends, report->lost_task_ends);
    raise_to(&known->lost_others, report->lost_others);
    raise_to(&known->lost_unread, report->lost_unread);
    metrics_add(METRIC_LISTENER_CUT, raise_to(&known->cut, report->cut));
    metrics_add(METRIC_LISTENER_SLIMMED, raise_to(&known->slimmed, report->slimmed));
}

void delivery_name(struct delivery *delivery, struct str listener) {
    bool is_version = listener.len > 0 && listener.len <= DELIVERY_LISTENER_MAX;
    for (size_t i = 0; i < listener.len && is_version; i++) {
        is_version = isalnum((unsigned char)listener.p[i]) || strchr(".+-", listener.p[i]) != NULL;
    }
    if (is_version && delivery->listener[0] == '\0') {
        str_copy(delivery->listener, sizeof delivery->listener, listener);
    }
}

struct delivery_loss delivery_loss(const struct delivery *delivery) {
    const struct event_listener_report *report = &delivery->report;
    int64_t told =
        sat_add(sat_add(report->lost_task_ends, report->lost_others), report->lost_unread);
    struct delivery_loss loss = {.sent = newest(delivery),
                                 .lost = missing(delivery),
                                 .task_ends = report->lost_task_ends,
                                 .unread = report->lost_unread,
                                 .cut = report->cut};
    raise_to(&loss.lost, told);
    raise_to(&loss.sent, report->accepted);
    raise_to(&loss.sent, sat_add(loss.lost, loss.cut));
    return loss;
}

double delivery_share(const struct delivery *delivery, int64_t known) {
    struct delivery_loss loss = delivery_loss(delivery);
    int64_t lost = sat_sub0(sat_sub0(loss.lost, loss.unread), known);
    return loss.sent > 0 ? 1 - (double)sat_add(lost, loss.cut) / (double)loss.sent : 1;
}

static bool range_fits(void *object) {
    const struct rangeset_range *range = object;
    return 1 <= range->first && range->first <= range->last;
}
static const struct record_row range_rows[] = {
    RECORD_ROW(1, I64, rangeset_range, first),
    RECORD_ROW(2, I64, rangeset_range, last),
};
static const struct record record_range = {"numbers", sizeof(struct rangeset_range), range_rows,
                                           ARRAY_LEN(range_rows), range_fits};

KEPT_ARRAY(range, delivery, numbers.ranges, numbers.len, numbers.cap, DELIVERY_RANGES_MAX);
static bool range_added(void *delivery, void *item) {
    const struct rangeset_range *range = item;
    return range == ((struct delivery *)delivery)->numbers.ranges ||
           range[-1].last < range->first - 1;
}
static const struct record_list range_list = {range_size, range_at, range_add, range_added};

static const struct record_row delivery_rows[] = {
    RECORD_ROW(1, I64, delivery, came, .most = INT64_MAX),
    RECORD_ROW(2, CHARS, delivery, listener),
    RECORD_AS(3, I64, delivery, report.accepted, "accepted", .most = INT64_MAX),
    RECORD_AS(4, I64, delivery, report.lost_task_ends, "lost_task_ends", .most = INT64_MAX),
    RECORD_AS(5, I64, delivery, report.lost_others, "lost_others", .most = INT64_MAX),
    RECORD_AS(6, I64, delivery, report.lost_unread, "lost_unread", .most = INT64_MAX),
    RECORD_AS(7, I64, delivery, report.cut, "cut", .most = INT64_MAX),
    RECORD_AS(8, I64, delivery, report.slimmed, "slimmed", .most = INT64_MAX),
    RECORD_HOOKED(100, LIST, "numbers", &range_list, .item = &record_range,
                  .max = DELIVERY_RANGES_MAX),
};
const struct record record_delivery = RECORD_OF("delivery", delivery, delivery_rows);
