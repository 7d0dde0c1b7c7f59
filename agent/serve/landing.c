// landing: one order of pipelines, two pages: JSON, and HTML with one style sheet inside, no
// script, nothing loaded, light and dark, wide and narrow. Called by the agent's loop. Must never
// write a name unescaped.
#include "serve/landing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "base/span.h"

static int compare(const void *left, const void *right) {
    const struct landing_pipeline *a = left;
    const struct landing_pipeline *b = right;
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_LOW; severity--) {
        if (a->open[severity] != b->open[severity]) {
            return a->open[severity] > b->open[severity] ? -1 : 1;
        }
    }
    return strcmp(a->name, b->name);
}

// A copy of the pipelines to show, worst first: by open bottlenecks from the worst severity down,
// then by name. *count gets how many, at most LANDING_PIPELINES_MAX. Owned by the caller.
static struct landing_pipeline *sorted_pipelines(const struct landing *landing, size_t *count) {
    size_t all = landing->pipeline_count;
    require(all == 0 || landing->pipelines != NULL);
    struct landing_pipeline *sorted = mem_zalloc(all + 1, sizeof *sorted);
    for (size_t i = 0; i < all; i++) {
        sorted[i] = landing->pipelines[i];
    }
    qsort(sorted, all, sizeof *sorted, compare);
    *count = all < LANDING_PIPELINES_MAX ? all : LANDING_PIPELINES_MAX;
    return sorted;
}

static void put_time(struct json_writer *json, const char *key, int64_t ms) {
    if (ms <= 0) {
        json_member_null(json, key);
        return;
    }
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(ms, text);
    json_member_text(json, key, text);
}

// A number, null if it is not known (below 0).
static void put_known(struct json_writer *json, const char *key, double value) {
    if (value < 0) {
        json_member_null(json, key);
    } else {
        json_member_number(json, key, value);
    }
}

static void put_pipeline(struct json_writer *json, const struct landing_pipeline *pipeline) {
    json_begin_object(json);
    json_member_text(json, "pipeline", pipeline->name);
    json_member_i64(json, "runs", pipeline->runs);
    json_member_text(json, "last_status", pipeline->last_status);
    put_known(json, "last_duration_s", pipeline->last_duration_s);
    put_known(json, "records_per_s", pipeline->records_per_s);
    json_member_object(json, "open");
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        json_member_i64(json, severity_name((enum severity)severity), pipeline->open[severity]);
    }
    json_end_object(json);
    json_end_object(json);
}

void landing_render_json(const struct landing *landing, struct buf *out) {
    struct json_writer writer = {.out = out}, *json = &writer;
    json_begin_object(json);
    json_member_text(json, "version", landing->version);
    json_member_text(json, "cluster", landing->cluster);
    json_member_text(json, "instance", landing->instance);
    put_time(json, "time", landing->now_ms);
    put_time(json, "started", landing->started_ms);
    json_member_bool(json, "ready", landing->ready);
    json_member_text(json, "reason", landing->ready ? "" : landing->reason);
    json_member_text(json, "details", landing->details);
    json_member_i64(json, "partitions", landing->partitions);
    json_member_i64(json, "events_read", landing->events_read);
    json_member_i64(json, "events_skipped", landing->events_skipped);
    json_member_i64(json, "input_lag", landing->input_lag);
    put_time(json, "newest_event", landing->newest_event_ms);
    json_member_i64(json, "alerts_active", landing->alerts_active);
    json_member_i64(json, "pipeline_count", (int64_t)landing->pipeline_count);
    json_member_list(json, "pipelines");
    size_t count = 0;
    struct landing_pipeline *sorted = sorted_pipelines(landing, &count);
    for (size_t i = 0; i < count; i++) {
        put_pipeline(json, &sorted[i]);
    }
    mem_free(sorted);
    json_end_list(json);
    json_end_object(json);
    buf_add_char(out, '\n');
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"refresh\" content=\"30\">\n<style>\n"
    ":root{color-scheme:light dark;--bg:#f6f6f4;--card:#fff;--ink:#1d2025;--dim:#646a73;"
    "--line:#dfe0e2;--ok:#1a7f47;--bad:#b3261e;--sev:#a34700;--mod:#7a5b00;--link:#1f5fbf}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#15171a;--card:#1e2125;--ink:#e6e7e9;"
    "--dim:#9aa0a8;--line:#33373d;--ok:#5cc98b;--bad:#ff8a80;--sev:#ffa968;--mod:#e3c15c;"
    "--link:#8ab4f8}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",sans-serif}\n"
    "main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}\n"
    "header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem .75rem}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}\n"
    ".dim{color:var(--dim)}a{color:var(--link)}\n"
    "nav{margin-left:auto;display:flex;flex-wrap:wrap;gap:.25rem 1rem}\n"
    ".state{margin:1rem 0;padding:.6rem .9rem;background:var(--card);border:1px solid var(--line);"
    "border-left:4px solid var(--ok);border-radius:4px;overflow-wrap:anywhere}\n"
    ".state.no{border-left-color:var(--bad)}.state b{color:var(--ok)}.no b{color:var(--bad)}\n"
    "dl{display:grid;grid-template-columns:repeat(3,1fr);gap:.6rem;margin:0}"
    "\n"
    "dl div{background:var(--card);border:1px solid var(--line);border-radius:4px;"
    "padding:.5rem .75rem}\n"
    "dt{color:var(--dim);font-size:.85rem}dd{margin:0;font-size:1.1rem;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
    "dd small{display:block;color:var(--dim);font-size:.8rem}\n"
    "table{width:100%;border-collapse:collapse;background:var(--card);"
    "border:1px solid var(--line);border-radius:4px}\n"
    "th,td{text-align:left;padding:.4rem .75rem;border-top:1px solid var(--line);"
    "vertical-align:top}\n"
    "thead th{border-top:0;color:var(--dim);font-weight:600;font-size:.85rem;white-space:nowrap}\n"
    "tbody th{font-weight:600;overflow-wrap:anywhere;min-width:9rem}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".s{white-space:nowrap}.critical,.failed,.killed,.lost{color:var(--bad)}.severe{color:var(--"
    "sev)}"
    ".moderate{color:var(--mod)}.low,.negligible{color:var(--dim)}\n"
    "pre{margin:0;padding:.6rem .9rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}\n"
    "@media(max-width:40rem){dl{grid-template-columns:repeat(2,1fr)}nav{margin-left:0;width:100%}"
    "thead{display:none}"
    "tr{display:block;border-top:1px solid var(--line);padding:.5rem .75rem}"
    "tbody tr:first-child{border-top:0}th,td{display:block;border:0;padding:.1rem 0}"
    ".n{text-align:left}td[data-l]::before{content:attr(data-l) \": \";color:var(--dim)}}\n"
    "</style>\n";

static void add_escaped(struct buf *out, const char *text) {
    buf_add_html(out, str_of(text));
}

// 1234567 as 1 234 567, with spaces that do not break.
static void add_grouped(struct buf *out, int64_t value) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)value);
    for (int i = 0; i < len; i++) {
        bool gap = i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0;
        buf_add_text(out, gap ? "&#8239;" : "");
        buf_add_char(out, digits[i]);
    }
}

static void add_seconds(struct buf *out, double seconds) {
    char text[SPAN_TEXT_SIZE];
    buf_add_text(out, seconds < 0 || !isfinite(seconds) ? "&ndash;"
                                                        : span_format_seconds(seconds, text));
}

static void add_rate(struct buf *out, double per_s) {
    if (per_s < 0 || !(per_s < 1e15)) {
        buf_add_text(out, "&ndash;");
    } else if (per_s < 100) {
        buf_printf(out, "%.1f", per_s);
    } else {
        add_grouped(out, (int64_t)llround(per_s));
    }
}

static void add_tile(struct buf *out, const char *name, int64_t value) {
    buf_printf(out, "<div><dt>%s</dt><dd>", name);
    add_grouped(out, value);
    buf_add_text(out, "</dd></div>\n");
}

static void add_newest(struct buf *out, const struct landing *landing) {
    buf_add_text(out, "<div><dt>Newest event</dt><dd>");
    if (landing->newest_event_ms <= 0) {
        buf_add_text(out, "none yet");
    } else {
        char text[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(landing->newest_event_ms, text);
        double age_s = (double)(landing->now_ms - landing->newest_event_ms) / 1e3;
        buf_printf(out, "%.8s<small>%.10s UTC, ", text + 11, text);
        add_seconds(out, age_s < 0 ? 0 : age_s);
        buf_add_text(out, " ago</small>");
    }
    buf_add_text(out, "</dd></div>\n");
}

static void add_open(struct buf *out, const struct landing_pipeline *pipeline) {
    bool any = false;
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_NEGLIGIBLE; severity--) {
        if (pipeline->open[severity] > 0) {
            const char *name = severity_name((enum severity)severity);
            buf_printf(out, "%s<span class=\"s %s\">%lld %s</span>", any ? ", " : "", name,
                       (long long)pipeline->open[severity], name);
            any = true;
        }
    }
    buf_add_text(out, any ? "" : "<span class=\"dim\">none</span>");
}

static void add_row(struct buf *out, const struct landing_pipeline *pipeline) {
    int status = run_status_parse(str_of(pipeline->last_status));
    const char *class = status < 0 ? "dim" : run_status_name((enum run_status)status);
    buf_add_text(out, "<tr><th scope=\"row\">");
    add_escaped(out, pipeline->name);
    buf_printf(out, "</th><td data-l=\"Open bottlenecks\">");
    add_open(out, pipeline);
    buf_printf(out, "</td><td data-l=\"Last run\"><span class=\"%s\">", class);
    add_escaped(out, pipeline->last_status[0] != '\0' ? pipeline->last_status : "none yet");
    buf_add_text(out, "</span></td><td class=\"n\" data-l=\"Took\">");
    add_seconds(out, pipeline->last_duration_s);
    buf_add_text(out, "</td><td class=\"n\" data-l=\"Records/s\">");
    add_rate(out, pipeline->records_per_s);
    buf_add_text(out, "</td><td class=\"n\" data-l=\"Runs\">");
    add_grouped(out, pipeline->runs);
    buf_add_text(out, "</td></tr>\n");
}

static void add_pipelines(struct buf *out, const struct landing *landing) {
    buf_add_text(out, "<h2>Pipelines</h2>\n");
    if (landing->pipeline_count == 0) {
        buf_add_text(out, "<p class=\"dim\">None seen yet. They appear with the first events of an "
                          "application.</p>\n");
        return;
    }
    size_t count = 0;
    struct landing_pipeline *sorted = sorted_pipelines(landing, &count);
    buf_add_text(out, "<table><thead><tr><th>Pipeline</th><th>Open bottlenecks</th>"
                      "<th>Last run</th><th class=\"n\">Took</th><th class=\"n\">Records/s</th>"
                      "<th class=\"n\">Runs</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        add_row(out, &sorted[i]);
    }
    buf_add_text(out, "</tbody></table>\n");
    if (landing->pipeline_count > count) {
        buf_printf(out, "<p class=\"dim\">%zu more are not shown.</p>\n",
                   landing->pipeline_count - count);
    }
    mem_free(sorted);
}

static void add_top(struct buf *out, const struct landing *landing) {
    buf_add_text(out, head);
    buf_add_text(out, "<title>Stoker ");
    add_escaped(out, landing->cluster);
    buf_add_text(out, landing->ready ? "" : " (not ready)");
    buf_add_text(out, "</title></head><body><main>\n<header><h1>Stoker</h1>\n<span class=\"dim\">");
    add_escaped(out, landing->version);
    if (landing->cluster[0] != '\0') {
        buf_add_text(out, " &middot; cluster ");
        add_escaped(out, landing->cluster);
    }
    if (landing->instance[0] != '\0') {
        buf_add_text(out, " &middot; ");
        add_escaped(out, landing->instance);
    }
    buf_add_text(out, "</span>\n<nav><a href=\"/metrics\">metrics</a> <a href=\"/status\">status"
                      "</a> <a href=\"/readyz?verbose\">readyz</a> <a href=\"/livez\">livez</a>"
                      "</nav></header>\n");
    if (landing->ready) {
        buf_add_text(out, "<p class=\"state\"><b>Ready.</b> Up for ");
        add_seconds(out, (double)(landing->now_ms - landing->started_ms) / 1e3);
    } else {
        buf_add_text(out, "<p class=\"state no\"><b>Not ready:</b> ");
        add_escaped(out, landing->reason);
        buf_add_text(out, ". Up for ");
        add_seconds(out, (double)(landing->now_ms - landing->started_ms) / 1e3);
    }
    buf_add_text(out, ".</p>\n");
}

void landing_render_html(const struct landing *landing, struct buf *out) {
    add_top(out, landing);
    buf_add_text(out, "<dl>\n");
    add_tile(out, "Input partitions", landing->partitions);
    add_tile(out, "Events read", landing->events_read);
    add_tile(out, "Events waiting", landing->input_lag);
    add_tile(out, "Events skipped", landing->events_skipped);
    add_newest(out, landing);
    add_tile(out, "Alerts firing", landing->alerts_active);
    buf_add_text(out, "</dl>\n");
    add_pipelines(out, landing);
    if (landing->details[0] != '\0') {
        buf_add_text(out, "<h2>Connections</h2>\n<pre>");
        for (const char *line = landing->details; *line != '\0';) {
            size_t len = strcspn(line, "\n");
            buf_add_html(out, (struct str){line, len});
            buf_add_char(out, '\n');
            line += len + (line[len] == '\n');
        }
        buf_add_text(out, "</pre>\n");
    }
    buf_add_text(out, "</main></body></html>\n");
}
