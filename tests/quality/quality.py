#!/usr/bin/env python3
"""How far the verdicts can be trusted: what `stoker analyze` finds in labelled logs, against what was put into them.

    tests/quality/quality.py STOKER [--floors] [--leave-one-out] [FOLDER...]

A labelled log is a folder with events.jsonl.zst and label.json (tests/corpus says how they are recorded); without FOLDER those of
tests/fixtures/logs. A verdict counts from `moderate` up. It is right if its kind and cause fit a thing that was put in, on the
stage that carries it; one that fits a side effect the label names counts neither way. Prints a Markdown table, a row a kind: how
many findings were right, how many were wrong, what was missed, the cause, and when a stage's verdict came: seconds after the first
moment at which the events could show it, and whether before the stage's end. --floors: exit 1 below the figures that were reached.
--leave-one-out: thresholds are tuned on all programs but one, and judged on that one; prints both.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOUD = ("moderate", "severe", "critical")
# What was put in -> the findings that name it: (kind, cause), None for any cause.
FINDS = {
    "data_skew": {("data_skew", "data")},
    "slow_host": {("straggler", "slow_host")},
    "costly_records": {("straggler", "costly_records")},
    "memory_spill": {("memory_pressure", "spill")},
    "gc_pressure": {("memory_pressure", "gc")},
    "executor_oom": {("memory_pressure", "oom"), ("task_failures", "oom"), ("task_failures", "container_killed")},
    "shuffle_overhead": {("network_overhead", None)},
    "io_read_slow": {("io_bottleneck", None)},
    "io_small_files": {("small_files", None), ("io_bottleneck", None)},
    "unsplittable_input": {("low_parallelism", "unsplittable"), ("io_bottleneck", None)},
    "contention": {("resource_contention", None)},
    "too_many_tasks": {("tiny_tasks", None), ("small_files", None)},  # a task a file: one root, told once
    "too_few_partitions": {("low_parallelism", "few_partitions"), ("low_parallelism", "single_partition")},
    "failed_stage": {("pipeline_failure", None), ("task_failures", None)},
    "task_retries": {("task_failures", None)},
    "executor_lost": {("task_failures", None), ("resource_contention", None)},
    "broadcastable_join": {("join_strategy", "broadcastable")},
    "cartesian": {("join_strategy", "cartesian")},
    "nested_loop": {("join_strategy", "nested_loop")},
    "exploding_join": {("join_strategy", "exploding")},
}
# Labels that are called as the kind itself.
OWN_NAME = ("driver_bound", "low_parallelism", "tiny_tasks", "small_files", "oversized_partitions", "speculation_waste",
            "idle_executors", "python_udf", "native_fallback", "streaming_lag", "slow_run", "low_throughput", "pipeline_failure")
# Those that say why tasks were slow: the cause is judged by itself, too.
CAUSED = {"data_skew": ("data_skew", "data"), "slow_host": ("straggler", "slow_host"), "costly_records": ("straggler", "costly_records")}
# Not put in by anybody: `regression` compares runs of a pipeline, one log does not show it.
NOT_IN_A_LOG = ("none", "regression")
# Of these a consequence in the same stage is no false alarm: the root is named in it.
FOLLOWS = ("straggler", "task_failures", "memory_pressure")
FLOORS = {"precision": 0.95, "recall": 0.95, "cause": 0.9, "early": 0.8, "outcome": 1.0}
LEAST_STAGE_MS = 3000  # shorter ones end before anybody could look
FACTORS = (0.7, 1.0, 1.4)


@dataclasses.dataclass
class Finding:
    """A loud verdict, and what became of it against the label."""

    kind: str
    cause: str
    stage: int
    attempt: int
    opened_ms: int
    right: frozenset = frozenset()  # the labels it fits


@dataclasses.dataclass
class Judged:
    """A log, what was put in, and what was found."""

    path: pathlib.Path
    injected: dict
    may_also: set
    findings: list
    retracted: list  # kinds
    outcome: tuple  # (as labelled, as told); an old label says none
    wrong: list = dataclasses.field(default_factory=list)
    missed: list = dataclasses.field(default_factory=list)

    @property
    def program(self):
        """The program that was recorded: its runs share it."""
        label = json.loads((self.path / "label.json").read_text())
        return label["name"]


def fits(finding, label, stages):
    """Does it name what was put in, where it was put in?"""
    named = FINDS.get(label, {(label, None)} if label in OWN_NAME else set())
    right_kind = any(kind == finding.kind and cause in (None, finding.cause) for kind, cause in named)
    return right_kind and (finding.stage is None or not stages or finding.stage in stages)


def follows(finding, label):
    """A consequence of what was put in, told beside it."""
    return finding.kind in FOLLOWS and any(finding.kind == kind for kind, _ in FINDS.get(label, ()))


def analyze(stoker, path, settings=()):
    """The verdicts on a log: (loud findings, the kinds of those taken back, how it ended)."""
    done = subprocess.run([stoker, "analyze", "--format", "json", *(f"--set={s}" for s in settings), str(path / "events.jsonl.zst")],
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(f"{path}: {done.stderr}")
    findings, retracted, outcome = [], [], ""
    for line in done.stdout.splitlines():
        run = json.loads(line)
        outcome = run["run"]["outcome"]
        for b in run["bottlenecks"]:
            if b.get("state") == "retracted":
                retracted.append(b["kind"])
            elif b["severity"] in LOUD:
                findings.append(Finding(b["kind"], b["cause"], b["stage"], b["attempt"], b.get("opened_ms", 0)))
    return findings, retracted, outcome


def judge(stoker, path, settings=()):
    """Compares what was found with the label."""
    label = json.loads((path / "label.json").read_text())
    injected = {i["kind"]: set(i.get("stages") or ()) for i in label["injected"] if i["kind"] not in NOT_IN_A_LOG}
    findings, retracted, outcome = analyze(stoker, path, settings)
    log = Judged(path, injected, set(label.get("may_also") or ()), findings, retracted, (label.get("outcome"), outcome))
    for finding in findings:
        finding.right = frozenset(name for name, stages in injected.items() if fits(finding, name, stages))
        if finding.right or any(fits(finding, name, set()) for name in log.may_also):
            continue
        if not any(follows(finding, name) for name in injected):
            log.wrong.append(finding)
    found = {name for finding in findings for name in finding.right}
    log.missed = [name for name in injected if name not in found]
    return log


def events_of(path, *kinds):
    """The events of these kinds, in the log's order."""
    lines = subprocess.run(["zstd", "-dcq", str(path / "events.jsonl.zst")], capture_output=True, check=True).stdout.decode()
    wanted = re.compile("^" + re.escape('{"Event":"SparkListener') + "(" + "|".join(kinds) + ")\"")
    return [json.loads(line) for line in lines.splitlines() if wanted.match(line)]


class Times:
    """When the events of a log could show what was found: by stage attempt."""

    def __init__(self, path):
        self.tasks, self.begun, self.ended = collections.defaultdict(list), {}, {}
        for event in events_of(path, "TaskEnd", "StageCompleted"):
            if event["Event"] == "SparkListenerTaskEnd":
                self.tasks[event["Stage ID"], event["Stage Attempt ID"]].append(event)
            else:
                info = event["Stage Info"]
                key = info["Stage ID"], info["Stage Attempt ID"]
                self.begun[key], self.ended[key] = info.get("Submission Time", 0), info.get("Completion Time", 0)

    def first_ms(self, finding):
        """The earliest moment: a task that shows it by itself, or that has run for three times the mean of those that had ended."""
        ended, sum_ms = 0, 0
        tasks = sorted(self.tasks[finding.stage, finding.attempt], key=lambda t: t["Task Info"]["Finish Time"])
        if finding.kind in ("data_skew", "straggler") and tasks:
            slowest = max(tasks, key=lambda t: t["Task Info"]["Finish Time"] - t["Task Info"]["Launch Time"])["Task Info"]
            for task in tasks:
                info = task["Task Info"]
                if info is slowest:
                    break
                ended, sum_ms = ended + 1, sum_ms + info["Finish Time"] - info["Launch Time"]
                after = slowest["Launch Time"] + 3 * sum_ms / ended
                if after <= info["Finish Time"]:
                    return info["Finish Time"]
            return min(slowest["Finish Time"], slowest["Launch Time"] + 3 * sum_ms / ended) if ended else slowest["Finish Time"]
        for task in tasks:
            metrics = task.get("Task Metrics") or {}
            if (finding.cause == "spill" and not metrics.get("Memory Bytes Spilled")) or (
                    finding.kind == "task_failures" and not task["Task Info"]["Failed"]):
                continue
            return task["Task Info"]["Finish Time"]
        return 0


def delays(log):
    """Of the stage-level findings that are right: (kind, seconds of delay, opened before the stage's end)."""
    told, times = [], None
    for finding in log.findings:
        if finding.stage is None or not finding.right or finding.opened_ms == 0:
            continue
        times = times or Times(log.path)
        key = finding.stage, finding.attempt
        if times.ended.get(key, 0) - times.begun.get(key, 0) < LEAST_STAGE_MS:
            continue
        first_ms = times.first_ms(finding)
        told.append((finding.kind, max(0, finding.opened_ms - first_ms) / 1000, finding.opened_ms < times.ended[key]))
    return told


def share(part, whole):
    return part / whole if whole else 1.0


def figures(logs):
    """The sums over all logs."""
    right = sum(1 for log in logs for f in log.findings if f.right)
    wrong = sum(len(log.wrong) for log in logs)
    put_in = sum(len(log.injected) for log in logs)
    missed = sum(len(log.missed) for log in logs)
    caused = [(log, name) for log in logs for name in log.injected if name in CAUSED]
    cause_right = sum(any((f.kind, f.cause) == CAUSED[name] for f in log.findings) for log, name in caused)
    controls = [log for log in logs if not log.injected]
    ends = [log.outcome for log in logs if log.outcome[0]]
    return {"precision": share(right, right + wrong), "recall": share(put_in - missed, put_in),
            "cause": share(cause_right, len(caused)), "outcome": share(sum(meant == told for meant, told in ends), len(ends)),
            "loud": sum(bool(log.wrong) for log in controls), "controls": len(controls),
            "retracted": sum(len(log.retracted) for log in logs)}


def rows(logs, told):
    """A row a kind of finding."""
    count = collections.defaultdict(collections.Counter)
    for log in logs:
        for finding in log.findings:
            count[finding.kind]["right" if finding.right else "wrong" if finding in log.wrong else "beside"] += 1
        for name in log.missed:
            kind = min(FINDS[name], key=str)[0] if name in FINDS else name
            count[kind]["missed"] += 1
        for kind in log.retracted:
            count[kind]["retracted"] += 1
    for kind in sorted(count):
        c, mine = count[kind], [t for t in told if t[0] == kind]
        late = f"{statistics.median(t[1] for t in mine):.1f}" if mine else ""
        early = f"{sum(t[2] for t in mine)} of {len(mine)}" if mine else ""
        yield (f"| `{kind}` | {c['right']} | {c['wrong']} | {c['missed']} | {share(c['right'], c['right'] + c['wrong']):.2f} | "
               f"{share(c['right'], c['right'] + c['missed']):.2f} | {late} | {early} | "
               f"{c['retracted']} |")


def thresholds(stoker):
    """What may be tuned: setting -> (default, least, most)."""
    told = subprocess.run([stoker, "config", "doc"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\| `(detectors\.\w+\.\w+)` \| \w+ \| `([\d.]+)` \| ([\d.]+) to ([\d.]+)", told, re.M)
    return {key: tuple(map(float, numbers)) for key, *numbers in found}


def leave_one_out(stoker, folders):
    """Each kind's thresholds scaled as serves all programs but one best, judged on that one."""
    def scaled(factor):
        return [f"{key}={min(most, max(least, default * factor)):g}" for key, (default, least, most) in thresholds(stoker).items()]
    by_factor = {factor: [judge(stoker, path, scaled(factor)) for path in folders] for factor in FACTORS}
    programs = sorted({log.program for log in by_factor[1.0]})

    def score(logs):
        good = figures(logs)
        return good["precision"] + good["recall"]
    chosen = []
    for program in programs:
        best = max(FACTORS, key=lambda f: (score([log for log in by_factor[f] if log.program != program]), f == 1.0))
        chosen += [log for log in by_factor[best] if log.program == program]
    return figures(chosen)


def main():
    parser = argparse.ArgumentParser(description="verdicts against labelled logs")
    parser.add_argument("stoker")
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    parser.add_argument("--floors", action="store_true")
    parser.add_argument("--leave-one-out", action="store_true")
    args = parser.parse_args()
    bases = args.folders or [ROOT / "tests" / "fixtures" / "logs"]
    folders = sorted(path.parent for base in bases for path in base.rglob("label.json"))
    shown = [path for path in folders if json.loads((path / "label.json").read_text()).get("verified", True)]
    for path in set(folders) - set(shown):
        print(f"left out: {path.name}: the log does not show what was put in")
    folders = shown
    if not folders:
        sys.exit("quality: no label.json in " + " ".join(map(str, bases)))
    logs = [judge(args.stoker, path) for path in folders]
    told = [t for log in logs for t in delays(log)]
    got = figures(logs)
    got["early"] = share(sum(t[2] for t in told), len(told))
    for log in logs:
        for finding in log.wrong:
            print(f"wrong: {log.path.name}: {finding.kind} {finding.cause} at stage {finding.stage}")
        for name in log.missed:
            print(f"missed: {log.path.name}: {name}")
        if log.outcome[0] not in (None, log.outcome[1]):
            print(f"outcome: {log.path.name}: {log.outcome[1]}, it was {log.outcome[0]}")
    print(f"\n{len(logs)} logs of {len({log.program for log in logs})} programs, {got['controls']} of them healthy\n")
    print("| kind | right | wrong | missed | precision | recall | seconds late, median | before the stage's end | "
          "taken back |\n" + "|---" * 9 + "|")
    print(*rows(logs, told), sep="\n")
    print(f"| all | | | | {got['precision']:.2f} | {got['recall']:.2f} | "
          f"{statistics.median(t[1] for t in told) if told else 0:.1f} | {sum(t[2] for t in told)} of {len(told)} | {got['retracted']} |")
    print(f"\ncause right {got['cause']:.2f}, outcome right {got['outcome']:.2f}, "
          f"loud controls {got['loud']} of {got['controls']}")
    if args.leave_one_out:
        other = leave_one_out(args.stoker, folders)
        print(f"thresholds tuned on the other programs: precision {other['precision']:.2f}, recall {other['recall']:.2f}, "
              f"loud controls {other['loud']}")
    below = [name for name, least in FLOORS.items() if got[name] < least] + ["loud"] * (got["loud"] > 0)
    if args.floors:
        print(f"{len(FLOORS) + 1 - len(below)} passed, {len(below)} failed" + (f": {', '.join(below)}" if below else ""))
    return 1 if args.floors and below else 0


if __name__ == "__main__":
    sys.exit(main())
