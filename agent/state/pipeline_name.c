// pipeline_name: what a run is called as a pipeline: the first of the rule's places that says
// something (properties of Spark, or the application's name), and what of a name is the mark of one
// run. Called by app as properties and names come. Two runs of one pipeline must get one name, two
// pipelines two; a name never becomes empty, and what was published once stays.
#include "app_priv.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/scrub.h"

// The operator's name of one run: of a ScheduledSparkApplication it ends in the run's time.
#define LABEL_OF_A_RUN "spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name"

enum {
    PARTS_MAX = 12,         // of a date with its time and zone, and room for a counter
    REST_PARTS_MAX = 6,     // hour, minute, second, fraction, zone in two parts
    LONG_NUMBER_DIGITS = 6, // such a number counts runs
    HASH_DIGITS = 16,
    TOKEN_LEAST = 5, // bytes of a random word behind a date
    TOKEN_MOST = 8,
};

// A part of what may be a date at the end of a name.
struct part {
    size_t at;       // where it begins in the name
    size_t digits;   // how many; 0: a month or a week, called by a name
    uint64_t number; // of at most 19 digits
};

static bool is_digit(char c) {
    return isdigit((unsigned char)c) != 0;
}

// Bytes of the separator that ends at `end`, 0 if none does.
static size_t separator_before(struct str name, size_t end) {
    static const char *const wide[] = {"\xC2\xA0",     "\xE2\x80\x90", "\xE2\x80\x91",
                                       "\xE2\x80\x92", "\xE2\x80\x93", "\xE2\x80\x94",
                                       "\xE2\x80\x95", "\xE3\x80\x80"}; // blanks and dashes
    if (end == 0) {
        return 0;
    }
    char last = name.p[end - 1];
    if (last != '\0' && strchr("-_ .:/#@()[]{}<>=,;+|~'\"&*\\\t", last) != NULL) {
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        size_t len = strlen(wide[i]);
        if (end >= len && memcmp(name.p + end - len, wide[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

static size_t without_separators(struct str name, size_t end) {
    size_t len;
    while ((len = separator_before(name, end)) > 0) {
        end -= len;
    }
    return end;
}

// Where the word begins that ends at `end`.
static size_t word_start(struct str name, size_t end) {
    while (end > 0 && separator_before(name, end) == 0) {
        end--;
    }
    return end;
}

static size_t digits_at(const char *p, size_t most) {
    size_t n = 0;
    while (n < most && is_digit(p[n])) {
        n++;
    }
    return n;
}

static struct part number_at(struct str name, size_t at, size_t digits) {
    struct part part = {.at = at, .digits = digits};
    for (size_t i = 0; i < digits && i < 19; i++) {
        part.number = part.number * 10 + (uint64_t)(name.p[at + i] - '0');
    }
    return part;
}

// "oct", "October", or the "W41" of a year's weeks.
static bool is_month_name(struct str word) {
    static const char *const months[] = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
    if (word.len >= 2 && (word.p[0] | 0x20) == 'w') {
        return word.len <= 3 && digits_at(word.p + 1, word.len - 1) == word.len - 1;
    }
    for (size_t m = 0; m < ARRAY_LEN(months) && word.len >= 3; m++) {
        size_t i = 0;
        while (i < word.len && months[m][i] == (word.p[i] | 0x20)) {
            i++;
        }
        if (i == word.len && (i == 3 || months[m][i] == '\0')) {
            return true;
        }
    }
    return false;
}

// The parts that a word is, the last one first; 0 if it can be none of a date. *more: the word
// before may be one, too.
static unsigned read_word(struct str name, size_t start, size_t end, struct part *parts,
                          bool *more) {
    struct str word = {name.p + start, end - start};
    size_t first = digits_at(word.p, word.len);
    *more = true;
    if (first > 0 && first + 1 == word.len && (word.p[first] | 0x20) == 'z') {
        word.len--; // the zone
    }
    if (first > 0 && first == word.len) {
        parts[0] = number_at(name, start, first);
        return 1;
    }
    if (first > 0 && (word.p[first] | 0x20) == 't') { // a day and its time
        size_t left = word.len - first - 1;
        size_t second = digits_at(word.p + first + 1, left);
        bool zone = second + 1 == left && (word.p[word.len - 1] | 0x20) == 'z';
        parts[0] = number_at(name, start + first + 1, second);
        parts[1] = number_at(name, start, first);
        *more = second > 0 && (second == left || zone);
        return *more ? 2 : 0;
    }
    if (is_month_name(word)) {
        parts[0] = (struct part){.at = start, .number = 1};
        return 1;
    }
    *more = false;
    size_t tail = 0; // a date that is written on to a word
    while (tail < word.len && is_digit(word.p[word.len - tail - 1])) {
        tail++;
    }
    if (first > 0 || (tail != 4 && tail != 8 && tail != 12 && tail != 14)) {
        return 0;
    }
    parts[0] = number_at(name, end - tail, tail);
    return 1;
}

// The parts at the end of a name that may be those of a date, in their order; returns how many.
static unsigned read_parts(struct str name, struct part *parts) {
    struct part backwards[PARTS_MAX] = {{0}};
    unsigned count = 0;
    size_t end = without_separators(name, name.len);
    if (end > 4 &&
        (memcmp(name.p + end - 4, " UTC", 4) == 0 || memcmp(name.p + end - 4, " GMT", 4) == 0)) {
        end = without_separators(name, end - 4);
    }
    for (bool more = end > 0; more && count + 2 <= PARTS_MAX;) {
        size_t start = word_start(name, end);
        count += read_word(name, start, end, backwards + count, &more);
        end = without_separators(name, start);
        more = more && end > 0;
    }
    for (unsigned i = 0; i < count; i++) {
        parts[i] = backwards[count - 1 - i];
    }
    return count;
}

static bool is_between(const struct part *part, size_t digits_most, uint64_t least, uint64_t most) {
    return part->digits >= 1 && part->digits <= digits_most && part->number >= least &&
           part->number <= most;
}

static bool is_year(const struct part *part) {
    return part->digits == 4 && is_between(part, 4, 1970, 2199);
}

static bool is_month(const struct part *part) {
    return part->digits == 0 || is_between(part, 2, 1, 12);
}

static bool is_day(const struct part *part) {
    return is_between(part, 2, 1, 31);
}

// A date in one number: 20251009, with hour and minute, and second; or the time of Unix in
// milliseconds, microseconds or nanoseconds.
static bool is_whole_date(const struct part *part) {
    uint64_t day = part->number;
    switch (part->digits) {
    case 13:
    case 16:
    case 19:
        return true;
    case 14:
        day /= 100;
        // fall through
    case 12:
        day /= 10000;
        // fall through
    case 8:
        return day / 10000 >= 1970 && day / 10000 <= 2199 && day / 100 % 100 >= 1 &&
               day / 100 % 100 <= 12 && day % 100 >= 1 && day % 100 <= 31;
    default:
        return false;
    }
}

// The parts that a date takes at the beginning of these, 0 if it is none. *whole: it names a day,
// so that what follows is its time, or counts the runs of the day.
static unsigned date_at(const struct part *p, unsigned count, bool year_first, bool *whole) {
    *whole = true;
    if (year_first) {
        if (is_whole_date(&p[0])) {
            return 1;
        }
        *whole = count >= 3 && is_day(&p[2]);
        return count >= 2 && is_year(&p[0]) && is_month(&p[1]) ? *whole ? 3 : 2 : 0;
    }
    bool day_month = count >= 3 && is_year(&p[2]) &&
                     ((is_day(&p[0]) && is_month(&p[1])) || (is_month(&p[0]) && is_day(&p[1])));
    if (day_month) {
        return 3;
    }
    *whole = false;
    return count >= 2 && p[0].digits == 0 && is_year(&p[1]) ? 2 : 0;
}

static bool is_date(struct str name, const struct part *parts, unsigned count, bool year_first) {
    bool whole;
    unsigned used = date_at(parts, count, year_first, &whole);
    if (used == 0 || (!whole && used < count) || count - used > REST_PARTS_MAX) {
        return false;
    }
    if (!year_first && used < count && // what follows the year may be its month
        (count - used < 2 || name.p[parts[used + 1].at - 1] != ':')) {
        return false;
    }
    for (unsigned i = used; i < count; i++) {
        if (parts[i].digits == 0 || parts[i].digits > 9) {
            return false;
        }
    }
    return true;
}

// "03:15", "3:04:05.678".
static bool is_time(struct str name, const struct part *p, unsigned count) {
    bool time = count >= 2 && count <= 4 && is_between(&p[0], 2, 0, 23);
    for (unsigned i = 1; i < count && time; i++) {
        bool colon = i == 3 || name.p[p[i].at - 1] == ':';
        time = colon && (i == 3 || (p[i].digits == 2 && p[i].number < 61));
    }
    return time;
}

// Length of the name without a date or a time at its end; its length if there is none.
static size_t without_date(struct str name) {
    struct part parts[PARTS_MAX];
    unsigned count = read_parts(name, parts);
    for (int year_first = 0; year_first <= 1; year_first++) {
        for (unsigned i = 0; i < count; i++) {
            if (is_date(name, parts + i, count - i, year_first == 1)) {
                return parts[i].at;
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (is_time(name, parts + i, count - i)) {
            return parts[i].at;
        }
    }
    return name.len;
}

// The same of a UUID.
static size_t without_uuid(struct str name) {
    static const size_t groups[] = {8, 4, 4, 4, 12};
    size_t end = without_separators(name, name.len);
    if (end < 36) {
        return name.len;
    }
    const char *p = name.p + end - 36;
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; i < groups[g]; i++) {
            if (!isxdigit((unsigned char)*p++)) {
                return name.len;
            }
        }
        if (g + 1 < ARRAY_LEN(groups) && *p != '-' && *p != '_') {
            return name.len;
        }
        p++;
    }
    return end - 36;
}

static bool all_are(struct str word, int (*is)(int)) {
    size_t i = 0;
    while (i < word.len && is((unsigned char)word.p[i]) != 0) {
        i++;
    }
    return i == word.len;
}

static int is_lower_or_digit(int c) {
    return islower(c) || isdigit(c);
}

// Of a number that counts, in whatever unit, from 1970 or from the first run; of a hash.
static bool is_long_number(struct str word) {
    return (word.len >= LONG_NUMBER_DIGITS && all_are(word, isdigit)) ||
           (word.len >= HASH_DIGITS && all_are(word, isxdigit));
}

// A number that can be the time of Unix: in minutes, seconds, or smaller units.
static bool is_unix_time(struct str word) {
    bool length =
        word.len == 8 || word.len == 10 || word.len == 13 || word.len == 16 || word.len == 19;
    return length && all_are(word, isdigit) && word.p[0] >= '1' && word.p[0] <= '6';
}

// Length of the name without one mark at its end; its length if it has none. *random: a random word
// may still be taken off, if it stands behind a date.
static size_t without_mark(struct str name, bool *random) {
    size_t len = without_uuid(name);
    len = len == name.len ? without_date(name) : len;
    if (len < name.len) {
        return len;
    }
    size_t end = without_separators(name, name.len), start = word_start(name, end);
    struct str word = {name.p + start, end - start};
    if (is_long_number(word)) {
        return start;
    }
    if (!*random || word.len < TOKEN_LEAST || word.len > TOKEN_MOST ||
        !all_are(word, is_lower_or_digit)) {
        return name.len;
    }
    struct str before = {name.p, without_separators(name, start)};
    size_t dated = without_date(before), last = word_start(before, before.len);
    if (dated == before.len && is_unix_time((struct str){name.p + last, before.len - last})) {
        dated = last;
    }
    *random = false;
    return dated < before.len ? dated : name.len;
}

struct str app_name_unmarked(struct str name) {
    bool random = true;
    for (;;) {
        size_t len = without_separators(name, without_mark(name, &random));
        if (len == 0 || len >= without_separators(name, name.len)) {
            return name; // nothing to take off, or nothing would be left
        }
        name.len = len;
    }
}

void app_settle_pipeline(struct app *app) {
    if (app->pipeline_fixed) {
        return;
    }
    char *name = app->identity.pipeline;
    name[0] = '\0';
    for (uint32_t i = 0; i < app->pipeline_rule->count && name[0] == '\0'; i++) {
        const char *key = app->pipeline_rule->keys[i];
        struct str value = str_of(app->pipeline_values[i]);
        if (strcmp(key, "app_name") == 0) {
            value = str_of(app->identity.app_name);
        }
        if (strcmp(key, "app_name") == 0 || strcmp(key, LABEL_OF_A_RUN) == 0) {
            value = app_name_unmarked(value);
        }
        scrub_copy(name, sizeof app->identity.pipeline, value); // shorter than it was
    }
    if (name[0] == '\0') {
        str_copy(name, sizeof app->identity.pipeline, STR("unnamed"));
    }
}

void app_fix_pipeline(struct app *app) {
    app_settle_pipeline(app);
    app->pipeline_fixed = true;
}

void app_keep_property(struct app *app, const struct event_property *property) {
    // A log that starts midway has no ApplicationStart.
    bool app_name = app->identity.app_name[0] == '\0' && str_is(property->key, "spark.app.name");
    if (property->value.len == 0) {
        return;
    }
    if (app_name &&
        !scrub_copy(app->identity.app_name, sizeof app->identity.app_name, property->value)) {
        limit_hit(&app->limits, LIMIT_NAMES);
    }
    bool tells = app_name;
    for (uint32_t i = 0; i < app->pipeline_rule->count && !app->pipeline_fixed; i++) {
        if (str_is(property->key, app->pipeline_rule->keys[i]) && app->pipeline_values[i] == NULL) {
            size_t len = str_cut_utf8(property->value, RUN_TEXT_MAX);
            app->pipeline_values[i] = mem_strndup(property->value.p, len);
            if (len < property->value.len) {
                limit_hit(&app->limits, LIMIT_NAMES);
            }
            tells = true;
        }
    }
    if (tells) {
        app_settle_pipeline(app);
    }
}
