// match: pairs the stages of two runs. Called by compare.c; what two stages have in common is
// worked out by keys made once for each, since an alignment asks for every pair.
#include "runs/match.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

// A stage, as far as others are like it.
struct stage_key {
    uint64_t site;   // hash of match_site
    int64_t shape;   // 0 unknown
    int64_t records; // that it reads
    double size;     // how much it does: what tells equals apart
    int32_t partner;
};

// How much alike two stages are; what is less is not paired.
enum likeness { UNLIKE, SHAPE_ALONE, SITE_ALONE, SITE_NO_SHAPE, SITE_AND_SHAPE };

void match_site(struct str name, struct buf *out) {
    size_t start = out->len, word = start; // where the word begins
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (c == '/') { // what stood before it in the word is a folder
            out->len = word;
        } else if (!isdigit((unsigned char)c)) {
            buf_add_char(out, c);
        }
        word = c == ' ' ? out->len : word;
    }
    while (out->len > start && (out->data[out->len - 1] == ':' || out->data[out->len - 1] == ' ')) {
        out->len--;
    }
    if (out->data != NULL) {
        out->data[out->len] = '\0';
    }
}

static struct stage_key *keys_of(const struct run_facts *run) {
    struct stage_key *keys = mem_zalloc(run->stage_count + 1, sizeof *keys);
    struct buf site = {0};
    for (uint32_t i = 0; i < run->stage_count; i++) {
        const struct stage_facts *stage = &run->stages[i];
        buf_clear(&site);
        match_site(str_of(stage->name), &site);
        double reads = (double)(stage->records > 0 ? stage->records : stage->bytes);
        keys[i] = (struct stage_key){
            .site = hash_siphash13(0, 0, buf_text(&site), site.len),
            .shape = stage->shape,
            .records = stage->records,
            .size = log2(1 + reads) + log2(1 + (double)stage->tasks),
            .partner = -1,
        };
    }
    buf_fini(&site);
    return keys;
}

static enum likeness likeness_of(const struct stage_key *a, const struct stage_key *b) {
    bool known = a->shape != 0 && b->shape != 0, same = known && a->shape == b->shape;
    if (a->site != b->site) {
        return same ? SHAPE_ALONE : UNLIKE;
    }
    return same ? SITE_AND_SHAPE : known ? SITE_ALONE : SITE_NO_SHAPE;
}

// What a pair adds to an alignment: its likeness, and among equals a little for stages of the same
// size.
static double score_of(const struct stage_key *a, const struct stage_key *b) {
    double apart = fmin(fabs(a->size - b->size), 40);
    return (double)likeness_of(a, b) + 0.4 * (1 - apart / 40);
}

static void pair(struct stage_key *a, struct stage_key *b, uint32_t i, uint32_t k) {
    a[i].partner = (int32_t)k;
    b[k].partner = (int32_t)i;
}

static bool are_twins(const struct stage_key *a, const struct stage_key *b) {
    return a->site == b->site && a->records == b->records;
}

// The place of the only twin of a stage in a list; -1 if there is none, or several.
static int32_t only_twin(const struct stage_key *of, const struct stage_key *keys, uint32_t count) {
    int32_t found = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (are_twins(of, &keys[i])) {
            if (found >= 0) {
                return -1;
            }
            found = (int32_t)i;
        }
    }
    return found;
}

// On the same data, what read exactly as much at the same place is the same, wherever it came in
// its run: joins read their sides in any order.
static void pair_twins(struct stage_key *a, uint32_t a_count, struct stage_key *b,
                       uint32_t b_count) {
    for (uint32_t k = 0; k < b_count; k++) {
        int32_t i = b[k].records > 0 ? only_twin(&b[k], a, a_count) : -1;
        if (i >= 0 && only_twin(&b[k], b, b_count) == (int32_t)k) {
            pair(a, b, (uint32_t)i, k);
        }
    }
}

enum step { STEP_A, STEP_B, STEP_BOTH };

// The alignment of most score of those that have no partner: of the first i stages of a and the
// first k of b, row by row; the step that led to each cell is kept.
static void align(struct stage_key *a, uint32_t a_count, struct stage_key *b, uint32_t b_count) {
    size_t width = (size_t)b_count + 1;
    unsigned char *steps = mem_zalloc((size_t)a_count + 1, width);
    double *before = mem_zalloc(width, sizeof *before), *row = mem_zalloc(width, sizeof *row);
    for (uint32_t i = 1; i <= a_count; i++) {
        for (uint32_t k = 1; k <= b_count; k++) {
            bool alike = a[i - 1].partner < 0 && b[k - 1].partner < 0 &&
                         likeness_of(&a[i - 1], &b[k - 1]) != UNLIKE;
            double both = alike ? before[k - 1] + score_of(&a[i - 1], &b[k - 1]) : -1;
            enum step step = before[k] >= row[k - 1] ? STEP_A : STEP_B;
            double best = step == STEP_A ? before[k] : row[k - 1];
            step = both > best ? STEP_BOTH : step; // of equals the first are a pair
            row[k] = step == STEP_BOTH ? both : best;
            steps[i * width + k] = (unsigned char)step;
        }
        double *swap = before;
        before = row;
        row = swap;
    }
    for (uint32_t i = a_count, k = b_count; i > 0 && k > 0;) {
        enum step step = (enum step)steps[i * width + k];
        if (step == STEP_BOTH) {
            pair(a, b, i - 1, k - 1);
        }
        i -= step != STEP_B;
        k -= step != STEP_A;
    }
    mem_free(steps);
    mem_free(before);
    mem_free(row);
}

// What is left, by the number among equals: stages of several threads come in any order, and those
// of long runs are too many to be aligned.
static void pair_rest(struct stage_key *a, uint32_t a_count, struct stage_key *b, uint32_t b_count,
                      enum likeness least) {
    for (uint32_t k = 0; k < b_count; k++) {
        for (uint32_t i = 0; i < a_count && b[k].partner < 0; i++) {
            if (a[i].partner < 0 && likeness_of(&a[i], &b[k]) >= least) {
                pair(a, b, i, k);
            }
        }
    }
}

struct stage_pair *match_stages(const struct run_facts *a, const struct run_facts *b,
                                uint32_t *count) {
    struct stage_key *a_keys = keys_of(a), *b_keys = keys_of(b);
    pair_twins(a_keys, a->stage_count, b_keys, b->stage_count);
    if ((uint64_t)a->stage_count * b->stage_count <= MATCH_CELLS_MAX) {
        align(a_keys, a->stage_count, b_keys, b->stage_count);
    }
    for (enum likeness least = SITE_AND_SHAPE; least >= SITE_ALONE; least--) {
        pair_rest(a_keys, a->stage_count, b_keys, b->stage_count, least);
    }
    struct stage_pair *pairs = mem_alloc((a->stage_count + b->stage_count + 1) * sizeof *pairs);
    *count = 0;
    for (uint32_t k = 0; k < b->stage_count; k++) {
        pairs[(*count)++] = (struct stage_pair){b_keys[k].partner, (int32_t)k};
    }
    for (uint32_t i = 0; i < a->stage_count; i++) {
        if (a_keys[i].partner < 0) {
            pairs[(*count)++] = (struct stage_pair){(int32_t)i, -1};
        }
    }
    mem_free(a_keys);
    mem_free(b_keys);
    return pairs;
}
