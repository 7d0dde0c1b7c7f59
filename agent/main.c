// main: hands the command line to the command table. Knows no command by name.
#include "commands/command.h"
#include "kafka/client.h"

int main(int argc, char **argv) {
    kafka_tune_memory(); // before the first allocation of a client library
    return command_main(argc, argv);
}
