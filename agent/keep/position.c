// position: see the header. Reading trusts nothing.
#include "keep/position.h"

#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

enum { SAMPLE_BYTES = 16, SAMPLES = 3 };

static const struct record_row stamp_rows[] = {
    RECORD_ROW(1, I64, position_stamp, offset, .most = INT64_MAX),
    RECORD_ROW(2, I64, position_stamp, print),
};
static const struct record record_stamp = RECORD_OF("stamp", position_stamp, stamp_rows);

static const struct record_row rows[] = {
    RECORD_ROW(1, I64, position, offset, .most = INT64_MAX),
    RECORD_ROW(2, I64, position, time_ms),
    RECORD_ROW(3, I64, position, ticks),
    RECORD_ROW(4, I64, position, shift, .most = INT64_MAX),
    RECORD_ROW(5, BOOL, position, rooted),
    RECORD_ROW(6, ARRAY, position, stamps, .item = &record_stamp,
               .count_offset = offsetof(struct position, stamp_count), .max = POSITION_STAMPS),
};
static const struct record record_position = RECORD_OF("position", position, rows);

const struct keep_kind keep_kind_position = {
    .letter = '#',
    .form = POSITION_KEY,
    .holds = "how far this state has read its input; `" ROOT_KEY "`, empty, is where it begins",
    .record = &record_position};

// Copies the beginning, the middle and the end of a text into zeroed room for all.
static void sample(char out[SAMPLES * SAMPLE_BYTES], struct str text) {
    size_t some = text.len < SAMPLE_BYTES ? text.len : SAMPLE_BYTES;
    for (size_t i = 0; i < SAMPLES && some > 0; i++) {
        memcpy(out + i * SAMPLE_BYTES, text.p + (text.len - some) * i / (SAMPLES - 1), some);
    }
}

// Not the whole message: it may have megabytes, and each one is printed. The key of the hash is for
// ever: a print is compared after a restart.
static int64_t print_of(const struct message *message) {
    struct {
        int64_t timestamp_ms;
        uint64_t key_bytes, value_bytes;
        char key[SAMPLES * SAMPLE_BYTES], value[SAMPLES * SAMPLE_BYTES];
    } seen = {message->timestamp_ms, message->key.len, message->value.len, {0}, {0}};
    sample(seen.key, message->key);
    sample(seen.value, message->value);
    return (int64_t)hash_siphash13(1, 1, &seen, sizeof seen);
}

void position_take(struct position *position, const struct message *message) {
    if (position->stamp_count == POSITION_STAMPS) {
        position->stamp_count--;
        memmove(&position->stamps[0], &position->stamps[1],
                position->stamp_count * sizeof position->stamps[0]);
    }
    position->stamps[position->stamp_count++] =
        (struct position_stamp){message->offset, print_of(message)};
    position->offset = message->offset + 1;
}

enum position_proof position_prove(const struct position *position, const struct message *message) {
    for (uint32_t i = 0; i < position->stamp_count; i++) {
        if (position->stamps[i].offset == message->offset) {
            return position->stamps[i].print == print_of(message) ? POSITION_SAME
                                                                  : POSITION_ANOTHER;
        }
    }
    return POSITION_UNKNOWN;
}

void position_forget_before(struct position *position, int64_t first) {
    uint32_t gone = 0;
    while (gone < position->stamp_count && position->stamps[gone].offset < first) {
        gone++;
    }
    position->stamp_count -= gone;
    memmove(&position->stamps[0], &position->stamps[gone],
            position->stamp_count * sizeof position->stamps[0]);
}

void position_restart(struct position *position, int64_t offset) {
    if (offset < position->offset) {
        position->shift =
            (int64_t)((uint64_t)position->shift + (uint64_t)(position->offset - offset));
    }
    position->offset = offset;
    position->stamp_count = 0;
}

void position_write(const struct position *position, struct buf *value) {
    value_write(&record_position, position, value);
}

enum status position_read(struct str value, struct position *out, struct err *err) {
    *out = (struct position){0};
    enum status status = value_read(&record_position, value, out, err);
    return status == ST_OK ? status : err_wrap(err, "position");
}
