"""What an agent of release 0.1.0 left open under its transactional id, whose form was another one: it is ended at
once by the agent that follows it, and no other agent whose id looks the same is disturbed.
"""

import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition

from cases import RealCase, shared_broker
from kafka_client import admin, create_topics, unique
from logs import Log, names
from processes import PartError, wait_until

SOON_S = 25  # a transaction that is waited for ends after TRANSACTION_S
TRANSACTION_S = 60


def former_id(agent):
    config = agent.config["agent"]
    return f"{config['group']}-{config['instance']}-0"


class Names(RealCase):
    def elsewhere(self):
        name = unique("elsewhere")
        create_topics(shared_broker().bootstrap, {name: 1})
        return name

    def positions(self, site):
        """(topic, partition) -> the group's position."""
        client = admin(site.broker.bootstrap)
        for _ in range(50):
            try:
                asked = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(site.name)])
                return {(p.topic, p.partition): p.offset for p in next(iter(asked.values())).result(20).topic_partitions}
            except UnicodeDecodeError:  # the Python client reads a position's metadata beyond its end
                pass
        raise PartError("the group's positions cannot be read")

    def at_work(self, site):
        """An agent that has read a log and kept its positions."""
        agent = site.running()
        sender = site.sender()
        log = Log.fixture(names()[0])
        for line in log.lines:
            sender.send(site.topics["events"], line, log.app_id)
        sender.flush()
        wait_until("positions are kept", lambda: len(log.lines) == sum(
            offset for (topic, _), offset in self.positions(site).items() if topic == site.topics["events"]), 60)
        return agent

    def writer(self, site, transactional_id):
        writer = Producer({"bootstrap.servers": site.broker.bootstrap, "transactional.id": transactional_id,
                           "transaction.timeout.ms": TRANSACTION_S * 1000, "log_level": 0})
        writer.init_transactions(30)
        return writer

    def keep_as_before(self, site, writer):
        """The positions of the group, as the release before kept them."""
        kept = [TopicPartition(topic, partition, offset, "stoker 1 0")
                for (topic, partition), offset in self.positions(site).items()]
        writer.begin_transaction()
        outsider = Consumer({"bootstrap.servers": site.broker.bootstrap, "group.id": site.name})  # it never joins
        writer.send_offsets_to_transaction(kept, outsider.consumer_group_metadata(), 30)
        writer.commit_transaction(30)
        outsider.close()

    def leave_open(self, writer, *topics):
        writer.begin_transaction()
        for topic in topics:
            writer.produce(topic, b"never", b"never", partition=0)
        self.assertEqual(0, writer.flush(30))

    def test_its_predecessor_is_ended_at_once(self):
        site, elsewhere = self.site("names"), self.elsewhere()
        agent = self.at_work(site)
        agent.kill()
        former = self.writer(site, former_id(agent))
        self.keep_as_before(site, former)
        self.leave_open(former, *(site.topics[name] for name in ("runs", "bottlenecks", "state_applications")))
        begun = time.monotonic()
        agent.start().wait_ready()
        self.assertLess(time.monotonic() - begun, SOON_S)
        with self.assertRaises(KafkaException):  # as it woke up
            former.commit_transaction(10)
        wait_until("positions are kept in today's way", lambda: agent.metric("stoker_commits_total"), 20)
        time.sleep(2)  # two intervals: those that were loaded last are kept, too
        self.assertIn("event=predecessor_found", (agent.dir / "stoker.log").read_text())
        agent.kill()  # from now on its predecessors are of today's release, and the id may be another's
        other = self.writer(site, former_id(agent))
        self.leave_open(other, elsewhere)
        agent.start().wait_ready()
        other.commit_transaction(10)
        agent.stop()

    def test_another_agent_is_not_disturbed(self):
        site, elsewhere = self.site("names"), self.elsewhere()
        other = self.writer(site, f"{site.name}-{site.name}-0-0")  # the former id of this site's first agent
        self.leave_open(other, elsewhere)
        agent = self.at_work(site)  # for the first time
        self.assertEqual(f"{site.name}-{site.name}-0-0", former_id(agent))
        other.commit_transaction(10)
        self.leave_open(other, elsewhere)
        agent.kill()
        agent.start().wait_ready()  # after one of today's release
        other.commit_transaction(10)
        agent.kill()
        self.keep_as_before(site, other)
        another = self.writer(site, f"{site.name}-{site.name}-1-0")
        self.leave_open(another, elsewhere)
        follower = site.agent().start().wait_ready()  # beside one of the release before, which is not its own
        wait_until("it has the partitions", lambda: follower.metric("stoker_partitions_assigned") or 0, 60)
        another.commit_transaction(10)
        follower.stop()
