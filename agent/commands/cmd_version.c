// cmd_version: `stoker version`: the program's version and those of the libraries that it runs
// with, for bug reports.
#include "avro/avro_codec.h"
#include "base/json_writer.h"
#include "commands/command.h"
#include "config/config.h"
#include "decode/decode.h"
#include "kafka/client.h"
#include "net/http_client.h"
#include "serve/http.h"

static const struct command_option options[] = {
    {"json", 'j', NULL, "as one JSON object, for programs"},
};

struct library {
    const char *name, *version;
};
enum { LIBRARIES = 6 };

static void put_text(const struct library *libraries, struct buf *out) {
    buf_add_text(out, "stoker " STOKER_VERSION "\n");
    for (unsigned i = 0; i < LIBRARIES; i++) {
        buf_printf(out, "  %-14s %s\n", libraries[i].name, libraries[i].version);
    }
}

static void put_json(const struct library *libraries, struct buf *out) {
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_member_text(&json, "name", "stoker");
    json_member_text(&json, "version", STOKER_VERSION);
    json_member_object(&json, "libraries");
    for (unsigned i = 0; i < LIBRARIES; i++) {
        json_member_text(&json, libraries[i].name, libraries[i].version);
    }
    json_end_object(&json);
    json_member_list(&json, "avro_write_versions");
    for (const char *const *version = avro_versions(); *version != NULL; version++) {
        json_put_str(&json, str_of(*version));
    }
    json_end_list(&json);
    json_end_object(&json);
    buf_add_char(out, '\n');
}

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    const struct library libraries[LIBRARIES] = {
        {"librdkafka", kafka_library_version()},   {"simdjson", decode_library_version()},
        {"jansson", avro_json_library_version()},  {"libcurl", net_library_version()},
        {"libmicrohttpd", http_library_version()}, {"libyaml", config_library_version()},
    };
    struct buf out = {0};
    bool json = command_value(args, "json") != NULL;
    (json ? put_json : put_text)(libraries, &out);
    int code = command_print(args, &out);
    buf_fini(&out);
    return code;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version, and those of the libraries in use",
    .usage = "[--json]",
    .details = "The first line is the program's version; then come the libraries it runs with. "
               "--json says, too,\n"
               "by which releases' schemas it can write (avro.write_version).\n\n"
               "  stoker version --json | jq -r .version\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};
