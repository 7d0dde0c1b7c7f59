// line: see the header. Finds keys by searching the bytes: to decode a line would be to trust it.
// Called by replay and by who ships event logs; must never read beyond the line.
#include "replay/line.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"

#define ID_MAX_BYTES 256
#define TIME_MIN_MS INT64_C(946684800000)    // 2000: anything before is not a time
#define TIME_MAX_MS INT64_C(253402300799999) // the end of the year 9999

struct kind_key {
    struct str event; // as the line begins
    struct str key;
};

#define CORE "{\"Event\":\"SparkListener"
#define SQL "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListener"

// Where the kind says which of several times is meant. The most frequent kinds come first.
static const struct kind_key kind_keys[] = {
    {{CORE "TaskEnd\"", sizeof CORE "TaskEnd\"" - 1}, {"\"Finish Time\":", 14}},
    {{CORE "TaskStart\"", sizeof CORE "TaskStart\"" - 1}, {"\"Launch Time\":", 14}},
    {{CORE "StageCompleted\"", sizeof CORE "StageCompleted\"" - 1}, {"\"Completion Time\":", 18}},
    {{CORE "StageSubmitted\"", sizeof CORE "StageSubmitted\"" - 1}, {"\"Submission Time\":", 18}},
    {{CORE "JobStart\"", sizeof CORE "JobStart\"" - 1}, {"\"Submission Time\":", 18}},
    {{CORE "JobEnd\"", sizeof CORE "JobEnd\"" - 1}, {"\"Completion Time\":", 18}},
    {{SQL, sizeof SQL - 1}, {"\"time\":", 7}},
};

static const struct str any_keys[] = {
    {"\"Timestamp\":", 12},   {"\"Submission Time\":", 18}, {"\"Completion Time\":", 18},
    {"\"Finish Time\":", 14}, {"\"Launch Time\":", 14},     {"\"time\":", 7},
};

// The text behind the first `key` of the line, blanks passed over; p == NULL if there is none.
static struct str behind(struct str line, struct str key) {
    const char *at = memmem(line.p, line.len, key.p, key.len);
    if (at == NULL) {
        return (struct str){NULL, 0};
    }
    const char *end = line.p + line.len;
    for (at += key.len; at < end && (*at == ' ' || *at == '\t'); at++) {
    }
    return (struct str){at, (size_t)(end - at)};
}

static int64_t time_behind(struct str line, struct str key) {
    struct str rest = behind(line, key);
    size_t digits = 0;
    int64_t ms = 0;
    while (digits < rest.len && digits < 20 && isdigit((unsigned char)rest.p[digits])) {
        digits++;
    }
    if (digits == 0 || !str_to_i64((struct str){rest.p, digits}, &ms) || ms < TIME_MIN_MS ||
        ms > TIME_MAX_MS) {
        return 0;
    }
    return ms;
}

// By the key that fits the kind of event, else by any key that holds a time. A key in quotes
// followed by a colon cannot occur inside a JSON string (its quotes would be escaped), so searching
// for it is safe.
int64_t line_time_ms(struct str line) {
    for (size_t i = 0; i < ARRAY_LEN(kind_keys); i++) {
        if (str_starts(line, kind_keys[i].event)) {
            int64_t ms = time_behind(line, kind_keys[i].key);
            if (ms > 0) {
                return ms;
            }
            break;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(any_keys); i++) {
        int64_t ms = time_behind(line, any_keys[i]);
        if (ms > 0) {
            return ms;
        }
    }
    return 0;
}

// The string behind `key`, empty if there is none or it needs unescaping.
static struct str text_behind(struct str line, struct str key) {
    struct str rest = behind(line, key);
    if (rest.len == 0 || rest.p[0] != '"') {
        return STR("");
    }
    for (size_t i = 1; i < rest.len && i <= ID_MAX_BYTES; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if (c == '"') {
            return (struct str){rest.p + 1, i - 1};
        }
        if (c == '\\' || c < ' ') {
            break;
        }
    }
    return STR("");
}

bool line_identity(struct str line, struct str *app_id, struct str *attempt) {
    if (!str_starts(line, STR("{\"Event\":\"SparkListenerApplicationStart\""))) {
        return false;
    }
    *app_id = text_behind(line, STR("\"App ID\":"));
    *attempt = text_behind(line, STR("\"App Attempt ID\":"));
    return app_id->len > 0;
}

struct str line_event(struct str line) {
    return str_starts(line, STR("{\"Event\":")) ? text_behind(line, STR("\"Event\":")) : STR("");
}
