"""What has gone wrong with other listeners, as tests that can fail, each with its figures: here those that every commit must
stand; test_troubles.py has the others (make listener-disasters).
"""

import harness
from cases import Site, shared_broker
from kafka_client import all_of, set_topic
from parts import http_get
from plays import stand
from processes import HOST, fresh_dir, free_port, wait_until
from trouble import DisasterCase, run, spark

FRAME = (("JobStart", "JobEnd"), ("StageSubmitted", "StageCompleted"), ("SQLExecutionStart", "SQLExecutionEnd"))
SECRET = "Kanarien7vogel9"


class Disasters(DisasterCase):
    def setUp(self):
        self.stand = stand("disasters")  # not that of the plays: its topic's limit is changed, and what its agent counts is looked at
        self.where = {"brokers": self.stand.bootstrap, "topic": self.stand.topic}

    def judged(self, app_id):
        """The last PipelineRun of the application, once it has ended."""
        self.stand.results.settle([(app_id, "")], process=self.stand.agent.process)
        return self.stand.results.runs[(app_id, "")]

    def sent(self, app_id):
        return harness.on_topic(self.where["brokers"], self.where["topic"], app_id)

    def test_an_event_of_24_mb_for_a_topic_that_takes_1(self):
        """It goes without what nobody reads, and the run is judged as if it were whole."""
        set_topic(self.where["brokers"], self.where["topic"], "max.message.bytes", 1 << 20)
        ran = run("large", "literal", "12000000", settings={"spark.stoker.mode": "full"}, **self.where)
        self.unharmed(ran, "large", "literal", "12000000")
        report, judged = self.told(ran)
        self.assertGreater(report["Slimmed"], 0)
        self.assertEqual((judged["completeness"], judged["events_lost"], judged["events_cut"]), (1, 0, 0))

    def test_an_event_that_cannot_be_made_small_enough(self):
        """It is cut, and says so; the run is judged, and says so too."""
        ran = run("large", "nodes", "256", settings={"spark.stoker.event.bytes": "16k"}, **self.where)
        report, judged = self.told(ran)
        self.assertGreater(sum(report["Cut"].values()), 0)
        self.assertEqual(judged["events_cut"], sum(report["Cut"].values()))
        self.assertLess(judged["completeness"], 1)
        cut = [one for one in self.sent(ran.app_id) if "Stoker Cut" in one.event]
        self.assertEqual(len(cut), sum(report["Cut"].values()))
        self.assertLess(max(len(one.value) for one in cut), 16 << 10)

    def told(self, ran):
        """The listener's last report of a run with a skewed stage, and the agent's last word on it."""
        sent = self.sent(ran.app_id)
        report = [one.event for one in sent if one.name == "StokerListenerReport"][-1:]
        self.assertTrue(report, "nothing says that something is missing")
        judged = self.judged(ran.app_id)
        print(f"       | the largest of {len(sent)} events {max(len(one.value) for one in sent)} bytes; "
              f"slimmed {report[0]['Slimmed']}, cut {report[0]['Cut']}; completeness {judged['completeness']:.4f}, lost {judged['events_lost']}, "
              f"cut {judged['events_cut']}", flush=True)
        kinds = {record["kind"] for record in self.stand.results.published().values() if record["app_id"] == ran.app_id}
        self.assertTrue(kinds & {"data_skew", "straggler"}, kinds)
        return report[0], judged

    def test_a_flood_against_a_broker_that_stands_still(self):
        """What costs verdicts least is dropped, the frame of the run is not; and everybody is told."""
        lost_before = self.stand.agent.metric("stoker_listener_events_lost_total") or 0

        def stands_still(job):
            self.stand.site.broker.pause()
            try:
                wait_until("the job is done", lambda: "\nresult " in job.log() or job.ended(), harness.JOB_TIMEOUT_S)
            finally:
                self.stand.site.broker.cont()
        ran = run("busy", "400", "3", "0", meddle=stands_still, **self.where,
                  settings={"spark.stoker.queue.events": "150", "spark.stoker.close.timeout": "20s"})
        self.unharmed(ran, "busy", "400", "3", "0", close_s=20)
        sent = self.sent(ran.app_id)
        names = [one.name.rsplit(".", 1)[-1].removeprefix("SparkListener") for one in sent]
        self.assertEqual(names.count("ApplicationEnd"), 1)
        for begin, end in FRAME:
            self.assertEqual(names.count(begin), names.count(end))
            self.assertGreaterEqual(names.count(begin), 3)
        report = [one.event for one in sent if one.name == "StokerListenerReport"][-1]
        self.assertLessEqual(set(report["Dropped"]), {f"SparkListener{name}" for name in ("TaskStart", "TaskGettingResult",
                                                                                         "TaskEnd")})
        self.assertLessEqual(report["Dropped"].get("SparkListenerTaskEnd", 0), report["Dropped"]["SparkListenerTaskStart"])
        dropped = sum(report["Dropped"].values())
        judged = self.judged(ran.app_id)
        metric = (self.stand.agent.metric("stoker_listener_events_lost_total") or 0) - lost_before
        print(f"       | dropped {dropped} of {report['Accepted']}; completeness {judged['completeness']:.3f}, "
              f"events_lost {judged['events_lost']}, metric +{metric:.0f}", flush=True)
        numbers = {int(one.headers["stoker_seq"]) for one in sent if "stoker_seq" in one.headers}
        self.assertEqual(judged["events_lost"], max(numbers) - len(numbers))
        self.assertGreaterEqual(judged["events_lost"], dropped)
        self.assertGreater(dropped, 1000)
        self.assertLess(judged["completeness"], 0.9)
        self.assertEqual(metric, judged["events_lost"])
        self.assertEqual(judged["listener"], harness.version())

    def test_no_broker(self):
        ran = run("busy", "200", "2", "0", brokers=f"{HOST}:{free_port()}", topic="none")
        self.unharmed(ran, "busy", "200", "2", "0")
        self.few_words(ran)

    def test_a_spark_that_has_changed(self):
        """Spark's own JSON writer lacks its method: as after an upgrade."""
        source = fresh_dir("another-spark") / "JsonProtocol.java"
        source.write_text("package org.apache.spark.util;\npublic final class JsonProtocol {}\n")
        ran = run("busy", "200", "2", "0", settings={"spark.driver.extraClassPath": str(spark().compiled(source))}, **self.where)
        self.unharmed(ran, "busy", "200", "2", "0")
        self.assertEqual(len(ran.lines()), 1, "\n".join(ran.lines()))
        self.assertRegex(ran.lines()[0], "JsonProtocol")
        self.assertEqual(self.sent(ran.app_id), [])

    def test_a_secret_goes_nowhere(self):
        """In every kind of property, description, SQL and error: not in a topic, a page, a metric or the agent's log."""
        hidden = Site("secret", shared_broker())
        self.addCleanup(hidden.end)
        agent = hidden.agent()
        hidden.create_topics(agent)
        agent.configure({**agent.config, "topics": {**agent.config["topics"], "dlq_enabled": False}})
        agent.start().wait_ready()
        settings = {key: SECRET for key in (
            "spark.hadoop.fs.s3a.secret.key", "spark.hadoop.fs.azure.account.key.x", "spark.hadoop.javax.jdo.option.ConnectionURL",
            "spark.sql.catalog.x.password", "spark.sql.catalog.x.note", "spark.executorEnv.NOTE", "spark.yarn.appMasterEnv.NOTE",
            "spark.some.note", "spark.stoker.kafka.sasl.jaas.config", "spark.ssl.keyPassword", "spark.app.note")}
        settings |= {"spark.sql.catalog.x.url": f"jdbc:postgresql://etl:{SECRET}@db/x?password={SECRET}",
                     "spark.executor.extraJavaOptions": f"-Dpassword={SECRET}", "spark.eventLog.enabled": "false"}
        ran = run("confidential", SECRET, brokers=hidden.broker.bootstrap, topic=hidden.topics["events"], settings=settings,
                  wrapper=("env", f"NOTE={SECRET}", f"DB_PASSWORD={SECRET}"))
        results = hidden.results().settle([(ran.app_id, "")], process=agent.process)
        self.assertIn((ran.app_id, ""), results.runs)
        agent.metrics_text()
        pages = "".join(http_get(agent.url + path)[1] for path in ("/metrics", "/", "/readyz?verbose"))
        agent.stop()
        found = [where for where, text in (("agent's log", agent.process.log()), ("pages", pages)) if SECRET in text]
        lines = [line for line in ran.lines() if SECRET in line]
        events = 0
        for name, topic in hidden.topics.items():
            if name == "dlq":
                continue
            for message in everything(hidden.broker.bootstrap, topic):
                events += name == "events"
                if SECRET.encode() in message:
                    found.append(f"{name}: {message[:200]!r}")
        print(f"       | {events} events and their records, {len(found)} with the secret", flush=True)
        self.assertGreater(events, 30)
        self.assert_none("the secret is in", found + lines)


def everything(bootstrap, topic):
    """Key, headers and value of every message of a topic, as bytes."""
    for message in all_of(bootstrap, topic):
        headers = b"".join(name.encode() + (value or b"") for name, value in message.headers() or [])
        yield (message.key() or b"") + headers + (message.value() or b"")
