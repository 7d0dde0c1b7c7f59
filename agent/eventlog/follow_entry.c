// follow_entry: what the name of an entry of a followed folder tells: whether it is a log at all,
// and which part of which. Called for every entry of every listing; must never look at the file.
#include <string.h>

#include "base/check.h"
#include "eventlog/follow_priv.h"

// The name of a file without what is put behind it: what the log is known by.
static struct str stem_of(struct str base, const struct log_name *says) {
    size_t behind = says->packing.len + (says->in_progress ? strlen(".inprogress") : 0) +
                    (says->compact ? strlen(".compact") : 0);
    return (struct str){base.p, base.len - behind};
}

static bool ends_with(struct str text, struct str end) {
    return text.len >= end.len && memcmp(text.p + text.len - end.len, end.p, end.len) == 0;
}

// Names of files that are no logs, or none yet.
static bool is_passed_over(struct str name) {
    static const struct str endings[] = {
        {".crc", 4},      {".tmp", 4}, {".temp", 5}, {".part", 5}, {"._COPYING_", 10},
        {".filepart", 9}, {".swp", 4}, {"~", 1},     {".lock", 5}, {".compact.inprogress", 19},
    };
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (ends_with(name, endings[i])) {
            return true;
        }
    }
    return name.len == 0 || name.p[0] == '.' || name.p[0] == '_';
}

// "eventlog-2021-06-01--10-00": its digits as a number, so that parts sort by time.
static bool is_dated(struct str stem, int64_t *number) {
    char digits[19];
    size_t n = 0;
    *number = PART_CURRENT;
    if (str_is(stem, "eventlog")) {
        return true;
    }
    if (!str_starts(stem, STR("eventlog-")) || stem.len == 9) {
        return false;
    }
    for (size_t i = 9; i < stem.len; i++) {
        bool digit = stem.p[i] >= '0' && stem.p[i] <= '9';
        if ((!digit && stem.p[i] != '-') || n == sizeof digits - 1) {
            return false;
        }
        digits[n] = stem.p[i];
        n += digit;
    }
    return str_to_i64((struct str){digits, n}, number);
}

bool entry_read(struct entry *e, struct str name) {
    struct log_name says;
    if (is_passed_over(name)) {
        return false;
    }
    log_name_read(name, &says);
    *e = (struct entry){.stem = stem_of(name, &says),
                        .number = says.part,
                        .compact = says.compact,
                        .in_progress = says.in_progress,
                        .status_file = says.status};
    if (says.part > 0 || says.status) {
        e->form = LOG_ROLLED;
        e->stem.len = 0;
    } else if (is_dated(e->stem, &e->number)) {
        e->form = LOG_DATED;
        e->stem = STR("eventlog");
    } else {
        e->number = 0;
    }
    return true;
}
