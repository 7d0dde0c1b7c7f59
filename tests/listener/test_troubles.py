"""A broker that dies, refuses or says nothing, names that are looked up for ever, and things of any size in a job: it goes on as if
there were no listener. Slow; make listener-disasters, with the figures printed.
"""

import pathlib

import harness
from cases import NEWEST_KAFKA, shared_broker
from kafka_client import create_topics, unique
from parts import Broker
from processes import wait_until
from secured import SecuredBroker
from trouble import DisasterCase, Silent, hanging_names, run, spark

SLEEPING = ("busy", "4", "4", "2000")
QUICK = ("busy", "200", "2", "0")
LOGIN = {"spark.stoker.kafka.security.protocol": "SASL_PLAINTEXT", "spark.stoker.kafka.sasl.mechanism": "PLAIN",
         "spark.stoker.kafka.sasl.jaas.config":
             'org.apache.kafka.common.security.plain.PlainLoginModule required username="stoker" password="not-his-word";'}


class Troubles(DisasterCase):
    def topic(self, broker):
        topic = unique("troubles")
        create_topics(broker.bootstrap, {topic: 2})
        return {"brokers": broker.bootstrap, "topic": topic}

    def test_a_broker_killed_midway(self):
        broker = Broker(NEWEST_KAFKA, "kafka-killed").start()
        self.addCleanup(broker.kill_if_running)
        ran = run(*SLEEPING, meddle=self._after_start(broker.kill), **self.topic(broker))
        self.unharmed(ran, *SLEEPING)
        self.few_words(ran)

    def test_a_broker_that_stops_midway_and_stays_so(self):
        broker = Broker(NEWEST_KAFKA, "kafka-stopped").start()
        self.addCleanup(broker.kill_if_running)
        ran = run(*SLEEPING, meddle=self._after_start(broker.pause), **self.topic(broker))
        self.unharmed(ran, *SLEEPING)
        self.few_words(ran)

    @staticmethod
    def _after_start(act):
        def meddle(job):
            wait_until("the application runs", lambda: "\napplication " in job.log(), harness.JOB_TIMEOUT_S, process=job)
            act()
        return meddle

    def test_a_login_that_is_refused(self):
        broker = SecuredBroker(NEWEST_KAFKA, "kafka-refusing").start()
        self.addCleanup(broker.kill_if_running)
        ran = run(*QUICK, settings=LOGIN, brokers=broker.sasl, topic="any")
        self.unharmed(ran, *QUICK)
        self.few_words(ran)
        self.assertNotIn("not-his-word", ran.log)

    def test_a_port_that_says_nothing(self):
        for protocol in ("PLAINTEXT", "SSL"):
            silent = Silent()
            self.addCleanup(silent.close)
            ran = run(*QUICK, settings={"spark.stoker.kafka.security.protocol": protocol}, brokers=silent.address, topic="any")
            self.unharmed(ran, *QUICK)
            self.few_words(ran)
            self.assertGreater(silent.connections(), 0)

    def test_a_name_that_is_looked_up_for_ever(self):
        ran = run(*QUICK, wrapper=hanging_names(), brokers="never-answered.example:9092", topic="any")
        self.unharmed(ran, *QUICK)
        self.few_words(ran, at_least=0)

    def large(self, what, count, **settings):
        """Runs a job with something large in it: unharmed in time, and no more heap than the events themselves may take."""
        settings["spark.driver.memory"] = "2g"
        where = self.topic(shared_broker())
        ran = run("large", what, str(count), settings=settings, **where)
        self.unharmed(ran, "large", what, str(count), settings=settings)
        sent = harness.on_topic(where["brokers"], where["topic"], ran.app_id)
        report = [one.event for one in sent if one.name == "StokerListenerReport"][-1:]
        missing = report[0]["Dropped"] if report else {}
        print(f"       | {len(sent)} events, the largest {max(len(one.value) for one in sent)} bytes; cut {report[0]['Cut'] if report else {}}, "
              f"dropped {missing}", flush=True)
        self.assertEqual(sum(one.name.endswith("ApplicationEnd") for one in sent), 1)
        self.assertEqual(missing, {})
        self.assertLess(max(len(one.value) for one in sent), 1 << 20)
        return sent

    def test_a_range_of_a_hundred_million(self):
        self.large("range", 10 ** 8)

    def test_an_accumulator_of_a_million_strings(self):
        classes = spark().compiled(pathlib.Path(__file__).parent / "jobs" / "Collecting.java")
        sent = self.large("collected", 10 ** 6, **{"spark.driver.extraClassPath": str(classes)})
        self.assertGreaterEqual(sum(one.name == "SparkListenerTaskEnd" for one in sent), 44)

    def test_a_plan_of_thousands_of_nodes(self):
        # Spark itself needs a deep stack for it, and more than 2 GiB for four times as many.
        self.large("nodes", 1 << 12, **{"spark.driver.extraJavaOptions": "-Xss256m"})
