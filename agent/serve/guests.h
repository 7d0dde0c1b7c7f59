// guests: who is connected to the agent's web server: how many may be, from where, and for how
// long. A guest has one request, and a time for it that nothing prolongs: slow senders and slow
// readers are shown out when it is over, and earlier if their place is needed, so a new guest
// always finds one. Whoever asks from this machine never makes room for others. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    GUESTS_MAX = 64,               // at once
    GUESTS_FROM_ONE = 16,          // of them from one address; an IPv6 network of 64 bits is one
    GUEST_PLACES = 2 * GUESTS_MAX, // with those whose socket is shut, but not closed yet
};

struct guest {
    int fd; // -1: the place is free. Not ours to close.
    unsigned char from[16];
    bool local;       // from this machine
    int64_t since_ms; // steady clock
    uint64_t number;  // how many came before: many come within a millisecond
    bool heard;       // its request is whole: the answer goes out
    bool leaving;     // its socket is shut: it counts no more
};

struct guests {
    int64_t head_ms, whole_ms; // time to send a request; to send it and take the answer
    uint64_t admitted;
    struct guest places[GUEST_PLACES];
};

void guests_init(struct guests *guests, int64_t head_ms, int64_t whole_ms);

// A new guest, for whom another may have to go. NULL: there is no place at all until some of those
// that leave are gone.
struct guest *guests_admit(struct guests *guests, int fd, const struct sockaddr *from,
                           int64_t now_ms);
// The place of an open socket; NULL: none.
struct guest *guests_find(struct guests *guests, int fd);
// Its socket is closed: the place is free.
void guests_gone(struct guest *guest);
// Shows out those whose time is over. Returns when the next one's is, INT64_MAX: there is none.
int64_t guests_hurry(struct guests *guests, int64_t now_ms);
