// report_words: see the header. Called by the renderers of a report.
#include "runs/report_words.h"

#include <stdio.h>

const char *report_number(double value, char out[SPAN_TEXT_SIZE]) {
    if (!(value > 0)) { // not known, too
        snprintf(out, SPAN_TEXT_SIZE, "0");
        return out;
    }
    int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.09995 ? 2 : 4;
    snprintf(out, SPAN_TEXT_SIZE, "%.*f", digits, value);
    return out;
}

static void add_size(enum size_unit unit, double size, struct buf *out) {
    char text[SPAN_TEXT_SIZE];
    buf_add_text(out, unit == SIZE_BYTES ? span_format_bytes(size, text)
                                         : span_format_count(size, text));
}

void report_size_words(const struct report_group *group, struct buf *out) {
    switch (group->unit) {
    case SIZE_ASKED:
        buf_printf(out, "size %s", group->asked);
        break;
    case SIZE_UNKNOWN:
        buf_add_text(out, "unknown size");
        break;
    default:
        add_size(group->unit, group->size, out);
        buf_add_text(out, group->unit == SIZE_RECORDS ? " records" : "");
    }
}

void report_range_words(const struct report_group *group, struct buf *out) {
    if (group->unit <= SIZE_RECORDS && group->size_min < group->size_max) {
        add_size(group->unit, group->size_min, out);
        buf_add_text(out, " to ");
        add_size(group->unit, group->size_max, out);
    }
}

void report_ratio_words(const struct report_pipeline *pipeline, const struct report_group *group,
                        struct buf *out) {
    if (group->ratio_to < 0) {
        buf_add_text(out, "no run of the baseline to compare with");
        return;
    }
    if (group->is_baseline) {
        buf_add_text(out, "the baseline");
        return;
    }
    buf_printf(out, "%s over those of the baseline (", group->ratio_of);
    report_size_words(&pipeline->groups[group->ratio_to], out);
    buf_add_text(out, group->apart ? "), beyond the spread of the runs"
                                   : "), within the spread of the runs");
}
