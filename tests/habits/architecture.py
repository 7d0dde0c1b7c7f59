"""architecture: docs/architecture.md says what the code says: every room with its floor, the rooms it may see beside it and its
libraries, as in floors.py; every room that starts a thread; and no file, folder or struct that is not there.

Called by tests/habits/run.sh."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import floors  # noqa: E402 (beside this file)

ROOT = floors.ROOT
PAGE = ROOT / "docs/architecture.md"
LINES_MAX = 120
STARTS_THREAD = re.compile(r"\b(?:pthread_create|thrd_create|MHD_start_daemon)\s*\(")
QUOTED = re.compile(r"`([^`]+)`")


def section(title):
    """The text below a heading, up to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return found.group(1) if found else ""


def rows(title):
    """The cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


# Headers that are not called as their library.
LIBRARIES = {"abstract": "gnutls", "hmac": "libcrypto"}


def libraries_of(room):
    """simdjson for simdjson.h, rdkafka for librdkafka/rdkafka.h, snappy for snappy-c.h."""
    stems = (header.split("/")[-1].split(".")[0] for header, rooms in floors.LIBRARY.items() if room in rooms)
    return {LIBRARIES.get(stem, re.sub(r"(?:-c|_mock|frame)$", "", stem)) for stem in stems}


def wrong_rooms():
    table = rows("Rooms")
    named = [QUOTED.findall(room)[0] for _, room, *_ in table]
    folders = {p.name for top in ("agent", "include") for p in (ROOT / top).iterdir() if p.is_dir()}
    for room in sorted(set(floors.FLOOR) ^ set(named)):
        yield f"{room}: a room of floors.py or of the page, not of both"
    for room in sorted(folders ^ set(named)):
        yield f"{room}: a folder of agent/ and include/ or a room of the page, not both"
    for room in sorted({r for r in named if named.count(r) > 1}):
        yield f"{room}: has more than one row"
    for floor, room, beside, purpose, libraries in table:
        room = QUOTED.findall(room)[0]
        if floor != str(floors.FLOOR.get(room)):
            yield f"{room}: is on floor {floors.FLOOR.get(room)}, not {floor}"
        allowed = {b for a, b in floors.SIDEWAYS if a == room and floors.FLOOR[a] == floors.FLOOR[b]}
        if set(QUOTED.findall(beside)) != allowed:
            yield f"{room}: floors.py lets it see beside it: {', '.join(sorted(allowed)) or 'none'}"
        if set(filter(None, libraries.split(", "))) != libraries_of(room):
            yield f"{room}: floors.py gives it the libraries: {', '.join(sorted(libraries_of(room))) or 'none'}"
        if len(purpose) < 15:
            yield f"{room}: what is it for?"


def wrong_threads():
    told = {room for row in rows("Threads") for room in QUOTED.findall(row[1])}
    start = {p.parent.name for p in (ROOT / "agent").rglob("*.c*") if STARTS_THREAD.search(p.read_text())}
    for room in sorted(told ^ start):
        yield f"{room}: starts a thread, or is said to, not both"


def missing_names():
    text = PAGE.read_text()
    headers = "\n".join(p.read_text() for top in ("agent", "include") for p in (ROOT / top).rglob("*.[ch]*"))
    for name in sorted(set(re.findall(r"struct (\w+)", text))):
        if not re.search(rf"\bstruct {name} \{{", headers):
            yield f"there is no struct {name}"
    for path in sorted(set(re.findall(r"`((?:agent|include|docs|tests)/[\w./-]*)`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))):
        if not (ROOT / path).exists() and not (PAGE.parent / path).exists():
            yield f"there is no {path}"


def main():
    bad = [*wrong_rooms(), *wrong_threads(), *missing_names()]
    if len(PAGE.read_text().splitlines()) > LINES_MAX:
        bad.append(f"more than one page of {LINES_MAX} lines")
    for text in bad:
        print(f"docs/architecture.md: {text}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
