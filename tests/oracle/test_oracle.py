#!/usr/bin/env python3
"""The oracle against numbers worked out by hand, over the shapes of tests/fixtures/shapes.

Each expectation was computed from the comment and the builder calls of its shape, not copied from
the oracle; where it is not obvious the working stands beside it. `met` are all subjects whose rule
is met, `unknown` all rules never evaluated; both must be exact. Run: python3 test_oracle.py
"""

import glob
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import oracle  # noqa: E402
import oracle_log  # noqa: E402

SHAPES = os.path.join(HERE, "..", "fixtures", "shapes")
T0, GIB = 1_700_000_000_000, 1024**3
OF_TIME = {"driver_bound", "idle_executors"}  # beyond the base rules: OfTime
NO_INPUT = {"io_bottleneck", "network_overhead"}
NO_RECORDS = NO_INPUT | {"low_throughput"}
NO_TASKS = NO_RECORDS | {"data_skew", "straggler", "memory_pressure", "speculation_waste"}
NO_TASKS |= {"resource_contention", "task_failures"}


class ShapeTest(unittest.TestCase):
    def judged(self, shape):
        """The reports of a shape, found by its file name without ending or by its folder."""
        path = os.path.join(SHAPES, shape)
        found = glob.glob(path) or sorted(glob.glob(path + ".*"))
        self.assertTrue(found, f"no shape {shape}")
        return oracle.judge(found[0])

    def check(self, shape, met=(), unknown=(), stages=None, index=0, runs=1, **run):
        """`stages`: (stage, attempt) -> fields, all stages listed. `run`: fields of the run."""
        reports = self.judged(shape)
        self.assertEqual(len(reports), runs, shape)
        report = reports[index]
        for field, value in run.items():
            self.equal(value, report["run"][field], f"{shape} {field}")
        found = {(stage["stage"], stage["attempt"]): stage for stage in report["stages"]}
        if stages is not None:
            self.assertEqual(set(found), set(stages), shape)
            for key, fields in stages.items():
                for field, value in fields.items():
                    self.equal(value, found[key][field], f"{shape} stage {key} {field}")
        true, null = set(), set()
        for entry in report["verdicts"]:
            subject = (entry["kind"], entry["stage"], entry["attempt"])
            if entry["rule_met"] is True:
                true.add(subject if subject[1] is not None else entry["kind"])
            elif entry["rule_met"] is None:
                null.add(entry["kind"])
        self.assertEqual((true - OF_TIME, null - OF_TIME), (set(met), set(unknown)), shape)
        return report

    def equal(self, expected, actual, words):
        if isinstance(expected, float):
            self.assertAlmostEqual(expected, actual, delta=1e-12 * abs(expected), msg=words)
        else:
            self.assertEqual(expected, actual, words)


class Rules(ShapeTest):
    def test_plain_in_three_encodings(self):
        for name in ("plain.jsonl", "plain.jsonl.zst", "plain.jsonl.gz"):
            # read of a task: 1900 - 1500 - 20 (shuffle write) = 380 ms
            self.check(
                name, outcome="succeeded", started_ms=T0, ended_ms=T0 + 60_000, duration_s=60.0,
                total_records=100_000, records_from="input", data_size_bytes=20_000_000,
                data_size_gb=20_000_000 / GIB, gb_per_h=20_000_000 / GIB * 60,
                records_per_s=100_000 / 60, shuffle_read_bytes=8_000_000,
                shuffle_write_bytes=8_000_000, completeness=1.0, attempt="",
                stages={(0, 0): dict(tasks=2, mean_task_ms=2000.0, run_ms=3800, cpu_ms=3000.0,
                                     read_ms=760.0, input_records=100_000, gc_ms=0),
                        (1, 0): dict(tasks=2, mean_task_ms=1250.0, max_task_ms=1500, read_ms=0.0,
                                     output_bytes=1000, output_records=20)})

    def test_nothing_to_judge(self):
        self.check("zero_tasks", unknown=NO_TASKS, completeness=1.0, records_from="unknown",
                   stages={(0, 0): dict(tasks=0, mean_task_ms=0.0, max_task_ms=0)})

    def test_one_hour_is_not_slow(self):
        self.check("one_hour", {("io_bottleneck", 0, 0)}, duration_s=3600.0, gb_per_h=1.0)
        self.check("over_one_hour", {("io_bottleneck", 0, 0), "slow_run", "low_throughput"},
                   duration_s=3600.001)

    def test_skew(self):
        # stage 0: 90 x 4 = 3 x 120; stage 1: 91 x 4 = 364 > 3 x 121 = 363; stage 4: durations 0
        # (clamped) and 100: 200 is not > 300, but 100 ms + 4000 ms x 2 slots > 5 ms of run.
        self.check("skew_edges", {("data_skew", 1, 0), ("task_failures", 2, 0),
                                  ("resource_contention", 4, 0)}, NO_RECORDS,
                   stages={(0, 0): dict(max_task_ms=90), (1, 0): dict(mean_task_ms=30.25),
                           (2, 0): dict(tasks=4, tasks_failed=1, max_task_ms=10, run_ms=40),
                           (3, 0): dict(mean_task_ms=0.0), (4, 0): dict(mean_task_ms=50.0)})

    def test_io(self):
        # stage 1: max(0, 100 - 400) + (1000 - 100 - 100 - 150 - 50) = 600 > 400 + 100; tasks last
        # 2000 ms: waiting 2900 > 1100 in stage 1, 1300 > 700 in stage 6
        self.check("io_edges", {("io_bottleneck", 1, 0), ("io_bottleneck", 4, 0),
                                ("resource_contention", 1, 0), ("resource_contention", 6, 0),
                                ("task_failures", 2, 0)},
                   stages={(0, 0): dict(read_ms=500.0, cpu_ms=500.0), (1, 0): dict(read_ms=600.0),
                           (2, 0): dict(read_ms=120.0), (3, 0): dict(read_ms=50.0),
                           (4, 0): dict(read_ms=900.0), (5, 0): dict(read_ms=0.0),
                           (6, 0): dict(read_ms=300.0)})

    def test_contention(self):
        # delay, wait x slots against run: 500 / 500; 501 / 500; 300 x 1 / 300; 300 x 4 / 1350;
        # 1000 - 300 - 20 - 30 - 600 = 50 / 300; 0 + 1100 / 1000; 480 / 480 twice
        self.check("contention_edges", {("resource_contention", 1, 0),
                                        ("resource_contention", 5, 0)}, NO_RECORDS)

    def test_slots(self):
        # 5 slots x 200 ms = 1000 against 20 x 50 = 1000 and 20 x 49 = 980; 3 x 100 ms against 160
        self.check("task_cpus", {("resource_contention", 1, 0)}, NO_RECORDS)
        self.check("local_driver", {("resource_contention", 0, 0), ("memory_pressure", 0, 0)},
                   NO_RECORDS, stages={(0, 0): dict(disk_spilled_bytes=7, tasks=2)})

    def test_network(self):
        met = {("io_bottleneck", 0, 0), "low_throughput"}
        self.check("network_equal", met, shuffle_read_bytes=700, data_size_bytes=500)
        met |= {("task_failures", 0, 0), "network_overhead"}
        self.check("network_over", met, shuffle_write_bytes=300, total_records=10)

    def test_records(self):
        low = {"low_throughput"}
        rows = 2 * (5000 + 6000)
        self.check("records_from_scan", low, NO_INPUT, records_from="scan", total_records=rows)
        self.check("records_from_shuffle", low, NO_INPUT, records_from="shuffle")
        self.check("records_from_output", (), NO_INPUT, records_per_s=1000.0)


class Logs(ShapeTest):
    SIMPLE = {(0, 0): dict(tasks=4, tasks_failed=0, mean_task_ms=1000.0, run_ms=3800,
                           cpu_ms=3200.0, read_ms=600.0, input_bytes=4000, input_records=40_000)}

    def test_damage(self):
        report = self.check("malformed_middle", stages=self.SIMPLE, duration_s=30.0)
        self.assertEqual((report["log"]["malformed"], report["log"]["cut"]), (13, 0))
        for name, outcome in (("truncated", "lost"), ("still_running", "running")):
            report = self.check(name, stages=self.SIMPLE, outcome=outcome, ended_ms=T0 + 2000)
            self.assertEqual((report["log"]["malformed"], report["log"]["cut"]), (0, 1))
        self.check("no_last_newline", stages=self.SIMPLE, outcome="succeeded", duration_s=20.0)

        self.check("crlf", stages=self.SIMPLE, outcome="succeeded")

    def test_attempts(self):
        app = "application_1700000000000_0106"
        expected = (("failed", 4, 3.0), ("lost", 2, 2.0), ("succeeded", 3, 3.0))
        for index, (outcome, tasks, duration_s) in enumerate(expected):
            met = {"pipeline_failure"} if outcome == "failed" else ()
            self.check("attempts", met, index=index, runs=3, app_id=app, attempt=str(index + 1),
                       outcome=outcome, duration_s=duration_s, total_records=10_000 * tasks,
                       stages={(0, 0): dict(tasks=tasks)})

    def test_runs(self):
        self.check("restarted", runs=2, index=0, outcome="succeeded", total_records=20_000)
        self.check("restarted", runs=2, index=1, outcome="lost", started_ms=T0 + 50_000)
        self.check("two_apps", runs=2, index=0, app_id="app-20231114221320-0107")
        self.check("two_apps", runs=2, index=1, app_id="app-20231114221320-0108", duration_s=9.0)

    def test_duplicates(self):
        stages = {(0, 0): self.SIMPLE[(0, 0)] | dict(tasks_failed=1, memory_spilled_bytes=10)}
        self.check("duplicates", {("memory_pressure", 0, 0), ("task_failures", 0, 0)},
                   stages=stages, outcome="succeeded", completeness=1.0)

        self.check("out_of_order", stages=self.SIMPLE, outcome="succeeded", completeness=1.0)

    def test_rolled(self):
        # 8 of 64 tasks seen; stage 11: 100 ms x min(8, 3 + 5) = 800 > 200; before: 1 slot, 100
        met = {("io_bottleneck", stage, 0) for stage in range(3, 10)}
        met.add(("resource_contention", 11, 0))
        for number in (111, 112):
            self.check(f"eventlog_v2_app-20231114221320-0{number}", met, outcome="succeeded",
                       completeness=0.125, total_records=140_000)
        self.check("eventlog_v2_app-20231114221320-0113", stages=self.SIMPLE, duration_s=20.0)

    def test_part_alone(self):
        self.check("second_part_alone", app_id=None, outcome="lost", started_ms=T0 + 30_000,
                   ended_ms=T0 + 44_100, completeness=2 / 60,
                   stages={(5, 0): dict(tasks=2, mean_task_ms=7000.0, read_ms=1900.0)})


class Failures(ShapeTest):
    def test_resubmitted(self):
        self.check("resubmitted", (), NO_RECORDS, shuffle_write_bytes=200, completeness=3 / 6,
                   stages={(0, 0): dict(tasks=3, tasks_failed=0, mean_task_ms=5000 / 3),
                           (1, 0): dict(tasks=1)})

    def test_fetch_failed(self):
        self.check("fetch_failed", {("memory_pressure", 1, 0), ("task_failures", 1, 0),
                                    "low_throughput"}, NO_INPUT, total_records=6,
                   shuffle_read_bytes=90, completeness=1.0, outcome="succeeded",
                   stages={(0, 0): dict(tasks=2), (0, 1): dict(tasks=1),
                           (1, 0): dict(tasks=1, tasks_failed=1, memory_spilled_bytes=512,
                                        disk_spilled_bytes=64, run_ms=1900),
                           (1, 1): dict(tasks=2)})

    def test_executor_lost(self):
        # stage 1: 100 ms x 2 remaining slots = 200 < 204
        self.check("executor_lost", {("task_failures", 0, 0)}, NO_RECORDS,
                   stages={(0, 0): dict(tasks=4, tasks_failed=2), (1, 0): dict(run_ms=204)})

    def test_killed(self):
        self.check("speculation", {("memory_pressure", 0, 0)}, NO_RECORDS,
                   stages={(0, 0): dict(tasks=4, tasks_failed=0, max_task_ms=1000, run_ms=3750)})
        stages = {(0, 0): dict(tasks=2, tasks_failed=0)}
        self.check("commit_denied", {"low_throughput"}, NO_INPUT, stages)
        self.check("reasons", {("task_failures", 0, 0)}, NO_RECORDS,
                   stages={(0, 0): dict(tasks=2, tasks_failed=4)})
        self.check("oom_without_spill", {("task_failures", 0, 0)}, NO_RECORDS,
                   stages={(0, 0): dict(gc_ms=19_000, memory_spilled_bytes=0)})
        self.check("after_end", {"pipeline_failure"}, NO_RECORDS, duration_s=10.0,
                   stages={(0, 0): dict(tasks=2, max_task_ms=2000)})

    def test_outcomes(self):
        for name, outcome in (
            ("job_retried", "succeeded"), ("job_failed", "failed"), ("job_cancelled", "succeeded"),
            ("sql_error", "failed"), ("sql_error_caught", "succeeded"), ("exit_code", "failed"),
            ("failed_without_end", "failed"), ("cancelled_elsewhere", "failed"), ("sql_retried", "succeeded"),
            ("commit_failed", "failed"), ("broadcast_too_slow", "failed"), ("stream_stopped", "succeeded"),
            ("server_statements", "killed"),
        ):
            met = {"pipeline_failure"} if outcome == "failed" else ()
            self.check(name, met, NO_TASKS, outcome=outcome)

    def test_killed_runs(self):
        self.check("shut_down_midway", {"pipeline_failure"}, NO_RECORDS, outcome="killed")
        self.check("job_without_end", {"pipeline_failure"}, NO_RECORDS, outcome="killed")
        self.check("job_ends_late", (), NO_RECORDS, outcome="succeeded")


class Vendors(ShapeTest):
    def test_streaming(self):
        self.check("streaming_nan", (), NO_INPUT, total_records=70_000, records_from="input")

    def test_platforms(self):
        self.check("databricks", stages={(0, 0): dict(read_ms=40.0)}, completeness=1.0)
        # 8 tasks of 10,000 + i rows; 8 x 30 ms of scan
        self.check("photon", stages={(0, 0): dict(read_ms=240.0)}, total_records=80_028)
        self.check("rapids", {("memory_pressure", 0, 0), ("io_bottleneck", 0, 0)},
                   total_records=500_000, stages={(0, 0): dict(read_ms=1700.0)})

    def test_old_spark(self):
        # no CPU time: what is missing is not 0
        self.check("spark1", {"low_throughput"}, {"io_bottleneck"}, app_id=None,
                   shuffle_read_bytes=111, stages={(0, 0): dict(tasks=3, read_ms=0.0, gc_ms=15)})
        self.check("spark2", {("io_bottleneck", 0, 0)}, attempt="1", records_from="scan",
                   total_records=90_000)

    def test_vectored_io(self):
        # 2000 + 3000 + 1000 bytes of files; shuffle 3000
        self.check("vectored_io", data_size_bytes=6000, gb_per_h=6000 / GIB * 100)
        self.check("vectored_later", data_size_bytes=6000)
        self.check("vectored_not_yet", {"network_overhead"}, data_size_bytes=900)


class Sources(ShapeTest):
    """Every run shuffles 9,000 bytes and counts 1,000 bytes of 100 rows, beside its trap."""

    def test_own_sizes(self):
        # 1,000 counted, or of files, and 8,000 of its own
        self.check("iceberg_object_store", data_size_bytes=9000, total_records=5100)
        # what tasks counted stands: 1,000 + 400
        self.check("iceberg_counted", {"network_overhead"}, data_size_bytes=1400)
        # 1,000 + 2,000; 100 rows that tasks counted, 5,000 that the scan did
        self.check("comet_native", {"network_overhead"}, data_size_bytes=3000, total_records=5100,
                   records_from="scan")
        # files: 1,000 + 4,000
        self.check("gpu_without_bytes", data_size_bytes=5000, records_from="input")

    def test_not_judged(self):
        for name in ("jdbc_and_files", "iceberg_size_lost"):
            self.check(name, (), {"network_overhead"}, data_size_bytes=1000, total_records=5100)
        # 1 of 101 rows is not more than one in a hundred, 2 of 102 are
        self.check("jdbc_few_rows", {"network_overhead", "low_throughput"}, total_records=101)
        self.check("jdbc_more_rows", {"low_throughput"}, {"network_overhead"}, total_records=102)


class Hostile(ShapeTest):
    def test_numbers(self):
        # 900 - 800 - 7 = 93 ms
        self.check("number_strings", {("memory_pressure", 0, 0)}, total_records=20_000,
                   duration_s=10.0, stages={(0, 0): dict(
                       tasks=2, memory_spilled_bytes=12, disk_spilled_bytes=3, gc_ms=7,
                       read_ms=93.0, input_bytes=5000)})
        # stage 1: read 9e12 - 5e12 + 9e12 - 4e12 = 9e12 ms = cpu; stage 2: 2 x 4e18 < 3 x 5e18
        self.check("huge_numbers", {("io_bottleneck", 0, 0), ("resource_contention", 2, 0)},
                   total_records=2**63 - 1, data_size_bytes=20, shuffle_read_bytes=0,
                   stages={(0, 0): dict(tasks=3, run_ms=1800, output_records=0, gc_ms=0),
                           (1, 0): dict(read_ms=9e12), (2, 0): dict(max_task_ms=4 * 10**18)})
        report = self.check(
            "negatives", {("memory_pressure", 0, 0), ("io_bottleneck", 0, 0), "pipeline_failure",
                          ("resource_contention", 0, 0), "low_throughput"},
            shuffle_read_bytes=50, shuffle_write_bytes=7, total_records=3,
            stages={(0, 0): dict(tasks=3, run_ms=1000, read_ms=300.0, disk_spilled_bytes=5)})
        self.assertEqual(report["log"]["malformed"], 2)

    def test_types(self):
        report = self.check("nulls", {("resource_contention", 0, 0)}, NO_RECORDS,
                            stages={(0, 0): dict(tasks=4, mean_task_ms=75.0, run_ms=90)})
        self.assertEqual(report["log"]["malformed"], 5)
        stages = {(0, 0): dict(tasks=4, run_ms=1800, gc_ms=0, read_ms=0.0)}
        report = self.check("wrong_types", {"low_throughput"}, stages=stages, total_records=10)
        self.assertEqual(report["log"]["malformed"], 3)

    def test_strangers(self):
        stages = {(0, 0): dict(tasks=2, run_ms=1700, read_ms=400.0)}
        self.check("unknown_things", stages=stages, shuffle_read_bytes=0)
        met = {("io_bottleneck", 0, 0), ("task_failures", 0, 0), "pipeline_failure"}
        self.check("hostile_text", met)

    def test_integers(self):
        for value, number in (
            (5, 5), ("5", 5), ("-5", -5), (5.9, 5), (-0.5, 0), ("007", 7), (2**63, None),
            (1e300, None), (True, None), (None, None), ("5.0", None), ("", None),
            (" 5", None), ("5\n", None), ("\u0665", None), ([5], None), (str(2**63), None),
        ):
            self.assertEqual(oracle_log.integer(value), number, repr(value))

    def test_every_shape_is_read(self):
        for path in glob.glob(os.path.join(SHAPES, "*")):
            self.assertTrue(oracle.judge(path), path)


class OfTime(ShapeTest):
    """Where time and cores went, on runs of a few events."""

    @staticmethod
    def verdict(kind, *events):
        run = oracle.Run()
        for event in events:
            run.apply({**event, "Event": "SparkListener" + event["Event"]})
        found = oracle.report(run, False)["verdicts"]
        return next(entry["rule_met"] for entry in found if entry["kind"] == kind)

    @staticmethod
    def run_of(*stages, end=100):
        """A run from 1000 s on, with stages [from, to], all in seconds since then."""
        events = [{"Event": "ApplicationStart", "App ID": "a", "Timestamp": 1_000_000}]
        for number, (start, stop) in enumerate(stages):
            info = {"Stage ID": number, "Number of Tasks": 1,
                    "Submission Time": 1_000_000 + start * 1000,
                    "Completion Time": 1_000_000 + stop * 1000}
            events.append({"Event": "StageCompleted", "Stage Info": info})
        return [*events, {"Event": "ApplicationEnd", "Timestamp": 1_000_000 + end * 1000}]

    def test_driver_bound(self):
        # 100 s: 30 of starting up, so more than 50 of the driver is fewer than 20 of work
        self.assertEqual(self.verdict("driver_bound", *self.run_of((40, 50), (45, 60))), False)
        self.assertEqual(self.verdict("driver_bound", *self.run_of((40, 50), (45, 59))), True)
        self.assertEqual(self.verdict("driver_bound", *self.run_of((0, 20), (60, 90))), False)
        self.assertEqual(self.verdict("driver_bound", *self.run_of((2, 3), end=22)), False)
        self.assertEqual(self.verdict("driver_bound", *self.run_of((2, 3), end=23)), True)
        self.assertIsNone(self.verdict("driver_bound", *self.run_of()))
        stream = {"Event": "x.StreamingQueryListener$QueryStartedEvent"}
        self.assertEqual(self.verdict("driver_bound", *self.run_of((40, 50)), stream), "any")

    def test_idle_executors(self):
        def executor(name, time):
            return {"Event": "ExecutorAdded", "Executor ID": name, "Timestamp": time,
                    "Executor Info": {"Total Cores": 100}}

        start, *rest = self.run_of((0, 20))
        task = {"Event": "TaskEnd", "Stage ID": 0, "Task Info": {
            "Task ID": 1, "Launch Time": 1_000_000, "Finish Time": 1_050_000}}
        gone = {"Event": "ExecutorRemoved", "Executor ID": "1", "Timestamp": 1_049_999}
        self.assertEqual(self.verdict("idle_executors", start, task, *rest), False)
        held = [start, executor("1", 1_000_000), task, *rest]
        self.assertEqual(self.verdict("idle_executors", *held), True)  # 10000 - 50 core seconds
        held = [start, executor("1", 1_000_000), task, gone, *rest]
        self.assertEqual(self.verdict("idle_executors", *held), True)
        gone["Timestamp"] = 1_036_499  # 3649.9 - 50: not an hour
        self.assertEqual(self.verdict("idle_executors", *held), False)


if __name__ == "__main__":
    unittest.main()
