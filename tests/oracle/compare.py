#!/usr/bin/env python3
"""Compares the agent with the oracle, log by log.

    compare.py STOKER LOG...      runs `STOKER analyze --format json LOG` for each log

Integers and words must be equal, floats within 1e-9 relative; a missing field is a failure. Prints
every difference with log, run, stage, field and both values; the last line is
`N passed, M failed`, counted in logs. Exit 1 on any failure. It must never forgive a difference
because it looks small: the oracle and the agent implement the same rules.
"""

import json
import subprocess
import sys

from oracle import judge
from oracle_log import LogError

TIMEOUT_S = 600
RELATIVE = 1e-9
# Of the run, the rules define these; the rest of the contract must at least be there.
RUN_ONLY_PRESENT = ("cluster", "pipeline", "app_name", "user", "spark_version")
STAGE_ONLY_PRESENT = ("name",)
VERDICT_FIELDS = ("id", "kind", "stage", "attempt", "rule_met", "severity", "cause", "summary")
VERDICT_FIELDS += ("evidence", "state")
NULL_FIELDS = ("kind", "stage", "attempt", "rule_met", "reason")
# Kinds beyond the base rules of which the oracle knows nothing.
BEYOND = {"low_parallelism", "tiny_tasks", "small_files", "oversized_partitions", "join_strategy"}
BEYOND |= {"speculation_waste", "python_udf", "native_fallback", "streaming_lag"}
PARTS = {"run": dict, "stages": list, "bottlenecks": list, "recommendations": list}
MISSING = "(missing)"


def same(expected, actual):
    """Equality of two values: exact, but for floats."""
    if isinstance(expected, float):
        if isinstance(actual, bool) or not isinstance(actual, (int, float)):
            return False
        return abs(expected - actual) <= RELATIVE * max(abs(expected), abs(actual))
    return type(expected) is type(actual) and expected == actual


def compare_fields(place, expected, actual, only_present):
    """Differences of two flat objects as (place, field, expected, actual)."""
    differences = []
    for field, value in expected.items():
        found = actual.get(field, MISSING)
        unknown = value is None and field in actual  # the rules do not say what it is
        if not unknown and not same(value, found):
            differences.append((place, field, "present" if value is None else value, found))
    for field in only_present:
        if field not in actual:
            differences.append((place, field, "present", MISSING))
    return differences


def subject(entry):
    return (entry.get("kind"), entry.get("stage"), entry.get("attempt"))


def place_of(key):
    return "run" if key[1] is None else f"stage {key[1]}.{key[2]}"


def compare_stages(expected, actual):
    """Every stage of one side must be on the other, with the same numbers."""
    differences = []
    ours = {(stage["stage"], stage["attempt"]): stage for stage in expected}
    theirs = {(stage.get("stage"), stage.get("attempt")): stage for stage in actual}
    if len(theirs) != len(actual):
        differences.append(("run", "stages", "each attempt once", "repeated stage attempts"))
    for key in sorted(set(ours) | set(theirs), key=repr):
        place = f"stage {key[0]}.{key[1]}"
        if key not in theirs:
            differences.append((place, "stages", "listed", "not listed"))
        elif key not in ours:
            differences.append((place, "stages", "not listed", "listed"))
        else:
            differences += compare_fields(place, ours[key], theirs[key], STAGE_ONLY_PRESENT)
    return differences


def verdict_words(met):
    return "not listed" if met is MISSING else f"rule_met {json.dumps(met)}"


def compare_verdicts(expected, actual):
    """The subjects whose rule is met, and the rules never evaluated, must be the same. Kinds with a condition
    of their own are not compared, nor what the oracle does not say of a run ("any")."""
    differences = []
    ours = {subject(entry): entry["rule_met"] for entry in expected}
    theirs = {}
    for entry in actual:
        key = subject(entry)
        if key in theirs:
            differences.append((place_of(key), f"{key[0]}", "listed once", "listed again"))
        theirs[key] = entry.get("rule_met", MISSING)
        wanted = NULL_FIELDS if theirs[key] is None else VERDICT_FIELDS
        for field in wanted:
            if field not in entry:
                differences.append((place_of(key), f"{key[0]}.{field}", "present", MISSING))
    for key in sorted(set(ours) | set(theirs), key=repr):
        kind = key[0]
        met, listed = ours.get(key, MISSING), theirs.get(key, MISSING)
        if kind in BEYOND or met == "any":
            correct = True
        elif kind == "straggler" and key[1] is not None:
            # Which of the skewed stages are stragglers is the agent's own judgement of the cause.
            met = ours.get(("data_skew",) + key[1:], MISSING)
            correct = listed is True and met is True
            met = met if met is True else MISSING
        elif listed is False:
            # opened by its cause: gc, oom; oversubscribed
            opened = met is False or key[1] is None
            correct = opened and kind in ("memory_pressure", "resource_contention")
        else:
            correct = met is listed or (met is False and listed is MISSING)
        if not correct:
            words = (verdict_words(met), verdict_words(listed))
            differences.append((place_of(key), str(kind), *words))
    return differences


def compare_run(expected, actual):
    """All differences of one run."""
    differences = []
    for part, kind in PARTS.items():
        if not isinstance(actual.get(part), kind):
            differences.append(("run", part, f"a JSON {kind.__name__}", actual.get(part, MISSING)))
    if differences:
        return differences
    differences = compare_fields("run", expected["run"], actual["run"], RUN_ONLY_PRESENT)
    differences += compare_stages(expected["stages"], actual["stages"])
    return differences + compare_verdicts(expected["verdicts"], actual["bottlenecks"])


def analyze(stoker, path):
    """What the agent prints for a log: (objects, words of failure)."""
    command = [stoker, "analyze", "--format", "json", path]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], str(error)
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip()
        return [], f"exit code {done.returncode}: {words[-300:]}"
    try:
        objects = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    except ValueError as error:
        return [], f"output is not NDJSON: {error}"
    if not all(isinstance(entry, dict) for entry in objects):
        return [], "output has a line that is no object"
    return objects, ""


def compare_log(stoker, path):
    """All differences of a log as lines of text."""
    try:
        expected = judge(path)
    except (LogError, OSError) as error:
        return [f"the oracle cannot read it: {error}"]
    actual, failure = analyze(stoker, path)
    if failure:
        return [failure]
    lines = []
    if len(actual) != len(expected):
        lines.append(f"runs: oracle {len(expected)}, agent {len(actual)}")
    for index, (ours, theirs) in enumerate(zip(expected, actual)):
        name = f"run {ours['run']['app_id']}/{ours['run']['attempt']} (#{index + 1})"
        for place, field, mine, other in compare_run(ours, theirs):
            where = "" if place == "run" else f" {place}"
            lines.append(f"{name}{where} {field}: oracle {mine!r}, agent {other!r}")
    return lines


def main(arguments):
    if len(arguments) < 2:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    stoker, paths = arguments[0], arguments[1:]
    failed = 0
    for path in paths:
        lines = compare_log(stoker, path)
        failed += bool(lines)
        print(f"{'FAIL' if lines else 'ok  '} {path}")
        for line in lines:
            print(f"     {path}: {line}")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
