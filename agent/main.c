// main: hands the command line to the command table. Knows no command by name.
#include <stdio.h>

#include "commands/command.h"
#include "kafka/client.h"

int main(int argc, char **argv) {
#ifdef STOKER_NEEDS_AVX2
    if (!__builtin_cpu_supports("avx2")) {
        fputs("stoker: this build needs a processor with AVX2; build with -DSTOKER_PORTABLE=ON\n",
              stderr);
        return EXIT_FAILED;
    }
#endif
    kafka_tune_memory(); // before the first allocation of a client library
    return command_main(argc, argv);
}
