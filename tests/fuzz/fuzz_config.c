// fuzz_config: any bytes as a settings file, or, after a first '=', as a variable: taken or
// refused, never harmful. What is taken must print as a file that is taken again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "commands/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_print(const struct config *config, const struct setting_table *tables,
                        unsigned count) {
    struct buf shown = {0};
    config_show(config, &shown);
    if (config_errors(config)[0] == '\0' && strstr(buf_text(&shown), "[hidden]") == NULL) {
        struct config *again = config_new(tables, count);
        config_load_text(again, "shown", buf_str(&shown));
        require(config_errors(again)[0] == '\0');
        config_free(again);
    }
    buf_fini(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    struct config *config = config_new(tables, count);
    if (size > 0 && data[0] == '=') {
        struct buf variable = {0};
        buf_add_text(&variable, "STOKER_");
        buf_add(&variable, data + 1, size - 1);
        char *environment[] = {variable.data, NULL};
        config_load_env(config, environment);
        buf_fini(&variable);
    } else {
        config_load_text(config, "f", (struct str){(const char *)data, size});
    }
    setup_check(config);
    check_print(config, tables, count);
    config_free(config);
    return 0;
}
