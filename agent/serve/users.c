// users: see the header. Called by http.c for each request.
#include "serve/users.h"

#include <crypt.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

enum { REMEMBERED = 64, TRIES_PER_S = 5, BCRYPT_LEN = 60, HEAD_LEN = 7 };

struct users {
    const struct http_user *list;
    unsigned count;
    uint64_t key[2]; // of what is remembered: nobody else can make the same
    uint64_t right[REMEMBERED];
    unsigned right_next;
    int64_t second; // of the tries below
    unsigned tries;
    struct crypt_data scratch;
};

// Of no password: what an unknown name is tried against, so that it takes as long.
static const char nobody[] = "$2b$10$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234";

// "$2b$10$" and 53 letters of its own alphabet; the two digits are how slow it is, 4 to 31.
bool http_hash_good(const char *hash) {
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bool shaped = strlen(hash) == BCRYPT_LEN && hash[0] == '$' && hash[1] == '2' &&
                  strchr("aby", hash[2]) != NULL && hash[3] == '$' && hash[6] == '$' &&
                  strspn(hash + HEAD_LEN, letters) == BCRYPT_LEN - HEAD_LEN;
    bool digits = shaped && strspn(hash + 4, "0123456789") == 2;
    int cost = digits ? 10 * (hash[4] - '0') + hash[5] - '0' : 0;
    return cost >= 4 && cost <= 31;
}

struct users *users_new(const struct http_user *list, unsigned count) {
    struct users *users = mem_zalloc(1, sizeof *users);
    users->list = list;
    users->count = count;
    require(getrandom(users->key, sizeof users->key, 0) == sizeof users->key);
    return users;
}

void users_free(struct users *users) {
    if (users != NULL) {
        explicit_bzero(&users->scratch, sizeof users->scratch);
        mem_free(users);
    }
}

static const char *hash_of(const struct users *users, const char *name) {
    for (unsigned i = 0; i < users->count; i++) {
        if (strcmp(users->list[i].name, name) == 0) {
            return users->list[i].hash;
        }
    }
    return NULL;
}

// Never 0, which is what an empty place holds.
static uint64_t mark_of(const struct users *users, const char *name, const char *password) {
    uint64_t of_name = hash_siphash13(users->key[0], users->key[1], name, strlen(name));
    return hash_siphash13(users->key[1] ^ of_name, users->key[0], password, strlen(password)) | 1;
}

static bool is_remembered(const struct users *users, uint64_t mark) {
    for (unsigned i = 0; i < REMEMBERED; i++) {
        if (users->right[i] == mark) {
            return true;
        }
    }
    return false;
}

static bool may_try(struct users *users, int64_t now_ms) {
    if (users->second != now_ms / 1000) {
        users->second = now_ms / 1000;
        users->tries = 0;
    }
    return users->tries++ < TRIES_PER_S;
}

// In a time that does not depend on where they differ.
static bool are_equal(const char *a, const char *b) {
    unsigned char differ = strlen(a) != strlen(b);
    for (size_t i = 0; a[i] != '\0' && b[i] != '\0'; i++) {
        differ |= (unsigned char)a[i] ^ (unsigned char)b[i];
    }
    return differ == 0;
}

enum users_verdict users_judge(struct users *users, const char *name, const char *password,
                               int64_t now_ms) {
    if (users->count == 0) {
        return USERS_ALLOWED;
    }
    if (name == NULL || password == NULL) {
        return USERS_REFUSED;
    }
    const char *hash = hash_of(users, name);
    uint64_t mark = mark_of(users, name, password);
    if (hash != NULL && is_remembered(users, mark)) {
        return USERS_ALLOWED;
    }
    if (!may_try(users, now_ms)) {
        return USERS_BUSY;
    }
    const char *against = hash != NULL ? hash : nobody;
    const char *made = crypt_r(password, against, &users->scratch);
    bool right = made != NULL && are_equal(made, against) && hash != NULL;
    if (right) {
        users->right[users->right_next++ % REMEMBERED] = mark;
    }
    return right ? USERS_ALLOWED : USERS_REFUSED;
}
