// findings: groups verdicts for people. Called by the forms for people; O(verdicts x groups), and
// there are not more groups than pairs of kind and cause.
#include "findings.h"

#include <string.h>

#include "base/mem.h"

enum { NO_HEAD = UINT32_MAX };

// The verdict of the same subject with that id, or NULL.
static const struct bottleneck *in_list(struct bottleneck *const *list, uint32_t count,
                                        const char *id) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i]->id, id) == 0) {
            return list[i];
        }
    }
    return NULL;
}

// What explains it, if that stands: of the same subject, or of a stage of the run that it is on.
static const struct bottleneck *root_of(const struct app *app, const struct findings *findings,
                                        const struct bottleneck *b) {
    const struct stage *stage = b->stage >= 0 ? app_stage(app, b->stage, b->stage_attempt) : NULL;
    const struct bottleneck *root =
        stage != NULL ? in_list(stage->verdicts, stage->verdict_count, b->explained_by)
                      : in_list(app->verdicts, app->verdict_count, b->explained_by);
    for (uint32_t i = 0; b->stage < 0 && root == NULL && i < findings->judged; i++) {
        root =
            strcmp(findings->verdicts[i]->id, b->explained_by) == 0 ? findings->verdicts[i] : NULL;
    }
    return root != NULL && root->life != LIFE_RETRACTED ? root : NULL;
}

static bool is_explained(const struct bottleneck *b) {
    return b->explained_by[0] != '\0' && b->severity <= SEVERITY_LOW;
}

void findings_collect(struct findings *findings, const struct app *app) {
    uint32_t worst[KIND_COUNT][CAUSE_COUNT];
    memset(worst, 0xFF, sizeof worst); // NO_HEAD
    *findings = (struct findings){0};
    findings->count = render_verdicts(app, &findings->verdicts);
    findings->head = mem_alloc((findings->count + 1) * sizeof *findings->head);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct bottleneck *b = findings->verdicts[i];
        findings->head[i] = i;
        findings->judged += b->rule_met != TRI_NULL;
        uint32_t *head = &worst[b->kind][b->cause];
        if (b->rule_met != TRI_NULL && !is_explained(b)) {
            *head = *head == NO_HEAD ? i : *head;
            findings->head[i] = *head;
        }
    }
    for (uint32_t i = 0; i < findings->judged; i++) {
        const struct bottleneck *b = findings->verdicts[i], *root;
        if (is_explained(b) && (root = root_of(app, findings, b)) != NULL) {
            uint32_t head = worst[root->kind][root->cause];
            findings->head[i] = head == NO_HEAD ? i : head;
        }
    }
}

void findings_fini(struct findings *findings) {
    mem_free(findings->verdicts);
    mem_free(findings->head);
    *findings = (struct findings){0};
}

bool findings_is_head(const struct findings *findings, uint32_t index) {
    return index < findings->judged && findings->head[index] == index;
}

bool findings_is_explained(const struct findings *findings, uint32_t head, uint32_t index) {
    return index != head && findings->head[index] == head &&
           findings->verdicts[index]->explained_by[0] != '\0' &&
           findings->verdicts[index]->severity > SEVERITY_NEGLIGIBLE;
}

static void add_name(const struct bottleneck *b, struct buf *out) {
    buf_add_text(out, kind_name(b->kind));
    if (b->cause != CAUSE_NONE) {
        buf_printf(out, " (%s)", cause_name(b->cause));
    }
}

void findings_explained_words(const struct bottleneck *explained, struct buf *out) {
    buf_add_text(out, "explains ");
    add_name(explained, out);
    buf_printf(out, ": %s", explained->summary);
}

bool findings_root_words(const struct findings *findings, uint32_t head, struct buf *out) {
    const char *id = findings->verdicts[head]->explained_by;
    for (uint32_t i = 0; i < findings->judged && id[0] != '\0'; i++) {
        const struct bottleneck *b = findings->verdicts[i];
        if (i != head && strcmp(b->id, id) == 0) {
            buf_add_text(out, "root cause: ");
            add_name(b, out);
            if (b->stage >= 0) {
                buf_printf(out, ", stage %d", (int)b->stage);
            }
            return true;
        }
    }
    return false;
}
