"""Kafka's client side for the suites: making topics, producing, reading a topic to its end, looking
at a group. Always the newest librdkafka (confluent-kafka), whatever the agent under test uses.
"""

import itertools
import time
import uuid

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from processes import PartError, wait_until

_names = itertools.count(1)


def unique(prefix):
    """A name not used before in this run nor on this broker."""
    return f"{prefix}-{next(_names)}-{uuid.uuid4().hex[:6]}"


def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def create_topics(bootstrap, partitions_of, config=None, replication=1):
    """partitions_of: topic name -> partitions."""
    client = admin(bootstrap)
    made = client.create_topics([NewTopic(name, n, replication, config=config or {})
                                 for name, n in partitions_of.items()])
    for name, future in made.items():
        try:
            future.result(30)
        except Exception as error:
            raise PartError(f"topic {name} cannot be made: {error}") from error
    await_topics(bootstrap, partitions_of)


def await_topics(bootstrap, names):
    """Waits until the broker lists these topics: it answers for a new one a moment before."""
    wait_until(f"topics listed: {', '.join(names)}", lambda: set(names) <= set(topics(bootstrap)), 10)


def topics(bootstrap):
    """Topic name -> number of partitions."""
    listed = admin(bootstrap).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in listed.items()}


def set_topic(bootstrap, topic, key, value):
    """One setting of a topic."""
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
        ConfigEntry(key, str(value), incremental_operation=AlterConfigOpType.SET)])
    client = admin(bootstrap)
    client.incremental_alter_configs([resource])[resource].result(20)


class Sender:
    """Produces and insists: flush() raises unless every record was acknowledged."""

    def __init__(self, bootstrap):
        self._errors = []
        self._producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
            "message.max.bytes": 8000000, "message.timeout.ms": 120000, "log_level": 0})

    def send(self, topic, value, key=None, headers=None, partition=None, timestamp=None):
        where = {} if partition is None else {"partition": partition}
        if timestamp is not None:
            where["timestamp"] = timestamp
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers,
                                       on_delivery=self._delivered, **where)
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _delivered(self, error, _message):
        if error is not None:
            self._errors.append(str(error))

    def flush(self, timeout_s=60):
        left = self._producer.flush(timeout_s)
        if left or self._errors:
            raise PartError(f"producing: {left} not acknowledged, errors {self._errors[:3]}")


class Reader:
    """Reads topics from their beginning, committed records only, without a group of its own."""

    def __init__(self, bootstrap, names):
        self.records = {name: [] for name in names}
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": unique("reader"),
            "enable.auto.commit": False, "isolation.level": "read_committed",
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50, "log_level": 0})
        listed = self._consumer.list_topics(timeout=10).topics
        missing = [name for name in names if name not in listed]
        if missing:
            raise PartError(f"topics missing: {', '.join(missing)}")
        self._consumer.assign([TopicPartition(name, p, 0) for name in names
                               for p in listed[name].partitions])
        self.last_arrival = time.monotonic()

    def poll(self, timeout_s=0.1):
        """Takes what there is; the number of new records."""
        new = 0
        for message in self._consumer.consume(2000, timeout_s):
            error = message.error()
            if error is not None:
                if error.code() in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT,
                                    KafkaError._ALL_BROKERS_DOWN):
                    continue
                raise PartError(f"reading: {error}")
            self.records[message.topic()].append(message)
            new += 1
        if new:
            self.last_arrival = time.monotonic()
        return new

    def until(self, what, done, timeout_s=60.0, quiet_s=1.0, process=None):
        """Reads until done(self) holds and nothing has come for quiet_s."""
        def settled():
            self.poll()
            return time.monotonic() - self.last_arrival >= quiet_s and done(self)
        wait_until(what, settled, timeout_s, 0, process)

    def to_end(self, timeout_s=60.0):
        """Reads all that the topics hold now."""
        ends = {(p.topic, p.partition): self._consumer.get_watermark_offsets(p, timeout=10)[1]
                for p in self._consumer.assignment()}

        def at_end():
            self.poll()
            return all(p.offset < 0 and ends[p.topic, p.partition] == 0 or
                       p.offset >= ends[p.topic, p.partition]
                       for p in self._consumer.position(self._consumer.assignment()))
        wait_until("reading to the end", at_end, timeout_s, 0)
        return self

    def close(self):
        self._consumer.close()


def all_of(bootstrap, topic):
    """The messages that a topic holds now."""
    reader = Reader(bootstrap, [topic])
    try:
        return reader.to_end().records[topic]
    finally:
        reader.close()


def members(bootstrap, group):
    """Member id -> set of (topic, partition), of a group that is stable; {} while it is not."""
    client = admin(bootstrap)  # must outlive the request: a collected client never answers
    described = client.describe_consumer_groups([group], request_timeout=10)[group].result(15)
    if described.state.name != "STABLE":
        return {}
    return {member.member_id: {(p.topic, p.partition) for p in member.assignment.topic_partitions}
            for member in described.members}
