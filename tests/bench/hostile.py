"""hostile.py [BINARY]: what logs cost that were made to be costly, against an ordinary one in the same run. Called by
tests/run.sh, and by tests/mutants with a broken agent; needs the preset release.

Each log has many of one thing and many small events that could be made to look at all of them. CPU time is taken per byte
of log, as a multiple of what the ordinary log takes; a walk over all of something shows as a multiple that is far above the
bounds. They are wide: what small events cost beside large ones, and another machine, are in them."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import shape_events as e  # noqa: E402

STOKER = sys.argv[1] if len(sys.argv) > 1 else "build/release/stoker"
ORDINARY = "tests/fixtures/logs/skew_join/events.jsonl.zst"
ORDINARY_BYTES = 40_000_000


def jobs_and_stages():
    """Jobs that each name thousands of stages, then stages that none of them named."""
    stages = list(range(2000))
    yield from (e.job_start(job, stages, e.T0 + job) for job in range(900))
    yield from (e.stage_submitted(5000 + n % 1000, 1, e.T0 + n) for n in range(20_000))


def stages_beyond_the_limit():
    """Many more stages than are kept; the oldest are open."""
    yield from (e.stage_submitted(n, 1, e.T0) for n in range(1999))
    yield from (e.stage_completed(n, 0, e.T0, e.T0 + n) for n in range(2000, 60_000))


def executors_come_and_go():
    """As many executors as are known, then one that comes and goes while stages begin."""
    yield from (e.executor_added(str(n), 1) for n in range(10_050))
    for n in range(8000):
        yield e.executor_removed("7", e.T0 + n, "x")
        yield e.executor_added("7", 1, e.T0 + n)
        yield e.stage_submitted(n, 1, e.T0 + n)
        yield e.task_end(n, n, e.T0 + n, 1)


def failing_stages():
    """Every stage has a bottleneck of its own, and is told of."""
    for n in range(4000):
        yield e.stage_submitted(n, 1, e.T0 + n * 1000)
        yield e.task_end(n, n, e.T0 + n * 1000, 900, reason="ExceptionFailure", measured=False)
        yield e.stage_completed(n, 1, e.T0 + n * 1000, e.T0 + n * 1000 + 900, failure="x")


def late_tasks():
    """A run with many stages has ended, and tasks of it go on ending."""
    yield from (e.stage_completed(n, 1, e.T0, e.T0 + 900) for n in range(4000))
    yield e.app_end(e.T0 + 1000)
    yield from (e.task_end(n % 4000, n, e.T0, 900, run=900) for n in range(15_000))


def sql_executions():
    """Queries that begin, bring values of the driver, and never end."""
    for n in range(20_000):
        yield e.sql_start(n, e.plan_node("Scan parquet", metrics=(("number of output rows", n, "sum"),)), e.T0 + n)
        yield e.driver_values(n, (n, 1))


def hanging():
    """Stages of which one task goes on, and nobody saw the others begin."""
    for n in range(64):
        yield e.stage_submitted(n, 10, e.T0)
        yield e.task_start(n, 10 * n, e.T0)
        yield from (e.task_end(n, 10 * n + i, e.T0, 100, run=100) for i in range(1, 10))


def small(time):
    return {"Event": "SparkListenerExecutorAdded", "Timestamp": time, "Executor ID": "7"}


def hanging_stages():
    """Stages hang, and with each small event it is time to look at them."""
    yield from hanging()
    yield from (small(e.T0 + 2001 * n) for n in range(20_000))


def hours_apart():
    """The same, and with each it was time eleven times."""
    yield from hanging()
    yield from (small(e.T0 + 3_600_000 * n) for n in range(20_000))


def late_with_open_jobs():
    """A run has ended with jobs to do; what comes late might make it another outcome, each time."""
    yield from (e.job_start(n, [n], e.T0, execution=2 * (n * 1237 % 4000) + 1) for n in range(1000))
    yield from (e.sql_end(2 * n, e.T0 + n, errorMessage="") for n in range(4000))
    yield e.app_end(e.T0 + 10_000)
    yield from (small(e.T0 + n) for n in range(60_000))


LOGS = {jobs_and_stages: 20, stages_beyond_the_limit: 20, executors_come_and_go: 20, failing_stages: 60, late_tasks: 20,
        sql_executions: 20, hanging_stages: 20, hours_apart: 20, late_with_open_jobs: 20}  # and the bound


def cpu_s(path):
    """The least of three runs."""
    least = float("inf")
    for _ in range(3):
        process = subprocess.Popen([STOKER, "analyze", "--format", "json", path], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"failed with {process.returncode}: {STOKER} analyze {path}")
        least = min(least, usage.ru_utime + usage.ru_stime)
    return least


def write(path, events):
    with open(path, "w", encoding="utf-8") as log:
        for event in events:
            log.write(json.dumps(event, separators=(",", ":")) + "\n")
    return os.path.getsize(path)


def ordinary(path):
    """Real events, over and over, of one application after the other."""
    text = subprocess.run(["zstd", "-qdc", ORDINARY], capture_output=True, check=True).stdout
    with open(path, "wb") as log:
        for n in range(max(1, ORDINARY_BYTES // len(text))):
            log.write(text.replace(b'"App ID":"', b'"App ID":"%d-' % n))
    return os.path.getsize(path)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ordinary.jsonl")
        size = ordinary(path)
        per_byte = cpu_s(path) / size
        print(f"ordinary: {size / 1e6:.1f} MB, {per_byte * 1e9:.2f} CPU s/GB")
        for log, bound in LOGS.items():
            path = os.path.join(folder, log.__name__ + ".jsonl")
            size = write(path, [e.log_start(), e.app_start("app-1", "job"), *log()])
            times = cpu_s(path) / size / per_byte
            good = times <= bound
            failed += not good
            print(f"{'ok' if good else 'FAIL':5} {log.__name__}: {size / 1e6:.1f} MB, {times:.1f} times as much a byte, at most {bound}")
    print(f"{len(LOGS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
