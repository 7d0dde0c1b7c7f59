// hosts: by which names the agent's pages may be asked. A browser that a stranger's page drives
// asks with the stranger's name in the request, also when that name's address has become ours: who
// only answers to names of his own cannot be read that way. Pure; any thread.
#pragma once

#include <stdbool.h>

enum { HOST_NAME_MAX_BYTES = 253 };

struct hosts {
    const char *const *names;          // borrowed; the entries of http.hosts
    unsigned count;                    // 0: none
    char own[HOST_NAME_MAX_BYTES + 1]; // this machine's name, "" if it is not known
};

// True if `text` can be an entry: a name, "*.example.com" for every name below it, "*" for any.
bool hosts_good(const char *text);

// True if a request may come with `host`, which is hostile: a name or address with or without a
// port, as in the header Host. An address in numbers, localhost, our own name (whole, or up to its
// first dot) and the entries may; case and one dot at the end do not matter.
bool hosts_allow(const struct hosts *hosts, const char *host);
