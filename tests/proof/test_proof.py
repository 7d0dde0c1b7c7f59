"""What can be wrong quietly in the proof: what is applied, which lines are followed, the statistics, what makes it fail."""

import contextlib
import io
import json
import re
import sys
import tempfile
import unittest
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import apply  # noqa: E402  # pylint: disable=wrong-import-position
import measure  # noqa: E402  # pylint: disable=wrong-import-position
import proof  # noqa: E402  # pylint: disable=wrong-import-position
import report  # noqa: E402  # pylint: disable=wrong-import-position
from registry import Job, load  # noqa: E402  # pylint: disable=wrong-import-position
from run import Run, data_of, read  # noqa: E402  # pylint: disable=wrong-import-position

ROOT = Path(__file__).resolve().parents[2]


def a_job(wrong="something", answers=(), conf=None):
    return Job("a_job", None, wrong, 1000, answers=answers, conf=conf or {})


def piece(kind, saving_s, settings=None, code="", instead=None):
    return {"kind": kind, "saving_s": saving_s, "settings": settings or {}, "code": code,
            "set_on_purpose": {k: {"value": "x", "fits": v, "by_program": p} for k, (v, p) in (instead or {}).items()}}


def understood(said, answers=(), settings=None):
    return apply.understand(a_job(answers=answers), {"recommendations": said, "settings": settings or {}})


def ran(app_s, cpu_s=1.0):
    return Run(True, app_s=app_s, work_s=app_s - 1, cpu_s=cpu_s)


@dataclass
class FakeSpark:
    """Runs nothing: a job takes 10 s, 5 s with a setting or a line."""

    after: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def run(self, _, conf, lines, name):
        self.asked.append((dict(conf), dict(lines), name))
        better = {"app_s": 5.0, **self.after} if lines or len(conf) > 1 else {"app_s": 10.0}
        return Run(**{"good": True, "work_s": better.get("app_s", 5.0) - 1, "found": [1], "log": "log", "properties": dict(conf), **better})


class Applied(unittest.TestCase):
    """Settings and lines."""

    def test_the_set_as_it_stands_and_what_fits_instead(self):
        a = understood([piece("memory", 2, {"a": "1"}, instead={"b": ("2", False)})], settings={"a": "1"})
        self.assertEqual(a.conf({"b": "0", "c": "3"}), {"a": "1", "b": "2", "c": "3"})
        self.assertEqual(a.applied_saving_s, 2)

    def test_what_a_program_sets_itself_is_left_to_it(self):
        a = understood([piece("memory", 2, instead={"b": ("2", True)})])
        self.assertFalse(a.applies())
        self.assertEqual(a.words, ["memory"])

    def test_of_two_that_differ_the_dearest_stands(self):
        a = understood([piece("join", 1, instead={"b": ("1", False)}), piece("memory", 5, instead={"b": ("5", False)})])
        self.assertEqual(a.instead, {"b": "5"})

    def test_a_setting_outside_of_the_set_is_not_applied(self):
        self.assertFalse(understood([piece("memory", 2, {"a": "1"})]).applies())

    def test_a_line_is_followed_with_its_number_only_if_it_was_printed(self):
        code = "# PySpark\ndf = df.repartition(12)\n"
        self.assertEqual(understood([piece("partitioning", 1, code=code)], ("repartition", "broadcast")).lines, {"repartition": 12})
        self.assertEqual(understood([piece("partitioning", 1, code="")], ("repartition",)).lines, {})

    def test_a_line_that_the_job_has_no_place_for_is_words(self):
        a = understood([piece("partitioning", 1, code="df = df.repartition(12)")], ("broadcast",))
        self.assertEqual((a.lines, a.words, a.saving_s, a.applied_saving_s), ({}, ["partitioning"], 1, 0))

    def test_a_line_belongs_to_its_kind(self):
        self.assertEqual(understood([piece("data_skew", 1, code="df = df.repartition(12)")], ("repartition",)).lines, {})

    def test_compacting_is_no_repartition(self):
        code = "spark.read.format(fmt).load(path).repartition(3).write.format(fmt).save(new_path)"
        self.assertEqual(understood([piece("input", 1, code=code)], ("repartition", "compact")).lines, {"compact": 3})

    def test_a_line_without_a_number(self):
        code = 'out = big.join(F.broadcast(small), "key")'
        self.assertEqual(understood([piece("join", 1, code=code)], ("broadcast",)).lines, {"broadcast": True})

    def test_what_spark_did_not_take(self):
        a = understood([piece("memory", 2, {"a": "1"})], settings={"a": "1"})
        self.assertEqual(apply.ignored(a, Run(True, properties={"a": "2"})), ["a"])
        self.assertEqual(apply.ignored(a, Run(True, properties={"a": "1"})), [])

    def test_each_line_is_one_that_the_agent_prints(self):
        sources = "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "agent/advise").glob("*.c")))
        printed = re.sub(r'"\s*\n\s*"', "", sources).replace('\\"', '"').replace("\\n", "\n").replace("@", "10")
        for name, (_, pattern) in apply.SNIPPETS.items():
            self.assertTrue(re.search(pattern, printed), name)


class Measured(unittest.TestCase):
    """Pairs of runs."""

    def test_by_pairs(self):
        c = measure.change([ran(10, 4), ran(20, 8), ran(30, 6)], [ran(5, 2), ran(10, 3), ran(21, 4)])
        self.assertEqual((c.before.median, c.after.median, c.before_cpu.median, c.after_cpu.median), (20, 10, 6, 3))
        self.assertEqual((c.ratio.median, c.ratio.low, c.ratio.high, c.effect, c.saved_s()), (0.5, 0.5, 0.7, "faster", 10))

    def test_noise_is_no_effect(self):
        self.assertEqual(measure.effect_of([0.8, 0.9, 1.01]), "none")
        self.assertEqual(measure.effect_of([0.97, 0.96]), "none")
        self.assertEqual(measure.effect_of([1.2, 1.3, 0.99]), "none")
        self.assertEqual(measure.effect_of([1.2, 1.3, 1.01]), "slower")

    def test_pairs_must_be_pairs(self):
        with self.assertRaises(ValueError):
            measure.change([ran(10)], [ran(5), ran(6)])

    def test_total(self):
        t = measure.total([measure.change([ran(30)], [ran(15)]), measure.change([ran(10)], [ran(20)])])
        self.assertEqual((t.before_s, t.after_s, t.saved()), (40, 35, 0.125))
        self.assertAlmostEqual(t.throughput, 1.0)
        self.assertEqual((t.before_work_s, t.after_work_s), (38, 33))
        self.assertAlmostEqual(t.work_throughput, (29 / 14 * 9 / 19) ** 0.5)
        self.assertIsNone(measure.total([]))

    def test_promises(self):
        self.assertEqual(measure.verdict_on(5, 4), "80 % of it")
        self.assertEqual(measure.verdict_on(5, 0), "nothing came of it")
        self.assertIn("2.0 times", measure.verdict_on(5, 10))
        self.assertEqual(measure.verdict_on(0, 3), "not promised")


class ReadBack(unittest.TestCase):
    """What a run's own log tells."""

    def read(self, *events):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "ev").mkdir()
            (Path(folder) / "out.txt").write_text("APP app-1\nRESULT [3]\n", encoding="utf-8")
            lines = [json.dumps({"Event": f"SparkListener{kind}", **more}, separators=(",", ":")) + "\n" for kind, more in events]
            (Path(folder) / "ev/app-1").write_text("".join(lines), encoding="utf-8")
            return read(Path(folder), 0)

    def test_the_work_begins_with_the_first_job(self):
        r = self.read(("ApplicationStart", {"Timestamp": 1000}), ("JobStart", {"Submission Time": 6000}),
                      ("JobStart", {"Submission Time": 9000}), ("ApplicationEnd", {"Timestamp": 11000}))
        self.assertEqual((r.good, r.app_s, r.work_s, r.found), (True, 10.0, 5.0, [3]))

    def test_a_log_without_end_or_job_tells_nothing(self):
        start = ("ApplicationStart", {"Timestamp": 1000})
        self.assertFalse(self.read(start, ("JobStart", {"Submission Time": 6000})).good)
        self.assertFalse(self.read(start, ("ApplicationEnd", {"Timestamp": 6000})).good)


class Played(unittest.TestCase):
    """The order of runs, and what makes the proof fail."""

    def play(self, spark, rounds, lines=None, settings=None, wrong="something"):
        advice = apply.Advice(lines=lines or {}, settings=settings or {})
        asked, proof.apply.ask = proof.apply.ask, lambda *_: (advice, [])
        try:
            return proof.play(spark, "stoker", a_job(wrong, conf={"own": "1"}), rounds)
        finally:
            proof.apply.ask = asked

    def test_in_turn_and_only_what_was_advised(self):
        spark = FakeSpark()
        o = self.play(spark, 3, {"repartition": 2}, {"a": "1"})
        self.assertEqual([follow for follow, _ in o.runs], [False, True, True, False, False, True])
        for (follow, _), (conf, lines, _) in zip(o.runs, spark.asked):
            self.assertEqual((conf, lines), ({"own": "1", "a": "1"}, {"repartition": 2}) if follow else ({"own": "1"}, {}))
        self.assertEqual((o.change.effect, proof.complaints([o])), ("faster", []))

    def test_nothing_to_apply_is_one_run(self):
        self.assertEqual(len(self.play(FakeSpark(), 3).runs), 1)
        self.assertIn("nothing to apply", proof.complaints([self.play(FakeSpark(), 3)])[0])
        self.assertEqual(proof.complaints([self.play(FakeSpark(), 3, wrong="")]), [])

    def test_another_result(self):
        self.assertIn("found [2] instead of [1]", proof.complaints([self.play(FakeSpark({"found": [2]}), 2, {"x": 1})])[0])

    def test_a_refusal(self):
        self.assertIn("with advice failed: no", proof.complaints([self.play(FakeSpark({"good": False, "why": "no"}), 2, {"x": 1})])[0])

    def test_a_setting_that_was_not_taken(self):
        said = proof.complaints([self.play(FakeSpark({"properties": {}}), 2, settings={"a": "1"})])
        self.assertIn("not taken: a", said[0])

    def test_no_faster(self):
        slow = self.play(FakeSpark({"app_s": 10.5}), 2, {"x": 1})
        self.assertIn("the bad jobs together", proof.complaints([slow])[0])

    def test_a_healthy_job_that_gets_slower(self):
        for rounds, complained in ((2, False), (3, True)):
            hurt = self.play(FakeSpark({"app_s": 30.0}), rounds, {"x": 1}, wrong="")
            self.assertEqual(hurt.change.effect, "slower")
            self.assertEqual(bool(proof.complaints([hurt])), complained)


class Inputs(unittest.TestCase):
    """What is made once."""

    def test_another_way_of_making_it_is_another_input(self):
        def one(*_):
            return 1

        def two(*_):
            return 2
        two.__name__ = "one"
        places = {data_of(Job("a", None, "", 1, prepare=how)) for how in (one, two, one)}
        self.assertEqual(len(places), 2)


class Told(unittest.TestCase):
    """Jobs and pages."""

    def test_enough_jobs(self):
        jobs = load().values()
        self.assertGreaterEqual(sum(bool(j.wrong) for j in jobs), 12)
        self.assertGreaterEqual(sum(not j.wrong for j in jobs), 8)
        self.assertTrue(any(j.short and j.wrong for j in jobs) and any(j.short and not j.wrong for j in jobs))

    def test_the_page(self):
        o = proof.Outcome(a_job(), apply.Advice(instead={"spark.a": "1"}, lines={"repartition": 2}, applied_saving_s=6),
                          change=measure.change([ran(10), ran(12)], [ran(5), ran(8)]))
        nothing = proof.Outcome(a_job(wrong=""))
        with contextlib.redirect_stdout(io.StringIO()):
            text = report.markdown([o], [nothing], "how")
        self.assertIn("11 s -> 6 s, 41 % of the time saved", text)
        self.assertIn("without Spark's start 10 s -> 6 s, 45 % of the time saved, 1.85 times", text)
        self.assertIn("`a=1`, line `repartition` 2", text)
        self.assertIn("| `a_job` | 11.0 (10.0-12.0) | 6.5 (5.0-8.0) |", text)
        self.assertIn("nothing to apply", text)
        self.assertEqual(report.line(o), "a_job: 11.0 s -> 6.5 s; found nothing; applied `a=1`, line `repartition` 2")
        self.assertIn('"total"', report.as_json([o, nothing], "how"))


if __name__ == "__main__":
    unittest.main()
