#!/usr/bin/env python3
"""Tests of compare.py: a fake agent prints the oracle's own output, then planted differences.

Each planted difference must be caught and named. Run: python3 tests/oracle/test_compare.py
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import compare  # noqa: E402
import oracle  # noqa: E402

LOGS = os.path.join(HERE, "..", "fixtures", "logs")
SKEW = os.path.join(LOGS, "skew_join", "events.jsonl.zst")
SPILL = os.path.join(LOGS, "spill_sort", "events.jsonl.zst")
THREE_RUNS = os.path.join(HERE, "..", "fixtures", "shapes", "attempts.jsonl")
FAKE = """#!{python}
import sys
assert sys.argv[1:4] == ["analyze", "--format", "json"], sys.argv
sys.stdout.write(open({path!r}).read())
sys.exit({code})
"""


def as_agent(path):
    """The oracle's verdicts in the shape of `analyze --format json`."""
    objects = []
    for report in oracle.judge(path):
        run = dict.fromkeys(compare.RUN_ONLY_PRESENT, "")
        run.update(report["run"])
        listed = []
        for verdict in report["verdicts"]:
            if verdict["rule_met"] is None:
                listed.append(dict(verdict, reason="no data"))
            elif verdict["rule_met"]:
                listed.append(dict.fromkeys(compare.VERDICT_FIELDS, "") | verdict)
        stages = [dict(stage, name="") for stage in report["stages"]]
        objects.append(
            {"run": run, "stages": stages, "bottlenecks": listed, "recommendations": []}
        )
    return objects


def entry(kind, stage, met):
    place = {"kind": kind, "stage": stage, "attempt": None if stage is None else 0}
    return dict.fromkeys(compare.VERDICT_FIELDS, "") | place | {"rule_met": met}


def listed(output, kind):
    return next(entry for entry in output["bottlenecks"] if entry["kind"] == kind)


class CompareTest(unittest.TestCase):
    def compare(self, output, log=SKEW, code=0):
        """(exit code, printed text) of compare.py against an agent that prints `output`."""
        with tempfile.TemporaryDirectory() as folder:
            printed = os.path.join(folder, "out")
            fake = os.path.join(folder, "stoker")
            with open(printed, "w", encoding="utf-8") as file:
                file.write(output if isinstance(output, str) else ndjson(output))
            with open(fake, "w", encoding="utf-8") as file:
                file.write(FAKE.format(python=sys.executable, path=printed, code=code))
            os.chmod(fake, 0o755)
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                result = compare.main([fake, log])
            return result, said.getvalue()

    def catches(self, words, change, log=SKEW):
        """The change of a correct output must fail, and the text must hold the words."""
        objects = as_agent(log)
        change(objects[0])
        result, said = self.compare(objects, log)
        self.assertEqual(result, 1, said)
        self.assertIn(words, said)
        self.assertEqual(said.splitlines()[-1], "0 passed, 1 failed")

    def test_equal_output_passes(self):
        for log in (SKEW, SPILL, THREE_RUNS):
            result, said = self.compare(as_agent(log), log)
            self.assertEqual((result, said.splitlines()[-1]), (0, "1 passed, 0 failed"), said)

    def test_float_noise_passes(self):
        objects = as_agent(SKEW)
        objects[0]["stages"][0]["mean_task_ms"] *= 1 + 1e-12
        self.assertEqual(self.compare(objects)[0], 0)

    def test_allowed_extras_pass(self):
        objects = as_agent(SKEW)
        objects[0]["bottlenecks"].append(entry("straggler", 2, True))
        objects[0]["bottlenecks"].append(entry("memory_pressure", 1, False))
        objects[0]["run"]["more"] = 1
        result, said = self.compare(objects)
        self.assertEqual(result, 0, said)

    def test_numbers(self):
        def off_by_one(out):
            out["stages"][2]["run_ms"] += 1

        def noisy(out):
            out["stages"][2]["cpu_ms"] *= 1 + 1e-7

        def as_float(out):
            out["run"]["total_records"] = 6500000.0

        def as_text(out):
            out["run"]["duration_s"] = "22.289"

        self.catches("stage 2.0 run_ms: oracle 10705, agent 10706", off_by_one)
        self.catches("stage 2.0 cpu_ms", noisy)
        self.catches("total_records: oracle 6500000, agent 6500000.0", as_float)
        self.catches("duration_s: oracle 22.289, agent '22.289'", as_text)
        self.catches("outcome", lambda out: out["run"].update(outcome="lost"))

    def test_missing(self):
        for part in ("run", "stages", "bottlenecks", "recommendations"):
            self.catches(f"{part}: oracle", lambda out, part=part: out.pop(part))
        for field in ("records_per_s", "pipeline", "app_id", "completeness"):
            self.catches(f"{field}: oracle", lambda out, field=field: out["run"].pop(field))
        for field in ("read_ms", "name"):
            self.catches(f"3.0 {field}", lambda out, field=field: out["stages"][3].pop(field))
        self.catches("data_skew.severity", lambda out: listed(out, "data_skew").pop("severity"))
        self.catches("io_bottleneck.reason", lambda out: listed(out, "io_bottleneck").pop("reason"))

    def test_stages(self):
        self.catches("stage 1.0 stages: oracle 'listed'", lambda out: out["stages"].pop(1))

        def another(out):
            out["stages"].append(dict(out["stages"][0], stage=9))

        self.catches("stage 9.0 stages: oracle 'not listed', agent 'listed'", another)
        self.catches("repeated", lambda out: out["stages"].append(out["stages"][0]))

    def test_verdicts(self):
        def drop(out):
            out["bottlenecks"].remove(listed(out, "data_skew"))

        def null_dropped(out):
            out["bottlenecks"].remove(listed(out, "network_overhead"))

        def null_told_true(out):
            out["bottlenecks"].remove(listed(out, "io_bottleneck"))
            out["bottlenecks"].append(entry("io_bottleneck", None, True))

        def add(kind, stage, met):
            return lambda out: out["bottlenecks"].append(entry(kind, stage, met))

        self.catches("stage 2.0 data_skew: oracle 'rule_met true', agent 'not listed'", drop)
        self.catches("network_overhead: oracle 'rule_met null', agent 'not listed'", null_dropped)
        self.catches("io_bottleneck: oracle 'rule_met null', agent 'rule_met true'", null_told_true)
        self.catches("stage 1.0 task_failures: oracle", add("task_failures", 1, True))
        words = "slow_run: oracle 'rule_met false', agent 'rule_met true'"
        self.catches(words, add("slow_run", None, True))
        self.catches("stage 1.0 straggler", add("straggler", 1, True))
        self.catches("stage 2.0 straggler", add("straggler", 2, False))
        self.catches("stage 3.0 data_skew", add("data_skew", 3, False))
        self.catches("listed again", add("data_skew", 2, True))
        self.catches("low_throughput", add("low_throughput", 0, True))
        self.catches("stage 2.0 memory_pressure", self.told_false, log=SPILL)

    @staticmethod
    def told_false(out):
        listed(out, "memory_pressure")["rule_met"] = False

    def test_runs_and_agent_failures(self):
        objects = as_agent(SKEW)
        swapped = self.compare(as_agent(THREE_RUNS)[::-1], THREE_RUNS)[1]
        self.assertIn("run application_1700000000000_0106/1 (#1) attempt: oracle '1'", swapped)
        self.assertIn("runs: oracle 1, agent 2", self.compare(objects * 2)[1])
        self.assertIn("runs: oracle 1, agent 0", self.compare([])[1])
        self.assertIn("exit code 1", self.compare(objects, code=1)[1])
        self.assertIn("not NDJSON", self.compare("{oops\n")[1])
        self.assertIn("no object", self.compare("[1]\n")[1])
        self.assertEqual(self.compare([])[0], 1)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(compare.main(["/nowhere/stoker", SKEW]), 1)
        self.assertIn("No such file", said.getvalue())


def ndjson(objects):
    return "".join(json.dumps(value) + "\n" for value in objects)


if __name__ == "__main__":
    unittest.main()
