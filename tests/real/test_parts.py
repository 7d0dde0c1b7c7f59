"""The harness itself, without Stoker: if these fail, nothing the other suites say means anything.

Each real part starts, does its work and ends; records are lost or kept exactly as the other suites
rely on.
"""

import contextlib
import datetime
import io
import json
import subprocess
import types
import unittest
import urllib.request

from cases import RealCase, advice_differences, shared_broker
from kafka_client import Reader, Sender, create_topics, topics, unique
from logs import Log, interleaved, names
from parts import KAFKA_VERSIONS, Alertmanager, Prometheus, WebhookRecorder
from processes import PartError, Process, fresh_dir, wait_until
from runner import Report


class Brokers(RealCase):
    def check_round_trip(self, version):
        broker = shared_broker(version)
        topic = unique("round-trip")
        create_topics(broker.bootstrap, {topic: 3})
        self.assertEqual(3, topics(broker.bootstrap)[topic])
        sender = Sender(broker.bootstrap)
        sent = [(f"key-{i % 7}".encode(), f"value-{i}".encode()) for i in range(500)]
        for key, value in sent:
            sender.send(topic, value, key, headers={"n": b"1"})
        sender.flush()
        reader = Reader(broker.bootstrap, [topic]).to_end()
        got = [(m.key(), m.value()) for m in reader.records[topic]]
        self.assertEqual(sorted(sent), sorted(got))
        seen = subprocess.run(
            ["kcat", "-b", broker.bootstrap, "-C", "-t", topic, "-e", "-q", "-f", "%k %s\\n"],
            capture_output=True, timeout=30, check=True).stdout.splitlines()
        self.assertEqual(sorted(k + b" " + v for k, v in sent), sorted(seen))

    def test_newest_kafka_keeps_what_is_sent(self):
        self.check_round_trip(KAFKA_VERSIONS[0])

    def test_oldest_kafka_keeps_what_is_sent(self):
        self.check_round_trip(KAFKA_VERSIONS[1])

    def test_a_missing_topic_is_an_error(self):
        with self.assertRaisesRegex(PartError, "topics missing: no-such-topic"):
            Reader(shared_broker().bootstrap, ["no-such-topic"])


class Alerting(RealCase):
    @staticmethod
    def post(manager, ends_in_s):
        now = datetime.datetime.now(datetime.timezone.utc)
        times = {"startsAt": now - datetime.timedelta(seconds=9),
                 "endsAt": now + datetime.timedelta(seconds=ends_in_s)}
        alert = {"labels": {"alertname": "Probe", "n": "1"},
                 **{name: time.isoformat() for name, time in times.items()}}
        urllib.request.urlopen(urllib.request.Request(
            manager.url + "/api/v2/alerts", json.dumps([alert]).encode(),
            {"Content-Type": "application/json"}), timeout=5).close()

    def test_an_alert_fires_and_resolves_at_the_webhook(self):
        hook = WebhookRecorder()
        self.addCleanup(hook.stop)
        manager = Alertmanager("probe-am", hook.url + "/probe").start()
        self.addCleanup(manager.stop)
        self.post(manager, 60)
        wait_until("firing", lambda: hook.alerts("/probe", "firing", alertname="Probe"), 10)
        self.assertEqual(1, len(manager.alerts(n="1")))
        self.assertFalse(hook.alerts("/probe", "firing", n="2"))
        self.post(manager, 0)
        wait_until("resolved", lambda: hook.alerts("/probe", "resolved", alertname="Probe"), 10)


class Scraping(RealCase):
    def test_prometheus_scrapes_and_answers(self):
        prometheus = Prometheus("probe-prometheus", "127.0.0.1:1").start()
        self.addCleanup(prometheus.stop)
        down = wait_until("a scrape", lambda: prometheus.query('up{job="stoker"}'), 20)
        self.assertEqual(0.0, down[0][1])


class Harness(RealCase):
    def test_a_part_that_does_not_start_says_so(self):
        folder = fresh_dir("probe-process")
        process = Process("probe", ["sh", "-c", "echo the reason; exit 3"], folder / "log")
        with self.assertRaisesRegex(PartError, "probe ended with 3\n +the reason"):
            wait_until("the impossible", lambda: False, 10, process=process)
        with self.assertRaisesRegex(PartError, "nothing-like-it does not start"):
            Process("nothing-like-it", ["/nothing-like-it"], folder / "log")

    def test_killing_takes_the_whole_group(self):
        folder = fresh_dir("probe-group")
        process = Process("group", ["sh", "-c", "sleep 77 & echo $!; wait"], folder / "log")
        child = int(wait_until("the child", lambda: process.log().strip(), 10))
        wait_until("the child asleep", lambda: self.state(child) == "S", 10)
        process.kill()
        wait_until("the child's end", lambda: self.state(child) in ("", "Z"), 10)

    @staticmethod
    def state(pid):
        """The state letter of /proc/PID/stat, "" if there is no such process."""
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return ""

    def test_a_log_under_another_name_differs_only_there(self):
        log = Log.fixture("ok_groupby")
        copy = log.copy("app-copy", "another-name", attempt="2", later_ms=1000)
        self.assertEqual(("app-copy", "2", "another-name"), (copy.app_id, copy.attempt, copy.app_name))
        changed = 0
        for before, after in zip(log.lines, copy.lines, strict=True):
            a, b = json.loads(before), json.loads(after)
            self.assertEqual(list(a), [k for k in b if k != "App Attempt ID"])
            if "Timestamp" in a:
                self.assertEqual(a["Timestamp"] + 1000, b["Timestamp"])
                changed += 1
        self.assertGreater(changed, 0)
        self.assertNotIn(log.app_id.encode(), b"".join(copy.lines))

    def test_advice_that_only_the_agent_gave_is_a_difference(self):
        """Save where it is asked for, and only if each bottleneck that it answers was told and stands no more."""
        results = types.SimpleNamespace(
            bottlenecks={"stands": {}, "went": {}, "goes": {}}, published=lambda: {"stands": {}},
            recommendations={"r": {"app_id": "app", "attempt": "", "kind": "data_skew", "bottlenecks": []}})
        for answered, passes in (([], False), (["stands"], False), (["went", "stands"], False), (["never-told"], False),
                                 (["went", "never-told"], False), (["went"], True), (["went", "goes"], True)):
            results.recommendations["r"]["bottlenecks"] = answered
            for asked in (False, True):
                with self.subTest(answered=answered, asked=asked):
                    found = advice_differences(results, ("app", ""), {"recommendations": []}, asked)
                    self.assertEqual([] if asked and passes else ["recommendation data_skew (r): only live"], found)

    def test_a_case_that_does_not_succeed_has_failed(self):
        class Probe(unittest.TestCase):
            def fails(self):
                self.fail("as it must")

            def fails_in_a_part(self):
                for part in (1, 2):
                    with self.subTest(part=part):
                        self.assertEqual(1, part)

            def is_skipped(self):
                self.skipTest("as it must not")

            def succeeds(self):
                with self.subTest(part=1):
                    pass

        for method in ("fails", "fails_in_a_part", "is_skipped", "succeeds"):
            report = Report()
            with contextlib.redirect_stdout(io.StringIO()) as said:
                Probe(method).run(report)
            self.assertEqual((1, 0) if method == "succeeds" else (0, 1), (report.passed, report.failed), method)
            self.assertIn(method, said.getvalue())

    def test_interleaving_keeps_every_line_in_its_order(self):
        logs = [Log.fixture(name) for name in names()[:3]]
        mixed = list(interleaved(logs))
        for log in logs:
            self.assertEqual(log.lines, [line for whose, line in mixed if whose is log])
