"""What becomes of advice, as it is told on a real Kafka: runs of one pipeline that are given advice, runs that apply it, an
agent that is killed in the middle of them. Each outcome is there once.
"""

import orjson

from cases import RealCase
from logs import HOUR_MS, TIME, Log
from processes import wait_until

KRYO = ("spark.serializer", "org.apache.spark.serializer.KryoSerializer")  # what spill_sort is advised


def having(log, key, value):
    """The run, told to set it."""
    def changed(line):
        if b'"SparkListenerEnvironmentUpdate"' not in line[:200]:
            return line
        event = orjson.loads(line)
        event["Spark Properties"][key] = value
        return orjson.dumps(event)
    log.lines = [changed(line) for line in log.lines]
    return log


def faster(log):
    """The run in half the time."""
    start = min(int(m[0]) for line in log.lines for m in TIME.finditer(line))
    log.lines = [TIME.sub(lambda m: str(start + (int(m[0]) - start) // 2).encode(), line) for line in log.lines]
    return log


class Followed(RealCase):
    def setUp(self):
        self.site_ = self.site("followed", partitions=1)
        self.agent = self.site_.running()
        self.results = self.site_.results()
        self.count = 0
        self.events = 0

    def next(self):
        """One more run of the pipeline, an hour after the one before."""
        self.count += 1
        return Log.fixture("spill_sort").copy(f"app-20260101000000-{self.count:04}", later_ms=self.count * HOUR_MS)

    def send(self, log, lines):
        sender = self.site_.sender()
        for line in lines:
            sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()

    def play(self, log):
        """Its id of the memory advice, once it ended; None if it got none."""
        self.send(log, log.lines)
        return self.ended(log)

    def ended(self, log):
        run = (log.app_id, log.attempt)
        self.results.settle([run], 60, self.agent.process)
        return next((a["id"] for a in self.results.runs[run]["advice"] if a["kind"] == "memory"), None)

    def told(self, count):
        """(outcome, id, run) of each so far, of which there are so many."""
        self.results.read()
        self.assert_sound(self.results)
        found = [(o["outcome"], o["id"], o["app_id"]) for o in self.results.outcomes if o["kind"] == "memory"]
        self.assertEqual(count, len(found), found)
        return found

    def test_what_did_not_help_twice_is_withdrawn_and_a_crash_tells_nothing_twice(self):
        for _ in range(3):
            given = self.play(self.next())
        self.told(0)
        applied = having(self.next(), *KRYO)
        middle = len(applied.lines) // 2
        self.send(applied, applied.lines[:middle])
        read = 3 * len(applied.lines) + middle
        wait_until("half a run is read", lambda: self.agent.metric("stoker_events_read_total") == read, 30)
        self.agent.kill()
        self.agent.start().wait_ready()
        self.send(applied, applied.lines[middle:])
        self.ended(applied)
        self.assertEqual([("no_effect", given, applied.app_id)], self.told(1))
        outcome = self.results.outcomes[0]
        self.assertEqual((0.0, 0.0, 3, "high"), tuple(
            outcome[f"outcome_{name}"] for name in ("change", "spread", "runs", "confidence")))
        self.assertEqual(KRYO[1], outcome["settings"][KRYO[0]])
        again = having(self.next(), *KRYO)
        self.play(again)
        self.agent.kill()
        self.agent.start().wait_ready()
        self.assertEqual(("no_effect", given, again.app_id), self.told(2)[1])
        back = self.next()
        id_ = self.play(back)
        self.assertEqual(("withdrawn", id_, back.app_id), self.told(3)[2])
        self.assertIn("applied twice and did not help", self.results.outcomes[-1]["action"])
        self.assertEqual(1, self.agent.metric("stoker_advice_outcomes_total", outcome="withdrawn"))
        self.agent.stop()

    def test_what_helped_is_told_by_how_much(self):
        for _ in range(3):
            given = self.play(self.next())
        applied = faster(having(self.next(), *KRYO))
        self.play(applied)
        self.assertEqual([("helped", given, applied.app_id)], self.told(1))
        self.assertAlmostEqual(-0.5, self.results.outcomes[0]["outcome_change"], delta=0.01)
        self.assertGreater(self.results.outcomes[0]["revision"], self.results.recommendations[given]["revision"])
        self.agent.stop()
