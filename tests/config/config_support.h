// config_support: what the tests of config share.
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "commands/setup.h"
#include "config/config.h"
#include "support/test.h"

static inline struct config *new_config(void) {
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    return config_new(tables, count);
}

static inline struct config *load(const char *text, size_t len) {
    struct config *config = new_config();
    config_load_text(config, "f", (struct str){text, len});
    setup_check(config);
    return config;
}

// The text, as file "f", gives exactly these mistakes.
static inline void expect(const char *text, size_t len, const char *errors) {
    struct config *config = load(text, len);
    if (strcmp(config_errors(config), errors) != 0) {
        print_message("text:\n%s\ngot:\n%s\nwant:\n%s\n", text, config_errors(config), errors);
    }
    assert_string_equal(config_errors(config), errors);
    config_free(config);
}
