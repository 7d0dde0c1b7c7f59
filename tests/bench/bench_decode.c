// bench_decode simd|jansson LOG: decodes every line of a log with one of the two decoders and
// prints how many; no state, no detector. Run by tests/bench/run.sh.
#include <stdio.h>
#include <string.h>

#include "../support/quiet.h"
#include "decode/decode.h"
#include "eventlog/eventlog.h"
#include "oracle.h"
#include "stats/idmap.h"

int main(int argc, char **argv) {
    struct err err = {0};
    struct eventlog *log = NULL;
    bool simd = argc == 3 && strcmp(argv[1], "simd") == 0;
    if (argc != 3 || (!simd && strcmp(argv[1], "jansson") != 0)) {
        fputs("usage: bench_decode simd|jansson LOG\n", stderr);
        return 64;
    }
    if (eventlog_open(argv[2], &log, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    struct decoder *decoder = decoder_new(&plain_decode);
    struct oracle *oracle = oracle_new(&plain_decode);
    const struct idmap none = {0};
    struct str line;
    size_t readable;
    long good = 0, bad = 0;
    while (eventlog_next(log, &line, &readable, &err) == ST_OK && line.p != NULL) {
        struct event event;
        enum status status = simd ? decoder_decode(decoder, line, readable, &none, &event, &err)
                                  : oracle_decode(oracle, line, &none, &event, &err);
        *(status == ST_OK ? &good : &bad) += 1;
    }
    printf("%ld decoded, %ld refused\n", good, bad);
    oracle_free(oracle);
    decoder_free(decoder);
    eventlog_free(log);
    return 0;
}
