"""A broker that dies, refuses or says nothing, and names that are looked up for ever: the job goes on as if there were no
listener. Slow; make listener-disasters, with the figures printed.
"""

import harness
from cases import NEWEST_KAFKA
from kafka_client import create_topics, unique
from parts import Broker
from processes import wait_until
from secured import SecuredBroker
from trouble import DisasterCase, Silent, hanging_names, run

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
