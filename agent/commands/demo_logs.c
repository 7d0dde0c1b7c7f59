// demo_logs: see the header. The table of logs is made by the build from tests/fixtures/logs.
#include "demo_logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

struct demo_log {
    const char *name;
    const char *start, *end;
};
extern const struct demo_log demo_log_table[]; // ends with a NULL name

static enum status write_log(const char *path, const struct demo_log *log, struct err *err) {
    FILE *file = fopen(path, "wb");
    size_t size = (size_t)(log->end - log->start);
    bool good = file != NULL && fwrite(log->start, 1, size, file) == size;
    if (file != NULL && fclose(file) != 0) {
        good = false;
    }
    return good ? ST_OK : err_set(err, ST_FATAL, "%s: %s", path, strerror(errno));
}

enum status demo_logs_unpack(struct demo_logs *logs, struct err *err) {
    const char *base = getenv("TMPDIR");
    *logs = (struct demo_logs){0};
    snprintf(logs->folder, sizeof logs->folder, "%.40s/stoker-demo-XXXXXX",
             base == NULL || base[0] == '\0' ? "/tmp" : base);
    if (mkdtemp(logs->folder) == NULL) {
        enum status status = err_set(err, ST_FATAL, "no folder for the demo's logs: %s: %s",
                                     logs->folder, strerror(errno));
        logs->folder[0] = '\0';
        return status;
    }
    for (const struct demo_log *log = demo_log_table;
         log->name != NULL && logs->count < DEMO_LOGS_MAX; log++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s.jsonl.zst", logs->folder, log->name);
        logs->paths[logs->count++] = mem_strdup(buf_text(&path));
        buf_fini(&path);
        enum status status = write_log(logs->paths[logs->count - 1], log, err);
        if (status != ST_OK) {
            return status;
        }
    }
    return ST_OK;
}

void demo_logs_remove(struct demo_logs *logs) {
    for (size_t i = 0; i < logs->count; i++) {
        unlink(logs->paths[i]);
        mem_free(logs->paths[i]);
    }
    if (logs->folder[0] != '\0') {
        rmdir(logs->folder);
    }
    *logs = (struct demo_logs){0};
}
