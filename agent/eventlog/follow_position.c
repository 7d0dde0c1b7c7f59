// follow_position: a position as text, and back: what keeps it need not know what is in it. Called
// when positions are kept; the text of a release is read by later ones.
#include "base/check.h"
#include "eventlog/follow.h"

#define FIELDS 10

void follow_position_add(struct buf *out, const struct follow_position *p) {
    buf_printf(out, "1:%lld:%llu:%lld:%llu:%llu:%llu:%lld:%u:%d", (long long)p->part,
               (unsigned long long)p->text_bytes, (long long)p->head_print,
               (unsigned long long)p->mark_bytes, (unsigned long long)p->mark_packed,
               (unsigned long long)p->seen_bytes, (long long)p->seen_ms, p->packing, p->ended);
}

bool follow_position_read(struct str text, struct follow_position *out) {
    int64_t v[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        const char *end = i < FIELDS - 1 ? memchr(text.p, ':', text.len) : text.p + text.len;
        if (end == NULL || !str_to_i64((struct str){text.p, (size_t)(end - text.p)}, &v[i])) {
            return false;
        }
        size_t taken = (size_t)(end - text.p) + (i < FIELDS - 1);
        text = (struct str){text.p + taken, text.len - taken};
    }
    if (v[0] != 1 || v[1] < 0 || v[2] < 0 || v[4] < 0 || v[4] > v[2] || v[5] < 0 || v[6] < 0 ||
        v[8] < 0 || v[8] > UINT8_MAX || v[9] < 0 || v[9] > 1) {
        return false;
    }
    *out = (struct follow_position){
        .part = v[1],
        .text_bytes = (uint64_t)v[2],
        .head_print = (uint64_t)v[3],
        .mark_bytes = (uint64_t)v[4],
        .mark_packed = (uint64_t)v[5],
        .seen_bytes = (uint64_t)v[6],
        .seen_ms = v[7],
        .packing = (uint8_t)v[8],
        .ended = v[9] == 1,
    };
    return true;
}
