// span: durations and sizes as people write and read them. Nothing here allocates.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// "500ms", "1s", "5m", "1h", "2d", "10min", a plain number = `plain_unit_ms` each. Non-negative
// only; false on any other text, and beyond int64.
bool span_parse_ms(struct str text, int64_t plain_unit_ms, int64_t *out);
// "64k", "4g", "512m", "1t", with optional b ("4gb", "4gib"), powers of 1024; a plain number =
// `plain_unit_bytes` each. Non-negative only; false as above.
bool span_parse_bytes(struct str text, int64_t plain_unit_bytes, int64_t *out);
// Short text for people, the same wherever one is told a number: "1.5 GiB"; "120 ms", "0.4 s",
// "4 m 10 s", "2 h 05 m", "3 d 04 h", never "0.0 s" for what took time; "0.3", "12,345",
// "1.2 million". What is negative or no number is 0. Returns `out`.
#define SPAN_TEXT_SIZE 48
const char *span_format_bytes(double bytes, char out[SPAN_TEXT_SIZE]);
const char *span_format_seconds(double seconds, char out[SPAN_TEXT_SIZE]);
const char *span_format_ms(double ms, char out[SPAN_TEXT_SIZE]);
const char *span_format_count(double count, char out[SPAN_TEXT_SIZE]);
