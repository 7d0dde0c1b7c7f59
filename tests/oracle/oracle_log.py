"""Reading Spark event logs for the oracle: bytes in, event objects out.

Used by oracle.py and compare.py. Plain files, .zst/.zstd (through the zstd command), .gz, rolled
folders (`eventlog_v2_*`, parts in numeric order) and `-` for standard input. Nothing here knows a
rule; it only decides what is an event and what is a number. It must never raise on the content of
a log: what cannot be read is counted and skipped.
"""

import gzip
import json
import os
import re
import subprocess
import sys

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
DECIMAL = re.compile(r"-?[0-9]+\Z")
PART = re.compile(r"events_([0-9]+)_")

# A number of any length is a number (and then too large), not a damaged line.
sys.set_int_max_str_digits(0)
# Spark plans nest two JSON levels per plan level; 118 levels were seen, 1024 must pass.
sys.setrecursionlimit(6000)


class LogError(Exception):
    """A log that cannot be opened at all; the text says which and why."""


def integer(value):
    """The int64 that a JSON value stands for, or None: absent, null, a wrong type or too large.

    Strings count when they hold a decimal integer, floats lose their fraction.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not DECIMAL.match(value):
            return None
        value = int(value)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        value = int(value)
    if not isinstance(value, int):
        return None
    return value if INT64_MIN <= value <= INT64_MAX else None


def metric(value):
    """A metric or a time: the integer, or 0 where there is none or it is negative."""
    number = integer(value)
    return number if number is not None and number > 0 else 0


def identifier(value):
    """An id: the integer >= 0, or None."""
    number = integer(value)
    return number if number is not None and number >= 0 else None


def text(value):
    """A string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def table(value):
    """A JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rolled_parts(folder):
    """The parts of a rolled log, by number; a compacted part replaces all up to its own."""
    found = []
    for name in os.listdir(folder):
        match = PART.match(name)
        if match:
            found.append((int(match.group(1)), name.endswith(".compact"), name))
    if not found:
        raise LogError(f"{folder}: no events_<n>_ part in this folder")
    compacted = max((number for number, compact, _ in found if compact), default=None)
    kept = [
        (number, name)
        for number, compact, name in found
        if compacted is None or number > compacted or (number == compacted and compact)
    ]
    return [os.path.join(folder, name) for _, name in sorted(kept)]


def file_lines(path):
    """Yield (line, ended) of one file: the bytes without line end, and whether an end was there."""
    name = path[: -len(".inprogress")] if path.endswith(".inprogress") else path
    process = None
    if path == "-":
        stream = sys.stdin.buffer
    elif name.endswith((".zst", ".zstd")):
        process = subprocess.Popen(
            ["zstd", "-dcq", "--", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        stream = process.stdout
    elif name.endswith(".gz"):
        stream = gzip.open(path, "rb")
    else:
        stream = open(path, "rb")
    try:
        for line in stream:
            ended = line.endswith(b"\n")
            line = line[:-1] if ended else line
            yield (line[:-1] if line.endswith(b"\r") else line), ended
    except (EOFError, gzip.BadGzipFile):
        return  # damaged gzip data: what came before it counts
    finally:
        if path != "-":
            stream.close()
        if process is not None:
            process.wait()


def reject_constant(word):
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def parse(line):
    """The event object of one line, or None if the line holds no event."""
    try:
        event = json.loads(line.decode("utf-8"), parse_constant=reject_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("Event"), str):
        return None
    return event


class Log:
    """One log. Iterate over it to get its events; `malformed` and `cut` count what was skipped."""

    def __init__(self, path):
        if path != "-" and not os.path.exists(path):
            raise LogError(f"{path}: no such file")
        self.path = path
        self.paths = rolled_parts(path) if os.path.isdir(path) else [path]
        self.malformed = 0
        self.cut = 0

    @property
    def in_progress(self):
        """True if the name says that the application still writes it."""
        return self.paths[-1].endswith(".inprogress")

    def __iter__(self):
        for path in self.paths:
            for line, ended in file_lines(path):
                if not line.strip():
                    continue
                event = parse(line)
                if event is not None:
                    yield event
                elif ended:
                    self.malformed += 1
                else:
                    self.cut += 1
