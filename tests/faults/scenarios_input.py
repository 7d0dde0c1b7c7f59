"""Scenarios about what nobody should have written: broken and oversize events, garbage between the stages.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import collections
import time

from confluent_kafka import Producer

from ground import OUTPUTS, STATES
from logs import Log
from play import Play, reference
from processes import PartError
from workload import Workload

JUNK, HUGE, STRANGERS = 300, 6, 24


def _garbage(play):
    """What no agent wrote, in the runs topic; where each lies is kept for the verdict."""
    def delivered(error, message):
        if error is None:
            play.strangers.add((message.topic(), message.partition(), message.offset()))
    producer = Producer({"bootstrap.servers": play.broker.bootstrap, "log_level": 0})
    topic = play.ground.topics["runs"]

    def put(_i):
        for i in range(STRANGERS // 4):
            value = play.random.randbytes(play.random.randint(0, 60)) or b"{}"
            producer.produce(topic, value, b"stranger", i % play.ground.partitions, on_delivery=delivered)
        if producer.flush(30):
            raise PartError("garbage was not taken")
    return put


def poison(seed):
    """F11: broken and oversize events, garbage in the runs topic, and kills: each in the dead-letter topic
    once, the rest goes on."""
    workload = Workload(seed, junk=JUNK, huge=HUGE)
    play = Play("poison", seed, workload=workload)
    agent = play.begin()
    put = _garbage(play)

    def garbage_and_kill(i):
        put(i)
        play.kill_and_restart(agent)
    play.while_feeding(4, 11, garbage_and_kill)
    final = play.finish()
    letters = len(final.of("dlq"))
    # What the logs themselves hold that is no use is there, too.
    least = JUNK + HUGE + STRANGERS
    play.check("F11", [] if letters >= least else [f"{letters} dead letters, at least {least} are due"])
    play.check("F11", [] if len(play.strangers) == STRANGERS else ["garbage is missing"])
    play.notes.append(f"{letters} dead letters")
    return play


NEVER = "neverland"


def _aborted(play, topic, records):
    """Writes records, (partition, key, value), and takes them back; partition -> offsets that took."""
    producer = Producer({"bootstrap.servers": play.broker.bootstrap, "transactional.id": play.ground.name,
                         "log_level": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    taken = collections.Counter()
    for partition, key, value in records:
        producer.produce(topic, value, key, partition)
        taken[partition] += 1
    if producer.flush(30):
        raise PartError("what is to be aborted was not taken")
    time.sleep(play.random.uniform(1, 2))  # there to be seen by who looks too early
    producer.abort_transaction(30)
    return taken + collections.Counter(taken.keys())  # a marker each


def _runs_of_others(play, count=40):
    """Run records that are all right, of pipelines that this play does not have."""
    found = reference(Workload(play.seed)).of("runs")
    return [(i % play.ground.partitions, seen.key, seen.value) for i, seen in enumerate(found[:count])]


def aborted_input(seed):
    """What was never committed never happened: aborted events, aborted runs between the stages, and kills."""
    log = Log.fixture("failed_stage").copy("application_1_0001", NEVER)
    play = Play("aborted-input", seed)
    agent = play.ground.agent()
    play.ground.create_topics(agent)
    others = [(p, key, value.replace(b"pipe-", b"nope-")) for p, key, value in _runs_of_others(play)]
    others = [(p, key.replace(b"pipe-", b"nope-"), value) for p, key, value in others]
    play.aborted = _aborted(play, play.ground.topics["events"], [
        (p, log.app_id.encode(), line) for p in range(play.ground.partitions) for line in log.lines])
    play.begin(agent, make_topics=False)
    agent.wait_ready()
    _aborted(play, play.ground.topics["runs"], others)
    play.while_feeding(3, 8, lambda _i: play.kill_and_restart(agent))
    final = play.finish()
    lines = [f"{seen.topic} {seen.partition}@{seen.offset}: of an aborted record" for name in OUTPUTS + STATES
             for seen in final.of(name)
             if any(word in (seen.key or b"") + (seen.value or b"") for word in (NEVER.encode(), b"nope-"))]
    play.check("aborted", lines if others else ["nothing was aborted"])
    return play


SCENARIOS = {"poison": poison, "aborted-input": aborted_input}
