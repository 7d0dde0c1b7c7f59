// stage_kept: what of a stage attempt is kept, described by tables: its sums, the detail it has
// while it is open, its verdicts. Read and written by app_kept.c as a part of its run; must not
// know how a value is written.
#include "base/mem.h"
#include "kept_array.h"
#include "kept_verdicts.h"
#include "model/operator.h"
#include "state/app.h"

KEPT_VERDICTS(stage);

static const struct record_row slow_task_rows[] = {
    RECORD_ROW(1, I64, stage_task, duration_ms), RECORD_ROW(2, I64, stage_task, launch_ms),
    RECORD_ROW(3, I64, stage_task, bytes),       RECORD_ROW(4, I64, stage_task, records),
    RECORD_ROW(5, I64, stage_task, run_ms),      RECORD_ROW(6, I64, stage_task, cpu_ns),
    RECORD_ROW(7, I64, stage_task, gc_ms),       RECORD_ROW(8, I64, stage_task, fetch_wait_ms),
    RECORD_ROW(9, I64, stage_task, spill_bytes), RECORD_ROW(10, I64, stage_task, deserialize_ms),
    RECORD_ROW(11, I64, stage_task, delay_ms),   RECORD_ROW(12, I32, stage_task, index),
    RECORD_ROW(13, I32, stage_task, host),       RECORD_ROW(14, BOOL, stage_task, cold),
    RECORD_ROW(16, BOOL, stage_task, lost),      RECORD_ROW(17, BOOL, stage_task, near),
    RECORD_ROW(18, BOOL, stage_task, far),
};
static const struct record record_slow_task = RECORD_OF("task", stage_task, slow_task_rows);

static const struct record_row stage_host_rows[] = {
    RECORD_ROW(1, I32, stage_host, host),
    RECORD_ROW(2, I64, stage_host, tasks),
    RECORD_ROW(3, I64, stage_host, task_ms),
    RECORD_ROW(4, I64, stage_host, bytes),
    RECORD_ROW(5, I32, stage_host, longest_ms, .most = INT32_MAX),
};
static const struct record record_stage_host = RECORD_OF("host", stage_host, stage_host_rows);

KEPT_ARRAY(host, stage_detail, hosts, host_count, host_cap, STAGE_HOSTS_MAX);
static const struct record_list host_list = {host_size, host_at, host_add, NULL};

static const struct record_row running_rows[] = {
    RECORD_ROW(1, I64, stage_running, task_id),
    RECORD_ROW(2, I64, stage_running, launch_ms),
    RECORD_ROW(3, I32, stage_running, index),
    RECORD_ROW(4, I32, stage_running, host),
};
static const struct record record_running = RECORD_OF("running", stage_running, running_rows);

KEPT_ARRAY(running, stage_detail, running, running_count, running_cap, STAGE_RUNNING_MAX);
static const struct record_list running_list = {running_size, running_at, running_add, NULL};

static bool detail_is_whole(void *object) {
    struct sketch *durations = &((struct stage_detail *)object)->durations_ms;
    durations->total = 0;
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        durations->total += durations->counts[i];
    }
    return true;
}
static const struct record_row detail_rows[] = {
    RECORD_AS(216, ARRAY, stage_detail, slow, "slow_tasks", .item = &record_slow_task,
              .count_offset = offsetof(struct stage_detail, slow_count), .max = STAGE_SLOW_TASKS),
    RECORD_HOOKED(217, LIST, "hosts", &host_list, .item = &record_stage_host,
                  .max = STAGE_HOSTS_MAX),
    RECORD_HOOKED(240, LIST, "running", &running_list, .item = &record_running,
                  .max = STAGE_RUNNING_MAX),
    {.number = 218,
     .type = RECORD_SPARSE,
     .name = "durations",
     .offset = offsetof(struct stage_detail, durations_ms.counts),
     .size = sizeof(uint32_t),
     .max = SKETCH_BUCKETS},
};
static const struct record record_detail = {"detail", sizeof(struct stage_detail), detail_rows,
                                            ARRAY_LEN(detail_rows), detail_is_whole};

static uint32_t detail_size(const void *stage) {
    return ((const struct stage *)stage)->detail != NULL;
}
static const void *detail_at(const void *stage, uint32_t i, union record_scratch *scratch) {
    (void)i, (void)scratch;
    return ((const struct stage *)stage)->detail;
}
static void *detail_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct stage *stage = of;
    (void)count, (void)scratch;
    return stage->detail != NULL ? NULL
                                 : (stage->detail = mem_zalloc(1, sizeof(struct stage_detail)));
}
static const struct record_list detail_list = {detail_size, detail_at, detail_add, NULL};

static const struct record_row stage_rows[] = {
    RECORD_ROW(1, BOOL, stage, python),
    RECORD_ROW(2, BOOL, stage, submitted),
    RECORD_ROW(3, BOOL, stage, completed),
    {.number = 4, .type = RECORD_RETIRED},
    RECORD_ROW(5, I64, stage, slots),
    RECORD_ROW(6, I64, stage, first_launch_ms),
    RECORD_ROW(7, I64, stage, last_finish_ms),
    RECORD_ROW(8, BOOL, stage, waited_for_own),
    RECORD_ROW(9, I64, stage, task_ms),
    RECORD_ROW(10, I64, stage, bytes),
    RECORD_ROW(11, I64, stage, records),
    RECORD_ROW(12, I64, stage, fetch_wait_ms),
    RECORD_ROW(13, I64, stage, shuffle_write_ns),
    RECORD_ROW(14, I64, stage, deserialize_ms),
    RECORD_ROW(15, I64, stage, spill_task_ms),
    RECORD_ROW(16, I64, stage, metric_tasks),
    RECORD_ROW(17, I64, stage, delay_ms),
    RECORD_ROW(18, I64, stage, delay_run_ms),
    RECORD_ROW(19, I64, stage, io_tasks),
    RECORD_ROW(20, I64, stage, io_cpu_ns),
    RECORD_ROW(21, I64, stage, io_read_ns),
    RECORD_ROW(22, I64, stage, scan_ns),
    RECORD_ROW(23, I64, stage, scan_tasks),
    RECORD_ROW(24, I64, stage, io_run_ms),
    RECORD_ROW(25, I64, stage, tasks_with_metrics),
    RECORD_ROW(26, I64, stage, peak_memory_bytes),
    RECORD_ROW(27, I64, stage, failed_ms),
    RECORD_ROW(28, I64, stage, killed_ms),
    RECORD_ROW(29, I64, stage, resubmitted),
    RECORD_ROW(30, I64, stage, lost_to_infrastructure),
    RECORD_ROW(31, I64, stage, tasks_running),
    RECORD_ROW(32, I64, stage, judged_ms),
    RECORD_ROW(33, BOOL, stage, dirty),
    RECORD_ROW(34, I32, stage, number, .most = INT32_MAX),
    RECORD_ROW(35, I64, stage, spill_wait_ms),
    RECORD_ROW(36, I64, stage, spill_cpu_ns),
    RECORD_ROW(37, I64, stage, cpu_untold_tasks),
    RECORD_ROW(38, I32, stage, profile, .most = INT32_MAX),
    RECORD_ROW(39, BOOL, stage, slots_begun),
    RECORD_ROW(70, I64, stage, slots_from_ms),
    RECORD_ROW(71, F64, stage, slots_from, .least = INT64_MIN),
    RECORD_ROW(72, I64, stage, running_most, .most = INT64_MAX),
    RECORD_ROW(73, I64, stage, starts, .most = INT64_MAX),
    RECORD_ROW(74, I64, stage, alone_ms, .most = INT64_MAX),
    RECORD_ROW(75, I64, stage, alone_task_ms, .most = INT64_MAX),
    RECORD_ROW(76, I64, stage, alone_seen_ms, .most = INT64_MAX),
    RECORD_ROW(77, F64, stage, waited_ms, .least = INT64_MIN),
    RECORD_ROW(78, F64, stage, waited_seen_ms, .most = INT64_MAX),
    RECORD_ROW(60, I64, stage, live_slots),
    RECORD_ROW(62, I64, stage, cold_tasks),
    RECORD_ROW(66, I64, stage, near_tasks, .most = INT64_MAX),
    RECORD_ROW(63, I64, stage, max_task_bytes),
    RECORD_ROW(64, I64, stage, deserialize_cpu_ns),
    RECORD_ROW(65, BOOL, stage, behind_a_job),
    RECORD_ROW(61, NESTED, stage, beside, .item = &record_beside),
    RECORD_ROW(55, I32, stage, works, .most = WORK_ALL),
    RECORD_ROW(56, I32, stage, execution, .most = INT32_MAX),
    RECORD_ROW(81, I32, stage, joins, .most = (1 << JOIN_TYPE_COUNT) - 1),
    RECORD_ROW(79, I64, stage, shape, .most = UINT32_MAX),
    RECORD_ROW(57, I64, stage, files, .most = INT64_MAX),
    RECORD_ROW(58, I64, stage, files_bytes, .most = INT64_MAX),
    RECORD_ROW(87, I64, stage, partitions_most, .most = INT64_MAX),
    RECORD_ROW(88, I64, stage, memory_only, .most = INT64_MAX),
    RECORD_ROW(40, I64, stage, last_launch_ms),
    RECORD_ROW(41, I64, stage, retry_launch_ms),
    RECORD_ROW(42, I64, stage, retry_tasks),
    RECORD_ROW(43, BOOL, stage, cancelled),
    RECORD_ROW(44, I64, stage, copies_lost),
    RECORD_ROW(45, I64, stage, copies_lost_ms),
    RECORD_ROW(46, I64, stage, copies_in_the_way_ms),
    RECORD_ROW(47, I64, stage, longest_failed_ms),
    RECORD_ROW(48, I64, stage, last_failure_ms),
    RECORD_ROW(82, I64, stage, records_squared, .most = INT64_MAX),
    RECORD_ROW(83, I64, stage, records_run_ms, .most = INT64_MAX),
    RECORD_ROW(84, I64, stage, run_squared_ms2, .most = INT64_MAX),
    RECORD_ROW(85, I64, stage, write_wait_ns, .most = INT64_MAX),
    RECORD_ROW(213, NESTED, stage, summary, .item = &record_stage_summary),
    {.number = 214,
     .type = RECORD_SPARSE,
     .name = "failures",
     .offset = offsetof(struct stage, failures),
     .size = sizeof(int64_t),
     .words = &vocabulary_failure,
     .max = FAILURE_CLASS_COUNT},
    RECORD_HOOKED(215, LIST, "detail", &detail_list, .item = &record_detail, .max = 1),
    RECORD_HOOKED(209, LIST, "verdicts", &stage_verdict_list, .item = &record_bottleneck,
                  .max = KIND_COUNT),
};
const struct record record_stage = RECORD_OF("stage", stage, stage_rows);
