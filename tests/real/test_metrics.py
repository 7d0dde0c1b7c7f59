"""The agent's numbers, as a real Prometheus sees them: the names and buckets that dashboards rely on,
with the values that the published runs have.
"""

import bisect
import subprocess

from agent import samples
from cases import RealCase
from logs import Log
from parts import Prometheus, http_get
from processes import wait_until

BUCKETS = (60, 300, 900, 1800, 3600, 7200)
LOGS = ("ok_groupby", "failed_stage", "shuffle_overhead", "pipeline/run1", "pipeline/run2")


class Metrics(RealCase):
    @classmethod
    def setUpClass(cls):
        cls.logs = [Log.fixture(name) for name in LOGS]

    def setUp(self):
        """The logs judged, by an agent that a Prometheus scrapes."""
        self.site_ = self.site("metrics")
        self.agent = self.site_.running()
        self.prometheus = Prometheus("metrics-prometheus", f"127.0.0.1:{self.agent.port}").start()
        self.addCleanup(self.prometheus.stop)
        sender = self.site_.sender()
        for log in self.logs:
            for line in log.lines:
                sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()
        self.results = self.site_.results().settle(
            [(log.app_id, log.attempt) for log in self.logs], process=self.agent.process)

    def by_pipeline(self, name):
        return {labels.get("pipeline"): value for labels, value in self.prometheus.query(name)}

    def expected(self, value_of):
        """The sum per pipeline of value_of(run record)."""
        sums = {}
        for run in self.results.runs.values():
            sums[run["pipeline"]] = sums.get(run["pipeline"], 0) + value_of(run)
        return sums

    def assert_scraped(self, name, wanted):
        """Prometheus comes to hold just these values: a scrape may be a second behind."""
        def close():
            got = self.by_pipeline(name)
            return got.keys() == wanted.keys() and all(
                abs(got[p] - wanted[p]) <= 1e-6 * max(1, abs(wanted[p])) for p in wanted)
        try:
            wait_until(name, close, 6, 0.3)
        except Exception:  # pylint: disable=broad-except  # say what was seen, not that time is over
            self.assertEqual(wanted, self.by_pipeline(name), name)

    def test_prometheus_sees_what_the_runs_say(self):
        wait_until("up", lambda: self.prometheus.query('up{job="stoker"} == 1'), 10, 0.3)
        self.assert_scraped("stoker_pipeline_duration_seconds_count", self.expected(lambda _: 1))
        self.assert_scraped("stoker_pipeline_duration_seconds_sum",
                            self.expected(lambda run: run["duration_s"]))
        self.assert_scraped("stoker_pipeline_records_total",
                            self.expected(lambda run: max(0, run["total_records"])))
        self.assert_scraped("stoker_pipeline_errors_total",
                            self.expected(lambda run: int(run["status"] == "failed")))
        newest = {}
        for run in sorted(self.results.runs.values(), key=lambda run: run["ended_ms"]):
            newest[run["pipeline"]] = run["records_per_s"]
        self.assert_scraped("stoker_pipeline_throughput_records_per_second", newest)
        self.check_buckets()
        self.agent.stop()

    def check_buckets(self):
        rows = self.prometheus.query("stoker_pipeline_duration_seconds_bucket")
        bounds = {}
        for labels, value in rows:
            bounds.setdefault(labels["pipeline"], {})[float(labels["le"])] = value
        for pipeline, got in bounds.items():
            durations = sorted(run["duration_s"] for run in self.results.runs.values()
                               if run["pipeline"] == pipeline)
            wanted = {float(b): bisect.bisect_right(durations, b) for b in BUCKETS}
            wanted[float("inf")] = len(durations)
            self.assertEqual(wanted, got, f"buckets of {pipeline}")

    def test_promtool_finds_nothing_to_say(self):
        text = self.agent.metrics_text()
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(),
                              capture_output=True, timeout=30, check=False)
        self.assertEqual((0, ""), (done.returncode, (done.stdout + done.stderr).decode()))
        seen = [(name, tuple(sorted(labels.items()))) for name, labels, _ in samples(text)]
        self.assertEqual(len(seen), len(set(seen)), "a series is there twice")
        self.assertTrue(text.endswith("\n"))
        content_type = http_get(self.agent.url + "/metrics")[2]["Content-Type"]
        self.assertTrue(content_type.startswith("text/plain; version=0.0.4"), content_type)
        self.agent.stop()
