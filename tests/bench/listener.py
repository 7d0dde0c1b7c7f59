#!/usr/bin/env python3
"""What the listener costs its driver: jobs with it and without it in turn, on one machine with a real Kafka.

    tests/bench/listener.py [--pairs N] [--spark VERSION] [--load tiny|wide|quiet]... [--mode full|slim]

Prints a Markdown table; exit 1 if it costs more than it may. Called by `make bench-listener`; needs tests/listener/deps.sh. Of how
long a pair takes one figure is known, from a machine with other work to do: 122 s without the listener, 130 s with it. The broker
works on the same cores, so its share is in the ratio as well.

The ratio is that of the medians, its range that of 19 out of 20 ratios of medians of runs drawn anew from those measured (the
same draws every time). It is above its floor if the whole range is. Memory is the difference of the medians of the heap that is in
use after a collection. What held up Spark's bus is measured around onEvent (TimedListener.java): the first event of each class is
apart, since it loads classes, and so is ApplicationEnd, which waits for what is not sent yet. A pause in wall time has in it
what the system gave to others; its processor time has not, so that is what has the floor.
"""

import argparse
import os
import pathlib
import random
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "listener"), str(ROOT / "tests" / "real")]
TIMED = ROOT / "tests" / "bench" / "TimedListener.java"
LOADS = ("tiny", "wide", "quiet")
RATIO_MAX, PAUSE_MAX_MS, HEAP_MAX_BYTES = 1.01, 10.0, 32 << 20
DRAWS = 2000


class Bench:
    """A broker, a topic, and runs of loads."""

    def __init__(self, version, mode):
        import harness  # pylint: disable=import-outside-toplevel  # needs the venv
        from cases import Site, shared_broker  # pylint: disable=import-outside-toplevel

        self.spark = harness.Spark(version)
        self.site = Site("bench", shared_broker())
        self.site.create_topics(self.site.agent())
        self.settings = {"spark.eventLog.enabled": "false"}
        jar = harness.jar()
        self.listening = {
            "spark.driver.extraClassPath": f"{jar}:{self.spark.compiled(TIMED, jar)}", "spark.extraListeners": "TimedListener",
            "spark.stoker.kafka.bootstrap.servers": self.site.broker.bootstrap, "spark.stoker.mode": mode,
            "spark.stoker.topic": self.site.topics["events"]}

    def run(self, load, listening):
        """What the job and the watch said: name -> number."""
        job = self.spark.start("loads", load, settings={**self.settings, **(self.listening if listening else {})})
        job.finish()
        words = ["cost", "bus"] if listening else ["cost"]
        said = " ".join(job.said(rf"(?m)^{word}: (.*)")[1] for word in words)
        return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)(?= |$)", said)} | {
            "slowest": (re.search(r"of=(\w+)", said) or ["", ""])[1]}


def ratio(with_it, without):
    """Of the medians, and the range of 95 of 100 such ratios of runs drawn anew."""
    draw = random.Random(1)
    drawn = sorted(statistics.median(draw.choices(with_it, k=len(with_it))) / statistics.median(draw.choices(without, k=len(without)))
                   for _ in range(DRAWS))
    return (statistics.median(with_it) / statistics.median(without), drawn[int(DRAWS * 0.025)], drawn[int(DRAWS * 0.975)])


def judge(load, pairs):
    """The load's row of the table, and what is above its floor."""
    def of(name, side):
        return [pair[side][name] for pair in pairs]

    def median(name, side):
        return statistics.median(of(name, side))
    wall, low, high = ratio(of("took_s", 1), of("took_s", 0))
    heap = median("heap_bytes", 1) - median("heap_bytes", 0)
    pause_ms, pause_cpu_ms = median("max_ms", 1), median("max_cpu_ms", 1)
    worst = max((pair[1] for pair in pairs), key=lambda run: run["max_ms"])
    row = (f"| {load} | {len(pairs)} | {median('took_s', 0):.2f} | {median('took_s', 1):.2f} | {wall:.3f} ({low:.3f} to {high:.3f}) | "
           f"{median('cpu_s', 0):.2f} | {median('cpu_s', 1):.2f} | {heap / (1 << 20):.1f} | {median('events', 1):.0f} | "
           f"{median('mean_us', 1):.0f} | {pause_ms:.1f} ({pause_cpu_ms:.1f}) | {worst['max_ms']:.1f} {worst['slowest']} | "
           f"{median('first_ms', 1):.1f} | {median('end_ms', 1):.0f} |")
    above = [f"{load}: {what} {value:.3f}, {most} is wanted" for what, value, most in (
        ("the ratio is at least", low, RATIO_MAX), ("longest pause, ms of the processor", pause_cpu_ms, PAUSE_MAX_MS),
        ("heap, MiB", heap / (1 << 20), HEAP_MAX_BYTES >> 20)) if value > most]
    return row, above


def measure(args):
    import processes  # pylint: disable=import-outside-toplevel

    processes.begin_run()
    rows, above = [], []
    try:
        bench = Bench(args.spark, args.mode)
        for load in args.load or LOADS:
            bench.run(load, True)  # warm: files in the page cache, the topic known
            pairs = []
            for i in range(args.pairs):
                halves = {listening: bench.run(load, listening) for listening in ((False, True) if i % 2 else (True, False))}
                pairs.append((halves[False], halves[True]))
            row, over = judge(load, pairs)
            rows.append(row)
            above += over
    finally:
        processes.kill_all()
    print(f"Spark {args.spark}, {args.mode}, {os.cpu_count()} cores\n")
    print("| load | pairs | s without | s with | ratio | CPU s without | CPU s with | heap MiB more | events | mean us on the bus | "
          "longest ms, median (of it CPU) | longest ms of all | first of a class, ms | wait at the end, ms |\n" + "|---" * 14 + "|")
    print(*rows, *(f"above the floor: {line}" for line in above), sep="\n")
    return 1 if above else 0


def main():
    import runner  # pylint: disable=import-outside-toplevel  # from tests/real

    runner.in_venv("tests/listener/deps.sh")
    parser = argparse.ArgumentParser(description="what the listener costs its driver")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--spark", default="3.5.6")
    parser.add_argument("--mode", default="full")
    parser.add_argument("--load", action="append", choices=LOADS)
    return measure(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
