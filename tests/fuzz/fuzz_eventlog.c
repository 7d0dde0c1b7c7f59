// fuzz_eventlog: hostile bytes as an event log. The first byte chooses the name (and so the packing
// where the content is too short to tell), the second how little is read at once and how long a
// line may be; the rest is the log. Checks that reading ends, stays within its buffer, and that the
// end stays the end.
#include <stdint.h>
#include <stdlib.h>

#include "eventlog/eventlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise) {
    if (!promise) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"log",      "a.zst", "a.gz", "a.lz4",
                                        "a.snappy", "a.lzf", "-",    "a.inprogress"};
    if (size < 2) {
        return 0;
    }
    struct eventlog *log = NULL;
    struct err err;
    size_t chunk = (size_t)1 << (data[1] & 15);
    if (eventlog_open_memory(names[data[0] & 7], data + 2, size - 2, chunk, &log, &err) != ST_OK) {
        check(log == NULL);
        return 0;
    }
    size_t limit = (size_t)1 << (data[1] >> 4);
    eventlog_set_max_line(log, limit);
    struct str line;
    size_t readable;
    enum status status;
    unsigned words = 0;
    volatile unsigned char sum = 0;
    do {
        status = eventlog_next(log, &line, &readable, &err);
        check(status == ST_OK || status == ST_SKIP);
        words += status == ST_SKIP && line.p == NULL;
        check(line.p == NULL ||
              (line.len > 0 && line.len <= limit && readable >= line.len + EVENTLOG_PADDING));
        for (size_t i = 0; line.p != NULL && i < line.len + EVENTLOG_PADDING; i++) {
            sum = (unsigned char)(sum ^ (unsigned char)line.p[i]);
        }
    } while (status == ST_SKIP || line.p != NULL);
    check(words <= 1);
    check(eventlog_next(log, &line, &readable, &err) == ST_OK && line.p == NULL);
    eventlog_free(log);
    return 0;
}
