// signals: SIGINT and SIGTERM as a flag, SIGPIPE ignored. Called once by each long-running command.
#pragma once

// Becomes nonzero at the first SIGINT or SIGTERM; a second one ends the process at once. Atomic:
// the system may hand a signal to any thread that does not block it, a worker's too.
extern _Atomic int signals_stop;

void signals_catch(void);
