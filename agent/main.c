// main: hands the command line to the command table. Knows no command by name.
#include <stdio.h>

int main(void) {
    puts("stoker");
    return 0;
}
