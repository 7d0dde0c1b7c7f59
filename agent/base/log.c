// log: builds each line in a local buffer and writes it with one call, so lines of threads never
// mix. Values are found again by separator bytes that no caller's text may hold; every value is
// scrubbed and escaped before it is written.
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/scrub.h"

static _Atomic int log_level = LOG_INFO;
static _Atomic int log_form = LOG_LOGFMT;
const char *const log_level_names[] = {"debug", "info", "warn", "error", NULL};

void log_configure(enum log_level level, enum log_format format) {
    atomic_store(&log_level, (int)level);
    atomic_store(&log_form, (int)format);
}

bool log_parse_level(const char *text, enum log_level *out) {
    for (unsigned i = 0; log_level_names[i] != NULL; i++) {
        if (strcmp(text, log_level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level) {
    return (int)level >= atomic_load(&log_level);
}

static void add_logfmt_value(struct buf *line, struct str value) {
    bool plain = value.len > 0;
    for (size_t i = 0; i < value.len && plain; i++) {
        unsigned char c = (unsigned char)value.p[i];
        plain = c > 0x20 && c < 0x7F && c != '"' && c != '=' && c != '\\';
    }
    if (plain) {
        buf_add_str(line, value);
    } else {
        buf_add_json(line, value);
    }
}

// One line in the making: as JSON, or as logfmt if `json` has no buffer.
struct line {
    struct buf text;
    struct json_writer json;
};

static void add_field(struct line *line, struct str key, struct str value) {
    if (line->json.out != NULL) {
        json_put_key(&line->json, key);
        json_put_str(&line->json, value);
    } else {
        buf_add_text(&line->text, line->text.len > 0 ? " " : "");
        buf_add_str(&line->text, key);
        buf_add_char(&line->text, '=');
        add_logfmt_value(&line->text, value);
    }
}

// Bytes that mark the field boundaries of the format while values are printed. Text from outside
// goes through buf_add_printable before it is logged, so it holds neither.
#define FIELD_END '\x1e'
#define KEY_END '\x1f'

// Turns "key=%s other=%d" into "key<KEY_END>%s<FIELD_END>other<KEY_END>%d<FIELD_END>".
static void mark_fields(const char *fmt, char *out, size_t cap) {
    size_t n = 0;
    bool in_key = true;
    for (const char *p = fmt; *p != '\0' && n + 2 < cap; p++) {
        if (*p == '=' && in_key) {
            out[n++] = KEY_END;
            in_key = false;
        } else if (*p == ' ' && !in_key) {
            out[n++] = FIELD_END;
            in_key = true;
        } else {
            out[n++] = *p;
        }
    }
    out[n++] = FIELD_END;
    out[n] = '\0';
}

static void add_fields(struct line *line, const char *text) {
    while (*text != '\0') {
        const char *key_end = strchr(text, KEY_END);
        const char *end = key_end == NULL ? NULL : strchr(key_end, FIELD_END);
        if (end == NULL) {
            break;
        }
        char room[SCRUB_COPY_MAX];
        struct str value = {key_end + 1, (size_t)(end - key_end - 1)};
        add_field(line, (struct str){text, (size_t)(key_end - text)},
                  scrub_cut(value, sizeof room - 1, room));
        text = end + 1;
    }
}

void log_write(enum log_level level, const char *event, const char *fmt, ...) {
    if (!log_enabled(level)) {
        return;
    }
    char marked[512];
    char text[4096];
    mark_fields(fmt, marked, sizeof marked);
    va_list args;
    va_start(args, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof text - 1, marked, args);
#pragma GCC diagnostic pop
    va_end(args);
    size_t len = strlen(text);
    if (len == sizeof text - 2) { // cut: close the last field
        text[len] = FIELD_END;
        text[len + 1] = '\0';
    }
    char now[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(clock_wall_ms(), now);
    struct line line = {0};
    if (atomic_load(&log_form) == LOG_JSON) {
        line.json.out = &line.text;
        json_begin_object(&line.json);
    }
    add_field(&line, STR("time"), str_of(now));
    add_field(&line, STR("level"), str_of(log_level_names[level]));
    add_field(&line, STR("event"), str_of(event));
    add_fields(&line, text);
    if (line.json.out != NULL) {
        json_end_object(&line.json);
    }
    buf_add_char(&line.text, '\n');
    if (write(STDERR_FILENO, line.text.data, line.text.len) < 0) {
        // Nowhere left to complain.
    }
    buf_fini(&line.text);
}

bool log_gate_open(struct log_gate *gate, long long now_ms, long long interval_ms,
                   unsigned long *suppressed) {
    if (gate->next_ms != 0 && now_ms < gate->next_ms) {
        gate->suppressed++;
        return false;
    }
    if (suppressed != NULL) {
        *suppressed = gate->suppressed;
    }
    gate->suppressed = 0;
    gate->next_ms = now_ms + interval_ms;
    return true;
}
