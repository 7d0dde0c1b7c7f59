"""The checks of verdict.py on made-up records: each must hold on what is right and name what is wrong.

    build/venv/bin/python -m unittest discover -s tests/faults

Called by tests/run.sh. Needs no Kafka.
"""

import pathlib
import sys
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "real")]

import verdict  # noqa: E402
from kafka_look import Seen  # noqa: E402


def seen(offset, key, value, topic="t", partition=0, headers=()):
    return Seen(topic, partition, offset, key, value, 0, headers)


def number(field, value):
    raw = bytes([value << 1])  # small ones only: one byte of zigzag
    return bytes([field, len(raw)]) + raw


class Look:
    """A Look (play.py) of given records."""

    def __init__(self, **topics):
        self.topics = {name: name for name in ("events", "runs", *topics)}
        self._records = topics

    def of(self, name):
        return self._records.get(name, [])


class Sequences(unittest.TestCase):
    def test_every_way_to_differ_is_named(self):
        truth = {"k": [b"a", b"b", b"c"]}
        self.assertEqual([], verdict.compare_sequences("t", truth, {"k": [b"a", b"b", b"c"]}))
        for wrong, words in (([b"a", b"b"], "1 missing, 0 too many"), ([b"a", b"b", b"c", b"c"], "0 missing, 1 too many"),
                             ([b"a", b"c", b"b"], "first difference at 1"), ([], "3 missing")):
            (line,) = verdict.compare_sequences("t", truth, {"k": wrong})
            self.assertIn(words, line)
        self.assertEqual(1, len(verdict.compare_sequences("t", truth, {"k": truth["k"], "new": [b"x"]})))

    def test_a_reader_during_the_run_saw_just_that(self):
        records = [seen(i, b"k", b"%d" % i) for i in range(4)]
        part = ("t", 0)
        self.assertEqual([], verdict.i2_downstream({part: records}, {part: records}))
        self.assertTrue(verdict.i2_downstream({part: records}, {part: records[1:]}))
        self.assertTrue(verdict.i2_downstream({part: records[:3]}, {part: records}))
        self.assertEqual([], verdict.i2_downstream({part: records}, {part: records[3:]}, ("t",)))
        self.assertTrue(verdict.i2_downstream({part: records}, {part: records[:3]}, ("t",)))


class State(unittest.TestCase):
    def test_the_newest_value_of_each_key_counts(self):
        one = Look(s=[seen(0, b"a", b"1"), seen(1, b"b", b"2"), seen(2, b"a", b"3"), seen(3, b"b", None)])
        other = Look(s=[seen(0, b"a", b"3"), seen(9, b"#pos", b"whatever")])
        self.assertEqual([], verdict.i4_state("s", one, other))
        for wrong in ([seen(0, b"a", b"1")], [], [seen(0, b"a", b"3"), seen(1, b"b", b"2")]):
            self.assertTrue(verdict.i4_state("s", one, Look(s=wrong)))
        self.assertTrue(verdict.i4_state("s", Look(s=[]), Look(s=[])), "an empty truth proves nothing")

    def _positions(self, offset, group, end):
        value = b"\x01" + number(1, offset)
        found = Look(state_applications=[seen(0, verdict.POSITION_KEY, value)])
        return verdict.i5_positions(found, {("events", 0): group}, {("events", 0): end})

    def test_group_state_and_input_agree(self):
        self.assertEqual([], self._positions(7, 7, 7))
        for wrong in ((6, 7, 7), (7, 6, 7), (7, 7, 8), (7, None, 7)):
            self.assertTrue(self._positions(*wrong), wrong)

    def test_a_damaged_position_is_told(self):
        for value in (b"", b"\x02" + number(1, 1), b"\x01\x01\x05\x02", b"\x01\x01"):
            with self.assertRaises((ValueError, IndexError)):
                verdict.position(value)
        stamps = b"\x06\x03abc"
        self.assertEqual({"offset": 7, "time_ms": 3, "ticks": 1, "shift": 0},
                         verdict.position(b"\x01" + number(1, 7) + number(2, 3) + number(3, 1) + stamps))
        with self.assertRaises(ValueError):
            verdict.position(b"\x01" + stamps[:-1])


class DeadLetters(unittest.TestCase):
    def _letter(self, topic, offset):
        return seen(0, b"k", b"v", headers=(("stoker.source.topic", topic.encode()), ("stoker.source.partition", b"0"),
                                            ("stoker.source.offset", b"%d" % offset)))

    def test_each_stranger_has_one_letter(self):
        strangers = {("runs", 0, 5)}
        one = self._letter("runs", 5)
        self.assertEqual([], verdict.dead_letters([one], "events", strangers)[1])
        self.assertTrue(verdict.dead_letters([], "events", strangers)[1])
        self.assertTrue(verdict.dead_letters([one, one], "events", strangers)[1])
        self.assertTrue(verdict.dead_letters([one], "events")[1], "the runs topic holds nothing unreadable")


if __name__ == "__main__":
    unittest.main()
