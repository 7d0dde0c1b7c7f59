// guests: see the header. A guest is shown out by shutting its socket, which whoever serves it sees
// as an end; a reset, so that the system keeps nothing for one who does not read. Called by http.c.
#include "serve/guests.h"

#include <netinet/in.h>
#include <string.h>

#include "base/check.h"
#include "base/metrics.h"

void guests_init(struct guests *guests, int64_t head_ms, int64_t whole_ms) {
    *guests = (struct guests){.head_ms = head_ms, .whole_ms = whole_ms};
    for (int i = 0; i < GUEST_PLACES; i++) {
        guests->places[i].fd = -1;
    }
}

// IPv4 as it stands in IPv6, of IPv6 the network; all of this machine is one.
static void place_from(struct guest *guest, const struct sockaddr *from) {
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    memset(guest->from, 0, sizeof guest->from);
    if (from->sa_family == AF_INET) {
        memcpy(guest->from, mapped, sizeof mapped);
        memcpy(guest->from + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        memcpy(guest->from, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    }
    bool v4 = memcmp(guest->from, mapped, sizeof mapped) == 0;
    guest->local = v4 ? guest->from[12] == 127
                      : from->sa_family == AF_INET6 &&
                            IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)from)->sin6_addr);
    if (guest->local) {
        memset(guest->from, 0, sizeof guest->from);
    } else if (!v4) {
        memset(guest->from + 8, 0, 8);
    }
}

static bool counts(const struct guest *guest) {
    return guest->fd >= 0 && !guest->leaving;
}

static int count_from(const struct guests *guests, const struct guest *like) {
    int count = 0;
    for (int i = 0; i < GUEST_PLACES; i++) {
        const struct guest *guest = &guests->places[i];
        count += counts(guest) && (like == NULL || memcmp(guest->from, like->from, 16) == 0);
    }
    return count;
}

static void show_out(struct guest *guest, enum metric reason) {
    struct linger reset = {.l_onoff = 1};
    setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    shutdown(guest->fd, SHUT_RDWR);
    guest->leaving = true;
    metrics_add(reason, 1);
}

// Who goes first: of the address with the most guests, those that have not asked yet, the longest
// there.
static bool goes_before(const struct guests *guests, const struct guest *a, const struct guest *b) {
    int crowd = count_from(guests, a) - count_from(guests, b);
    if (crowd != 0) {
        return crowd > 0;
    }
    return a->heard != b->heard ? !a->heard : a->number < b->number;
}

// One guest goes for another: of the newcomer's address (`crowded`), or of all but this machine's
// own, who make room for each other alone.
static void make_room(struct guests *guests, const struct guest *newcomer, bool crowded) {
    struct guest *first = NULL;
    for (int i = 0; i < GUEST_PLACES; i++) {
        struct guest *guest = &guests->places[i];
        bool same = memcmp(guest->from, newcomer->from, 16) == 0;
        if (counts(guest) && (crowded ? same : !guest->local) &&
            (first == NULL || goes_before(guests, guest, first))) {
            first = guest;
        }
    }
    require(first != NULL); // local guests alone are too few to fill all places
    show_out(first, METRIC_HTTP_CROWDED);
}

struct guest *guests_admit(struct guests *guests, int fd, const struct sockaddr *from,
                           int64_t now_ms) {
    _Static_assert(GUESTS_FROM_ONE < GUESTS_MAX, "one address does not fill all places");
    struct guest *place = guests_find(guests, -1);
    if (place == NULL) {
        return NULL;
    }
    struct guest newcomer = {.fd = fd, .since_ms = now_ms, .number = guests->admitted++};
    place_from(&newcomer, from);
    bool crowded = count_from(guests, &newcomer) >= GUESTS_FROM_ONE;
    if (crowded || count_from(guests, NULL) >= GUESTS_MAX) {
        make_room(guests, &newcomer, crowded);
    }
    *place = newcomer;
    return place;
}

struct guest *guests_find(struct guests *guests, int fd) {
    for (int i = 0; i < GUEST_PLACES; i++) {
        if (guests->places[i].fd == fd) {
            return &guests->places[i];
        }
    }
    return NULL;
}

void guests_gone(struct guest *guest) {
    guest->fd = -1;
}

int64_t guests_hurry(struct guests *guests, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    for (int i = 0; i < GUEST_PLACES; i++) {
        struct guest *guest = &guests->places[i];
        if (!counts(guest)) {
            continue;
        }
        int64_t due_ms = guest->since_ms + (guest->heard ? guests->whole_ms : guests->head_ms);
        if (due_ms <= now_ms) {
            show_out(guest, METRIC_HTTP_SLOW);
        } else if (due_ms < next_ms) {
            next_ms = due_ms;
        }
    }
    return next_ms;
}
