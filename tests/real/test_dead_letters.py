"""A run of which nothing could be read, because it came in a wrapper that the settings did not name: every message
lies in the dead-letter topic with its headers and its time. Sent in again as it lies there, once the setting is mended, it is placed
by its headers and judged as `stoker analyze` judges the log. What fails again looks the same but for place and times.
"""

import time

import orjson

from cases import RealCase
from kafka_client import Reader
from logs import Log

LOG = "skew_groupbykey"
ATTEMPT = "3"
OURS = {"stoker.error.reason", "stoker.error.text", "stoker.error.times", "stoker.source.topic", "stoker.source.partition",
        "stoker.source.offset", "stoker.source.timestamp_ms"}


class DeadLetters(RealCase):
    def setUp(self):
        self.site_ = self.site("letters")
        self.events, self.dlq = self.site_.topics["events"], self.site_.topics["dlq"]
        self.log = Log.fixture(LOG).copy("app-letters", attempt=ATTEMPT)
        self.first_ms = int(time.time() * 1000) - 3600 * 1000  # within every retention
        self.own = [("app_id", b"app-letters"), ("app_attempt", ATTEMPT.encode()), ("trace", b"\x00\xff"), ("none", None),
                    ("empty", b"")]

    def send_wrapped(self):
        """The whole run, whose it is said by headers only; the time of each message is its own."""
        sender = self.site_.sender()
        for i, line in enumerate(self.log.lines):
            sender.send(self.events, orjson.dumps({"capsule": orjson.loads(line)}), headers=self.own, partition=1, timestamp=self.first_ms + i)
        sender.flush()

    def letters(self, count):
        """All dead letters in the order of their sources."""
        reader = Reader(self.site_.broker.bootstrap, [self.dlq])
        reader.until(f"{count} dead letters", lambda r: len(r.records[self.dlq]) >= count, 60, 1.5)
        self.assertEqual(count, len(reader.records[self.dlq]))
        return sorted(reader.records[self.dlq], key=lambda m: int(dict(m.headers())["stoker.source.offset"]))

    def send_again(self, letters):
        sender = self.site_.sender()
        for letter in letters:
            sender.send(self.events, letter.value(), letter.key(), headers=letter.headers(), partition=1,
                        timestamp=letter.timestamp()[1])
        sender.flush()

    def check(self, letter, offset, times, sent_at):
        """The message as it came, then why: each of ours once."""
        self.assertEqual(self.own, letter.headers()[:len(self.own)])
        said = letter.headers()[len(self.own):]
        self.assertEqual(OURS, {name for name, _ in said})
        self.assertEqual(len(OURS), len(said))
        said = {name: value.decode() for name, value in said}
        self.assertEqual((self.events, "1", str(offset), str(times), str(sent_at), "not_an_event"), tuple(said[name] for name in (
            "stoker.source.topic", "stoker.source.partition", "stoker.source.offset", "stoker.error.times",
            "stoker.source.timestamp_ms", "stoker.error.reason")))
        self.assertEqual(sent_at, letter.timestamp()[1])
        self.assertIsNone(letter.key())

    def test_sent_in_again_they_are_placed_by_their_headers_and_work(self):
        count = len(self.log.lines)
        agent = self.site_.running()
        self.send_wrapped()
        letters = self.letters(count)
        for i, letter in enumerate(letters):
            self.check(letter, i, 1, self.first_ms + i)
        agent.stop()
        self.site_.config["input"] = {"wrapper_event_key": "capsule"}
        agent = self.site_.agent().start().wait_ready()
        self.send_again(letters)
        results = self.site_.results().settle([(self.log.app_id, ATTEMPT)], 60, agent.process)
        self.assert_equal_offline(results, self.offline([self.log]))
        self.letters(count)
        agent.stop()

    def test_what_fails_again_is_not_larger(self):
        count = len(self.log.lines)
        agent = self.site_.running()
        self.send_wrapped()
        first = self.letters(count)[:5]
        self.send_again(first)
        second = self.letters(count + 5)[-5:]
        self.send_again(second)
        for i, letter in enumerate(self.letters(count + 10)[-5:]):
            self.check(letter, count + 5 + i, 3, self.first_ms + i)
            self.assertEqual(first[i].value(), letter.value())
        agent.stop()
