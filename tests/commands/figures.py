"""figures.py BINARY: every number that `stoker report`, `stoker compare` and the gate of `stoker analyze` print follows from what
`stoker analyze --format json` prints of the same logs. Worked out here once more, from docs/benchmark.md and docs/compare.md, and
sharing no code with the program. Called by tests/commands/cli.sh.

Ends with "N passed, M failed" and exit 1 if any number differs."""

import html.parser
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(sys.argv[1]).resolve()
FIXTURES = "tests/fixtures"
PIPELINE = [f"{FIXTURES}/logs/pipeline/run{n}" for n in range(1, 7)]
# Of other sizes, of no size, not ended, failed, several in one pipeline.
OTHERS = [f"{FIXTURES}/logs/ok_groupby", f"{FIXTURES}/logs/skew_join", f"{FIXTURES}/logs/ok_parquet_agg",
          f"{FIXTURES}/logs/executor_oom", f"{FIXTURES}/shapes/still_running.jsonl.inprogress", f"{FIXTURES}/shapes/job_failed.jsonl",
          f"{FIXTURES}/shapes/records_from_shuffle.jsonl", f"{FIXTURES}/shapes/plain.jsonl", f"{FIXTURES}/shapes/one_hour.jsonl"]
SPAN, COMPLETE = 2, 0.95


def stoker(*words, code=0):
    done = subprocess.run([BINARY, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise AssertionError(f"stoker {' '.join(map(str, words))}: exit {done.returncode}, not {code}\n{done.stderr}")
    return done.stdout


def judged(log):
    """What analyze says of each run of a log; report takes all of them, compare the last."""
    return [dict(json.loads(line), log=log) for line in stoker("analyze", "--format", "json", log).splitlines()]


# --- the report, worked out anew

def counted(run):
    return run["outcome"] == "succeeded" and run["completeness"] >= COMPLETE and run["duration_s"] > 0


def unit_and_size(run):
    if run["data_size_bytes"] > 0:
        return "bytes", run["data_size_bytes"]
    return ("records", run["total_records"]) if run["total_records"] > 0 else ("unknown", 0)


def parted(runs):
    """Runs of one unit, by size: parted at the widest gap until no part spans more than SPAN."""
    sizes = [unit_and_size(run)[1] for run in runs]
    if sizes[-1] <= SPAN * sizes[0]:
        return [runs]
    at = max(range(1, len(runs)), key=lambda i: (sizes[i] / sizes[i - 1], -i))
    return parted(runs[:at]) + parted(runs[at:])


def groups_of(runs):
    found = []
    for unit in ("bytes", "records", "unknown"):
        of_unit = sorted((run for run in runs if counted(run) and unit_and_size(run)[0] == unit), key=lambda run: unit_and_size(run)[1])
        found += parted(of_unit) if of_unit else []
    return found


def spread(values):
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values),
            "deviation": statistics.stdev(values) if len(values) > 1 else 0}


def throughput(runs, others):
    for key, name in (("records_per_s", "records/s"), ("gb_per_h", "GB/h")):
        if all(run[key] > 0 for run in runs + others):
            return name, lambda some, key=key: statistics.fmean(run[key] for run in some)
    return "1/duration", lambda some: 1 / statistics.fmean(run["duration_s"] for run in some)


def ratio_of(groups, at, is_base):
    """(ratio, of what, group of the baseline) or None. is_base: run -> bool, or None: the smallest size of the unit."""
    unit, size = unit_and_size(groups[at][0])[0], statistics.fmean(unit_and_size(run)[1] for run in groups[at])
    same = [i for i, group in enumerate(groups) if unit_and_size(group[0])[0] == unit]
    if is_base is None:
        where, own = same[0], groups[at]
        base = groups[where]
    else:
        having = [i for i in same if any(map(is_base, groups[i]))]
        if not having:
            return None
        apart = {i: abs(math.log(max(1, statistics.fmean(unit_and_size(run)[1] for run in groups[i]))) - math.log(max(1, size)))
                 for i in having}
        where = at if at in having else min(having, key=lambda i: (apart[i], i))
        base = [run for run in groups[where] if is_base(run)]
        own = [run for run in groups[at] if not is_base(run)] or groups[at]
    name, rate = throughput(own, base)
    return rate(own) / rate(base), name, where


# --- numbers as people read them

def read(text):
    """(value, how far the printed one may be off) of "10.9 s", "1 m 04 s", "2 h 05 m", "450 ms", "1,234", "1.2 million", "27.1"."""
    units = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "million": 1e6, "billion": 1e9, "trillion": 1e12}
    value, last = 0, 1
    for number, digits, unit in re.findall(r"([\d,]+(?:\.(\d+))?) ?([a-z]*)", text.strip()):
        last = units.get(unit, 1) * 10 ** -len(digits)
        value += float(number.replace(",", "")) * units.get(unit, 1)
    return value, last * 0.501


class Cells(html.parser.HTMLParser):
    """The rows of all tables, the bars of all charts, and whatever would be loaded or run."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.bars, self.foreign, self.cell = [], [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.foreign += [tag] * (tag in ("script", "link", "img", "iframe")) + [k for k in attrs if k in ("src", "href") or k[:2] == "on"]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = []
        elif tag == "svg":
            self.bars.append([])
        elif tag == "rect":
            self.bars[-1].append(float(attrs["width"]))

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append("".join(self.cell))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


class Report(unittest.TestCase):
    """The report's three forms, without a baseline and with each way to name one."""

    @classmethod
    def setUpClass(cls):
        cls.logs = PIPELINE + OTHERS
        cls.runs = [dict(one["run"], log=one["log"]) for log in cls.logs for one in judged(log)]

    def near(self, got, want, what):
        self.assertTrue(math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9), f"{what}: {got}, not {want}")

    def check(self, baseline=None, is_base=None):
        more = ["--baseline", baseline] if baseline else []
        report = json.loads(stoker("report", "--format", "json", *more, *self.logs))
        self.assertEqual(report["baseline"], baseline)
        names = sorted({run["pipeline"] for run in self.runs})
        self.assertEqual([p["pipeline"] for p in report["pipelines"]], names)
        for said in report["pipelines"]:
            runs = [run for run in self.runs if run["pipeline"] == said["pipeline"]]
            groups = groups_of(runs)
            self.assertEqual([sorted(r["run_id"] for r in g["runs"]) for g in said["groups"]],
                             [sorted(r["run_id"] for r in g) for g in groups])
            self.assertEqual(sorted(r["run_id"] for r in said["left_out"]), sorted(r["run_id"] for r in runs if not counted(r)))
            for at, (got, want) in enumerate(zip(said["groups"], groups)):
                self.check_group(got, want, ratio_of(groups, at, is_base))
        return report

    def check_group(self, got, want, ratio):
        unit, sizes = unit_and_size(want[0])[0], [unit_and_size(run)[1] for run in want]
        self.assertEqual((got["size_unit"], got["iterations"]), (unit, len(want)))
        self.near(got["size"], statistics.fmean(sizes), "size")
        self.assertEqual((got["size_min"], got["size_max"]), (min(sizes), max(sizes)))
        for key in ("duration_s", "records_per_s", "gb_per_h"):
            for name, value in spread([run[key] for run in want]).items():
                self.near(got[key][name], value, f"{key}.{name}")
        if ratio is None:
            self.assertIsNone(got["performance_ratio"])
        else:
            self.near(got["performance_ratio"], ratio[0], "ratio")
            self.assertEqual((got["ratio_of"], got["ratio_to_group"]), ratio[1:])
        by_id = {run["run_id"]: run for run in want}
        for run in got["runs"]:
            for key in ("app_id", "started_ms", "duration_s", "total_records", "data_size_bytes", "records_per_s", "gb_per_h", "completeness"):
                self.assertEqual(run[key], by_id[run["run_id"]][key])

    def test_without_a_baseline(self):
        self.check()

    def test_against_a_log(self):
        self.check(PIPELINE[0], lambda run: run["log"] == PIPELINE[0])

    def test_against_an_application(self):
        app_id = next(run["app_id"] for run in self.runs if run["log"] == PIPELINE[4])
        self.check(app_id, lambda run: run["app_id"] == app_id)

    def test_against_a_tag(self):
        self.check("pipeline", lambda run: "pipeline" in run["log"].split("/"))

    def test_against_nothing(self):
        stoker("report", "--baseline", "no-such-run", *self.logs, code=1)

    def test_markdown_says_the_same(self):
        report = self.check()
        page = stoker("report", *self.logs)
        sections = re.split(r"^### Data size: ", page, flags=re.M)[1:]
        groups = [group for pipeline in report["pipelines"] for group in pipeline["groups"]]
        self.assertEqual(len(sections), len(groups))
        for text, group in zip(sections, groups):
            number = r"[\d,.]+(?: (?:ms|s|million|billion|trillion|[mhd] \d+ [smh]))?"
            for label, key, unit in (("duration", "duration_s", ""), ("throughput", "records_per_s", " records/s"), ("throughput", "gb_per_h", " GB/h")):
                line = re.search(rf"\*\*Average {label}:\*\* (.*)", text)[1]
                found = re.search(rf"(?:^|; )({number}){re.escape(unit)}(?: \(({number}) to ({number}), standard deviation ({number})\))?(?:;|$)", line)
                if group[key]["max"] == 0:
                    continue
                self.assertIsNotNone(found, line)
                wanted = [group[key]["mean"]] + [group[key][name] for name in ("min", "max", "deviation")] * (group["iterations"] > 1)
                for printed, want in zip(found.groups(), wanted):
                    value, off = read(printed)
                    self.assertLessEqual(abs(value - want), off, f"{label} {unit}: {printed} for {want}")
            ratio = re.search(r"\*\*Performance ratio:\*\* ([\d.]+), ", text)
            value, off = read(ratio[1])
            self.assertLessEqual(abs(value - group["performance_ratio"]), off, ratio[0])

    def test_html_says_the_same_alone(self):
        report = self.check()
        page = Cells(stoker("report", "--format", "html", *self.logs))
        self.assertEqual(page.foreign, [])
        groups = [group for pipeline in report["pipelines"] for group in pipeline["groups"]]
        rows = {"Average duration": "duration_s", "Average throughput, records/s": "records_per_s", "Average throughput, GB/h": "gb_per_h"}
        for title, key in rows.items():
            said = [row for row in page.rows if row and row[0] == title]
            known = [group for group in groups if group[key]["max"] > 0]
            self.assertEqual(len(said), len(known))
            for row, group in zip(said, known):
                for printed, name in zip(row[1:], ("mean", "min", "max", "deviation")):
                    if printed:
                        value, off = read(printed)
                        self.assertLessEqual(abs(value - group[key][name]), off, f"{title}: {row}")
        charts = [[group[key]["mean"] / max(g[key]["max"] for g in pipeline["groups"]) for group in pipeline["groups"]]
                  for pipeline in report["pipelines"] for key in rows.values() if any(g[key]["max"] > 0 for g in pipeline["groups"])]
        self.assertEqual(len(page.bars), len(charts))
        for bars, shares in zip(page.bars, charts):
            for bar, share in zip(bars, shares):
                self.assertLessEqual(abs(bar - 410 * share), 0.06)


# --- two runs, worked out anew

def merged(stages):
    """Stage number -> the sums over its attempts."""
    found = {}
    for stage in stages:
        one = found.setdefault(stage["stage"], {"slots": 1, "attempts": 0, "name": stage["name"]})
        one["attempts"] += 1
        one["slots"] = max(one["slots"], stage["slots"])
        for key, value in stage.items():
            if isinstance(value, (int, float)) and key not in ("stage", "attempt", "slots", "failed"):
                one[key] = one.get(key, 0) + value
    return found


PARTS = {"compute": "cpu_ms", "gc": "gc_ms", "fetch_wait": "fetch_wait_ms", "shuffle_write": "shuffle_write_ms",
         "deserialize": "deserialize_ms", "scheduling": "delay_ms"}


def reasons_of(a, b):
    """Why b took longer than a, in seconds, as docs/compare.md has it."""
    by = next((key for key in ("records", "bytes") if a[key] > 0 and b[key] > 0), None)
    volume = b[by] / a[by] if by else 1
    parts = [{**{name: one[key] for name, key in PARTS.items()}} for one in (a, b)]
    for one, part in zip((a, b), parts):
        part["rest"] = one["task_ms"] - sum(part.values())
    found = {"waiting": b["wait_ms"] - a["wait_ms"], "lost": b["lost_ms"] / b["slots"] - a["lost_ms"] / a["slots"],
             "slots": b["task_ms"] / b["slots"] - b["task_ms"] / a["slots"], "volume": a["task_ms"] * (volume - 1) / a["slots"]}
    for name in parts[0]:
        more = (parts[1][name] - parts[0][name] * volume) / a["slots"]
        spilled = b["disk_spilled_bytes"] - a["disk_spilled_bytes"]
        reads = any(one[key] > 0 for one in (a, b) for key in ("input_bytes", "input_records"))
        rest = "spill" if spilled * more > 0 else "reading" if reads else "other"
        found[rest if name == "rest" else name] = more
    uneven = [one["wall_ms"] - one["wait_ms"] - (one["task_ms"] + one["lost_ms"]) / one["slots"] for one in (a, b)]
    found["skew"] = uneven[1] - uneven[0]
    whole = b["wall_ms"] - a["wall_ms"]
    assert abs(sum(found.values()) - whole) < 1e-6
    return {name: ms / 1e3 for name, ms in found.items() if abs(ms) > abs(whole) * (0.1 if (ms > 0) == (whole > 0) else 0.25)}


class Compare(unittest.TestCase):
    """Two runs of the recorded pipeline, and the cause that was put into the later one."""

    def check(self, a_log, b_log):
        said = json.loads(stoker("compare", "--format", "json", a_log, b_log))
        a, b = judged(a_log)[-1], judged(b_log)[-1]
        self.assertAlmostEqual(said["seconds"], b["run"]["duration_s"] - a["run"]["duration_s"])
        for key in ("start_up_s", "driver_s"):
            self.assertAlmostEqual(said[key], b["run"][key] - a["run"][key])
        self.assertAlmostEqual(said["start_up_s"] + said["stages_s"] + said["driver_s"], said["seconds"])
        stages = merged(a["stages"]), merged(b["stages"])
        for side, of in zip(("a", "b"), stages):
            self.assertEqual(sorted(s[side]["stage"] for s in said["stages"] if s[side]), sorted(of))
        longer = max(a["run"]["duration_s"], b["run"]["duration_s"])
        for stage in said["stages"]:
            x, y = (of[stage[side]["stage"]] if stage[side] else None for side, of in zip(("a", "b"), stages))
            for one, told in ((x, stage["a"]), (y, stage["b"])):
                for key in ("wall_ms", "tasks", "records", "bytes", "task_ms", "disk_spilled_bytes", "attempts", "name") if one else ():
                    self.assertEqual(told[key], one[key])
            self.assertAlmostEqual(stage["seconds"], ((y["wall_ms"] if y else 0) - (x["wall_ms"] if x else 0)) / 1e3)
            self.assertAlmostEqual(stage["share"], min(1, abs(stage["seconds"]) / longer))
            self.assertEqual(stage["matters"], abs(stage["seconds"]) >= 0.1 and stage["share"] >= 0.01)
            want = reasons_of(x, y) if x and y else {}
            got = {reason["reason"]: reason["seconds"] for reason in stage["reasons"]}
            self.assertEqual(sorted(got), sorted(want))
            for name, seconds in want.items():
                self.assertAlmostEqual(got[name], seconds, places=6)
        return said

    def test_the_regression_of_the_pipeline_is_named(self):
        said = self.check(PIPELINE[3], PIPELINE[4])
        label = json.loads((ROOT / PIPELINE[4] / "label.json").read_text())["injected"][0]
        self.assertIn("costlier function", label["detail"]["cause"])
        worst = said["stages"][0]
        self.assertEqual([worst["a"]["stage"], worst["b"]["stage"]], label["stages"] * 2)
        self.assertEqual(worst["reasons"][0]["reason"], "compute")
        self.assertGreater(worst["reasons"][0]["seconds"], 0.5 * said["seconds"])
        text = stoker("compare", PIPELINE[3], PIPELINE[4])
        self.assertRegex(text, r"\n  Slower\n    \+2\d\.\d s +stage 1 collect at job\.py: .*\n +\+\d+\.\d s +[\d.]+ times the CPU time for each record")

    def test_the_other_way_round_it_is_faster(self):
        said = self.check(PIPELINE[4], PIPELINE[5])
        self.assertLess(said["stages"][0]["seconds"], 0)
        self.assertEqual(said["stages"][0]["reasons"][0]["reason"], "compute")

    def test_a_log_and_itself_differ_in_nothing(self):
        for log in PIPELINE[:1] + OTHERS:
            said = self.check(log, log)
            self.assertEqual((said["seconds"], said["settings"], said["findings"]), (0, [], []))
            self.assertTrue(all(s["a"] == s["b"] and s["reasons"] == [] for s in said["stages"]))

    def test_runs_of_other_pipelines_are_compared_as_well_as_they_can(self):
        self.check(f"{FIXTURES}/logs/skew_join", f"{FIXTURES}/logs/skew_fixed_by_aqe")
        self.check(f"{FIXTURES}/logs/task_retries", f"{FIXTURES}/logs/executor_lost")


class Gate(unittest.TestCase):
    """The numbers that a limit was breached by."""

    def test_values_are_those_of_the_run(self):
        log = f"{FIXTURES}/logs/task_retries"
        limits = ["--max-duration", "1s", "--max-spill", "0", "--max-failed-tasks", "0", "--max-skew", "1", "--fail-on", "low"]
        one = json.loads(stoker("analyze", "--format", "json", *limits, log, code=2))
        run, lines = one["run"], one["gate"]["lines"]
        values = {line["limit"]: line["value"] for line in lines if "limit" in line}
        self.assertEqual(one["gate"]["verdict"], "breached")
        self.assertEqual(values["max-duration"], run["duration_s"])
        self.assertEqual(values["max-failed-tasks"], sum(stage["tasks_failed"] for stage in one["stages"]))
        by_stage = {stage["stage"]: stage["max_task_ms"] / stage["mean_task_ms"] for stage in one["stages"] if stage["mean_task_ms"]}
        for line in lines:
            if line.get("limit") == "max-skew":
                self.assertAlmostEqual(line["value"], by_stage[line["stage"]])
        one = json.loads(stoker("analyze", "--format", "json", "--max-spill", "0", PIPELINE[4], code=2))
        self.assertEqual(one["gate"]["lines"][0]["value"], sum(stage["disk_spilled_bytes"] for stage in one["stages"]))


if __name__ == "__main__":
    outcome = unittest.main(argv=[sys.argv[0]], exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad or outcome.testsRun == 0 else 0)
