// signals: see the header. The handler only sets a flag.
#include "signals.h"

#include <stddef.h>
#include <unistd.h>

volatile sig_atomic_t signals_stop;

static void on_signal(int number) {
    if (signals_stop != 0) {
        _exit(128 + number);
    }
    signals_stop = 1;
}

void signals_catch(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}
