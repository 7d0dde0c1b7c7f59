// signals: SIGINT and SIGTERM as a flag, SIGPIPE ignored. Called once by each long-running command.
#pragma once

#include <signal.h>

// Becomes nonzero at the first SIGINT or SIGTERM; a second one ends the process at once.
extern volatile sig_atomic_t signals_stop;

void signals_catch(void);
