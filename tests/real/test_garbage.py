"""What test_hostile and test_million leave out: messages that look broken and are not (vendors' events, odd but usable values),
deletions and empty keys, and records on the topic between the two stages that no agent wrote. Each is counted for what it is and
the good runs around it are judged as ever.
"""

import json
import random
import struct

from cases import RealCase
from kafka_client import Reader
from logs import Log
from processes import ROOT

LOGS = ("skew_groupbykey", "slow_host", "failed_stage")
VENDOR = [
    b'{"Event":"com.databricks.spark.metrics.Whatever","x":{"y":[1,2,{"z":null}]}}',
    b'{"Event":"org.apache.spark.sql.execution.ui.SomethingOfTheYear2031","time":1}',
    b'{"Event":"com.nvidia.spark.rapids.SparkRapidsBuildInfoEvent","a":{}}',
    b'{"Event":""}',
]
# Of the good run, usable, and without effect: types that no Spark writes where nothing is needed.
ODD = [
    b'{"Event":"SparkListenerEnvironmentUpdate","Spark Properties":7}',
    b'{"Event":"SparkListenerExecutorRemoved","Executor ID":{"no":"text"}}',
    b'{"Event":"SparkListenerBlockManagerAdded","Maximum Memory":"-1e999"}',
    b'{"Event":"SparkListenerLogStart","Spark Version":null}',
]

TASK_END = (b'{"Event":"SparkListenerTaskEnd","Stage ID":1,"Stage Attempt ID":0,"Task End Reason":{"Reason":"Success"},'
            b'"Task Info":{"Task ID":5,"Launch Time":1700000000000,"Finish Time":1700000001000}}')
# The types the agent uses.
USED = {line.split('"')[1]
        for line in (ROOT / "include/model/event_kinds.def").read_text().splitlines() if line.startswith("EVENT_KIND(")}


def log_unknown(log):
    """Events of a good log that the agent does not use."""
    return sum(json.loads(line)["Event"] not in USED for line in log.lines)


class Garbage(RealCase):
    def setUp(self):
        self.logs = [Log.fixture(name) for name in LOGS]
        self.site_ = self.site("garbage")
        self.agent = self.site_.running()
        self.events = self.site_.topics["events"]
        self.runs = [(log.app_id, log.attempt) for log in self.logs]

    def send_with(self, others):
        """The good runs' lines with (value, key) of `others` in between."""
        sender = self.site_.sender()
        good = [(line, log.app_id) for log in self.logs for line in log.lines]
        every = max(1, len(others) // len(good))
        for i, (value, key) in enumerate(others):
            sender.send(self.events, value, key)
            if i % every == 0 and i // every < len(good):
                sender.send(self.events, *good[i // every])
        for line, key in good[-(-len(others) // every):]:
            sender.send(self.events, line, key)
        sender.flush()

    def judged_as_ever(self):
        results = self.site_.results().settle(self.runs, 90, self.agent.process)
        self.assert_equal_offline(results, self.offline(self.logs))

    def letters(self, count):
        """The dead letters as (reason, value, key), when `count` have come and no more do."""
        topic = self.site_.topics["dlq"]
        reader = Reader(self.site_.broker.bootstrap, [topic])
        reader.until(f"{count} dead letters", lambda r: len(r.records[topic]) >= count, 60, 1.5, self.agent.process)
        return [(dict(m.headers())["stoker.error.reason"].decode(), m.value(), m.key(),
                 dict(m.headers())["stoker.source.topic"].decode()) for m in reader.records[topic]]

    def test_events_of_vendors_and_odd_values_are_not_broken(self):
        source = random.Random(5)
        odd = [(value, log.app_id.encode()) for value in ODD for log in self.logs]
        others = [(source.choice(VENDOR), source.choice([None, b"", b"x" * 1000, b"app-vendor"])) for _ in range(5000)]
        mixed = others + odd
        source.shuffle(mixed)
        self.send_with(mixed)
        self.judged_as_ever()
        self.assertEqual(len(others), self.agent.metric("stoker_events_unknown_total")
                         - sum(log_unknown(log) for log in self.logs))
        self.assertEqual(0, self.agent.metric("stoker_events_skipped_total"))
        self.assertEqual([], self.letters(0))
        self.agent.stop()

    def test_deletions_and_empty_keys(self):
        self.send_with([(None, b"app-gone"), (None, None), (b"", b""), (TASK_END, b""), (TASK_END, None)] * 200)
        self.judged_as_ever()
        letters = self.letters(400)
        self.assertEqual(400, len(letters))
        self.assertEqual(400, sum(reason == "unplaced" for reason, *_ in letters))
        self.assertEqual(400, self.agent.metric("stoker_events_skipped_total"))
        self.assertEqual(600, self.agent.metric("stoker_input_ignored_total", reason="empty"))
        self.assertEqual(600, self.agent.metric("stoker_input_ignored_total"))
        self.agent.stop()

    def test_records_between_the_stages_that_no_agent_wrote(self):
        source = random.Random(9)
        results = self.site_.results()
        self.send_with([])
        results.settle(self.runs, 90, self.agent.process)
        real = Reader(self.site_.broker.bootstrap, [self.site_.topics["runs"]]).to_end()
        good = max((m.value() for m in real.records[self.site_.topics["runs"]]), key=len)
        broken = [b"", b"\xc3", b"\xc3\x01", good[:9], good[:10], good[:-1], good + b"\x00", b"\x00" + good, good[:10] + b"\xff" * 4000,
                  b'{"Event":"x"}', good[:2] + bytes(8) + good[10:], struct.pack(">bI", 0, 7) + good[10:]]
        broken += [source.randbytes(source.randint(1, 600)) for _ in range(200)]
        broken += [good[:10] + source.randbytes(source.randint(0, 200)) for _ in range(200)]
        # A long length where a text is expected: nothing may be reserved for it.
        broken += [good[:10] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + source.randbytes(20) for _ in range(20)]
        sender = self.site_.sender()
        for value in broken:
            sender.send(self.site_.topics["runs"], value, b"nobody")
        sender.flush()
        letters = self.letters(len(broken))
        unknown = [good[:2] + bytes(8) + good[10:]]
        self.assertEqual(unknown, [value for reason, value, *_ in letters if reason == "unknown_schema"])
        self.assertEqual({"unreadable_run", "unknown_schema"}, {reason for reason, *_ in letters})
        self.assertEqual({self.site_.topics["runs"]}, {topic for *_, topic in letters})
        self.assertEqual(sorted(broken), sorted(value or b"" for _, value, *_ in letters))
        self.assertEqual(len(broken) - 1, self.agent.metric("stoker_events_skipped_total", reason="unreadable_run"))
        self.assertEqual(1, self.agent.metric("stoker_events_skipped_total", reason="unknown_schema"))
        self.assertEqual(200, self.agent.readyz()[0])
        self.assertEqual(len(self.logs), self.agent.metric("stoker_pipelines"))
        self.agent.stop()
