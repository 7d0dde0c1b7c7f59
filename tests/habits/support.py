"""support: docs/support.md lists the versions that the suites run with, no more and no fewer."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = re.compile(r"\b\d+\.\d+\.\d+\b")


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def found(path, pattern):
    """The versions in the first match of the pattern in a file of ours."""
    match = re.search(pattern, text(path), re.M)
    return set(VERSION.findall(match.group(1))) if match else set()


def recorded():
    """Of the Sparks whose logs are fixtures, as their first lines tell it."""
    versions = set()
    for log in sorted((ROOT / "tests/fixtures/logs").glob("*/events.jsonl.zst")):
        with subprocess.Popen(["zstd", "-dcq", str(log)], stdout=subprocess.PIPE) as unpack:
            head = b"".join(unpack.stdout.readline() for _ in range(3))
            unpack.kill()
        versions |= set(re.findall(r'"Spark Version":"(\d+\.\d+\.\d+)"', head.decode("utf-8", "replace")))
    return versions


SUITES = {
    "Kafka, brokers": lambda: found("tests/real/deps.sh", r'^kafka_versions="([^"]*)"'),
    "Kafka, brokers that die": lambda: found("tests/faults/play.py", r'^KAFKA = "([^"]*)"'),
    "librdkafka": lambda: found("tests/real/requirements.txt", r"^confluent-kafka==(.*)$"),
    "Spark, the listener": lambda: found("tests/listener/harness.py", r'"STOKER_SPARK", "([^"]*)"'),
    "Spark, the listener, by `make listener-matrix`": lambda: found("tests/listener/deps.sh", r'^all="([^"]*)"'),
    "Spark, settings that advice gives": lambda: found("tests/listener/deps.sh", r'^ci="([^"]*)"'),
    "Spark, event logs recorded for the tests": recorded,
}


def main():
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| [^|]+ \|$", text("docs/support.md"), re.M))
    wrong = []
    for name, suite in SUITES.items():
        told, runs = set(VERSION.findall(rows.get(name, ""))) - {"2.0.2"}, suite()
        if told != runs or not runs:
            wrong.append(f"docs/support.md: {name}: says {', '.join(sorted(told)) or 'none'}, the suites run with "
                         f"{', '.join(sorted(runs)) or 'none'}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
