"""Looking at Kafka from outside while things break: Tail reads topics as a downstream consumer would,
`ends` and `committed` ask for offsets. Everything outlives a broker that is away.

Used by ground.py and verdict.py. Always the newest librdkafka; never joins an agent's group.
"""

import dataclasses
import threading
import time

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from kafka_client import admin, topics, unique
from processes import PartError, wait_until

AWAY = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT,
        KafkaError._RESOLVE, KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION)


@dataclasses.dataclass(frozen=True)
class Seen:
    """One record as a reader saw it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple = ()


def _seen(message):
    return Seen(message.topic(), message.partition(), message.offset(), message.key(), message.value(),
                message.timestamp()[1], tuple(message.headers() or ()))


class Tail:
    """Reads topics, committed records only, from their beginning, in a thread, until stop().
    `records`: (topic, partition) -> what it saw, in order. Read it after stop() only."""

    def __init__(self, bootstrap, names):
        self.records, self.reached, self.trouble = {}, {}, None
        self._bootstrap = bootstrap
        self._parts = self._partitions(names)
        self.records = {part: [] for part in self._parts}
        self.reached = dict.fromkeys(self._parts, 0)
        self._stop = threading.Event()
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": unique("tail"), "enable.auto.commit": False,
            "isolation.level": "read_committed", "auto.offset.reset": "error",
            "enable.partition.eof": True, "fetch.wait.max.ms": 50, "reconnect.backoff.max.ms": 500,
            "topic.metadata.refresh.interval.ms": 5000, "log_level": 0})
        self._consumer.assign([TopicPartition(name, p, 0) for name, p in self._parts])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _partitions(self, names):
        """All of them; a node that has just come may not know of all topics yet."""
        def there():
            found = {name: count for name, count in topics(self._bootstrap).items() if name in names}
            return found if len(found) == len(set(names)) else None
        return [(name, p) for name, count in wait_until("all topics", there, 20, 0.3).items()
                for p in range(count)]

    def _read(self):
        try:
            while not self._stop.is_set():
                for message in self._consumer.consume(1000, 0.1):
                    self._take(message)
        except Exception as error:  # pylint: disable=broad-except  # told by trouble, judged by verdict
            self.trouble = f"{type(error).__name__}: {error}"

    def _take(self, message):
        error = message.error()
        part = (message.topic(), message.partition())
        if error is None:
            self.records[part].append(_seen(message))
            self.reached[part] = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            self.reached[part] = max(self.reached[part], message.offset())
        elif error.code() not in AWAY:
            raise PartError(f"reading {part}: {error}")

    def await_ends(self, wanted, timeout_s=30):
        """Waits until it has read every partition up to `wanted`, (topic, partition) -> offset."""
        def there():
            if self.trouble:
                raise PartError(self.trouble)
            return all(self.reached[part] >= wanted[part] for part in self._parts)
        try:
            wait_until("a reader at the end of all topics", there, timeout_s)
        except PartError as error:
            short = {p: (self.reached[p], wanted[p]) for p in self._parts if self.reached[p] < wanted[p]}
            raise PartError(f"{error}: {list(short.items())[:5]}") from error

    def stop(self):
        """Ends the thread; what was read stays."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(20)
            self._consumer.close()
            self._thread = None

    def of(self, topic):
        """All records of one topic, partition by partition."""
        return [record for part in sorted(self.records) if part[0] == topic
                for record in self.records[part]]


def read_all(bootstrap, names, timeout_s=60):
    """Everything that is committed in these topics now: a Tail that has stopped."""
    tail = Tail(bootstrap, names)
    try:
        tail.await_ends(ends(bootstrap, names, committed_only=True), timeout_s)
    finally:
        tail.stop()
    return tail


def ends(bootstrap, names, committed_only=False):
    """(topic, partition) -> offset after the last record; `committed_only`: the last stable one."""
    client = admin(bootstrap)  # must outlive the requests
    level = IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED
    parts = {TopicPartition(name, p): OffsetSpec.latest()
             for name, count in topics(bootstrap).items() if name in names for p in range(count)}
    answers = client.list_offsets(parts, isolation_level=level, request_timeout=10)
    try:
        return {(p.topic, p.partition): future.result(15).offset for p, future in answers.items()}
    except KafkaException as error:
        raise PartError(f"asking where topics end: {error}") from error


def committed(bootstrap, group, names):
    """(topic, partition) -> the group's committed offset, stable ones only; None where there is none."""
    parts = [TopicPartition(name, p) for name, count in topics(bootstrap).items() if name in names
             for p in range(count)]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0,
                         "isolation.level": "read_committed", "enable.auto.commit": False})
    try:
        return {(p.topic, p.partition): p.offset if p.offset >= 0 else None
                for p in consumer.committed(parts, timeout=10)}
    except KafkaException as error:
        raise PartError(f"asking for the offsets of {group}: {error}") from error
    finally:
        consumer.close()


def insist(what, ask, timeout_s=60):
    """ask(), again while Kafka does not answer."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except (PartError, KafkaException) as error:
            if time.monotonic() > deadline:
                raise PartError(f"{what}: no answer within {timeout_s} s: {error}") from error
            time.sleep(0.3)
