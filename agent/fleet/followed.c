// followed: what became of advice. Called by pipelines.c when a run ends. The first run after it
// that has what was advised, where the one before had not, has applied it; what that did is judged
// by judged.c, of that run and of the next one under the same settings, and handed out as a later
// revision of the same recommendation. Advice that twice in a row did not help, surely, is
// withdrawn from each run that is given it again. It must never depend on anything but the
// pipeline's own runs in their order: what is told is part of the state.
//
// Why a revision of the recommendation, and not a record of its own: whoever keeps the newest
// revision of each id holds what stands, what became of it, and nothing that was withdrawn; and
// stage 1, which gives advice as a run goes on, cannot know the runs of a pipeline, as they are
// spread over the partitions of the events.
//
// Applied is told by the settings, all of them: by their meaning, so 4096m is 4g, and what goes
// beyond the advice in its direction counts. Of lines to write it is told by the finding that is
// gone, which is weak, and said to be. Runs that were killed or lost tell nothing.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advise/setting.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "pipelines_priv.h"

enum { VERDICTS_MAX = 2, MISSES_MAX = 2, REVISION_MAX = 999999999 };

static bool is_refuted(const struct advised *f) {
    return f->misses >= MISSES_MAX;
}

// "3.5.6" as settings.def has it; 0 unknown.
static int spark_of(const struct pipeline_run *run) {
    char *end;
    long major = strtol(run->identity.spark_version, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    bool known = major > 0 && major < 10 && minor >= 0 && minor < 100;
    return known ? (int)(major * 100 + minor) : 0;
}

static int64_t settings_hash(const struct pipeline_run *run) {
    struct buf all = {0};
    buf_add_text(&all, run->identity.spark_version);
    for (uint32_t i = 0; i < run->setting_count; i++) {
        const struct told_setting *s = &run->settings[i];
        if (s->value[0] != '\0') {
            buf_printf(&all, "\n%s=%s", s->key, s->value);
        }
    }
    uint64_t hash = hash_siphash13(0, 0, all.data, all.len); // kept: of no process's key
    buf_fini(&all);
    return (int64_t)hash;
}

// What holds in the run: what it was told, else what its Spark does by itself; "" unknown.
static struct str value_in(const struct pipeline_run *run, enum setting setting) {
    for (uint32_t i = 0; i < run->setting_count; i++) {
        const struct told_setting *s = &run->settings[i];
        if (s->value[0] != '\0' && strcmp(s->key, setting_row(setting)->key) == 0) {
            return str_of(s->value);
        }
    }
    return setting_default(setting, spark_of(run));
}

static bool has_setting(const struct pipeline_run *run, const struct followed_setting *s) {
    int setting = setting_of_key(str_of(s->key));
    double now, advised;
    if (setting < 0) {
        return false; // of a later release
    }
    struct str value = value_in(run, (enum setting)setting);
    if (!setting_parse((enum setting)setting, str_of(s->value), &advised) ||
        !setting_parse((enum setting)setting, value, &now)) {
        return str_is(value, s->value);
    }
    return now == advised || (s->towards > 0 && now > advised) || (s->towards < 0 && now < advised);
}

static bool has(const struct pipeline_run *run, const struct advised *f) {
    for (uint32_t i = 0; i < f->setting_count; i++) {
        if (!has_setting(run, &f->settings[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < run->open_count && f->finding > 0; i++) {
        if ((int64_t)run->open[i].kind == f->finding - 1) {
            return false;
        }
    }
    return f->setting_count > 0 || run->status == RUN_SUCCEEDED;
}

static void hand_out(struct pipelines *pipelines, const struct pipeline_run *run,
                     struct recommendation *r) {
    static const enum metric counted[FATE_COUNT] = {
        [FATE_NONE] = METRIC_ADVICE_APPLIED,  [FATE_APPLIED] = METRIC_ADVICE_APPLIED,
        [FATE_HELPED] = METRIC_ADVICE_HELPED, [FATE_NO_EFFECT] = METRIC_ADVICE_NO_EFFECT,
        [FATE_HARMED] = METRIC_ADVICE_HARMED, [FATE_WITHDRAWN] = METRIC_ADVICE_WITHDRAWN,
    };
    metrics_add(counted[r->outcome.fate], 1);
    r->updated_ms = run->time_ms;
    pipelines->output.outcome(pipelines->output.ctx, &run->identity, run->id, r);
}

static void add_others(struct buf *words, uint64_t with) {
    const char *between = " It shares this with advice on ";
    for (int kind = 0; kind < (int)vocabulary_advice_kind.count; kind++) {
        if (advice_kind_known(kind) && (with & advice_bit((enum advice_kind)kind)) != 0) {
            buf_printf(words, "%s%s", between, advice_kind_name((enum advice_kind)kind));
            between = ", ";
        }
    }
    buf_add_text(words, with != 0 ? ", applied by the same run." : "");
}

static void put_words(struct buf *words, const struct judged *judged) {
    static const char *const ends[FATE_COUNT] = {[FATE_APPLIED] = "what it did is not known",
                                                 [FATE_HELPED] = "it helped",
                                                 [FATE_NO_EFFECT] = "it had no effect",
                                                 [FATE_HARMED] = "it harmed"};
    const struct advice_outcome *o = &judged->outcome;
    buf_add_text(words, "Applied: ");
    if (o->per != NULL) {
        buf_printf(words, "%.1f %% %s time per %s%s than before (%lld run%s, up to %.1f %% apart)",
                   100 * (o->change < 0 ? -o->change : o->change), o->change < 0 ? "less" : "more",
                   o->per, strcmp(o->per, "run") == 0 ? "" : " of input", (long long)o->runs,
                   o->runs == 1 ? "" : "s", 100 * o->spread);
    } else {
        buf_add_text(words, judged->why);
    }
    buf_printf(words, ": %s.", ends[o->fate]);
    if (judged->doubt != NULL) {
        buf_printf(words, " Not sure: %s.", judged->doubt);
    }
    add_others(words, o->with);
}

// The recommendation as it stands now, with what became of it.
static void tell(struct pipelines *pipelines, const struct pipeline_run *run, struct advised *f,
                 const struct judged *judged) {
    struct setting_advice settings[FOLLOWED_SETTINGS_MAX];
    struct buf words = {0};
    put_words(&words, judged);
    for (uint32_t i = 0; i < f->setting_count; i++) {
        settings[i] =
            (struct setting_advice){(char *)(uintptr_t)f->settings[i].key, f->settings[i].value};
    }
    f->revision++;
    struct recommendation r = {.kind = advice_kind_name(f->kind),
                               .action = words.data,
                               .settings = settings,
                               .setting_count = f->setting_count,
                               .revision = f->revision,
                               .outcome = judged->outcome};
    memcpy(r.id, f->id, sizeof r.id);
    hand_out(pipelines, run, &r);
    buf_fini(&words);
}

static void judge(struct pipelines *pipelines, const struct pipeline *p,
                  const struct pipeline_run *run, const struct known_run *now, struct advised *f) {
    struct judged judged;
    judged_by(&judged, p, now,
              &(struct application){.number = f->applied,
                                    .settings = f->before,
                                    .share = f->share,
                                    .by_finding = f->finding > 0,
                                    .completeness = run->completeness});
    enum fate fate = judged.outcome.fate;
    judged.outcome.with = (uint64_t)f->with & ~advice_bit(f->kind);
    f->judged += fate != FATE_APPLIED;
    if (judged.outcome.confidence != CONFIDENCE_LOW) {
        f->misses = fate == FATE_HELPED ? 0 : f->misses + (f->misses < MISSES_MAX);
    }
    if (fate != FATE_APPLIED || f->applied == now->number) { // or it was told before
        tell(pipelines, run, f, &judged);
    }
    keep_touch(&f->kept);
}

// The run before it that ended by itself; NULL if none is known.
static const struct known_run *last_before(const struct pipeline *p, const struct known_run *now) {
    for (uint32_t i = p->run_count; i > 0; i--) {
        const struct known_run *run = &p->runs[i - 1];
        if (run->number < now->number && run->ended_ms > 0 &&
            (run->status == RUN_SUCCEEDED || run->status == RUN_FAILED)) {
            return run;
        }
    }
    return NULL;
}

// Whether the run has it, and if it is the first. True if it is to be judged by this run.
static bool look_at(const struct pipeline_run *run, const struct known_run *now,
                    const struct known_run *last, struct advised *f) {
    bool had = f->had;
    if (now->number <= f->given || last == NULL) {
        return false; // it began before the advice
    }
    f->had = has(run, f);
    if (f->had != had) {
        keep_touch(&f->kept);
    }
    if (f->had && !had) {
        f->applied = now->number;
        f->before = last->settings;
        f->after = now->settings;
        f->judged = 0;
        f->with = 0;
        return true;
    }
    return f->had && f->judged < VERDICTS_MAX && f->applied < now->number &&
           f->after == now->settings;
}

static void look_at_all(struct followed *followed, struct pipelines *pipelines,
                        const struct pipeline *p, const struct pipeline_run *run,
                        const struct known_run *now) {
    const struct known_run *last = last_before(p, now);
    bool due[FOLLOWED_MAX] = {false};
    uint64_t applied = 0;
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        struct advised *f = followed->of[i];
        due[i] = f != NULL && look_at(run, now, last, f);
        applied |= due[i] && f->applied == now->number ? advice_bit(f->kind) : 0;
    }
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        struct advised *f = followed->of[i];
        if (due[i]) {
            f->with = f->applied == now->number ? (int64_t)applied : f->with;
            judge(pipelines, p, run, now, f);
        }
    }
}

// The settings of a piece of advice as they are followed up. False: more than can be.
static bool settings_of(const struct pipeline_run *run, const struct run_advice *advice,
                        struct followed_setting *out, uint32_t *count) {
    *count = 0;
    for (uint32_t i = 0; i < run->setting_count; i++) {
        const struct told_setting *s = &run->settings[i];
        int setting = setting_of_key(str_of(s->key));
        double now, advised;
        if (s->advised[0] == '\0' || !str_is(str_of(s->by), advice_kind_name(advice->kind)) ||
            setting < 0 || setting_row((enum setting)setting)->family) {
            continue;
        }
        if (*count == FOLLOWED_SETTINGS_MAX) {
            return false;
        }
        struct followed_setting *f = &out[(*count)++];
        *f = (struct followed_setting){.key = setting_row((enum setting)setting)->key};
        memcpy(f->value, s->advised, sizeof f->value);
        if (setting_parse((enum setting)setting, value_in(run, (enum setting)setting), &now) &&
            setting_parse((enum setting)setting, str_of(f->value), &advised)) {
            f->towards = (advised > now) - (advised < now);
        }
    }
    return true;
}

static bool is_same(const struct advised *f, enum advice_kind kind,
                    const struct followed_setting *settings, uint32_t count) {
    bool same = f->kind == kind && f->setting_count == count;
    for (uint32_t i = 0; same && i < count; i++) { // in the order of the table, both
        same = strcmp(f->settings[i].key, settings[i].key) == 0;
    }
    return same;
}

// Which one goes for another: an empty place, else what was given longest ago; what is refuted
// stays as long as anything else is there, or it would be given again.
static uint32_t place_for(const struct followed *followed) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < FOLLOWED_MAX; i++) {
        const struct advised *f = followed->of[i], *worst = followed->of[at];
        if (f == NULL) {
            return i;
        }
        if (is_refuted(f) != is_refuted(worst) ? is_refuted(worst) : f->given < worst->given) {
            at = i;
        }
    }
    return at;
}

static struct advised *find_or_add(struct followed *followed, enum advice_kind kind,
                                   const struct followed_setting *settings, uint32_t count) {
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        if (followed->of[i] != NULL && is_same(followed->of[i], kind, settings, count)) {
            return followed->of[i];
        }
    }
    struct advised **place = &followed->of[place_for(followed)];
    if (*place == NULL) {
        *place = mem_zalloc(1, sizeof **place);
    }
    struct kept kept = (*place)->kept; // its key stays
    mem_free((*place)->settings);
    **place = (struct advised){.kind = kind, .kept = kept};
    return *place;
}

static void withdraw(struct pipelines *pipelines, const struct pipeline_run *run,
                     const struct run_advice *advice, int32_t revision) {
    char action[] = "Withdrawn: it was applied twice and did not help, in earlier runs of this "
                    "pipeline.";
    struct recommendation r = {.kind = advice_kind_name(advice->kind),
                               .action = action,
                               .revision = revision + 1,
                               .outcome = {.fate = FATE_WITHDRAWN}};
    memcpy(r.id, advice->id, sizeof r.id);
    hand_out(pipelines, run, &r);
}

// From now on this is what is followed up, as it was given to this run.
static void renew(const struct pipeline_run *run, const struct run_advice *advice,
                  const struct followed_setting *settings, uint32_t count, struct advised *f) {
    mem_free(f->settings);
    f->settings = mem_alloc((count + 1) * sizeof *settings);
    if (count > 0) {
        memcpy(f->settings, settings, count * sizeof *settings);
    }
    f->setting_count = count;
    int finding = count == 0 ? kind_parse(str_of(advice->finding)) : -1;
    f->finding = finding + 1;
    f->share = run->duration_s > 0 ? fmin(fmax(advice->saving_s / run->duration_s, 0), 1) : 0;
    f->had = has(run, f);
}

static void follow(struct followed *followed, struct pipelines *pipelines,
                   const struct pipeline_run *run, const struct known_run *now,
                   const struct run_advice *advice) {
    struct followed_setting settings[FOLLOWED_SETTINGS_MAX];
    uint32_t count;
    if (!settings_of(run, advice, settings, &count) ||
        (count == 0 && kind_parse(str_of(advice->finding)) < 0)) {
        return; // nothing would show it
    }
    struct advised *f = find_or_add(followed, advice->kind, settings, count);
    bool in_range = advice->revision > 0 && advice->revision < REVISION_MAX;
    memcpy(f->id, advice->id, sizeof f->id);
    f->revision = in_range ? advice->revision : 1;
    f->given = now->number;
    if (is_refuted(f)) {
        withdraw(pipelines, run, advice, f->revision++);
    }
    renew(run, advice, settings, count, f);
    keep_touch(&f->kept);
}

void followed_end(struct followed *followed, struct pipelines *pipelines,
                  const struct pipeline *pipeline, const struct pipeline_run *run,
                  struct known_run *now) {
    now->settings = settings_hash(run);
    if (now->status != RUN_SUCCEEDED && now->status != RUN_FAILED) {
        return;
    }
    look_at_all(followed, pipelines, pipeline, run, now);
    for (uint32_t i = 0; i < run->advice_count; i++) {
        follow(followed, pipelines, run, now, &run->advice[i]);
    }
}

int64_t followed_bytes(const struct followed *followed) {
    const int64_t block = 32; // beside each block of memory
    int64_t bytes = 0;
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        const struct advised *f = followed->of[i];
        if (f != NULL) {
            bytes += (int64_t)(sizeof *f + f->setting_count * sizeof *f->settings) + 2 * block;
        }
    }
    return bytes;
}

void followed_fini(struct followed *followed) {
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        if (followed->of[i] != NULL) {
            mem_free(followed->of[i]->settings);
            mem_free(followed->of[i]);
            followed->of[i] = NULL;
        }
    }
}
