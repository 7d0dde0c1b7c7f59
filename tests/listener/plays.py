"""The jobs of the proof and what must come of each: played once for a Spark version, way in and mode, on one Kafka and before
one agent that all of them share, and looked at by every suite that wants it.

    played = play("sigterm", "4.3.0", "plugin", "slim")     # runs it, or hands out what it was the first time
    played.wrong()                                           # every way in which it is not as it must be, as lines
"""

import functools
import json
import typing

import harness
from agent import analyze
from cases import Site, compare_run, shared_broker
from processes import fresh_dir, wait_until


class Play(typing.NamedTuple):
    """A job: its arguments, its exit code, what the run's outcome may be (empty: whatever analyze says of its event log), and what
    is done to it while it runs."""

    job: str
    args: tuple = ()
    code: int = 0
    outcomes: tuple = ("succeeded",)
    meddle: typing.Callable = None  # (job, stand) -> None, while it runs
    long_skew: bool = False         # its verdict must be there before it ends
    settings: dict = {}             # of Spark, beside those of every play


def terminate_in_the_second_stage(job, stand):
    """SIGTERM as soon as the second stage of jobs/skewed.py is under way, as the topic tells it."""
    def under_way():
        stages = [one for one in harness.on_topic(stand.bootstrap, stand.topic, job.app_id)
                  if one.name == "SparkListenerTaskStart" and one.event["Stage ID"] == 1]
        return len(stages) >= 2
    wait_until(f"the second stage of {job.name}", under_way, harness.JOB_TIMEOUT_S, 0.5, job)
    job.terminate()


PLAYS = {
    "batch": Play("batch", ("table",)),
    # With what only one of listener and event log has, if asked for.
    "batch-more": Play("batch", ("table",), settings={
        "spark.stoker.blockUpdates": "true", "spark.eventLog.logStageExecutorMetrics": "true"}),
    "sql": Play("sql", settings={"spark.stoker.executorMetricsUpdates": "true", "spark.executor.heartbeatInterval": "1s"}),
    "stream": Play("stream"),
    "skewed": Play("skewed", ("15",), long_skew=True),
    "failing": Play("failing", (), 1, ("failed",)),
    "exit-python": Play("exits", ("python",), 3),
    "exit-jvm": Play("exits", ("jvm",), 3),
    "sigterm": Play("skewed", ("1", "forever"), 143, (), terminate_in_the_second_stage),
}
# What the suites play, once for each version: every other time by the listener, the next version the other way round.
SUITE = (("batch-more", "full"), ("sql", "full"), ("sql", "slim"), ("stream", "full"), ("skewed", "full"), ("failing", "full"),
         ("exit-jvm", "full"), ("stream", "slim"), ("sigterm", "full"))


class Stand:
    """Topics, and the agent that judges all that comes. Kept until the run ends."""

    def __init__(self, name):
        self.site = Site(name, shared_broker())
        self.agent = self.site.running()
        self.bootstrap, self.topic = self.site.broker.bootstrap, self.site.topics["events"]
        self.results = self.site.results()


@functools.lru_cache(maxsize=None)
def stand(name):
    return Stand(name)


class Played:
    """What came of a play: the job, `sent` (what lay on the topic), the event log, and what both judgements say."""

    def __init__(self, name, version, way, mode):
        self.name, self.way, self.mode, self.play = name, way, mode, PLAYS[name]
        self.spark, self.stand = harness.Spark(version), stand("listener")
        self.title = f"{name}, Spark {version}, {way}, {mode}"
        self.job = self.spark.start(
            self.play.job, *self.play.args, way=way, brokers=self.stand.bootstrap, topic=self.stand.topic,
            settings={"spark.stoker.mode": mode, **self.play.settings})
        self.app_id = self.job.app_id
        self.verdicts_while_it_ran = self._watch()
        self.seconds = self.job.finish(self.play.code)
        self.sent = harness.on_topic(self.stand.bootstrap, self.stand.topic, self.app_id)
        self.log = harness.in_log(self.job.event_log())
        self.stand.results.settle([(self.app_id, "")], process=self.stand.agent.process)

    def _watch(self):
        """Kinds of the verdicts that were published while the job ran, if it is one that must be judged early."""
        if self.play.meddle:
            self.play.meddle(self.job, self.stand)
        while self.play.long_skew and not self.job.ended():
            found = self._verdicts()
            if found and not self.job.ended():
                return found
        return []

    def _verdicts(self):
        return [record["kind"] for record in self.stand.results.read().published().values() if record["app_id"] == self.app_id]

    def wrong(self):
        """What is not as it must be, as lines."""
        found = [*self._judged(), *self._carried(), *self._numbered()]
        if self.play.long_skew and not self.verdicts_while_it_ran:
            found.append("no verdict before the application's end")
        return [f"{self.title}: {line}" for line in found]

    def _judged(self):
        """The agent against analyze on the event log, and analyze on what lay on the topic against both."""
        (of_log,) = analyze([self.job.event_log()])
        # No two runs of a job take the same times: a verdict may come and go while it runs.
        yield from compare_run(self.stand.results, (self.app_id, ""), of_log, passing_advice=True)
        yield from self.stand.results.wrong
        if self.play.outcomes and of_log["run"]["outcome"] not in self.play.outcomes:
            yield f"outcome {of_log['run']['outcome']}, not {' or '.join(self.play.outcomes)}"
        (of_topic,) = analyze([self.written()])
        for part in ("run", "stages", "bottlenecks", "recommendations"):
            if of_topic[part] != of_log[part]:
                yield f"analyze: {part} of the topic: {_difference(of_topic[part], of_log[part])}"

    def written(self):
        """The topic's events as an event log that analyze reads."""
        path = fresh_dir(f"topic-{self.app_id}") / self.app_id
        path.write_bytes(b"".join(one.value + b"\n" for one in self.sent))
        return path

    def _carried(self):
        """Key and headers, and that nothing was lost on the way to the end."""
        headers = {"app_id": self.app_id, "spark_version": self.spark.version, "stoker_listener": harness.version()}
        for one in self.sent:
            wrong = {name: one.headers.get(name) for name, value in headers.items() if one.headers.get(name) != value}
            if one.key != self.app_id or wrong:
                yield f"{one.name} with key {one.key} and headers {wrong}"
                break
        if "SparkListenerApplicationEnd" not in [one.name for one in self.sent]:
            yield "no ApplicationEnd on the topic"
        for one in self.sent:
            if one.name == "StokerListenerReport" and any(one.event[word] for word in ("Dropped", "Cut", "Refused")):
                yield f"something was lost: {json.dumps(one.event)}"

    def _numbered(self):
        numbers = [int(one.headers.get("stoker_seq", 0)) for one in self.sent]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"stoker_seq is not 1 to {len(numbers)} in the topic's order: {numbers[:5]} ..."


def _difference(a, b, path=""):
    """Where two trees of JSON differ, a few places of it."""
    if isinstance(a, dict) and isinstance(b, dict):
        parts = [_difference(a.get(k), b.get(k), f"{path}.{k}") for k in sorted(set(a) | set(b)) if a.get(k) != b.get(k)]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        parts = [_difference(x, y, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b)) if x != y]
    else:
        return f"{path or '.'}: {a!r:.80}, not {b!r:.80}"
    return "; ".join(parts[:4])


def of_suite(name, mode, version):
    """The play of a row of SUITE."""
    return play(name, version, tuple(harness.WAYS)[(SUITE.index((name, mode)) + harness.VERSIONS.index(version)) % 2], mode)


@functools.lru_cache(maxsize=None)
def play(name, version, way, mode):
    return Played(name, version, way, mode)
