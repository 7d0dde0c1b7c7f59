// bench_avro: a PipelineRun of 500 stages and 20 open bottlenecks to Avro and back, and back
// without its stages as stage 2 reads it; the best of 30 rounds, in CPU time. Run by
// tests/bench/run.sh.
#include <stdio.h>
#include <time.h>

#include "avro/avro_codec.h"
#include "base/check.h"
#include "base/mem.h"

enum { ROUNDS = 30, TIMES = 200, OPEN = 20 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct pipeline_run long_run(void) {
    struct pipeline_run run = {.identity = {.pipeline = "nightly-orders", .app_id = "app-1"},
                               .stage_count = RUN_STAGES_MAX,
                               .open_count = OPEN};
    run.stages = mem_zalloc(run.stage_count, sizeof *run.stages);
    run.open = mem_zalloc(run.open_count, sizeof *run.open);
    for (uint32_t i = 0; i < run.stage_count; i++) {
        run.stages[i] = (struct stage_summary){.stage = (int32_t)i,
                                               .name = "count at NativeMethodAccessorImpl.java:0",
                                               .submitted_ms = 1748736000000 + i,
                                               .completed_ms = 1748736090000 + i,
                                               .tasks = 200,
                                               .mean_task_ms = 12.5,
                                               .shuffle_read_bytes = 99999,
                                               .input_bytes = 123456789,
                                               .run_ms = 123456,
                                               .cpu_ns = 12345678901,
                                               .gc_ms = 77};
    }
    for (uint32_t i = 0; i < run.open_count; i++) {
        run.open[i] = (struct open_bottleneck){.stage = (int32_t)i, .summary = "skewed"};
    }
    return run;
}

static double decode_us(struct avro_codec *codec, const struct buf *bytes,
                        enum avro_stages stages) {
    double best = 1e9;
    for (int r = 0; r < ROUNDS; r++) {
        double begun = now_us();
        for (int i = 0; i < TIMES; i++) {
            struct pipeline_run run;
            require(avro_decode_run(codec, buf_str(bytes), stages, &run, NULL) == ST_OK);
            pipeline_run_fini(&run);
        }
        double took = (now_us() - begun) / TIMES;
        best = took < best ? took : best;
    }
    return best;
}

int main(void) {
    struct avro_codec *codec = avro_codec_new();
    struct pipeline_run run = long_run();
    struct buf bytes = {0};
    double best = 1e9;
    for (int r = 0; r < ROUNDS; r++) {
        double begun = now_us();
        for (int i = 0; i < TIMES; i++) {
            avro_encode_run(codec, &run, &bytes);
        }
        double took = (now_us() - begun) / TIMES;
        best = took < best ? took : best;
    }
    double whole = decode_us(codec, &bytes, AVRO_TAKE_STAGES);
    double short_of = decode_us(codec, &bytes, AVRO_SKIP_STAGES);
    printf("avro: %zu bytes written in %.1f us, read in %.1f us, without stages in %.1f us\n",
           bytes.len, best, whole, short_of);
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    avro_codec_free(codec);
    return 0;
}
