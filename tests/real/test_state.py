"""The state topics: made and looked at by `stoker topics`, refused by an agent when they are wrong, shown
by `stoker state`.
"""

import json
import subprocess

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agent import BINARY, environment, stoker
from cases import RealCase
from kafka_client import admin, await_topics, create_topics, topics
from logs import Log
from processes import wait_until
from topics_def import STATES

COMPACTED = {"cleanup.policy": "compact", "segment.bytes": "67108864", "min.cleanable.dirty.ratio": "0.2",
             "max.compaction.lag.ms": "600000", "delete.retention.ms": "86400000",
             "unclean.leader.election.enable": "false"}


def run(*args):
    """(exit code, output, complaints) of a command that may fail."""
    done = subprocess.run([str(BINARY), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          env=environment("old"), timeout=120, check=False, text=True)
    return done.returncode, done.stdout, done.stderr


class StateTopics(RealCase):
    def setUp(self):
        self.site_ = self.site("state-topics", partitions=3)
        self.agent = self.site_.agent()
        self.client = admin(self.site_.broker.bootstrap)

    def settings(self, name):
        resource = ConfigResource(ResourceType.TOPIC, self.site_.topics[name])
        found = self.client.describe_configs([resource])[resource].result(20)
        return {key: entry.value for key, entry in found.items()}

    def set(self, name, key, value):
        resource = ConfigResource(ResourceType.TOPIC, self.site_.topics[name], incremental_configs=[
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)])
        self.client.incremental_alter_configs([resource])[resource].result(20)

    def verify(self):
        return run("topics", "--verify", "-c", self.agent.config_path)

    def assert_refuses(self, words):
        """The agent ends by itself and says why."""
        self.agent.start()
        wait_until("its end", self.agent.process.ended, 20)
        self.assertEqual(1, self.agent.process.code())
        self.assertIn(words, self.agent.process.tail(20))

    def test_they_are_compacted_and_have_the_partitions_of_their_input(self):
        create_topics(self.site_.broker.bootstrap, {self.site_.topics["events"]: 5})
        self.agent.create_topics()
        await_topics(self.site_.broker.bootstrap, list(self.site_.topics.values()))
        there = topics(self.site_.broker.bootstrap)
        self.assertEqual(5, there[self.site_.topics["state_applications"]])
        self.assertEqual(3, there[self.site_.topics["state_pipelines"]])
        for name in STATES:
            found = self.settings(name)
            self.assertEqual(COMPACTED, {key: found[key] for key in COMPACTED})
        self.assertEqual("delete", self.settings("runs")["cleanup.policy"])
        code, said, _ = self.verify()
        self.assertEqual(0, code, said)
        self.assertIn("has 5 partitions, 3 are configured", said)  # the events topic: a note

    def test_a_topic_that_deletes_is_wrong_and_the_agent_refuses(self):
        self.site_.create_topics(self.agent)
        self.set("state_pipelines", "cleanup.policy", "delete")
        code, said, _ = self.verify()
        self.assertEqual(1, code)
        self.assertIn("cleanup.policy is delete, it must be compact", said)
        self.assert_refuses("it must be compact")

    def test_deleting_beside_compacting_is_wrong_large_segments_a_note(self):
        self.site_.create_topics(self.agent)
        self.set("state_applications", "segment.bytes", str(300 << 20))
        code, said, _ = self.verify()
        self.assertEqual(0, code, said)
        self.assertIn("segment.bytes is 314572800", said)
        self.set("state_applications", "cleanup.policy", "compact,delete")
        code, said, _ = self.verify()
        self.assertEqual(1, code)
        self.assertIn("cleanup.policy is compact,delete, it must be compact", said)

    def test_another_number_of_partitions_is_wrong_and_the_agent_refuses(self):
        create_topics(self.site_.broker.bootstrap, {self.site_.topics["state_applications"]: 2},
                      {"cleanup.policy": "compact"})
        self.agent.create_topics()
        code, said, _ = self.verify()
        self.assertEqual(1, code)
        self.assertIn("has 2 partitions", said)
        self.assertIn("--partitions 3", said)
        self.assert_refuses("has 2 partitions")

    def test_an_agent_waits_for_a_missing_one(self):
        self.site_.create_topics(self.agent)
        topic = self.site_.topics["state_applications"]
        self.client.delete_topics([topic])[topic].result(20)
        self.agent.start()
        wait_until("not ready, in words", lambda: topic in self.agent.readyz()[1], 20)
        self.agent.create_topics()
        self.agent.wait_ready()
        self.agent.stop()


class ShowState(RealCase):
    def test_what_is_kept_is_shown(self):
        site = self.site("show-state", partitions=2)
        agent = site.running()
        log = Log.fixture("skew_groupbykey")
        sender = site.sender()
        for line in log.lines[:-1]:  # it goes on
            sender.send(site.topics["events"], line, log.app_id)
        sender.flush()
        wait_until("all read", lambda: agent.metric("stoker_events_read_total") == len(log.lines) - 1, 30)
        wait_until("state kept", lambda: len(log.lines) - 1 in self.offsets(agent), 30)
        self.assertIn(log.app_id.encode(), self.show(agent, "--app", log.app_id))
        self.assertIn(b"0 applications, 0 pipelines", self.show(agent, "--app", "another"))
        line, = map(json.loads, self.show(agent, "--app", log.app_id, "--format", "json").splitlines())
        self.assertEqual((log.app_id, "running", 0), (line["app_id"], line["status"], line["unreadable"]))
        self.assertGreater(line["last_event_ms"], 0)
        self.assertIn(b"1 applications", self.show(agent, "--partition", line["partition"]))
        code, _, complaints = run("state", "--partition", "2", "-c", agent.config_path)
        self.assertEqual((1, True), (code, "there is no partition 2, only 0 to 1" in complaints), complaints)
        values = [json.loads(line) for line in
                  self.show(agent, "--app", log.app_id, "--values", "--format", "json").splitlines()]
        self.assertEqual({log.app_name}, {v["value"]["application"]["app_name"] for v in values
                                          if v["key"].startswith("r")})
        stages = {v["value"]["summary"].get("stage", 0) for v in values if v["key"].startswith("s")}
        self.assertGreater(len(stages), 1)
        self.assertFalse([v for v in values if "unreadable" in v])
        agent.stop()

    def offsets(self, agent):
        """How far state has come, as its positions say."""
        everything = [json.loads(line) for line in self.show(agent, "--values", "--format", "json").splitlines()]
        return [v["value"].get("offset", 0) for v in everything if v["key"] == "#pos"]

    def test_no_topics_is_an_error_in_words(self):
        site = self.site("no-state")
        code, _, complaints = run("state", "-c", site.agent().config_path)
        self.assertEqual(1, code)
        self.assertIn("stoker topics --create", complaints)

    @staticmethod
    def show(agent, *args):
        return stoker("state", "-c", agent.config_path, *args)
