// budget: a bound on the bytes that all partitions of a process keep together. Each has an account:
// it counts what it keeps there, and asks how much it has to let go. It may use what the others do
// not, and is never asked to go far below its share, so one partition cannot push out another's
// state. Accounts are their partitions' alone; between threads stands one sum.
//
// What an account is asked depends on its own bytes, and on the others only if there are any: alone
// it is a function of what it counted.
#pragma once

#include <stdint.h>

#include "base/compiler.h"

struct budget; // opaque

struct budget *budget_new(int64_t limit_bytes);
// After all its accounts were closed. Takes NULL.
void budget_free(struct budget *budget);

struct budget_account {
    struct budget *budget; // NULL: no bound
    int64_t bytes;         // what it counted
    int64_t told_bytes;    // of them in the budget's sum
};

// Opens a zeroed account; any thread.
void budget_open(struct budget_account *account, struct budget *budget);
// Closes it: what it counted is free for others.
void budget_close(struct budget_account *account);
// So many bytes more (or less) are kept. Cheap.
void budget_count(struct budget_account *account, int64_t bytes);
// How many bytes are to be let go now, 0 if none. More than what is too much, an eighth of the
// limit or of the share: so the work of letting go is spread over what comes after.
int64_t budget_excess(const struct budget_account *account);
