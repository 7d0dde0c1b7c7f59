// setting: one row of a settings table: key, type, default, range and what it is for. The tables
// drive parsing, checks, the sample file, the reference page and `config show`.
#pragma once

enum setting_type {
    SETTING_TEXT,
    SETTING_BOOL,     // true or false
    SETTING_INT,      // min..max
    SETTING_REAL,     // min..max
    SETTING_DURATION, // "1s", "250ms", "1h"; min..max in ms
    SETTING_BYTES,    // "32m", "1g"; min..max in bytes
    SETTING_CHOICE,   // one of choices
    SETTING_LIST,     // texts; default separated by commas
    SETTING_MAP,      // any keys below it, texts
};

enum setting_flag {
    SETTING_SECRET = 1, // never printed; has a twin KEY_file that names a file holding it
};

struct setting {
    const char *key; // "section.name"
    enum setting_type type;
    const char *def;            // as it would be written
    double min, max;            // INT, REAL, DURATION, BYTES
    const char *const *choices; // CHOICE, NULL at the end
    const char *help;           // one sentence
    unsigned flags;
};

struct setting_table {
    const struct setting *rows;
    unsigned count;
};

// The agent's own settings.
extern const struct setting_table settings_agent;
