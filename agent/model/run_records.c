// run_records: the tables of the records that leave the agent. Walked by the codec (by name) and by
// keep (by number).
#include "base/compiler.h"
#include "model/run.h"

static const struct record_row identity[] = {
    RECORD_ROW(1, CHARS, run_identity, cluster),
    RECORD_ROW(2, CHARS, run_identity, app_id),
    RECORD_ROW(3, CHARS, run_identity, attempt),
    RECORD_ROW(4, CHARS, run_identity, pipeline, .prose = true),
    RECORD_ROW(5, CHARS, run_identity, app_name, .prose = true),
    RECORD_ROW(6, CHARS, run_identity, user, .prose = true),
    RECORD_ROW(7, CHARS, run_identity, spark_version),
};
const struct record record_run_identity = RECORD_OF("identity", run_identity, identity);

// What app_totals works out anew is not kept.
static const struct record_row totals[] = {
    RECORD_AS(0, I64, run_totals, records, "total_records"),
    RECORD_ROW(0, WORD, run_totals, records_from, .words = &vocabulary_records_from),
    RECORD_ROW(0, I64, run_totals, data_size_bytes),
    RECORD_ROW(0, BOOL, run_totals, data_size_is_files),
    RECORD_ROW(1, I64, run_totals, input_bytes),
    RECORD_ROW(2, I64, run_totals, input_records),
    RECORD_ROW(3, I64, run_totals, output_bytes),
    RECORD_ROW(4, I64, run_totals, output_records),
    RECORD_ROW(5, I64, run_totals, shuffle_read_bytes),
    RECORD_ROW(6, I64, run_totals, shuffle_write_bytes),
    RECORD_ROW(7, I64, run_totals, memory_spilled_bytes),
    RECORD_ROW(8, I64, run_totals, disk_spilled_bytes),
    RECORD_ROW(9, I64, run_totals, run_ms),
    RECORD_ROW(10, I64, run_totals, cpu_ns),
    RECORD_ROW(11, I64, run_totals, gc_ms),
    RECORD_ROW(12, I64, run_totals, task_ms),
    RECORD_ROW(13, I64, run_totals, wasted_ms),
    RECORD_ROW(14, I64, run_totals, tasks),
    RECORD_ROW(15, I64, run_totals, tasks_failed),
    RECORD_ROW(16, I64, run_totals, tasks_killed),
    RECORD_AS(17, I64, run_totals, stages, "stage_count"),
    RECORD_ROW(18, I64, run_totals, jobs),
    RECORD_ROW(19, I64, run_totals, jobs_failed),
};
const struct record record_run_totals = RECORD_OF("totals", run_totals, totals);

static const struct record_row stage_summary[] = {
    RECORD_ROW(1, I32, stage_summary, stage),
    RECORD_ROW(2, I32, stage_summary, attempt),
    RECORD_ROW(3, CHARS, stage_summary, name, .prose = true),
    RECORD_ROW(4, I64, stage_summary, submitted_ms),
    RECORD_ROW(5, I64, stage_summary, completed_ms),
    RECORD_ROW(6, I64, stage_summary, tasks_expected),
    RECORD_ROW(7, I64, stage_summary, tasks),
    RECORD_ROW(8, I64, stage_summary, tasks_failed),
    RECORD_ROW(9, I64, stage_summary, tasks_killed),
    RECORD_ROW(10, F64, stage_summary, mean_task_ms),
    RECORD_ROW(11, I64, stage_summary, max_task_ms),
    RECORD_ROW(12, I64, stage_summary, memory_spilled_bytes),
    RECORD_ROW(13, I64, stage_summary, disk_spilled_bytes),
    RECORD_ROW(14, I64, stage_summary, shuffle_read_bytes),
    RECORD_ROW(15, I64, stage_summary, shuffle_write_bytes),
    RECORD_ROW(16, I64, stage_summary, input_bytes),
    RECORD_ROW(17, I64, stage_summary, input_records),
    RECORD_ROW(18, I64, stage_summary, output_bytes),
    RECORD_ROW(19, I64, stage_summary, output_records),
    RECORD_ROW(20, I64, stage_summary, run_ms),
    RECORD_ROW(21, I64, stage_summary, cpu_ns),
    RECORD_ROW(22, I64, stage_summary, gc_ms),
    RECORD_ROW(23, I64, stage_summary, read_ns),
    RECORD_ROW(24, BOOL, stage_summary, failed),
};
const struct record record_stage_summary = RECORD_OF("stage", stage_summary, stage_summary);

static bool has_name(void *object) {
    const struct evidence *evidence = object;
    return evidence->name != NULL;
}

static const struct record_row evidence[] = {
    RECORD_ROW(1, NAME, evidence, name),
    RECORD_ROW(2, F64, evidence, value),
};
const struct record record_evidence = {"evidence", sizeof(struct evidence), evidence,
                                       ARRAY_LEN(evidence), has_name};

enum { REVISION_MAX = 999999999 }; // leaves room to rise

static const struct record_row bottleneck[] = {
    RECORD_ROW(1, CHARS, bottleneck, id),
    RECORD_ROW(2, WORD, bottleneck, kind, .words = &vocabulary_kind),
    RECORD_ROW(3, I32, bottleneck, stage),
    RECORD_ROW(4, I32, bottleneck, stage_attempt),
    RECORD_ROW(5, I32, bottleneck, rule_met, .least = TRI_NULL, .most = TRI_TRUE),
    RECORD_ROW(6, NAME, bottleneck, reason),
    RECORD_ROW(7, WORD, bottleneck, severity, .words = &vocabulary_severity),
    RECORD_ROW(8, WORD, bottleneck, cause, .words = &vocabulary_cause),
    RECORD_AS(9, WORD, bottleneck, life, "state", .words = &vocabulary_life),
    RECORD_ROW(10, I32, bottleneck, revision, .most = REVISION_MAX),
    RECORD_ROW(11, F64, bottleneck, saving_s, .most = INT64_MAX),
    RECORD_ROW(12, F64, bottleneck, saving_share),
    RECORD_ROW(13, WORD, bottleneck, floor, .words = &vocabulary_severity),
    RECORD_ROW(14, WORD, bottleneck, cap, .words = &vocabulary_severity),
    RECORD_ROW(15, BOOL, bottleneck, published),
    RECORD_ROW(23, BOOL, bottleneck, untold),
    RECORD_ROW(16, F64, bottleneck, completeness),
    RECORD_ROW(17, I64, bottleneck, opened_ms),
    RECORD_ROW(18, I64, bottleneck, updated_ms),
    RECORD_ROW(19, CHARS, bottleneck, summary, .prose = true),
    RECORD_ROW(20, WORD, bottleneck, confidence, .words = &vocabulary_confidence),
    RECORD_ROW(21, NAME, bottleneck, confidence_why),
    RECORD_ROW(22, CHARS, bottleneck, explained_by),
    RECORD_ROW(219, ARRAY, bottleneck, evidence, .item = &record_evidence,
               .count_offset = offsetof(struct bottleneck, evidence_count), .max = EVIDENCE_MAX),
};
const struct record record_bottleneck = RECORD_OF("verdict", bottleneck, bottleneck);

static const struct record_row open_bottleneck[] = {
    RECORD_ROW(0, CHARS, open_bottleneck, id),
    RECORD_ROW(0, WORD, open_bottleneck, kind, .words = &vocabulary_kind),
    RECORD_ROW(0, WORD, open_bottleneck, severity, .words = &vocabulary_severity),
    RECORD_ROW(0, WORD, open_bottleneck, floor, .words = &vocabulary_severity),
    RECORD_ROW(0, WORD, open_bottleneck, cause, .words = &vocabulary_cause),
    RECORD_ROW(0, WORD, open_bottleneck, confidence, .words = &vocabulary_confidence),
    RECORD_ROW(0, I32, open_bottleneck, stage),
    RECORD_ROW(0, I32, open_bottleneck, stage_attempt),
    RECORD_ROW(0, F64, open_bottleneck, saving_s),
    RECORD_ROW(0, CHARS, open_bottleneck, summary, .prose = true),
};
const struct record record_open_bottleneck =
    RECORD_OF("open bottleneck", open_bottleneck, open_bottleneck);

static const struct record_row setting_advice[] = {
    RECORD_ROW(0, TEXT, setting_advice, key),
    RECORD_ROW(0, TEXT, setting_advice, value),
};
const struct record record_setting_advice = RECORD_OF("setting", setting_advice, setting_advice);

static const struct record_row own_setting[] = {
    RECORD_ROW(0, TEXT, own_setting, key),
    RECORD_ROW(0, TEXT, own_setting, value),
    RECORD_ROW(0, TEXT, own_setting, fits),
    RECORD_ROW(0, BOOL, own_setting, by_program),
};
const struct record record_own_setting = RECORD_OF("setting of the run", own_setting, own_setting);

static const struct record_row advice_outcome[] = {
    RECORD_AS(0, WORD, advice_outcome, fate, "outcome", .words = &vocabulary_fate),
    RECORD_AS(0, F64, advice_outcome, change, "outcome_change"),
    RECORD_AS(0, F64, advice_outcome, spread, "outcome_spread"),
    RECORD_AS(0, I64, advice_outcome, runs, "outcome_runs"),
    RECORD_AS(0, NAME, advice_outcome, per, "outcome_per"),
    RECORD_AS(0, WORD, advice_outcome, confidence, "outcome_confidence",
              .words = &vocabulary_confidence),
};
static const struct record record_advice_outcome =
    RECORD_OF("what became of advice", advice_outcome, advice_outcome);

// `bottlenecks` is a list of ids and `with` a set of words, which no row describes.
static const struct record_row recommendation[] = {
    RECORD_ROW(0, CHARS, recommendation, id),
    RECORD_ROW(0, NAME, recommendation, kind),
    RECORD_ROW(0, TEXT, recommendation, action),
    RECORD_ROW(0, TEXT, recommendation, code),
    RECORD_ROW(0, NAME, recommendation, when_not),
    RECORD_ROW(0, LIST, recommendation, settings, .item = &record_setting_advice,
               .count_offset = offsetof(struct recommendation, setting_count), .max = UINT32_MAX),
    RECORD_AS(0, LIST, recommendation, own, "set_on_purpose", .item = &record_own_setting,
              .count_offset = offsetof(struct recommendation, own_count), .max = UINT32_MAX),
    RECORD_ROW(0, F64, recommendation, saving_s),
    RECORD_ROW(0, CHARS, recommendation, saving_how),
    RECORD_ROW(0, I32, recommendation, revision),
    RECORD_ROW(0, I64, recommendation, updated_ms),
    RECORD_ROW(0, INLINE, recommendation, outcome, .item = &record_advice_outcome),
};
const struct record record_recommendation =
    RECORD_OF("recommendation", recommendation, recommendation);

static const struct record_row told_setting[] = {
    RECORD_ROW(0, CHARS, told_setting, key),
    RECORD_ROW(0, CHARS, told_setting, value, .prose = true),
    RECORD_ROW(0, CHARS, told_setting, advised),
    RECORD_ROW(0, CHARS, told_setting, by),
};
static const struct record record_told_setting =
    RECORD_OF("setting of a run", told_setting, told_setting);

static const struct record_row run_advice[] = {
    RECORD_ROW(0, CHARS, run_advice, id),
    RECORD_ROW(0, WORD, run_advice, kind, .words = &vocabulary_advice_kind),
    RECORD_ROW(0, I32, run_advice, revision),
    RECORD_ROW(0, CHARS, run_advice, finding),
    RECORD_ROW(0, F64, run_advice, saving_s),
};
static const struct record record_run_advice = RECORD_OF("advice of a run", run_advice, run_advice);

// `recommendations` is a list of texts and `limits` a set of words, which no row describes.
static const struct record_row pipeline_run[] = {
    RECORD_ROW(0, INLINE, pipeline_run, identity, .item = &record_run_identity),
    RECORD_AS(0, CHARS, pipeline_run, id, "run_id"),
    RECORD_ROW(0, I64, pipeline_run, revision),
    RECORD_ROW(0, I64, pipeline_run, started_ms),
    RECORD_ROW(0, I64, pipeline_run, ended_ms),
    RECORD_ROW(0, I64, pipeline_run, time_ms),
    RECORD_ROW(0, F64, pipeline_run, duration_s),
    RECORD_ROW(0, WORD, pipeline_run, status, .words = &vocabulary_run_status),
    RECORD_ROW(0, CHARS, pipeline_run, failure, .prose = true),
    RECORD_ROW(0, INLINE, pipeline_run, totals, .item = &record_run_totals),
    RECORD_ROW(0, F64, pipeline_run, records_per_s),
    RECORD_ROW(0, F64, pipeline_run, gb_per_h),
    RECORD_ROW(0, F64, pipeline_run, completeness),
    RECORD_ROW(0, LIST, pipeline_run, stages, .item = &record_stage_summary,
               .count_offset = offsetof(struct pipeline_run, stage_count), .max = RUN_STAGES_MAX),
    RECORD_AS(0, LIST, pipeline_run, open, "open_bottlenecks", .item = &record_open_bottleneck,
              .count_offset = offsetof(struct pipeline_run, open_count), .max = RUN_OPEN_MAX),
    RECORD_AS(0, I64, pipeline_run, open_by_severity[SEVERITY_LOW], "open_low"),
    RECORD_AS(0, I64, pipeline_run, open_by_severity[SEVERITY_MODERATE], "open_moderate"),
    RECORD_AS(0, I64, pipeline_run, open_by_severity[SEVERITY_SEVERE], "open_severe"),
    RECORD_AS(0, I64, pipeline_run, open_by_severity[SEVERITY_CRITICAL], "open_critical"),
    RECORD_ROW(0, BOOL, pipeline_run, shortened),
    RECORD_ROW(0, I64, pipeline_run, events_lost),
    RECORD_ROW(0, I64, pipeline_run, events_cut),
    RECORD_ROW(0, CHARS, pipeline_run, listener),
    RECORD_ROW(0, LIST, pipeline_run, settings, .item = &record_told_setting,
               .count_offset = offsetof(struct pipeline_run, setting_count),
               .max = RUN_SETTINGS_MAX),
    RECORD_ROW(0, LIST, pipeline_run, advice, .item = &record_run_advice,
               .count_offset = offsetof(struct pipeline_run, advice_count), .max = RUN_ADVICE_MAX),
};
const struct record record_pipeline_run = RECORD_OF("run", pipeline_run, pipeline_run);

// More runs than that were never counted anywhere.
#define COUNT_MAX (INT64_C(1) << 40)

static const struct record_row pipeline_window[] = {
    RECORD_ROW(0, CHARS, pipeline_window, cluster),
    RECORD_ROW(0, CHARS, pipeline_window, pipeline),
    RECORD_ROW(0, I64, pipeline_window, pane_start_ms),
    RECORD_ROW(0, I64, pipeline_window, pane_end_ms),
    RECORD_ROW(0, I64, pipeline_window, window_start_ms),
    RECORD_ROW(2, I64, pipeline_window, runs, .most = COUNT_MAX),
    RECORD_ROW(3, I64, pipeline_window, runs_failed, .most = COUNT_MAX),
#define WINDOW_FIGURE(pane_number, run_number, name, from)                                         \
    RECORD_ROW(pane_number, I64, pipeline_window, name),
#include "model/window_figures.def"
    RECORD_ROW(0, I64, pipeline_window, window_runs),
    RECORD_ROW(0, I64, pipeline_window, window_runs_failed),
    RECORD_ROW(0, F64, pipeline_window, duration_p50_s),
    RECORD_ROW(0, F64, pipeline_window, duration_p90_s),
    RECORD_ROW(0, F64, pipeline_window, duration_p99_s),
    RECORD_ROW(12, F64, pipeline_window, duration_max_s, .most = INT64_MAX),
    {101, RECORD_PLACES, "open_bottlenecks", offsetof(struct pipeline_window, open_bottlenecks),
     sizeof(int64_t), &vocabulary_severity, .max = SEVERITY_COUNT, .most = COUNT_MAX},
};
const struct record record_pipeline_window = RECORD_OF("window", pipeline_window, pipeline_window);
