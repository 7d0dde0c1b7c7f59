// demo_print: see the header. Called by cmd_demo; text of a log is always escaped.
#include "demo_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/span.h"
#include "present/render.h"

void demo_print_init(struct demo_print *print, bool color, int width) {
    *print = (struct demo_print){.color = color, .width = width, .started_ms = clock_mono_ms()};
}

void demo_print_fini(struct demo_print *print) {
    for (size_t i = 0; i < print->run_count; i++) {
        pipeline_run_fini(&print->runs[i]);
    }
    mem_free(print->runs);
}

static const char *bold(const struct demo_print *print) {
    return print->color ? "\033[1m" : "";
}
static const char *plain(const struct demo_print *print) {
    return print->color ? "\033[0m" : "";
}

void demo_print_begin(struct demo_print *print, size_t logs, uint16_t http_port, double speed) {
    printf("%sStoker demo%s: %zu recorded Spark applications run again, %g times as fast, through "
           "a Kafka inside this\n"
           "process; the agent judges them as their events arrive. Its own pages while it runs:\n"
           "  http://127.0.0.1:%u/   http://127.0.0.1:%u/metrics\n\n",
           bold(print), plain(print), logs, speed, (unsigned)http_port, (unsigned)http_port);
    fflush(stdout);
    print->started_ms = clock_mono_ms();
}

void demo_print_bottleneck(void *ctx, const struct run_identity *identity,
                           const struct bottleneck *b) {
    struct demo_print *print = ctx;
    if (b->severity < SEVERITY_MODERATE && b->life != LIFE_RETRACTED) {
        return; // shown in the summary
    }
    struct buf line = {0};
    buf_printf(&line, "%5.1f s  %s%*s ", (double)(clock_mono_ms() - print->started_ms) / 1000,
               render_severity(b->severity, print->color),
               10 - (int)strlen(severity_name(b->severity)), "");
    buf_add_printable(&line, str_of(identity->pipeline));
    buf_printf(&line, "  %s", kind_name(b->kind));
    if (b->cause != CAUSE_NONE) {
        buf_printf(&line, " (%s)", cause_name(b->cause));
    }
    buf_printf(&line, " %s\n                    ", life_name(b->life));
    struct str summary = str_of(b->summary);
    summary.len = str_cut_utf8(summary, print->width > 40 ? (size_t)print->width - 21 : 60);
    buf_add_printable(&line, summary);
    puts(buf_text(&line));
    fflush(stdout);
    buf_fini(&line);
}

void demo_print_run(void *ctx, const struct pipeline_run *run) {
    struct demo_print *print = ctx;
    size_t i = 0;
    while (i < print->run_count && strcmp(print->runs[i].id, run->id) != 0) {
        i++;
    }
    if (i == print->run_count) {
        MEM_GROW(print->runs, print->run_count, print->run_cap);
        print->run_count++;
    } else {
        pipeline_run_fini(&print->runs[i]);
    }
    struct pipeline_run *copy = &print->runs[i];
    *copy = *run; // what the summary shows; the lists are copied or dropped
    copy->stages = NULL;
    copy->stage_count = 0;
    copy->open = mem_alloc(run->open_count * sizeof *copy->open);
    if (run->open_count > 0) {
        memcpy(copy->open, run->open, run->open_count * sizeof *copy->open);
    }
    copy->recommendations = mem_alloc(run->recommendation_count * sizeof(char *));
    for (uint32_t r = 0; r < run->recommendation_count; r++) {
        copy->recommendations[r] = mem_strdup(run->recommendations[r]);
    }
}

size_t demo_print_ended(const struct demo_print *print) {
    size_t ended = 0;
    for (size_t i = 0; i < print->run_count; i++) {
        ended += print->runs[i].ended_ms > 0;
    }
    return ended;
}

static double loss_of(const struct pipeline_run *run) {
    return run->open_count > 0 ? run->open[0].saving_s + 1000.0 * run->open[0].severity : 0;
}

static int worse_first(const void *a, const void *b) {
    double x = loss_of(a), y = loss_of(b);
    if (x != y) {
        return x > y ? -1 : 1;
    }
    return strcmp(((const struct pipeline_run *)a)->identity.pipeline,
                  ((const struct pipeline_run *)b)->identity.pipeline);
}

static void print_run(const struct demo_print *print, const struct pipeline_run *run) {
    struct buf out = {0};
    char took[SPAN_TEXT_SIZE], saving[SPAN_TEXT_SIZE];
    buf_add_text(&out, bold(print));
    buf_add_printable(&out, str_of(run->identity.pipeline));
    buf_printf(&out, "%s  %s after %s, %lld tasks\n", plain(print), run_status_name(run->status),
               span_format_seconds(run->duration_s, took), (long long)run->totals.tasks);
    for (uint32_t i = 0; i < run->open_count && i < 3; i++) {
        const struct open_bottleneck *b = &run->open[i];
        buf_printf(&out, "  %s%*s %s%s%s%s, up to %s: ", render_severity(b->severity, print->color),
                   10 - (int)strlen(severity_name(b->severity)), "", kind_name(b->kind),
                   b->cause != CAUSE_NONE ? " (" : "", cause_name(b->cause),
                   b->cause != CAUSE_NONE ? ")" : "", span_format_seconds(b->saving_s, saving));
        buf_add_printable(&out, str_of(b->summary));
        buf_add_char(&out, '\n');
    }
    if (run->open_count > 3) {
        buf_printf(&out, "  and %u more\n", run->open_count - 3);
    }
    if (run->open_count == 0) {
        buf_add_text(&out, "  nothing here costs time worth saving\n");
    }
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
}

void demo_print_summary(struct demo_print *print) {
    printf("\n%sWhat was found%s\n\n", bold(print), plain(print));
    if (print->run_count > 0) {
        qsort(print->runs, print->run_count, sizeof *print->runs, worse_first);
    }
    for (size_t i = 0; i < print->run_count; i++) {
        print_run(print, &print->runs[i]);
        putchar('\n');
    }
    printf("%sWhere to go from here%s\n"
           "  stoker analyze LOG            judge an event log of your own, with advice\n"
           "  stoker config sample          every setting, explained\n"
           "  stoker run -c stoker.yaml     the agent beside your Kafka cluster\n"
           "  stoker tail -c stoker.yaml    read what it publishes\n",
           bold(print), plain(print));
}
