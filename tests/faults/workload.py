"""The input of a run, a pure function of its seed: about forty applications made of the fixture logs
under other ids, names and times, interleaved as if they ran side by side, repeated and late events
among them, and what belongs into the dead-letter topic.

Every record has its partition and its timestamp, so the same workload written into any topic gives
the same partitions, offset by offset. Used by ground.py and the scenarios. Must never look at a clock.
"""

import dataclasses
import functools
import random
import zlib

from logs import TIME, Log

# Small fixtures of every kind of verdict and outcome, so that a run is short and rich.
FIXTURES = (
    "skew_groupbykey", "spill_sort", "failed_stage", "shuffle_overhead", "gc_pressure", "ok_groupby",
    "executor_oom", "executor_lost", "slow_host", "task_retries", "costly_records", "ok_join",
    "too_few_partitions", "skew_join", "broadcastable_join", "pipeline/run1", "pipeline/run2",
    "pipeline/run3", "cartesian", "unsplittable_gz")
BEGIN_MS = 1_748_736_000_000  # 2025-06-01: behind every clock this may run under
MINUTE_MS = 60_000
DRIFT_MS = 7 * MINUTE_MS  # between the starts of two applications
# No numbers: what looks like a run's number is not part of a pipeline's name.
NAMES = ("orders", "billing", "stock", "search", "clicks", "mail", "fraud", "prices", "routes", "refunds",
         "ads", "loans")
JUNK = (
    (b'{"this is not JSON', True), (b"\x00\xff\xfe garbage", True), (b'{"Event":1}', True),
    (b'{"Event":"SparkListenerTaskEnd","Stage ID":"one"}', True), (b'[{"Event":[]}]', True),
    (b'{"Event":"SparkListenerJobEnd","Job ID":0,"Completion Time":1}', False))


@dataclasses.dataclass(frozen=True)
class Record:
    """One message of the events topic."""

    partition: int
    key: bytes | None
    value: bytes
    timestamp_ms: int


@functools.cache
def _fixture(name):
    return Log.fixture(name)


def _start_ms(lines):
    return min(int(t) for line in lines for t in TIME.findall(line))


def _times(lines):
    """The newest time each line shows, or the one before it if it shows none."""
    newest, found = 0, []
    for line in lines:
        newest = max([newest, *map(int, TIME.findall(line))])
        found.append(newest)
    return found


class Workload:
    """records: all messages in the order they are sent; runs: (app id, attempt) of every
    application; silent: those among them whose log breaks off."""

    def __init__(self, seed, partitions=5, applications=40, junk=30, huge=0):
        self.seed = seed
        self.partitions = partitions
        self._random = random.Random(f"workload {seed}")
        self.runs, self.silent = [], []
        placed = []
        for number in range(applications):
            placed += self._application(number, number / applications)
        placed += [(self._random.random(), record) for record in (*self._junk(junk), *self._huge(huge))]
        placed.sort(key=lambda pair: pair[0])  # stable: an application's own order stays
        self.records = [record for _, record in placed]

    @property
    def name(self):
        return f"workload {self.seed}, {self.partitions} partitions, {len(self.records)} events"

    def per_partition(self):
        """Partition -> number of messages, which is where its offsets end."""
        ends = dict.fromkeys(range(self.partitions), 0)
        for record in self.records:
            ends[record.partition] += 1
        return ends

    def _application(self, number, begin):
        """(place in 0..1, record) of one application's messages."""
        pick = self._random
        log = _fixture(FIXTURES[(number * 7 + pick.randrange(3)) % len(FIXTURES)])
        app_id = f"application_1748736000000_{number:04d}"
        later_ms = BEGIN_MS + number * DRIFT_MS + pick.randrange(MINUTE_MS) - _start_ms(log.lines)
        log = log.copy(app_id, f"pipe-{NAMES[number % len(NAMES)]}", later_ms=later_ms)
        self.runs.append((log.app_id, log.attempt))
        pairs = list(zip(log.lines, _times(log.lines), strict=True))
        if number % 13 == 5:  # this one just stops talking
            pairs = pairs[:len(pairs) * 2 // 3]
            self.silent.append((log.app_id, log.attempt))
        if number % 5 == 2:  # delivered again, and too late
            pairs += pick.sample(pairs[len(pairs) // 2:], 3)
        partition = zlib.crc32(app_id.encode()) % self.partitions
        length = 0.15 + 0.2 * pick.random()
        return [((begin + length * i / len(pairs)) * 0.85,
                 Record(partition, app_id.encode(), line, time_ms))
                for i, (line, time_ms) in enumerate(pairs)]

    def _junk(self, count):
        for i in range(count):
            value, placed = JUNK[i % len(JUNK)]
            key = f"junk-{i}".encode() if placed else None
            yield Record(self._random.randrange(self.partitions), key, value + b" " * (i % 3), BEGIN_MS)

    def _huge(self, count):
        """Broken, and larger than what a topic takes by default."""
        for i in range(count):
            value = b'{"Event":"SparkListenerTaskEnd","x":"' + b"b" * ((2 << 20) + i)
            yield Record(self._random.randrange(self.partitions), f"huge-{i}".encode(), value, BEGIN_MS)
