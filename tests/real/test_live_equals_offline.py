"""Live = offline: what the agent publishes for whole logs played into a real Kafka is what `stoker
analyze` says of the same logs, on each broker version with each librdkafka, and every record it
writes can be read by a stock Avro reader with the shipped schemas.
"""

import json
import time

from agent import stoker
from cases import RealCase, shared_broker
from logs import HOUR_MS, Log, names
from processes import PartError, wait_until
from records import Codec


# Recorded on a machine that was busy for a while: a stage is told to lack CPUs as long as most of its tasks did.
PASSING = ("ok_split_by_spark",)


class Combination:
    """The cases, once per broker version and library (the classes below)."""

    version = lib = None

    @classmethod
    def setUpClass(cls):
        cls.logs = [Log.fixture(name) for name in names()]

    def played(self):
        site = self.site("live", shared_broker(self.version))
        agent = site.running(self.lib)
        stoker("replay", *[log.path for log in self.logs], "--brokers", site.broker.bootstrap,
               "--topic", site.topics["events"], lib=self.lib)
        results = site.results().settle([(log.app_id, log.attempt) for log in self.logs if log.has_end], 90,
                                        agent.process)
        return agent, results

    def test_all_logs(self):
        agent, results = self.played()
        for log in self.logs:
            going_on = None if log.has_end else results.runs.pop((log.app_id, log.attempt), None)
            self.assertIn(going_on and going_on["status"], (None, "running"), log.name)
        self.assert_equal_offline(results, self.offline([log for log in self.logs if log.has_end]),
                                  passing=[log.app_id for log in self.logs if log.name in PASSING])
        self.assert_no_repeats(results)
        self.assertTrue(results.published(), "no bottleneck was published")
        self.assertTrue(results.recommendations, "no recommendation was published")
        self.check_windows(results)
        ids = set(results.bottlenecks)
        for record in results.recommendations.values():
            self.assertLessEqual(set(record["bottlenecks"]), ids,
                                 "a recommendation answers a bottleneck that was never published")
        self.assertEqual(sum(len(log.lines) for log in self.logs),
                         agent.metric("stoker_events_read_total"))
        self.assertEqual(0, agent.metric("stoker_dlq_records_total"))
        agent.stop()

    def check_windows(self, results):
        """No run is counted in two panes. A pane that got more after it was published is published
        again, whole, so the last record of each pane counts."""
        panes = {(w["pipeline"], w["pane_start_ms"]): w for w in results.windows}
        ended = {}
        for run in results.runs.values():
            ended.setdefault(run["pipeline"], []).append(run["status"])
        for pipeline in {pipeline for pipeline, _ in panes}:
            own = [w for w in panes.values() if w["pipeline"] == pipeline]
            self.assertLessEqual(sum(w["runs"] for w in own), len(ended[pipeline]), pipeline)
            self.assertLessEqual(sum(w["runs_failed"] for w in own),
                                 sum(status in ("failed", "killed") for status in ended[pipeline]), pipeline)


class Kafka431DebianLibrary(Combination, RealCase):
    version, lib = "4.3.1", "old"


class Kafka431NewestLibrary(Combination, RealCase):
    version, lib = "4.3.1", "new"


class Kafka391DebianLibrary(Combination, RealCase):
    version, lib = "3.9.1", "old"


class Kafka391NewestLibrary(Combination, RealCase):
    version, lib = "3.9.1", "new"


class Restart(RealCase):
    def test_a_restarted_agent_publishes_nothing_twice(self):
        """Every run has ended and its output is acknowledged: a clean restart has nothing to add."""
        logs = [Log.fixture(name) for name in ("skew_groupbykey", "failed_stage", "ok_groupby")]
        site = self.site("restart")
        agent = site.running()
        stoker("replay", *[log.path for log in logs], "--brokers", site.broker.bootstrap,
               "--topic", site.topics["events"])
        results = site.results().settle([(log.app_id, log.attempt) for log in logs],
                                        process=agent.process)
        agent.stop()
        again = site.agent().start().wait_ready()
        time.sleep(3)  # time to do the wrong thing
        again.stop()
        results.read()
        self.assert_equal_offline(results, self.offline(logs))
        self.assert_no_repeats(results)


class Windows(RealCase):
    """A pane is published when its time is over, which the events of the partition tell."""

    def check(self, later_name):
        site = self.site("windows", partitions=1)
        agent = site.running()
        results = site.results()
        first = Log.fixture("shuffle_overhead")
        later = Log.fixture("ok_groupby").copy("app-later", later_name or first.app_name,
                                               later_ms=2 * HOUR_MS)
        for log in (first, later):
            sender = site.sender()
            for line in log.lines:
                sender.send(site.topics["events"], line, log.app_id)
            sender.flush()
            results.settle([(log.app_id, log.attempt)], process=agent.process)
        wait_until(f"the pane of {first.app_name}", lambda: results.read().windows, 15, 0.5,
                   agent.process)
        self.assert_sound(results)
        run = results.runs[first.app_id, first.attempt]
        own = [w for w in results.windows if w["pipeline"] == first.app_name]
        self.assertEqual((1, run["total_records"]),
                         (sum(w["runs"] for w in own), sum(w["records"] for w in own)))
        agent.stop()

    def test_the_pipelines_next_run_closes_its_panes(self):
        self.check(None)

    def test_another_pipelines_events_close_its_panes(self):
        self.check("another-pipeline")


class Commands(RealCase):
    def test_topics_verify_knows_good_from_missing(self):
        site = self.site("verify")
        agent = site.agent()
        with self.assertRaisesRegex(PartError, "exit 1"):
            stoker("topics", "--verify", "-c", agent.config_path)
        site.create_topics(agent)
        stoker("topics", "--verify", "-c", agent.config_path)
        agent.create_topics()  # what exists is fine

    def test_tail_prints_what_a_stock_reader_reads(self):
        site = self.site("tail")
        agent = site.running()
        log = Log.fixture("failed_stage")
        stoker("replay", log.path, "--brokers", site.broker.bootstrap, "--topic",
               site.topics["events"])
        site.results().settle([(log.app_id, log.attempt)], process=agent.process)
        reader = site.results().read()
        records = reader.messages("runs")
        text = stoker("tail", "--topic", site.topics["runs"], "--brokers", site.broker.bootstrap,
                      "--from", "beginning", "--count", len(records), "--format", "json")
        printed = [json.loads(line) for line in text.splitlines()]
        codec = Codec()
        decoded = [codec.decode(message.value())[1] for message in records]
        key = ("app_id", "revision", "status", "total_records", "pipeline", "duration_s")
        self.assertEqual([[r[k] for k in key] for r in decoded], [[r[k] for k in key] for r in printed])

    def test_healthcheck_follows_readiness(self):
        site = self.site("health")
        agent = site.running()
        stoker("healthcheck", "-c", agent.config_path)
        agent.stop()
        with self.assertRaisesRegex(PartError, "exit 1"):
            stoker("healthcheck", "-c", agent.config_path)
