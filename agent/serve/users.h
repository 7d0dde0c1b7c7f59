// users: who may see the agent's pages, by name and password: bcrypt hashes, as in the web
// configuration of Prometheus. Private to serve; one thread. A hash is slow to try on purpose, and
// the thread that tries it serves everybody: what was right is remembered, and no more than a few a
// second are tried. Must never keep a password, nor tell by its time whether a name is known.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/http.h"

enum users_verdict { USERS_ALLOWED, USERS_REFUSED, USERS_BUSY };

struct users;

// The list is borrowed until users_free; empty: everybody may. Never fails.
struct users *users_new(const struct http_user *list, unsigned count);
void users_free(struct users *users); // takes NULL

// Who asks: NULL and NULL if nobody said. USERS_BUSY: too many were tried this second. `now_ms`:
// steady clock.
enum users_verdict users_judge(struct users *users, const char *name, const char *password,
                               int64_t now_ms);
