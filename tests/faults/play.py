"""One run of the suite: a ground, a workload fed while faults happen, the wait for the end, and the
verdict over all that is in Kafka then. Reference runs, without faults, are made here too.

Used by the scenarios: a scenario is a function that takes a Play and breaks things. A Play never
decides what is right, that is verdict.py's.
"""

import collections
import dataclasses
import random
import time

import verdict
from ground import STATES, TRANSACTION_TIMEOUT_MS, Ground, keeps_state
from kafka_look import Tail, read_all
from parts import Broker
from processes import PartError, wait_until
from workload import Workload

KAFKA = "4.3.1"
FEED_S = 12.0
LONG_WAITS = 20  # looks at an agent that is not ready, a third of a second apart
AT_ONCE = 0.25  # the share of the input that is there before the first agent is
RECORDS = ("runs", "bottlenecks", "recommendations", "windows")
STABLE_S = TRANSACTION_TIMEOUT_MS / 1000 + 15
BROKER_SETTINGS = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "group.min.session.timeout.ms": "3000",
    "log.cleaner.backoff.ms": "500",
    "log.retention.check.interval.ms": "3600000"}

_shared = {}
_references = {}
_open = []  # plays that may still have something running


def shared_broker():
    """The one broker of all scenarios that do not break brokers, started by whoever asks first."""
    if "broker" not in _shared:
        _shared["broker"] = Broker(KAFKA, "faults-shared", BROKER_SETTINGS).start()
    return _shared["broker"]


class HangingTransaction(PartError):
    """Nothing goes on because a transaction stays open in Kafka for longer than any may."""


class Look:
    """What was committed in the topics of a ground at one time. as_shipped: bytes of a record -> the same by the
    shipped schemas, if agents of another release wrote some."""

    def __init__(self, ground, names=None, as_shipped=None):
        self.topics = ground.topics
        self.as_shipped = as_shipped
        self.tail = read_all(ground.bootstrap, names or ground.written)

    def of(self, name):
        found = self.tail.of(self.topics[name]) if name in self.topics else []
        if self.as_shipped is None or name not in RECORDS:
            return found
        return [dataclasses.replace(seen, value=self.as_shipped(seen.value)) for seen in found]


def reference(workload, **options):
    """What an agent that nobody disturbs makes of the workload; once per workload and options. On the
    shared broker: where it ran must not show."""
    key = (workload.seed, workload.partitions, len(workload.records), repr(sorted(options.items())))
    if key not in _references:
        ground = Ground("reference", shared_broker().bootstrap, workload.partitions, **options)
        _references[key] = _undisturbed(ground, workload)
    return _references[key]


def same_input(ground):
    """What an agent that nobody disturbs makes of the very events topic of this ground."""
    return _undisturbed(Ground("reference", ground.bootstrap, ground.partitions,
                               topics={"events": ground.topics["events"]}), None)


def _undisturbed(ground, workload):
    try:
        agent = ground.agent()
        ground.create_topics(agent)
        if workload is not None:
            ground.feeder(workload).at_once(1.0)
        agent.start().wait_ready()
        ground.drain()
        _must_end_well(ground)
        return Look(ground)
    finally:
        ground.end()


def second_stage(ground, as_shipped=None):
    """What an undisturbed agent makes of the runs topic as it was recorded: it reads that very topic,
    so that even offsets are the same, beside an empty events topic."""
    alone = Ground("stage-2", ground.bootstrap, ground.partitions, replication=ground.replication,
                   topics={"runs": ground.topics["runs"]})
    alone.config |= {name: dict(ground.config[name]) for name in ("limits", "window")}
    before = alone.ends([ground.topics["runs"]])
    try:
        agent = alone.agent()
        agent.binary = ground.reads_all
        alone.create_topics(agent)
        agent.start().wait_ready()
        wait_until("stage 2 alone at the end of the runs", lambda: _runs_read(alone), 60, 0.3, agent.process)
        _must_end_well(alone)
        if alone.ends([ground.topics["runs"]]) != before:
            raise PartError("the agent that should only read the runs wrote to them")
        return Look(alone, [t for t in alone.written if t != ground.topics["runs"]], as_shipped)
    finally:
        alone.end()


def _runs_read(ground):
    """No committed record of the runs topic is unread, and nothing is written any more."""
    if not keeps_state():
        ground.drain()
        return True
    topic = ground.topics["runs"]
    if not hasattr(ground, "last_runs"):
        tail = read_all(ground.bootstrap, [topic])
        ground.last_runs = {part: seen[-1].offset + 1 for part, seen in tail.records.items() if seen}
    at = ground.positions()
    return all((at[part] or 0) >= end for part, end in ground.last_runs.items())


def _must_end_well(ground):
    """An undisturbed agent that does not end well proves nothing."""
    wrong = verdict.i8_exits(ground.stop()) + verdict.i7_logs(ground.agents)
    if wrong:
        raise PartError("an agent that nobody disturbed: " + "; ".join(wrong))


def end_all():
    """Ends whatever the last scenario left running, however it ended."""
    while _open:
        _open.pop().end()


def at_work(play, *agents):
    """Waits until these have all partitions and the state of each."""
    def settled():
        for agent in agents:
            if not agent.running():
                raise PartError(f"{agent.name} ended with {agent.process.code()}\n{agent.process.tail(8)}")
        try:
            return sum(agent.metric("stoker_partitions_assigned") or 0 for agent in agents) == \
                2 * play.ground.partitions and \
                not any(agent.metric("stoker_partitions_restoring") for agent in agents) and \
                all(agent.metric("stoker_partitions_assigned") for agent in agents)
        except PartError:  # one does not answer yet
            return False
    wait_until(f"{len(agents)} agents at work", settled, 40, 0.2)


class Play:
    """What a scenario has in hand. `notes` are shown behind its verdict, `wrong` are its own checks."""

    def __init__(self, name, seed, broker=None, partitions=5, applications=40, junk=30, workload=None,
                 agent_brokers=None, replication=1, **options):
        self.name, self.seed = name, seed
        self.random = random.Random(f"{name} {seed}")
        self.workload = workload or Workload(seed, partitions, applications, junk)
        self.broker = broker or shared_broker()
        self.options = options
        self.notes, self.wrong = [], {}
        self.ground = Ground(name, self.broker.bootstrap, partitions, agent_brokers, replication, **options)
        self.codes = {}
        self.feeder = self.tail = self._same_input = None
        self.aborted = collections.Counter()  # partition -> offsets in the events that hold no event
        self.feeder_suffers = False  # brokers are killed: the feeder's own producer may double an event then
        self.doubled = 0
        self.strangers = set()  # (topic, partition, offset) of what no agent wrote into the runs topic
        self.anew = False  # the events topic was made anew, its offsets begin again
        self.compacted = ()  # topics that lose records meanwhile
        self.as_shipped = None  # see Look
        self.clean_up = []  # called when the play is over, last first
        _open.append(self)

    def check(self, name, lines):
        """Adds to a check of this name; a check without lines holds."""
        self.wrong.setdefault(name, []).extend(lines)

    def begin(self, *agents, feed_s=FEED_S, at_once=AT_ONCE, make_topics=True):
        """Topics, the first share of the input, these agents (one if none is given), then the rest."""
        agents = agents or (self.ground.agent(),)
        if make_topics:
            self.ground.create_topics(agents[0])
        self.tail = Tail(self.broker.bootstrap, self.ground.written)
        self.feeder = self.ground.feeder(self.workload)
        self.feeder.at_once(at_once)
        for agent in agents:
            agent.start()
        self.feeder.begin(feed_s)
        return agents[0] if len(agents) == 1 else agents

    def while_feeding(self, times, over_s, act):
        """Calls act(i) at `times` random moments within over_s seconds."""
        begun = time.monotonic()
        moments = sorted(self.random.uniform(0.5, over_s) for _ in range(times))
        for i, moment in enumerate(moments):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            act(i)

    def kill_and_restart(self, agent, after_s=0.0, crash_point=None):
        """kill -9, and again at once. The moment of the kill, in wall-clock ms."""
        agent.kill()
        killed_ms = time.time() * 1000
        time.sleep(after_s)
        agent.launch(crash_point)
        return killed_ms

    def finish(self, drain_s=90):
        """The rest of the input, the end of all work, and I1 to I8."""
        ground = self.ground
        self.feeder.end()
        try:
            ground.drain(drain_s)
            if len(ground.waited_for) > LONG_WAITS:
                self.notes.append(f"waited long: {ground.waited_for[len(ground.waited_for) // 2]}")
        except PartError as error:
            stable = ground.ends(committed_only=True)
            left_open = sorted(part for part, end in ground.ends().items() if end > stable[part])
            if left_open:
                raise HangingTransaction(f"{error}\nKafka leaves a transaction open in {left_open}") from error
            raise
        self.check("I6", self._unstable())
        self.codes |= ground.stop()
        final = Look(ground, as_shipped=self.as_shipped)
        self.tail.await_ends(final.tail.reached)
        self.tail.stop()
        self.check("input", self._input())
        self.check("I1", verdict.i1_outputs(self.reference(), final, self.strangers, self.anew))
        self.check("I2", verdict.i2_downstream(self.tail.records, final.tail.records, self.compacted))
        self._second_stage_and_state(final)
        self.check("I7", verdict.i7_logs(ground.agents))
        self.check("I8", verdict.i8_exits(self.codes))
        self.check("repeats", verdict.repeats(final, self.reference()))
        return final

    def reference(self):
        if self.aborted or self.doubled:
            self._same_input = self._same_input or same_input(self.ground)
            return self._same_input
        return reference(self.workload, **self._reference_options())

    def _reference_options(self):
        """What of the options can show in outputs."""
        return {key: value for key, value in self.options.items() if key.startswith(("avro__", "limits__", "window__"))}

    def _second_stage_and_state(self, final):
        alone = second_stage(self.ground, self.as_shipped)
        self.check("I3", verdict.i3_windows(alone, final))
        if not keeps_state():
            self.check("I4", ["this binary keeps no state in Kafka"])
            self.check("I5", ["this binary keeps no state in Kafka"])
            return
        for state, truth in zip(STATES, (self.reference(), alone), strict=True):
            self.check("I4", verdict.i4_state(state, truth, final))
        topics = [self.ground.topics["events"], self.ground.topics["runs"]]
        self.check("I5", verdict.i5_positions(final, self.ground.positions(), self.ground.ends(topics)))

    def _unstable(self):
        """Partitions whose last stable offset does not reach their end in time."""
        ends, stable = {}, {}

        def same():
            nonlocal ends, stable
            ends, stable = self.ground.ends(), self.ground.ends(committed_only=True)
            return ends == stable
        begun = time.monotonic()
        try:
            wait_until("stable offsets", same, STABLE_S, 0.2)
        except PartError:
            return [f"{part}: stable up to {stable[part]}, ends at {ends[part]}, after "
                    f"{time.monotonic() - begun:.0f} s" for part in ends if ends[part] != stable[part]]
        return []

    def _input(self):
        """The events topic holds the workload, no more and no less: else the suite itself is broken. What its
        feeder doubled because Kafka was killed is input like any other: the truth is made from that topic then."""
        ends = self.ground.ends([self.ground.topics["events"]])
        wanted = self.aborted + collections.Counter(self.workload.per_partition())
        more = {part: end - wanted[part[1]] for part, end in ends.items()}
        if self.feeder_suffers and min(more.values()) >= 0 and sum(more.values()) > 0:
            self.doubled = sum(more.values())
            self.notes.append(f"the feeder doubled {self.doubled} events")
            return []
        return [f"{part}: {ends[part]} events, {wanted[part[1]]} were meant to be there"
                for part in ends if more[part] != 0]

    def recovery_ms(self, killed_ms):
        """From each kill to the next commit: the age of the first state record that was made after it."""
        made = sorted(seen.timestamp_ms for part in self.tail.records for seen in self.tail.records[part]
                      if part[0] in self.ground.written)
        return [min(after) - at for at in killed_ms if (after := [t for t in made if t > at])]

    def end(self):
        """For clean-up: nothing of it runs on."""
        if self.tail is not None:
            self.tail.stop()
        self.ground.end()
        for each in reversed(self.clean_up):
            each()

    def failed(self):
        return {name: lines for name, lines in self.wrong.items() if lines}
