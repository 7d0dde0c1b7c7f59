// test_agent_stuck: a worker in a call that never returns: the process ends, to be started again,
// but not while the brokers are away: then it is right to wait. The hook stands for the call.
#include "world.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STUCK_MS = 1000, LONG_MS = 12000, ENDED_WELL = 3 };

static _Atomic bool standing;

static void never_return(void *ctx, const struct run_identity *identity,
                         const struct bottleneck *bottleneck) {
    (void)ctx, (void)identity, (void)bottleneck;
    atomic_store(&standing, true);
    while (true) {
        clock_sleep_ms(1000);
    }
}

// In a process of its own: an agent with a thread whose worker stands still, for `ms` longer.
static void stand_still(bool brokers_away, int64_t ms) {
    struct world *w = world_new(true);
    struct err err = {0};
    agent_free(w->agent);
    w->options.workers = 1;
    w->options.stuck_ms = STUCK_MS;
    w->options.on_bottleneck = never_return;
    open_agent(w);
    send_log(w, skew_log, "app-1", 0, -1);
    int64_t until_ms = clock_mono_ms() + 30000;
    while (!atomic_load(&standing) && clock_mono_ms() < until_ms) {
        (void)!agent_step(w->agent, 20, &err);
    }
    if (!atomic_load(&standing)) {
        _exit(9);
    }
    if (brokers_away) {
        mock_cluster_down(w->cluster, -1);
        clock_sleep_ms(16000); // the last answer is old
    }
    until_ms = clock_mono_ms() + ms;
    while (clock_mono_ms() < until_ms) {
        (void)!agent_step(w->agent, 20, &err);
    }
    _exit(ENDED_WELL);
}

// How it ended; *said tells if it was in the words that belong to it: a child that fails in any
// other way ends with EXIT_FAILURE too.
static int exit_code_of(bool brokers_away, int64_t ms, bool *said) {
    char log[8192] = "";
    int code = 0;
    FILE *file = tmpfile();
    assert_non_null(file);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(file), STDERR_FILENO);
        stand_still(brokers_away, ms);
    }
    assert_true(child > 0 && waitpid(child, &code, 0) == child && WIFEXITED(code));
    rewind(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    *said = strstr(log, "event=worker_stuck") != NULL;
    return WEXITSTATUS(code);
}

static void a_worker_that_stands_still_ends_the_process(void **state) {
    (void)state;
    bool said = false;
    assert_int_equal(exit_code_of(false, 4 * LONG_MS, &said), EXIT_FAILURE);
    assert_true(said);
}

static void not_while_the_brokers_are_away(void **state) {
    (void)state;
    bool said = true;
    assert_int_equal(exit_code_of(true, LONG_MS, &said), ENDED_WELL);
    assert_false(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_stands_still_ends_the_process),
        cmocka_unit_test(not_while_the_brokers_are_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
