"""Scenarios about what nobody should have written: broken and oversize events, garbage between the stages.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

from confluent_kafka import Producer

from play import Play
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


SCENARIOS = {"poison": poison}
