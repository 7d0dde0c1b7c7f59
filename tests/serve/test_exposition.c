// test_exposition: the page of numbers, hostile names, the cap on pipelines, the documentation
// page. `--dump` prints a page and `--doc` docs/metrics.md, for promtool.sh and for updating it.
#include "support/test.h"

#include <stdio.h>

#include "base/histogram.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/exposition.h"

static struct pipeline_stats stats_of(const char *name, int64_t runs) {
    struct pipeline_stats stats = {.duration_sum_s = 100.5 * (double)runs,
                                   .runs = runs,
                                   .records_total = 1000 * runs,
                                   .errors_total = 1,
                                   .records_per_s = 12.25};
    snprintf(stats.pipeline, sizeof stats.pipeline, "%s", name);
    stats.duration_buckets[1] = runs - 1;
    stats.duration_buckets[PIPELINE_DURATION_BUCKETS] = 1;
    stats.open_bottlenecks[SEVERITY_SEVERE] = 2;
    return stats;
}

static void render(struct exposition *exposition, const struct pipeline_stats *pipelines,
                   size_t count, struct buf *out) {
    struct exposition_input input = {
        .version = "1.2.3\"", .pipelines = pipelines, .pipeline_count = count};
    exposition_read_process(&input.process);
    buf_clear(out);
    exposition_render(exposition, &input, out);
}

// How often `text` occurs in the page.
static int occurs(const struct buf *page, const char *text) {
    int count = 0;
    for (const char *at = strstr(buf_text(page), text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

static void a_pipeline_is_shown_whole(void **state) {
    (void)state;
    struct exposition *exposition = exposition_new(10);
    struct pipeline_stats stats = stats_of("orders", 4);
    struct buf page = {0};
    metrics_reset();
    metrics_add(METRIC_SKIP_MALFORMED, 7);
    render(exposition, &stats, 1, &page);
    static const char *const lines[] = {
        "\nstoker_pipeline_duration_seconds_bucket{pipeline=\"orders\",le=\"60\"} 0\n",
        "\nstoker_pipeline_duration_seconds_bucket{pipeline=\"orders\",le=\"300\"} 3\n",
        "\nstoker_pipeline_duration_seconds_bucket{pipeline=\"orders\",le=\"7200\"} 3\n",
        "\nstoker_pipeline_duration_seconds_bucket{pipeline=\"orders\",le=\"+Inf\"} 4\n",
        "\nstoker_pipeline_duration_seconds_sum{pipeline=\"orders\"} 402\n",
        "\nstoker_pipeline_duration_seconds_count{pipeline=\"orders\"} 4\n",
        "\nstoker_pipeline_runs_total{pipeline=\"orders\"} 4\n",
        "\nstoker_pipeline_records_total{pipeline=\"orders\"} 4000\n",
        "\nstoker_pipeline_errors_total{pipeline=\"orders\"} 1\n",
        "\nstoker_pipeline_throughput_records_per_second{pipeline=\"orders\"} 12.25\n",
        "\nstoker_pipeline_open_bottlenecks{pipeline=\"orders\",severity=\"severe\"} 2\n",
        "\nstoker_pipeline_open_bottlenecks{pipeline=\"orders\",severity=\"low\"} 0\n",
        "\nstoker_build_info{version=\"1.2.3\\\"\"} 1\n",
        "\nstoker_events_skipped_total{reason=\"malformed\"} 7\n",
        "\n# TYPE stoker_pipeline_duration_seconds histogram\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (occurs(&page, lines[i]) != 1) {
            print_error("not there once: %s", lines[i]);
            fail();
        }
    }
    assert_int_equal(page.data[page.len - 1], '\n');
    buf_fini(&page);
    exposition_free(exposition);
}

// Fails on a line that stands twice and on a family named twice.
static void no_line_is_written_twice(void **state) {
    (void)state;
    // The third and fourth look the same once their bad bytes are replaced; the name "other" is
    // that of the sum; one comes from two partitions.
    struct pipeline_stats stats[] = {
        stats_of("a", 2), stats_of("other", 2), stats_of("x\xFF", 2), stats_of("x\xFE", 3),
        stats_of("a", 5), stats_of("", 1),      stats_of("late", 1),  stats_of("later", 1)};
    struct exposition *exposition = exposition_new(3);
    struct buf page = {0};
    render(exposition, stats, ARRAY_LEN(stats), &page);
    char *rest = page.data, *lines[4096];
    size_t count = 0;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *value = strrchr(line, ' ');
        if (line[0] != '#' && value != NULL) {
            *value = '\0';
        }
        for (size_t i = 0; i < count; i++) {
            assert_string_not_equal(lines[i], line);
        }
        assert_true(count < ARRAY_LEN(lines));
        lines[count++] = line;
    }
    assert_true(count > 100);
    render(exposition, stats, ARRAY_LEN(stats), &page);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"a\"} 7\n"), 1);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"x\xEF\xBF\xBD\"} 5\n"), 1);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"\"} 1\n"), 1);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"other\"} 4\n"), 1);
    buf_fini(&page);
    exposition_free(exposition);
}

static void series_keep_their_place_under_the_cap(void **state) {
    (void)state;
    struct pipeline_stats stats[] = {stats_of("m", 1), stats_of("n", 1), stats_of("a", 1)};
    struct exposition *exposition = exposition_new(2);
    struct buf page = {0};
    render(exposition, stats, 3, &page);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"m\"} 1\n"), 1);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"other\"} 1\n"), 1);
    // m goes: a stays where its numbers were, a new pipeline gets the place.
    struct pipeline_stats after[] = {stats_of("a", 2), stats_of("n", 2)};
    render(exposition, after, 2, &page);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"other\"} 2\n"), 1);
    assert_int_equal(occurs(&page, "pipeline=\"m\""), 0);
    struct pipeline_stats later[] = {stats_of("z", 3), stats_of("a", 3), stats_of("n", 3)};
    render(exposition, later, 3, &page);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"z\"} 3\n"), 1);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"a\"}"), 0);
    render(exposition, NULL, 0, &page);
    assert_int_equal(occurs(&page, "pipeline=\""), 0);
    buf_fini(&page);
    exposition_free(exposition);
}

static void hostile_names_are_escaped(void **state) {
    (void)state;
    struct pipeline_stats stats = stats_of("a\"} 1\nevil 2\\\x01\xFF\xC3\xA9", 1);
    struct exposition *exposition = exposition_new(2);
    struct buf page = {0};
    render(exposition, &stats, 1, &page);
    assert_true(str_is_utf8(buf_str(&page)));
    assert_int_equal(occurs(&page, "\nevil"), 0);
    assert_int_equal(occurs(&page, "runs_total{pipeline=\"a\\\"} 1\\nevil 2\\\\\\\\u0001"
                                   "\xEF\xBF\xBD\xC3\xA9\"} 1\n"),
                     1);
    stats.records_per_s = NAN;
    stats.duration_sum_s = INFINITY;
    render(exposition, &stats, 1, &page);
    assert_int_equal(occurs(&page, "\"} NaN\n"), 1);
    assert_int_equal(occurs(&page, "\"} +Inf\n"), 1);
    buf_fini(&page);
    exposition_free(exposition);
}

static void memory_is_shown_by_room(void **state) {
    (void)state;
    struct exposition *exposition = exposition_new(1);
    struct buf page = {0};
    char line[80];
    char *held = mem_room_alloc(MEM_ROOM_detect, 12345);
    render(exposition, NULL, 0, &page);
    snprintf(line, sizeof line, "\nstoker_memory_bytes{room=\"detect\"} %lld\n",
             (long long)mem_room_bytes(MEM_ROOM_detect));
    assert_true(mem_room_bytes(MEM_ROOM_detect) >= 12345);
    assert_int_equal(occurs(&page, line), 1);
    assert_int_equal(occurs(&page, "\nstoker_memory_bytes{room="), MEM_ROOM_COUNT);
    mem_free(held);
    buf_fini(&page);
    exposition_free(exposition);
}

static void commits_have_a_histogram(void **state) {
    (void)state;
    struct exposition *exposition = exposition_new(2);
    struct buf page = {0};
    histogram_reset();
    histogram_observe(HISTOGRAM_COMMIT, 5);
    histogram_observe(HISTOGRAM_COMMIT, 6);
    histogram_observe(HISTOGRAM_COMMIT, 30001);
    histogram_observe(HISTOGRAM_COMMIT, -1); // a clock that was set back
    render(exposition, NULL, 0, &page);
    assert_int_equal(occurs(&page, "commit_duration_seconds_bucket{le=\"0.005\"} 2\n"), 1);
    assert_int_equal(occurs(&page, "commit_duration_seconds_bucket{le=\"0.01\"} 3\n"), 1);
    assert_int_equal(occurs(&page, "commit_duration_seconds_bucket{le=\"30\"} 3\n"), 1);
    assert_int_equal(occurs(&page, "commit_duration_seconds_bucket{le=\"+Inf\"} 4\n"), 1);
    assert_int_equal(occurs(&page, "commit_duration_seconds_sum 30.012\n"), 1);
    assert_int_equal(occurs(&page, "commit_duration_seconds_count 4\n"), 1);
    histogram_reset();
    buf_fini(&page);
    exposition_free(exposition);
}

static void the_process_is_described(void **state) {
    (void)state;
    struct exposition_process first, second;
    exposition_read_process(&first);
    FILE *more = fopen("/dev/null", "re");
    exposition_read_process(&second);
    assert_int_equal(second.open_fds, first.open_fds + 1);
    fclose(more);
    assert_true(first.cpu_seconds >= 0 && first.resident_bytes > 100000);
    assert_true(first.virtual_bytes >= first.resident_bytes && first.threads >= 1);
    assert_true(first.max_fds > first.open_fds);
    assert_true(first.start_time_seconds > 1.7e9);
    assert_true(first.start_time_seconds == second.start_time_seconds);
}

static void families_stand_together(void **state) {
    (void)state;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = metrics_row((enum metric)m);
        const struct metric_row *before = m > 0 ? metrics_row((enum metric)(m - 1)) : NULL;
        for (int k = 0; k < m; k++) {
            const struct metric_row *other = metrics_row((enum metric)k);
            if (strcmp(other->name, row->name) == 0) {
                assert_string_equal(before->name, row->name);
                assert_string_equal(other->help, row->help);
                assert_int_equal(other->type, row->type);
                assert_string_not_equal(other->label, row->label);
            }
        }
    }
}

static void the_documentation_is_up_to_date(void **state) {
    (void)state;
    struct buf page = {0}, file = {0};
    exposition_document(&page);
    FILE *in = fopen(FIXTURES "/../../docs/metrics.md", "re");
    assert_non_null(in);
    file.len = fread(buf_reserve(&file, 100000), 1, 100000, in);
    file.data[file.len] = '\0';
    fclose(in);
    assert_string_equal(buf_text(&file), buf_text(&page));
    buf_fini(&page);
    buf_fini(&file);
}

static int dump(void) {
    struct pipeline_stats stats[] = {stats_of("orders", 4), stats_of("a\"b\\c\nd\xFF", 2),
                                     stats_of("rest", 3)};
    struct exposition *exposition = exposition_new(2);
    struct buf page = {0};
    render(exposition, stats, ARRAY_LEN(stats), &page);
    fwrite(page.data, 1, page.len, stdout);
    buf_fini(&page);
    exposition_free(exposition);
    return 0;
}

static int dump_doc(void) {
    struct buf page = {0};
    exposition_document(&page);
    fwrite(page.data, 1, page.len, stdout);
    buf_fini(&page);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return strcmp(argv[1], "--doc") == 0 ? dump_doc() : dump();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_is_shown_whole),
        cmocka_unit_test(no_line_is_written_twice),
        cmocka_unit_test(series_keep_their_place_under_the_cap),
        cmocka_unit_test(hostile_names_are_escaped),
        cmocka_unit_test(memory_is_shown_by_room),
        cmocka_unit_test(commits_have_a_histogram),
        cmocka_unit_test(the_process_is_described),
        cmocka_unit_test(families_stand_together),
        cmocka_unit_test(the_documentation_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
