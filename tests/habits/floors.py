"""floors: code depends downwards only, one library lives in one room, nothing below live reads a clock.

Reads every #include of agent/ and include/ and fails on a row that the tables below do not allow. Called by
tests/habits/run.sh."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOOR = {"base": 0, "config": 1, "model": 1, "stats": 1, "avro": 1, "decode": 2, "state": 2, "kafka": 2, "eventlog": 2,
         "net": 2, "alert": 2, "serve": 2, "detect": 3, "advise": 3, "engine": 4, "fleet": 4, "keep": 4, "runs": 4,
         "live": 5,
         "replay": 6, "ship": 6, "present": 6, "commands": 6}
DOORS = {"kafka", "eventlog", "net", "alert", "serve"}
# Rooms of the same floor that may be seen.
SIDEWAYS = {("config", "model"), ("decode", "stats"), ("model", "stats"), ("avro", "model"), ("alert", "net"),
            ("advise", "detect"), ("commands", "replay"), ("commands", "ship"), ("ship", "replay"), ("commands", "present"),
            ("engine", "keep"), ("fleet", "keep")}
FORBIDDEN = {("detect", "decode"), ("advise", "decode")} | {
    (room, door) for room in ("detect", "advise", "engine", "fleet", "keep", "runs") for door in DOORS} | {
    (room, "config") for room in FLOOR if room not in ("config", "commands")}
LIBRARY = {"simdjson.h": {"decode"}, "jansson.h": {"alert", "avro"}, "avro.h": set(), "librdkafka/rdkafka.h": {"kafka"},
           "librdkafka/rdkafka_mock.h": {"kafka"}, "curl/curl.h": {"net"}, "openssl/hmac.h": {"net"}, "microhttpd.h": {"serve"}, "gnutls/abstract.h": {"serve"}, "crypt.h": {"serve"}, "yaml.h": {"config"},
           "uuid/uuid.h": {"model"}, "zstd.h": {"eventlog"}, "zlib.h": {"eventlog"}, "lz4.h": {"eventlog"},
           "snappy-c.h": {"eventlog"}, "lz4frame.h": {"eventlog"}, "xxhash.h": {"eventlog"}}
NO_CLOCK = {"config", "model", "stats", "avro", "decode", "state", "detect", "advise", "engine", "fleet", "keep", "runs"}
# The live agent is blind to what a stage does: these rooms are seen by its stage_*.c alone.
STAGES_ONLY = {"detect", "advise", "engine", "fleet"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def complaints(path):
    room = path.parent.name
    if room not in FLOOR:
        return
    public = "include" in path.relative_to(ROOT).parts[0]
    for bracket, name in INCLUDE.findall(path.read_text()):
        if bracket == "<" and (name in LIBRARY or name.startswith("avro/")):
            allowed = LIBRARY.get(name, set())
            if public:
                yield f"a library's header in a public header: {name}"
            elif room not in allowed:
                yield f"{name} belongs to {', '.join(sorted(allowed)) or 'no room'}"
        if name == "uthash.h" and path.name != "hash.h":
            yield "hash tables come with base/hash.h: their memory is counted"
        other = name.split("/")[0]
        if "/" not in name or other not in FLOOR or other == room:
            continue
        if (room, other) in FORBIDDEN:
            yield f"{room} must not see {other}"
        elif room == "live" and not public and other in STAGES_ONLY and not path.match("stage_*.c"):
            yield f"{name} is for agent/live/stage_*.c: see struct stage_ops"
        elif FLOOR[other] > FLOOR[room] or (FLOOR[other] == FLOOR[room] and (room, other) not in SIDEWAYS):
            yield f"{room} (floor {FLOOR[room]}) includes {name} (floor {FLOOR[other]})"
        if name == "base/clock.h" and room in NO_CLOCK:
            yield f"{room} takes time as an argument and must not include base/clock.h"


def main():
    files = sorted(p for top in ("agent", "include") for p in (ROOT / top).rglob("*") if p.suffix in (".c", ".cpp", ".h", ".def"))
    bad = [f"{p.relative_to(ROOT)}: {text}" for p in files for text in complaints(p)]
    print("\n".join(bad))
    if len(files) < 50:
        print(f"only {len(files)} files found: is this the right folder?")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
