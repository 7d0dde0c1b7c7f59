// fuzz_follow: hostile bytes as a log that grows while it is followed: a few at a time, and now and
// then by a follower that knows nothing but the position kept. Whatever they are, the lines are
// those that reading the whole log gives, once and in order. The first byte chooses the name, the
// second how long a line may be and how much comes at once; the rest is the log, whose bytes also
// say when it is followed anew.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "eventlog/eventlog.h"
#include "eventlog/follow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/stoker-fuzz-XXXXXX"; // what stands for the Xs may have one, too

static void remove_folder(void) {
    rmdir(folder);
}

// One line an entry; of a line beyond the limit only that it came.
static void take(struct buf *came, bool whole, struct str line) {
    buf_add_str(came, whole ? line : STR("(long)"));
    buf_add_char(came, '\n');
}

static bool read_whole(const char *name, const uint8_t *data, size_t size, size_t limit,
                       struct buf *came) {
    struct eventlog *log = NULL;
    struct str line;
    enum status status;
    if (eventlog_open_memory(name, data, size, 4096, &log, NULL) != ST_OK) {
        return false;
    }
    eventlog_set_max_line(log, limit);
    do {
        status = eventlog_next(log, &line, NULL, NULL);
        if (line.p != NULL) {
            take(came, status == ST_OK, line);
        }
    } while (status == ST_SKIP || line.p != NULL);
    eventlog_free(log);
    return true;
}

// What is there. True if the log has ended.
static bool read_some(struct follower *f, struct follow_position *at, struct buf *came) {
    bool ended = false;
    struct follow_item item;
    for (follower_next(f, 0, &item); item.kind != FOLLOW_IDLE; follower_next(f, 0, &item)) {
        require(item.kind != FOLLOW_GONE && item.kind != FOLLOW_AGAIN && item.log != NULL);
        *at = item.position;
        ended = ended || item.kind == FOLLOW_ENDED;
        if (item.kind == FOLLOW_LINE || item.kind == FOLLOW_LONG_LINE) {
            take(came, item.kind == FOLLOW_LINE, item.line);
        }
    }
    return ended;
}

static struct follower *begin(size_t limit, const struct follow_position *at) {
    const char *dirs[] = {folder};
    const struct follow_options options = {.max_line_bytes = limit};
    struct follower *f = NULL;
    struct buf kept = {0};
    struct follow_position back;
    require(follower_new(dirs, 1, &options, &f, NULL) == ST_OK);
    follow_position_add(&kept, at);
    require(follow_position_read(buf_str(&kept), &back));
    require(follower_resume(f, folder, "log", &back));
    buf_fini(&kept);
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"log", "log.zst", "log.gz", "log.lz4", "log.snappy"};
    static bool has_folder;
    struct buf whole = {0}, grown = {0};
    char path[64], final[64];
    if (size < 2) {
        return 0;
    }
    if (!has_folder) {
        require(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
        has_folder = true;
    }
    const char *name = names[data[0] % 5];
    size_t limit = (size_t)1 << (data[1] >> 4), step = (size_t)1 << (data[1] & 15), at = 2;
    snprintf(path, sizeof path, "%s/%s.inprogress", folder, name);
    snprintf(final, sizeof final, "%s/%s", folder, name);
    if (!read_whole(name, data + 2, size - 2, limit, &whole)) {
        buf_fini(&whole);
        return 0;
    }
    FILE *file = fopen(path, "wb");
    struct follow_position position = {0};
    struct follower *f = begin(limit, &position);
    step = step * 32 < size ? size / 32 : step;
    while (at < size) {
        size_t n = step < size - at ? step : size - at;
        require(fwrite(data + at, 1, n, file) == n && fflush(file) == 0);
        at += n;
        require(!read_some(f, &position, &grown));
        if (data[at - 1] % 4 == 0) {
            follower_free(f);
            f = begin(limit, &position);
        }
    }
    require(fclose(file) == 0 && rename(path, final) == 0);
    require(read_some(f, &position, &grown) && position.ended);
    require(strcmp(buf_text(&whole), buf_text(&grown)) == 0);
    follower_free(f);
    require(unlink(final) == 0);
    buf_fini(&whole);
    buf_fini(&grown);
    return 0;
}
