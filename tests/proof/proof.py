#!/usr/bin/env python3
"""Whether following nothing but Stoker's advice makes badly tuned jobs fast, on real Spark.

    tests/proof/proof.py STOKER [--rounds N] [--short] [--spark VERSION] [JOB...]

Each job (jobs.py) runs as its author tuned it; Stoker judges that run; what it printed is applied, and nothing else: settings by
--conf, lines of code where the job has a place for them. Then both run again in turn, N rounds. Whether they find the same is
checked each time. Programs with nothing wrong (healthy.py) are the controls. Prints Markdown, kept as build/proof/proof.md and
proof.json. --short: some of the jobs, one round, for every commit. Exit code 1 if a result changed, Spark refused what was advised,
nothing was advised of a bad job, or the bad jobs together are no faster.
"""

import argparse
import fnmatch
import os
import statistics
import sys
import time
from dataclasses import dataclass, field

import apply
import measure
import report
from registry import load
from run import SCRATCH, Spark, compacted, prepare

PAIRS_TO_TELL = 3  # that a healthy job got slower


@dataclass
class Outcome:
    """Of one job."""

    job: object
    advice: apply.Advice = field(default_factory=apply.Advice)
    found: list = field(default_factory=list)   # loud verdicts
    runs: list = field(default_factory=list)    # (whether advice was followed, Run), in their order
    change: object = None
    once_s: float = 0                           # of what an advised line does once
    why: str = ""                               # it failed


def play(spark, stoker, job, rounds):
    """Runs a job, asks, applies, and runs both in turn."""
    o = Outcome(job)
    if not prepare(spark, job):
        o.why = "its input could not be made"
        return o
    first = spark.run(job, job.conf, {}, "0-before")
    o.runs.append((False, first))
    if not first.good:
        o.why = f"failed: {first.why}"
        return o
    o.advice, o.found = apply.ask(stoker, job, first.log)
    if "compact" in o.advice.lines:
        o.once_s = compacted(spark, job, o.advice.lines["compact"])
        if o.once_s is None:
            o.why = "what is to be done once failed"
            return o
    if o.advice.applies():
        pairs(spark, o, rounds)
    return o


def pairs(spark, o, rounds):
    """The run that was judged is the first of the first pair; the order within a pair changes from one to the next."""
    job, advised = o.job, o.advice.conf(o.job.conf)
    for n in range(rounds):
        todo = [True] if n == 0 else [False, True] if n % 2 == 0 else [True, False]
        for follow in todo:
            r = spark.run(job, advised if follow else job.conf, o.advice.lines if follow else {}, f"{n}-{'after' if follow else 'before'}")
            o.runs.append((follow, r))
            if not r.good:
                o.why = f"{'with advice ' if follow else ''}failed: {r.why}"
            elif r.found != o.runs[0][1].found:
                o.why = f"found {r.found} instead of {o.runs[0][1].found}"
            elif follow and apply.ignored(o.advice, r):
                o.why = f"not taken: {', '.join(apply.ignored(o.advice, r))}"
            if o.why:
                return
    o.change = measure.change([r for follow, r in o.runs if not follow], [r for follow, r in o.runs if follow])


def others(outcomes):
    """Share of the processors that others had while jobs ran: what it leaves can hide what more tasks at once would bring."""
    return statistics.median([r.others for o in outcomes for _, r in o.runs] or [0])


def keep(outcomes, how):
    """Writes down what there is so far: the page."""
    text = report.markdown([o for o in outcomes if o.job.wrong], [o for o in outcomes if not o.job.wrong], how)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    (SCRATCH / "proof.md").write_text(text, encoding="utf-8")
    (SCRATCH / "proof.json").write_text(report.as_json(outcomes, how), encoding="utf-8")
    return text


def complaints(outcomes):
    """What makes the proof fail: nothing that one noisy timing could."""
    said = [f"{o.job.name}: {o.why}" for o in outcomes if o.why]
    said += [f"{o.job.name}: nothing to apply was advised" for o in outcomes if o.job.wrong and not o.why and not o.advice.applies()]
    said += [f"{o.job.name}: nothing is wrong with it, and advice makes it slower" for o in outcomes
             if not o.job.wrong and o.change and o.change.effect == "slower" and len(o.runs) >= 2 * PAIRS_TO_TELL]
    bad = measure.total([o.change for o in outcomes if o.job.wrong and o.change])
    if bad and bad.after_s >= bad.before_s:
        said.append(f"the bad jobs together took {bad.after_s:.0f} s with advice, {bad.before_s:.0f} s without")
    return said


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("stoker")
    args.add_argument("--rounds", type=int, default=0)
    args.add_argument("--short", action="store_true")
    args.add_argument("--spark", default="4.1.1")
    args.add_argument("jobs", nargs="*")
    args = args.parse_intermixed_args()
    todo = [j for j in load().values() if any(fnmatch.fnmatch(j.name, p) for p in args.jobs or ["*"]) and (j.short or not args.short)]
    if not todo:
        sys.exit(f"no such job: {' '.join(args.jobs)}")
    rounds = args.rounds or (1 if args.short else 5)
    spark, stoker = Spark(args.spark), os.path.abspath(args.stoker)
    outcomes, began = [], time.monotonic()
    for job in todo:
        outcomes.append(play(spark, stoker, job, rounds))
        print(report.line(outcomes[-1]), file=sys.stderr, flush=True)
        how = (f"Spark {args.spark}, {os.cpu_count()} cores of which others had {100 * others(outcomes):.0f} % meanwhile, {rounds} "
               f"round{'s' if rounds > 1 else ''}, {len(outcomes)} jobs in {time.monotonic() - began:.0f} s.")
        text = keep(outcomes, how)
    print(text)
    failed = complaints(outcomes)
    for line in failed:
        print("FAIL", line)
    good = len(outcomes) - len({line.split(":")[0] for line in failed})
    print(f"{max(good, 0)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
