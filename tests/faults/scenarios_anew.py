"""Scenarios about topics that are not what they were: deleted and made again under their name, or without a
part of their records. What is there is read once, what is lost is told, nothing turns in a loop.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py. The truth about several lives of a topic is one topic that holds them one after the other.
"""

import dataclasses
import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

import verdict
from ground import Ground
from kafka_client import admin, create_topics
from kafka_look import Tail, read_all
from play import AT_ONCE, Look, Play, reference, second_stage
from processes import PartError, wait_until
from workload import Record, Workload

SILENCE_S = 2.0  # longer than an agent takes a silence for harmless
ABORTS = 8  # more transactions given up than this are a loop


class Lives:
    """Workloads that are written into one topic one after the other, each into a topic made anew. Looks like
    the workload of all of them."""

    def __init__(self, seed, partitions, applications):
        self.seed, self.partitions = f"{seed}, lives of {applications}", partitions
        self.lives = [self._life(seed, number, count) for number, count in enumerate(applications)]
        self.records = [record for life in self.lives for record in life.records]

    def _life(self, seed, number, count):
        """Applications of different lives have different names, all else is as it is."""
        life = Workload(seed, self.partitions, count, junk=count)
        old, new = b"application_1748736000000_", b"application_174873600000%d_" % number
        life.records = [dataclasses.replace(r, key=r.key and r.key.replace(old, new), value=r.value.replace(old, new))
                        for r in life.records]
        return life

    def per_partition(self):
        """Where the offsets of the last one end."""
        return self.lives[-1].per_partition()

    def fall(self):
        """True if every one is shorter than the one before, in each partition; False if each is longer."""
        pairs = [(a.per_partition(), b.per_partition()) for a, b in zip(self.lives, self.lives[1:])]
        longer = {a[p] > b[p] for a, b in pairs for p in a}
        if len(longer) != 1 or any(a[p] == b[p] for a, b in pairs for p in a):
            raise PartError("lives are not all longer, or all shorter, than the one before")
        return longer == {True}


def _settled(play, life):
    """All of this life is read and committed."""
    play.ground.drain()
    ends = play.ground.ends([play.ground.topics["events"]])
    wanted = {part: life.per_partition()[part[1]] for part in ends}
    if ends != wanted:
        raise PartError(f"the input ends at {ends}, {wanted} was written")


def _lost(play, agent, wanted):
    """The agent says that so many partitions were not what they were, and does not turn in a loop."""
    lost, aborts = agent.metric("stoker_input_lost_total"), agent.metric("stoker_transaction_aborts_total")
    play.check("lost", [] if lost == wanted else [f"stoker_input_lost_total is {lost}, {wanted} partitions were lost"])
    play.check("lost", [] if aborts <= ABORTS else [f"{aborts} transactions were given up"])
    told = agent.log().count("event=input_lost")
    play.check("lost", [] if told >= wanted else [f"input_lost is {told} times in the log"])


def _begin(play, life, names=None):
    """An agent that has read and committed the first life; `names`: the topics that are read along."""
    agent = play.ground.agent()
    play.ground.create_topics(agent)
    play.tail = Tail(play.broker.bootstrap, names or play.ground.written)
    play.ground.feeder(life).at_once(1.0)
    agent.start().wait_ready()
    _settled(play, life)
    time.sleep(SILENCE_S)
    return agent


def _events_anew(play):
    play.ground.delete_topic("events")
    play.ground.create_events()


def _input_anew(name, seed, applications, falls):
    play = Play(name, seed, workload=Lives(seed, 5, applications))
    play.anew = True
    first, second, third = play.workload.lives
    if play.workload.fall() != falls:
        raise PartError("this seed does not make what is to be tested")
    agent = _begin(play, first)
    if not falls:
        agent.process.pause()  # it must not see the topic while that is short
    _events_anew(play)
    play.ground.feeder(second).at_once(1.0)
    if not falls:
        agent.process.cont()
    _settled(play, second)
    _lost(play, agent, play.ground.partitions)
    play.codes |= play.ground.stop()
    _events_anew(play)
    play.feeder = play.ground.feeder(third)
    play.feeder.at_once(AT_ONCE if falls else 1.0)
    agent.start().wait_ready()
    play.feeder.begin(2)
    play.feeder.end()
    _settled(play, third)
    _lost(play, agent, play.ground.partitions)
    play.finish()
    return play


def events_fewer(seed):
    """The events topic is deleted and made again with fewer events, under a running agent and between its stop and
    start: each is read once, what was not read before is told as lost."""
    return _input_anew("events-fewer", seed, (40, 20, 8), True)


def events_more(seed):
    """Likewise with more events: the position lies within the new topic, among events that were never read."""
    return _input_anew("events-more", seed, (8, 20, 40), False)


def _runs(play):
    """(topic's partition) -> committed records of the runs topic, as they can be written again."""
    tail = read_all(play.broker.bootstrap, [play.ground.topics["runs"]])
    return {part[1]: seen for part, seen in tail.records.items()}


def _of_others(lives, times):
    """Records of runs that no agent of this ground knows, many times over."""
    return [Record(p, seen.key.replace(b"pipe-", b"nope-"), seen.value.replace(b"pipe-", b"nope-"), seen.timestamp_ms)
            for _ in range(times) for p, records in sorted(lives.items()) for seen in records]


def _runs_anew(play, agent, records=()):
    play.ground.delete_topic("runs")
    agent.create_topics()
    if records:
        play.ground.runs_feeder(records).at_once(1.0)


def runs_anew(seed):
    """The runs topic is deleted and made again, with fewer updates under a running agent, with more between its stop
    and start: stage 2 goes on with what it knew, and takes each update of every life once."""
    play = Play("runs-anew", seed, workload=Lives(seed, 5, (16, 12, 12)))
    first, second, third = play.workload.lives
    names = [play.ground.topics[n] for n in ("windows", "bottlenecks")]
    agent = _begin(play, first, names)
    lives = [_runs(play)]
    _runs_anew(play, agent)
    play.ground.more_events(second)
    play.ground.drain()
    _lost(play, agent, sum(1 for seen in lives[0].values() if seen))
    play.codes |= play.ground.stop()
    lives.append(_runs(play))
    _runs_anew(play, agent, _of_others(lives[1], 4))
    agent.start().wait_ready()
    play.ground.more_events(third)
    play.ground.drain()
    _lost(play, agent, sum(1 for seen in lives[1].values() if seen))
    play.codes |= play.ground.stop()
    lives.append(_runs(play))
    play.tail.stop()
    play.check("I3", verdict.i3_windows(_all_lives(play, lives), Look(play.ground)))
    play.check("I7", verdict.i7_logs([agent]))
    play.check("I8", verdict.i8_exits(play.codes))
    return play


def _all_lives(play, lives):
    """What an agent makes of one runs topic that holds them all."""
    ground = Ground("all-lives", play.broker.bootstrap, play.ground.partitions)
    create_topics(play.broker.bootstrap, {ground.topics["runs"]: play.ground.partitions}, {"retention.ms": "-1"})
    ground.runs_feeder([Record(p, seen.key, seen.value, seen.timestamp_ms)
                        for life in lives for p, records in sorted(life.items()) for seen in records]).at_once(1.0)
    ground.config |= {name: dict(play.ground.config[name]) for name in ("limits", "window")}
    return second_stage(ground)


def _refuses(play, agent, words):
    """It ends by itself with 1, and says why in these words."""
    def over():
        return not agent.running()
    wait_until(f"{agent.name} refuses its state", over, 40)
    said = [line for line in agent.log().splitlines() if "state_mismatch" in line]
    wrong = [f"exit code {agent.process.code()}"] if agent.process.code() != 1 else []
    if not any(words in line for line in said):
        wrong.append(f"does not say {words!r}: {said[-1:] or agent.process.tail(3)}")
    play.check("refused", wrong)


def state_anew(seed):
    """A state topic that was deleted and made again, between stop and start or under a running agent, or that lost its
    oldest records: refused in words, whatever positions remain."""
    play = Play("state-anew", seed, workload=Lives(seed, 5, (8, 8)))
    first, second = play.workload.lives
    for name, words in (("deleted while stopped", "its state is gone"), ("deleted while running", "its state is gone"),
                        ("oldest deleted", "is missing from")):
        play.ground = Ground("state-anew", play.broker.bootstrap, play.workload.partitions)
        agent = _begin(play, first)
        if name == "deleted while running":
            play.ground.delete_topic("state_applications")
            agent.create_topics()
            play.ground.more_events(second)
            _refuses(play, agent, words)
        else:
            play.codes |= play.ground.stop()
        if name == "deleted while stopped":
            play.ground.delete_topic("state_applications")
            agent.create_topics()
        if name == "oldest deleted":
            play.ground.alter_topics(["state_applications"], {"cleanup.policy": "compact,delete"})
            _delete_before(play, "state_applications", dict.fromkeys(range(play.ground.partitions), 1))
            play.ground.alter_topics(["state_applications"], {"cleanup.policy": "compact"})
        agent.launch()
        _refuses(play, agent, words)
        play.tail.stop()
        play.ground.end()
    return play


def _delete_before(play, name, offsets):
    """Deletes the records of a topic below partition -> offset, as retention would."""
    client, topic = admin(play.broker.bootstrap), play.ground.topics[name]
    parts = [TopicPartition(topic, p, offset) for p, offset in offsets.items()]
    for future in client.delete_records(parts).values():
        future.result(20)


class _Rest:
    """What is left of a workload."""

    def __init__(self, workload, records):
        self.seed, self.partitions, self.records = workload.seed, workload.partitions, records


def retention(seed):
    """Events that were deleted before they were read: counted, each; the oldest that is left is the next."""
    play = Play("retention", seed, workload=Workload(seed, 5, 30))
    everything = play.workload.records
    agent = play.ground.agent()
    play.ground.create_topics(agent)
    play.tail = Tail(play.broker.bootstrap, play.ground.written)
    feeder = play.ground.feeder(play.workload)
    feeder.at_once(0.3)
    agent.start().wait_ready()
    play.ground.drain()
    play.codes |= play.ground.stop()
    at = {part[1]: offset or 0 for part, offset in play.ground.positions().items() if part[0] == play.ground.topics["events"]}
    feeder.at_once(1.0)
    oldest = {part: offset + play.random.randrange(20, 60) for part, offset in at.items()}
    _delete_before(play, "events", oldest)
    left, offsets = [], dict.fromkeys(at, 0)
    for record in everything:
        if not at[record.partition] <= offsets[record.partition] < oldest[record.partition]:
            left.append(record)
        offsets[record.partition] += 1
    agent.start().wait_ready()
    play.ground.drain()
    lost = len(everything) - len(left)
    _lost(play, agent, len(at))
    counted = agent.metric("stoker_input_lost_messages_total")
    play.check("counted", [] if counted == lost > 0 else [f"{counted} messages are counted as lost, {lost} were"])
    play.codes |= play.ground.stop()
    play.tail.stop()
    truth = reference(_Rest(play.workload, left))
    play.check("I1", verdict.i1_outputs(truth, Look(play.ground), anew=True))
    play.check("I7", verdict.i7_logs([agent]))
    play.check("I8", verdict.i8_exits(play.codes))
    return play


def _says(play, agent, *words):
    """/readyz is 503 and names all of these."""
    def said():
        code, text = agent.readyz()
        return code == 503 and all(word in text for word in words)
    try:
        wait_until("/readyz says why", said, 40, 0.3, agent.process)
    except PartError:
        play.check("told", [f"/readyz does not say {words}: {agent.readyz()}"])


def _add_partition(play, name):
    client = admin(play.broker.bootstrap)  # must outlive the request
    for future in client.create_partitions([NewPartitions(play.ground.topics[name], play.ground.partitions + 1)]).values():
        future.result(20)


def partitions_added(seed):
    """A topic grows, or goes, under a running agent: it says so, the other partitions go on, and what waits comes once."""
    play = Play("partitions-added", seed, workload=Lives(seed, 5, (8, 8)))
    first, second = play.workload.lives
    agent = _begin(play, first, [play.ground.topics["bottlenecks"]])
    _add_partition(play, "events")
    _says(play, agent, play.ground.topics["state_applications"], "has no partition 5", "were partitions added")
    play.check("told", [] if "event=partitions_added" in agent.log() else ["partitions_added is not in the log"])
    added = agent.metric("stoker_input_partitions_added")
    play.check("told", [] if added == 1 else [f"stoker_input_partitions_added is {added}"])
    late = Record(play.ground.partitions, b"junk", b'{"Event":"SparkListenerJobEnd","Job ID":', second.records[0].timestamp_ms)
    second.records.append(late)
    play.ground.more_events(second)
    events = play.ground.topics["events"]
    wait_until("the other partitions are read", lambda: [p for p in play.ground.behind() if p[0] == events] == [
        (events, play.ground.partitions)], 40, 0.3, agent.process)
    _add_partition(play, "state_applications")
    agent.wait_ready()
    play.ground.drain()
    letters = [seen for seen in Look(play.ground).of("dlq") if seen.value == late.value]
    play.check("once", [] if len(letters) == 1 else [f"what waited came {len(letters)} times"])
    play.ground.delete_topic("runs")
    _says(play, agent, play.ground.topics["runs"], "Unknown topic")
    agent.create_topics()
    agent.wait_ready()
    play.codes |= play.ground.stop()
    play.tail.stop()
    play.check("I7", verdict.i7_logs([agent]))
    play.check("I8", verdict.i8_exits(play.codes))
    return play


SCENARIOS = {"partitions-added": partitions_added, "events-fewer": events_fewer, "events-more": events_more, "runs-anew": runs_anew, "state-anew": state_anew,
             "retention": retention}
