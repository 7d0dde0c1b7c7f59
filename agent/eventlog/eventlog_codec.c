// eventlog_codec: tells how a log is packed, by its first bytes and its name. Called when a part is
// opened; must never guess: content that contradicts the name is refused in words.
#include <string.h>

#include "eventlog/eventlog_priv.h"

struct magic {
    struct str bytes;
    const struct codec *codec; // NULL: known, and not supported
    const char *name;
};

static const struct magic magics[] = {
    {{"\x28\xB5\x2F\xFD", 4}, &codec_zstd, "Zstandard"},
    {{"\x1F\x8B", 2}, &codec_gzip, "gzip"},
    {{"LZ4Block", 8}, &codec_lz4_block, "LZ4"},
    {{"\x04\x22\x4D\x18", 4}, &codec_lz4_frame, "LZ4"},
    {{"\x82SNAPPY\x00", 8}, &codec_snappy, "Snappy"},
    {{"ZV", 2}, NULL, "LZF"},
    {{"BZh", 3}, NULL, "bzip2"},
    {{"\xFD\x37zXZ\x00", 6}, NULL, "xz"},
    {{"PK\x03\x04", 4}, NULL, "zip"},
    {{"\xFF\x06\x00\x00sNaPpY", 10}, NULL, "framed Snappy (not Spark's form)"},
};

struct ending {
    const char *text;
    const char *name; // as in magics
};

static const struct ending endings[] = {
    {".zst", "Zstandard"}, {".zstd", "Zstandard"}, {".gz", "gzip"},
    {".lz4", "LZ4"},       {".snappy", "Snappy"},  {".lzf", "LZF"},
};

static bool ends_with(struct str text, const char *ending) {
    size_t n = strlen(ending);
    return text.len >= n && memcmp(text.p + text.len - n, ending, n) == 0;
}

static bool cut_ending(struct str *text, const char *ending) {
    size_t n = strlen(ending);
    if (text->len <= n || !ends_with(*text, ending)) {
        return false;
    }
    text->len -= n;
    return true;
}

struct str codec_strip_name(struct str file_name, bool *in_progress) {
    *in_progress = cut_ending(&file_name, ".inprogress");
    (void)cut_ending(&file_name, ".compact");
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (cut_ending(&file_name, endings[i].text)) {
            break;
        }
    }
    return file_name;
}

static const struct ending *ending_of(struct str file_name) {
    (void)cut_ending(&file_name, ".inprogress");
    (void)cut_ending(&file_name, ".compact");
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (ends_with(file_name, endings[i].text)) {
            return &endings[i];
        }
    }
    return NULL;
}

static bool is_zstd_skippable(struct str first) {
    return first.len >= 4 && ((unsigned char)first.p[0] & 0xF0) == 0x50 &&
           memcmp(first.p + 1, "\x2A\x4D\x18", 3) == 0;
}

static enum status refuse(struct err *err, const char *name) {
    return err_set(err, ST_SKIP, "%s packing is not supported: unpack the log first", name);
}

// The name promises `ending`, the content did not tell: too short, unpacked in place, or broken.
static enum status choose_by_name(const struct ending *ending, struct str first,
                                  const struct codec **out, struct err *err) {
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        const struct magic *m = &magics[i];
        if (strcmp(m->name, ending->name) == 0 && first.len < m->bytes.len &&
            memcmp(m->bytes.p, first.p, first.len) == 0) {
            *out = m->codec;
            return m->codec == NULL ? refuse(err, m->name) : ST_OK;
        }
    }
    if (strcmp(ending->name, "LZF") == 0) {
        return refuse(err, ending->name);
    }
    if (first.p[0] == '{') {
        *out = &codec_plain; // unpacked without a new name
        return ST_OK;
    }
    return err_set(err, ST_SKIP, "the name ends in %s, but the content is not %s", ending->text,
                   ending->name);
}

enum status codec_choose(struct str file_name, struct str first_bytes, const struct codec **out,
                         struct err *err) {
    *out = &codec_plain;
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        if (str_starts(first_bytes, magics[i].bytes)) {
            *out = magics[i].codec;
            return *out == NULL ? refuse(err, magics[i].name) : ST_OK;
        }
    }
    if (is_zstd_skippable(first_bytes)) {
        *out = &codec_zstd;
        return ST_OK;
    }
    const struct ending *ending = ending_of(file_name);
    return ending == NULL ? ST_OK : choose_by_name(ending, first_bytes, out, err);
}

static void *plain_create(void) {
    return NULL;
}

static void plain_destroy(void *state) {
    (void)state;
}

static enum status plain_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                              struct err *err) {
    (void)state;
    return input_read(in, out, room, got, err);
}

const struct codec codec_plain = {"plain", plain_create, plain_destroy, plain_read};
