"""memory: the README's memory figures, each against twice what it says. Called by tests/run.sh; needs the
preset release with STOKER_BENCH.

Peak memory of a whole process does not depend on what else the machine does, so the bounds hold anywhere; they are wide
enough for another allocator, and too narrow for a copy of everything."""
import os
import subprocess
import sys

LOG = "tests/fixtures/logs/skew_join/events.jsonl.zst"
BOUNDS = (  # what there is, command, the README's MiB
    ("10,000 live applications", f"build/release/bench_apps {LOG} 10000", 254),
    ("10,000 pipelines", "build/release/bench_pipelines 10000", 97),
    ("a stage of 1,000,000 tasks", "build/release/stoker analyze --format json -", 14),
)


def peak_mib(command, feed):
    process = subprocess.Popen(command.split(), stdin=feed.stdout if feed else subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or (feed and feed.wait() != 0):
        sys.exit(f"failed with {process.returncode}: {command}")
    return usage.ru_maxrss / 1024


def main():
    failed = 0
    for what, command, figure in BOUNDS:
        feed = None
        if command.endswith("-"):
            feed = subprocess.Popen([sys.executable, "tests/bench/many_tasks.py", "1000000", "/dev/stdout"], stdout=subprocess.PIPE)
        peak = peak_mib(command, feed)
        good = peak <= 2 * figure
        failed += not good
        print(f"{'ok' if good else 'FAIL':5} {what}: {peak:.0f} MiB, at most {2 * figure}")
    print(f"{len(BOUNDS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
