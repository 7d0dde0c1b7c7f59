"""The rules, to the letter, over the sums of a finished run.

Used by oracle.py. Comparisons are made on exact integers: a ratio never goes through a float, so
`x > 0.5 * (x + y)` is `x > y` and `records / (ms / 1000) < 1000` is `records < ms`. It must never
consider severity, cause or anything else that a rule does not name.
"""

from oracle_time import driver_bound, idle_executors

GIB = 1024**3
SLOW_RUN_MS = 3600 * 1000
SKEW_RATIO = 3
NS_PER_MS = 1_000_000


def read_ns(stage):
    """Time that the readers of a stage spent on reading, at most what their scans reported."""
    return stage.read_ns if stage.scan_ns is None else min(stage.read_ns, stage.scan_ns)


def data_skew(stage):
    if stage.tasks == 0:
        return None
    return stage.max_ms * stage.tasks > SKEW_RATIO * stage.sum_ms


def memory_pressure(stage):
    if stage.ends_with_metrics == 0:
        return None
    return stage.memory_spilled + stage.disk_spilled > 0


def io_bottleneck(stage):
    if stage.readers == 0:
        return None
    return read_ns(stage) > stage.read_cpu_ns


def waiting_ms(stage):
    """Scheduler delay of the tasks, and the wait before the first of them, per slot."""
    wait = 0
    if stage.submitted > 0 and stage.first_launch > stage.submitted:
        wait = stage.first_launch - stage.submitted
    return stage.delay_ms + wait * max(1, stage.slots)


def resource_contention(stage):
    if stage.measured == 0:
        return None
    return waiting_ms(stage) > stage.run_ms


def task_failures(stage):
    return stage.tasks_failed > 0 if stage.ends > 0 else None


def speculation_waste(stage):
    """Copies that lost took more than a twentieth of the time of all that succeeded."""
    return 20 * stage.copies_lost_ms > stage.sum_ms if stage.tasks > 0 else None


STAGE_RULES = {
    "data_skew": data_skew,
    "memory_pressure": memory_pressure,
    "io_bottleneck": io_bottleneck,
    "resource_contention": resource_contention,
    "task_failures": task_failures,
    "speculation_waste": speculation_waste,
}


class Totals:
    """What the run rules need, and the `run` object prints."""

    def __init__(self, run):
        stages = run.stages.values()
        self.started = run.start_time or run.first_time
        self.ended = run.end_time or run.last_time
        self.timed = self.started > 0 and self.ended > 0
        self.duration_ms = max(0, self.ended - self.started)
        self.input_bytes = sum(stage.input_bytes for stage in stages)
        self.shuffle_read = sum(stage.shuffle_read for stage in stages)
        self.shuffle_write = sum(stage.shuffle_write for stage in stages)
        input_records = sum(stage.input_records for stage in stages)
        self.rows = input_records + run.silent_rows
        self.set_data_size(run)
        self.records, self.records_from = 0, "unknown"
        for source, count in (
            ("input", input_records),
            ("scan", run.scan_rows),
            ("shuffle", sum(stage.shuffle_read_records for stage in stages)),
            ("output", sum(stage.output_records for stage in stages)),
        ):
            if count > 0:
                self.records, self.records_from = count, source
                break
        if input_records > 0:
            self.records = self.rows
            self.records_from = "scan" if run.silent_rows > input_records else "input"

    def many(self, rows):
        """True if these are more than one in a hundred of the rows that were read."""
        return rows * 100 > self.rows

    def set_data_size(self, run):
        """Counted bytes; sources' own sizes where tasks counted none, or hardly any."""
        files = sum(run.driver_values.get(key, 0) for key in run.plans.file_size)
        own = sum(run.driver_values.get(key, 0) for key in run.plans.source_size)
        own += run.task_source_bytes
        missing = self.many(run.uncounted_rows)
        self.data_size = self.input_bytes
        if run.version >= (4, 1) or missing:
            self.data_size = max(self.input_bytes, files)
        if missing:
            self.data_size += own
        if run.sized_rows > 0:
            covered = own + files > 0 and not self.many(run.uncounted_rows - run.sized_rows)
        else:
            covered = not run.plans.unsized and (own > 0 or files > self.input_bytes)
        self.uncounted = missing and not covered


def outcome(run, in_progress):
    """The word, and whether that is a failure of the pipeline."""
    if run.exit_code is not None and run.exit_code != 0:
        return "failed", True
    word, server = run.outcome.word(run.ended, run.name)
    if word:
        return word, word == "failed" or not server
    if run.ended:
        return "succeeded", False
    return ("running" if in_progress else "lost"), False


def network_overhead(totals):
    if totals.data_size == 0:
        return None
    met = totals.shuffle_read + totals.shuffle_write > 2 * totals.data_size
    return None if met and totals.uncounted else met


def slow_run(totals):
    return totals.duration_ms > SLOW_RUN_MS if totals.timed else None


def low_throughput(totals):
    if totals.records_from == "unknown" or totals.duration_ms == 0:
        return None
    return totals.records < totals.duration_ms


def completeness(run):
    """Successes seen over tasks expected, of the stages that completed without a failure."""
    seen = expected = 0
    for stage in run.stages.values():
        if stage.completed and not stage.failure and stage.number_of_tasks > 0:
            seen += min(stage.tasks, stage.number_of_tasks)
            expected += stage.number_of_tasks
    return seen / expected if expected else 1.0


def verdicts(run, totals, failure):
    """Every verdict as (kind, stage, attempt) -> True, False or None; "any" if either is right."""
    found = {}
    for kind, rule in STAGE_RULES.items():
        judged = {(kind,) + key: rule(stage) for key, stage in run.stages.items()}
        judged = {key: met for key, met in judged.items() if met is not None}
        found.update(judged or {(kind, None, None): None})
    for key, stage in run.stages.items():
        if stage.originals_lost > 0 and stage.tasks > 0:
            found[("straggler",) + key] = "any"  # as if they had succeeded: the agent decides
    if ("data_skew", None, None) in found:
        found[("straggler", None, None)] = None
    for kind, met in (
        ("network_overhead", network_overhead(totals)),
        ("slow_run", slow_run(totals)),
        ("low_throughput", low_throughput(totals)),
        ("driver_bound", driver_bound(run, totals)),
        ("idle_executors", idle_executors(run, totals)),
        ("pipeline_failure", failure),
    ):
        found[(kind, None, None)] = met
    return found


def stage_report(key, stage):
    """One entry of `stages`."""
    return {
        "stage": key[0],
        "attempt": key[1],
        "tasks": stage.tasks,
        "tasks_failed": stage.tasks_failed,
        "mean_task_ms": stage.sum_ms / stage.tasks if stage.tasks else 0.0,
        "max_task_ms": stage.max_ms,
        "memory_spilled_bytes": stage.memory_spilled,
        "disk_spilled_bytes": stage.disk_spilled,
        "shuffle_read_bytes": stage.shuffle_read,
        "shuffle_write_bytes": stage.shuffle_write,
        "input_bytes": stage.input_bytes,
        "input_records": stage.input_records,
        "output_bytes": stage.output_bytes,
        "output_records": stage.output_records,
        "run_ms": stage.run_ms,
        "cpu_ms": stage.cpu_ns / NS_PER_MS,
        "gc_ms": stage.gc_ms,
        "read_ms": read_ns(stage) / NS_PER_MS,
    }


def run_report(run, totals, result):
    """The `run` object: the fields that the rules define. An unknown app id is null."""
    duration_s = totals.duration_ms / 1000
    data_gb = totals.data_size / GIB
    own_id, own_attempt, _ = run.identity or ("", "", 0)
    app_id, attempt = run.named[0] or own_id, run.named[1] or own_attempt
    return {
        "app_id": app_id or None,
        "attempt": attempt if app_id else None,
        "started_ms": totals.started,
        "ended_ms": totals.ended,
        "duration_s": duration_s,
        "outcome": result,
        "total_records": totals.records,
        "records_from": totals.records_from,
        "data_size_bytes": totals.data_size,
        "data_size_gb": data_gb,
        "records_per_s": totals.records / duration_s if duration_s else 0.0,
        "gb_per_h": data_gb / (duration_s / 3600) if duration_s else 0.0,
        "shuffle_read_bytes": totals.shuffle_read,
        "shuffle_write_bytes": totals.shuffle_write,
        "completeness": completeness(run),
    }


def report(run, in_progress):
    """Everything the oracle says of one run."""
    totals = Totals(run)
    result, failure = outcome(run, in_progress)
    return {
        "run": run_report(run, totals, result),
        "stages": [
            stage_report(key, stage) for key, stage in sorted(run.stages.items()) if stage.listed
        ],
        "verdicts": [
            {"kind": key[0], "stage": key[1], "attempt": key[2], "rule_met": met}
            for key, met in verdicts(run, totals, failure).items()
        ],
    }
