// scrub_plant: what holds of every scrubbed text, and secrets planted into it: shared by the test
// of scrub and its fuzz target. Aborts on what does not hold.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/scrub.h"

// How a secret stands in a text: before it, behind it. %-free: the secret is between the two.
static const struct {
    const char *before, *behind;
} plants[] = {
    {"jdbc:postgresql://etl:", "@db.example.com:5432/x"},
    {"s3a://KEY:", "@bucket/path"},
    {"password=", " next"},
    {"\"password\": \"", "\""},
    {"\\\"secretKey\\\":\\\"", "\\\""},
    {"fs.s3a.secret.key=", ""},
    {"Authorization: Basic ", "\n"},
    {"Authorization: Bearer ", " was rejected"},
    {"https://h/x?access_token=", "&y=1"},
    {"AccountKey=", ";EndpointSuffix=x"},
    {"--password ", " --x 1"},
    {"<password>", "</password>"},
    {"password%3D", "%26x"},
    {"client_secret: ", ""},
    {"passwd = '", "'"},
    {"sig=", "&se=2"},
    {"-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----"},
};

static inline void plant_fail(const char *what, struct str text, struct str shown) {
    fprintf(stderr, "%s\n  text  %.*s\n  shown %.*s\n", what, (int)text.len, text.p, (int)shown.len,
            shown.p);
    abort();
}

// Idempotent, bounded, and no less UTF-8 than it was; the same as copies of three sizes.
static inline void plant_check(struct str text) {
    static const size_t sizes[] = {9, 64, 513};
    struct buf once = {0}, twice = {0};
    scrub_add(&once, text);
    scrub_add(&twice, buf_str(&once));
    if (!str_eq(buf_str(&once), buf_str(&twice)) || !scrub_is_clean(buf_str(&once))) {
        plant_fail("scrubbed again it is another text", text, buf_str(&once));
    }
    if (once.len > 3 * text.len + sizeof SCRUB_MARK) {
        plant_fail("it grew", text, buf_str(&once));
    }
    if (str_is_utf8(text) && !str_is_utf8(buf_str(&once))) {
        plant_fail("it is no UTF-8 any more", text, buf_str(&once));
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char copy[SCRUB_COPY_MAX], again[SCRUB_COPY_MAX];
        scrub_copy(copy, sizes[i], text);
        scrub_copy(again, sizes[i], str_of(copy));
        if (strlen(copy) >= sizes[i] || strcmp(copy, again) != 0) {
            plant_fail("a copy of a copy is another text", text, str_of(copy));
        }
    }
    buf_fini(&once);
    buf_fini(&twice);
}

// The secret, between what is before and behind it on a line of its own in the middle of `around`,
// is not left.
static inline void plant_secret(size_t how, struct str secret, struct str around) {
    struct buf text = {0}, shown = {0};
    size_t half = str_cut_utf8(around, around.len / 2);
    buf_add(&text, around.p, half);
    buf_add_text(&text, "\n");
    buf_add_text(&text, plants[how].before);
    buf_add_str(&text, secret);
    buf_add_text(&text, plants[how].behind);
    buf_add_text(&text, " ");
    buf_add(&text, around.p + half, around.len - half);
    scrub_add(&shown, buf_str(&text));
    if (str_contains(buf_str(&shown), secret)) {
        plant_fail("a secret is left", buf_str(&text), buf_str(&shown));
    }
    buf_fini(&text);
    buf_fini(&shown);
}
