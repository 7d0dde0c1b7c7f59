// cmd_version: `stoker version`: the program's version and those of the libraries that it runs
// with, for bug reports.
#include "avro/avro_codec.h"
#include "commands/command.h"
#include "config/config.h"
#include "decode/decode.h"
#include "kafka/client.h"
#include "net/http_client.h"
#include "serve/http.h"

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    const struct {
        const char *name, *version;
    } libraries[] = {
        {"librdkafka", kafka_library_version()},   {"simdjson", decode_library_version()},
        {"jansson", avro_json_library_version()},  {"libcurl", net_library_version()},
        {"libmicrohttpd", http_library_version()}, {"libyaml", config_library_version()},
    };
    struct buf out = {0};
    buf_add_text(&out, "stoker " STOKER_VERSION "\n");
    for (unsigned i = 0; i < ARRAY_LEN(libraries); i++) {
        buf_printf(&out, "  %-14s %s\n", libraries[i].name, libraries[i].version);
    }
    int code = command_print(args, &out);
    buf_fini(&out);
    return code;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version, and those of the libraries in use",
    .usage = "",
    .details = "The first line is the program's version; then come the libraries it runs with.\n",
    .run = run,
};
