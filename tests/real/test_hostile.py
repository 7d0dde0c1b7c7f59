"""Twenty thousand messages that no decoder can use, in between good runs: the agent lives, the good
runs are judged as ever, and each broken message lies in the dead-letter topic as it came, with why.
"""

import collections
import random

from cases import RealCase
from kafka_client import Reader
from logs import Log

BROKEN = 20000
LOGS = ("skew_groupbykey", "spill_sort", "failed_stage", "gc_pressure", "ok_groupby")
REASONS = {"malformed", "not_an_event", "invalid_field", "too_large", "too_deep", "unplaced"}
EVENT = b'{"Event":"SparkListenerTaskEnd","Stage ID":1,"Stage Attempt ID":0,"Task Info":{"Task ID":3}}'
# Each maker gets a seeded random source and returns (value, key).
MAKERS = {
    "nothing": lambda r: (b"", b"app-broken"),
    "noise": lambda r: (r.randbytes(r.randint(1, 300)), b"app-broken"),
    "noise that starts like an event": lambda r: (b'{"Event":"' + r.randbytes(40), b"app-broken"),
    "cut": lambda r: (EVENT[:r.randint(1, len(EVENT) - 1)], b"app-broken"),
    "text": lambda r: (b"no json at all, line %d" % r.randint(0, 9999), b"app-broken"),
    "a number": lambda r: (b"%d" % r.randint(0, 9999), b"app-broken"),
    "an array": lambda r: (b"[" + EVENT + b"]", b"app-broken"),
    "no Event": lambda r: (b'{"Happening":"x","n":%d}' % r.randint(0, 9), b"app-broken"),
    "Event is no text": lambda r: (b'{"Event":%d}' % r.randint(0, 9), b"app-broken"),
    "task end without task": lambda r: (b'{"Event":"SparkListenerTaskEnd","Stage ID":1}', b"app-broken"),
    "task end without stage": lambda r: (
        b'{"Event":"SparkListenerTaskEnd","Task Info":{"Task ID":3}}', b"app-broken"),
    "bad UTF-8": lambda r: (
        b'{"Event":"SparkListenerApplicationStart","App Name":"\xff\xfe\xc3"}', b"app-broken"),
    "deep": lambda r: (b'{"Event":"SparkListenerTaskEnd","x":' + b"[" * 3000 + b"]" * 3000 + b"}",
                       b"app-broken"),
    "nobody's event": lambda r: (EVENT, None),
}


def broken_messages(count):
    """`count` broken messages, every kind about equally often, always the same ones."""
    source = random.Random(20260101)
    makers = list(MAKERS.values())
    return [makers[i % len(makers)](source) for i in range(count)]


class Hostile(RealCase):
    def setUp(self):
        self.logs = [Log.fixture(name) for name in LOGS]
        self.site_ = self.site("hostile", input={"format": "raw"})  # nothing is passed over
        self.agent = self.site_.running()

    def send_mixed(self, broken):
        """The good runs' lines spread evenly among the broken ones; all partitions get both."""
        sender = self.site_.sender()
        topic = self.site_.topics["events"]
        good = [(line, log.app_id) for log in self.logs for line in log.lines]
        every = max(1, len(broken) // len(good))
        taken = 0
        for i, (value, key) in enumerate(broken):
            sender.send(topic, value, key, partition=i % self.site_.partitions)
            if i % every == 0 and taken < len(good):
                sender.send(topic, *good[taken])
                taken += 1
        for line, key in good[taken:]:
            sender.send(topic, line, key)
        sender.flush()

    def dead_letters(self, count):
        reader = Reader(self.site_.broker.bootstrap, [self.site_.topics["dlq"]])
        topic = self.site_.topics["dlq"]
        reader.until(f"{count} dead letters", lambda r: len(r.records[topic]) >= count, 60, 1.5,
                     self.agent.process)
        return reader.records[topic]

    def test_broken_messages_between_good_runs(self):
        broken = broken_messages(BROKEN)
        self.send_mixed(broken)
        results = self.site_.results().settle(
            [(log.app_id, log.attempt) for log in self.logs], 90, self.agent.process)
        self.assert_equal_offline(results, self.offline(self.logs))
        self.check_dead_letters(self.dead_letters(BROKEN), broken)
        self.check_counters()
        self.assertEqual(200, self.agent.livez()[0])
        self.assertEqual(200, self.agent.readyz()[0])
        self.agent.stop()

    def check_dead_letters(self, letters, broken):
        self.assertEqual(len(broken), len(letters), "dead letters")
        came_from = {}
        for letter in letters:
            headers = {name: value.decode() for name, value in letter.headers() or []}
            self.assertIn(headers.get("stoker.error.reason"), REASONS)
            self.assertTrue(headers.get("stoker.error.text"))
            self.assertEqual(self.site_.topics["events"], headers.get("stoker.source.topic"))
            source = (int(headers["stoker.source.partition"]), int(headers["stoker.source.offset"]))
            self.assertNotIn(source, came_from, "two dead letters of one message")
            came_from[source] = (letter.value() or b"", letter.key())
        lost = collections.Counter(broken) - collections.Counter(came_from.values())
        made = collections.Counter(came_from.values()) - collections.Counter(broken)
        self.assert_none("messages that lie in no dead letter as (value, key) as they came", [
            *(f"missing {str(message)[:150]}" for message in list(lost)[:5]),
            *(f"instead {str(message)[:150]}" for message in list(made)[:5])])
        self.check_sources(came_from)

    def check_sources(self, came_from):
        """The partition and offset in the headers really are where that value lies."""
        topic = self.site_.topics["events"]
        reader = Reader(self.site_.broker.bootstrap, [topic]).to_end()
        there = {(m.partition(), m.offset()): (m.value() or b"", m.key())
                 for m in reader.records[topic]}
        self.assert_none("headers that point to another message", [
            f"{source}: there {str(there.get(source))[:80]}, here {str(letter)[:80]}"
            for source, letter in came_from.items() if there.get(source) != letter])

    def check_counters(self):
        self.assertEqual(BROKEN, self.agent.metric("stoker_events_skipped_total"))
        self.assertEqual(BROKEN, self.agent.metric("stoker_dlq_records_total"))
        for reason in ("malformed", "not_an_event", "invalid_field", "too_deep", "unplaced"):
            self.assertGreater(self.agent.metric("stoker_events_skipped_total", reason=reason), 0, reason)

    def test_nothing_of_a_message_reaches_log_or_metrics(self):
        """Messages with a marker in every place: it is in the dead-letter topic, and nowhere else."""
        marker = b"hush-XKCD-4711"
        values = [b"{" + marker, b'{"Event":"' + marker + b'"', b'{"' + marker + b'":1}',
                  b'{"Event":"SparkListenerTaskEnd","Stage ID":"' + marker + b'"}',
                  b'{"Event":"SparkListenerEnvironmentUpdate","Spark Properties":{"spark.password":"'
                  + marker + b'","spark.hadoop.fs.s3a.secret.key":"' + marker + b'"}}']
        sender = self.site_.sender()
        for value in values:
            sender.send(self.site_.topics["events"], value, b"app-hush")
        self.send_mixed([])
        results = self.site_.results().settle(
            [(log.app_id, log.attempt) for log in self.logs], 60, self.agent.process)
        self.assertEqual(len(values) - 1, len(self.dead_letters(len(values) - 1)))
        text = marker.decode()
        self.assertNotIn(text, self.agent.metrics_text())
        self.assertNotIn(text, str(results.runs) + str(results.bottlenecks) + str(results.windows))
        self.agent.stop()
        self.assertNotIn(text, self.agent.process.log())
