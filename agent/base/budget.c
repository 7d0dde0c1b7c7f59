// budget: see the header. Called by engine and fleet per event; must never lock. The sum is written
// in steps, as a write for each event would make threads wait for each other's cache line: others
// may see an account a step too small or too large, its owner never does.
#include "base/budget.h"

#include <stdatomic.h>

#include "base/check.h"
#include "base/mem.h"

enum { STEP_BYTES = 65536 };

struct budget {
    int64_t limit_bytes;
    _Atomic int64_t told_bytes; // by all accounts
    _Atomic int64_t accounts;   // that are open
};

struct budget *budget_new(int64_t limit_bytes) {
    require(limit_bytes > 0);
    struct budget *budget = mem_zalloc(1, sizeof *budget);
    budget->limit_bytes = limit_bytes;
    return budget;
}

void budget_free(struct budget *budget) {
    require(budget == NULL || atomic_load(&budget->accounts) == 0);
    mem_free(budget);
}

static void tell(struct budget_account *account, int64_t bytes) {
    atomic_fetch_add(&account->budget->told_bytes, bytes - account->told_bytes);
    account->told_bytes = bytes;
}

void budget_open(struct budget_account *account, struct budget *budget) {
    account->budget = budget;
    if (budget != NULL) {
        atomic_fetch_add(&budget->accounts, 1);
    }
}

void budget_close(struct budget_account *account) {
    if (account->budget != NULL) {
        tell(account, 0);
        atomic_fetch_sub(&account->budget->accounts, 1);
    }
    *account = (struct budget_account){0};
}

void budget_count(struct budget_account *account, int64_t bytes) {
    account->bytes += bytes;
    require(account->bytes >= 0);
    int64_t untold = account->bytes - account->told_bytes;
    if (account->budget != NULL && (untold > STEP_BYTES || untold < -STEP_BYTES)) {
        tell(account, account->bytes);
    }
}

int64_t budget_excess(const struct budget_account *account) {
    const struct budget *budget = account->budget;
    if (budget == NULL) {
        return 0;
    }
    int64_t others =
        atomic_load_explicit(&budget->told_bytes, memory_order_relaxed) - account->told_bytes;
    int64_t share =
        budget->limit_bytes / atomic_load_explicit(&budget->accounts, memory_order_relaxed);
    int64_t all = account->bytes + others;
    if (all <= budget->limit_bytes || account->bytes <= share) {
        return 0;
    }
    int64_t of_all = all - (budget->limit_bytes - budget->limit_bytes / 8);
    int64_t of_own = account->bytes - (share - share / 8);
    return of_all < of_own ? of_all : of_own;
}
