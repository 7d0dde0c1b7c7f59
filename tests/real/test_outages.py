"""Parts that are not there, freeze, die and come back: the agent waits, says why it is not ready, and
in the end every run is judged as if nothing had happened.
"""

import re
import time

from cases import RealCase, shared_broker
from logs import Log, interleaved
from parts import Alertmanager, Broker, WebhookRecorder
from processes import PartError, free_port, wait_until

LOGS = ("skew_groupbykey", "spill_sort", "failed_stage", "shuffle_overhead", "gc_pressure",
        "ok_groupby")


class BrokerOutages(RealCase):
    @classmethod
    def setUpClass(cls):
        cls.logs = [Log.fixture(name) for name in LOGS]

    def own_broker(self):
        broker = Broker("4.3.1", "kafka-outage")
        self.addCleanup(broker.kill_if_running)
        return broker

    def send(self, site, pairs):
        sender = site.sender()
        for log, line in pairs:
            sender.send(site.topics["events"], line, log.app_id)
        sender.flush()

    def settle(self, site, agent):
        results = site.results().settle([(log.app_id, log.attempt) for log in self.logs], 120,
                                        agent.process)
        self.assert_equal_offline(results, self.offline(self.logs))

    def assert_waiting(self, agent, reason):
        """Alive, not ready, and soon the reason in words."""
        def told():
            status, body = agent.readyz()
            said.append((status, body))
            return status == 503 and re.search(reason, body.lower())
        said = []
        try:
            wait_until(f"not ready because of {reason}", told, 15, 0.2, agent.process)
        except PartError as error:
            raise PartError(f"{error}\n    the last /readyz: {said[-1]}") from error
        self.assertEqual(200, agent.livez()[0])

    def test_broker_absent_at_start_then_topics_absent(self):
        broker = self.own_broker()
        site = self.site("absent", broker)
        agent = site.agent().start()
        self.assert_waiting(agent, r"broker|connect")
        time.sleep(3)
        self.assert_waiting(agent, r"broker|connect")
        broker.start()
        self.assert_waiting(agent, r"topic")
        site.create_topics(agent)
        agent.wait_ready(60)
        self.send(site, interleaved(self.logs))
        self.settle(site, agent)
        agent.stop()

    def test_broker_frozen_then_killed_in_the_middle(self):
        broker = self.own_broker().start()
        site = self.site("frozen", broker)
        agent = site.running()
        pairs = list(interleaved(self.logs))
        third = len(pairs) // 3
        self.send(site, pairs[:third])
        self.wait_read(agent, 1)
        broker.pause()
        time.sleep(5)
        self.assertEqual(200, agent.livez()[0])
        broker.cont()
        self.send(site, pairs[third:2 * third])
        self.wait_read(agent, third + 1)
        broker.kill()
        self.assert_waiting(agent, r"broker|connect")
        broker.start()
        self.send(site, pairs[2 * third:])
        self.settle(site, agent)
        agent.wait_ready(30)
        agent.stop()

    def wait_read(self, agent, events):
        wait_until(f"{events} events read",
                   lambda: (agent.metric("stoker_events_read_total") or 0) >= events, 60, 0.1,
                   agent.process)


class AlertmanagerOutages(RealCase):
    def alert(self, manager, path, pipeline):
        return wait_until(f"the alert of {pipeline}", lambda: self.hook.alerts(
            path, "firing", alertname="PipelineFailure", pipeline=pipeline), 30, 0.1,
            self.agent.process)

    def send(self, log):
        sender = self.site_.sender()
        for line in log.lines:
            sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()

    def errors(self):
        return self.agent.metric("stoker_alert_errors_total")

    def test_alertmanager_absent_at_start_and_in_the_middle(self):
        self.hook = WebhookRecorder()
        self.addCleanup(self.hook.stop)
        manager = Alertmanager("am-outage", self.hook.url + "/late")
        self.addCleanup(manager.kill_if_running)
        self.site_ = self.site("am-outage", shared_broker(), alertmanager={
            "urls": [manager.url], "resend_interval": "1s"})
        self.agent = self.site_.running()
        self.assertEqual(0, self.errors())
        bad = Log.fixture("failed_stage")
        self.send(bad)
        wait_until("errors counted", self.errors, 30, 0.1, self.agent.process)
        self.assertEqual(0, self.agent.metric("stoker_alerts_sent_total"))
        manager.start()
        self.alert(manager, "/late", bad.app_name)
        wait_until("alerts counted", lambda: self.agent.metric("stoker_alerts_sent_total"), 10)
        self.assertGreaterEqual(self.agent.metric("stoker_alerts_active"), 1)

        manager.kill()
        before = self.errors()
        second = bad.copy("app-while-away", "pipeline-while-away")
        self.send(second)
        wait_until("more errors counted", lambda: self.errors() > before, 30, 0.1, self.agent.process)
        manager.start()
        self.alert(manager, "/late", "pipeline-while-away")
        wait_until("the old alert held again",
                   lambda: manager.alerts(alertname="PipelineFailure", pipeline=bad.app_name), 15)
        self.agent.stop()

    def test_a_dead_alertmanager_holds_nobody_up(self):
        """One URL leads nowhere: the other manager hears at once, and the topics get every record."""
        self.hook = WebhookRecorder()
        self.addCleanup(self.hook.stop)
        manager = Alertmanager("am-alive", self.hook.url + "/alive").start()
        self.addCleanup(manager.kill_if_running)
        self.site_ = self.site("am-dead", shared_broker(), alertmanager={
            "urls": [f"http://127.0.0.1:{free_port()}", manager.url], "resend_interval": "1s"})
        self.agent = self.site_.running()
        bad = Log.fixture("failed_stage")
        self.send(bad)
        self.alert(manager, "/alive", bad.app_name)
        results = self.site_.results().settle([(bad.app_id, bad.attempt)], process=self.agent.process)
        self.assert_sound(results)
        self.assertGreater(self.errors(), 0)
        self.agent.stop()
