// floor: the least a reader of event logs can do: simdjson on-demand over every line, touching the
// same fields of a task end as the agent, adding them up per stage. No detector, no state beyond
// sums. Built and run by tests/bench/run.sh as the yardstick.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include <simdjson.h>

using namespace simdjson;

namespace {

struct sums {
    uint64_t tasks = 0, values[32] = {};
};
std::map<int64_t, sums> stages;
uint64_t lines, task_ends;

int64_t integer(ondemand::object &object, std::string_view key) {
    int64_t value;
    return object[key].get_int64().get(value) == SUCCESS ? value : 0;
}

template <size_t N>
void add(ondemand::object &object, const std::string_view (&keys)[N], uint64_t *into) {
    for (size_t i = 0; i < N; i++) {
        into[i] += static_cast<uint64_t>(integer(object, keys[i]));
    }
}

void task_metrics(ondemand::object &metrics, sums &s) {
    static constexpr std::string_view metric_keys[] = {"Executor Deserialize Time",
                                                       "Executor Deserialize CPU Time",
                                                       "Executor Run Time",
                                                       "Executor CPU Time",
                                                       "Peak Execution Memory",
                                                       "Result Size",
                                                       "JVM GC Time",
                                                       "Result Serialization Time",
                                                       "Memory Bytes Spilled",
                                                       "Disk Bytes Spilled"};
    static constexpr std::string_view read_keys[] = {"Fetch Wait Time", "Remote Bytes Read",
                                                     "Local Bytes Read", "Total Records Read"};
    static constexpr std::string_view write_keys[] = {"Shuffle Bytes Written", "Shuffle Write Time",
                                                      "Shuffle Records Written"};
    static constexpr std::string_view input_keys[] = {"Bytes Read", "Records Read"};
    static constexpr std::string_view output_keys[] = {"Bytes Written", "Records Written"};
    ondemand::object part;
    add(metrics, metric_keys, s.values + 8);
    if (!metrics["Shuffle Read Metrics"].get_object().get(part)) {
        add(part, read_keys, s.values + 18);
    }
    if (!metrics["Shuffle Write Metrics"].get_object().get(part)) {
        add(part, write_keys, s.values + 22);
    }
    if (!metrics["Input Metrics"].get_object().get(part)) {
        add(part, input_keys, s.values + 25);
    }
    if (!metrics["Output Metrics"].get_object().get(part)) {
        add(part, output_keys, s.values + 27);
    }
}

void task_end(ondemand::object &event) {
    static constexpr std::string_view info_keys[] = {"Task ID", "Index", "Attempt", "Launch Time"};
    static constexpr std::string_view late_keys[] = {"Getting Result Time", "Finish Time"};
    sums &s = stages[integer(event, "Stage ID") << 8 | integer(event, "Stage Attempt ID")];
    ondemand::object reason, info, metrics;
    std::string_view text;
    task_ends++;
    s.tasks++;
    if (!event["Task End Reason"].get_object().get(reason) &&
        !reason["Reason"].get_string().get(text)) {
        s.values[0] += text == "Success";
    }
    if (!event["Task Info"].get_object().get(info)) {
        add(info, info_keys, s.values + 1);
        for (std::string_view key : {"Executor ID", "Host", "Locality"}) {
            if (!info[key].get_string().get(text)) {
                s.values[5] += text.size();
            }
        }
        add(info, late_keys, s.values + 6);
    }
    if (!event["Task Metrics"].get_object().get(metrics)) {
        task_metrics(metrics, s);
    }
}

void line_of(ondemand::parser &parser, const char *line, size_t len, size_t room) {
    ondemand::document document;
    ondemand::object event;
    std::string_view name;
    lines++;
    if (parser.iterate(line, len, room).get(document) || document.get_object().get(event) ||
        event["Event"].get_string().get(name)) {
        return;
    }
    if (name == "SparkListenerTaskEnd") {
        task_end(event);
    }
}

} // namespace

int main(int argc, char **argv) {
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: floor LOG\n");
        return 64;
    }
    ondemand::parser parser;
    size_t cap = 1 << 20, have = 0;
    char *buffer = static_cast<char *>(malloc(cap + SIMDJSON_PADDING));
    ssize_t n;
    while ((n = read(fd, buffer + have, cap - have)) > 0) {
        have += static_cast<size_t>(n);
        char *at = buffer, *end = buffer + have;
        while (char *newline =
                   static_cast<char *>(memchr(at, '\n', static_cast<size_t>(end - at)))) {
            line_of(parser, at, static_cast<size_t>(newline - at),
                    static_cast<size_t>(buffer + cap + SIMDJSON_PADDING - at));
            at = newline + 1;
        }
        have = static_cast<size_t>(end - at);
        memmove(buffer, at, have);
        if (have == cap) {
            cap *= 2;
            buffer = static_cast<char *>(realloc(buffer, cap + SIMDJSON_PADDING));
        }
    }
    uint64_t check = 0;
    for (const auto &[key, s] : stages) {
        check += s.tasks + s.values[10];
    }
    printf("%lu lines, %lu task ends, %zu stages, check %lu\n", lines, task_ends, stages.size(),
           check);
    return 0;
}
