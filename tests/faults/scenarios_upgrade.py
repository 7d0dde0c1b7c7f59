"""Scenarios in which agents of two releases stand in one group: today's, which writes by the schemas of the last release,
and one that writes by schemas with more fields (stoker-faults-later). Each replaces the agents one by one under load; no run
may be lost to either side, and the records must be those of an undisturbed agent of today, once they are read by the
released schemas.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in run.py.
"""

import time

from ground import BINARY
from play import Play, at_work
from processes import BUILD, PartError, wait_until
from records import RELEASED, Codec

LATER = BINARY.with_name(f"{BINARY.name}-later")
LATER_SCHEMAS = BUILD / "later-schemas"
TODAY = "0.1.0"  # the release whose schemas today's agent writes: both know them
FEED_S = 70
BESIDE = 10  # runs that are published while agents of two kinds stand beside each other, so that each reads some of both


def _play(name, seed):
    if not LATER.exists():
        raise PartError(f"no {LATER}: tests/faults/build.sh makes it")
    play = Play(name, seed, avro__write_version=TODAY)
    codec = Codec(LATER_SCHEMAS, shipped=RELEASED / TODAY)
    play.as_shipped = codec.as_shipped
    play.ground.reads_all = LATER
    return play, codec


def _become(play, agent, binary, version, kill):
    """The agent ends, in order or not, and starts again as this program, writing by this version's schemas."""
    if kill:
        agent.kill()
    else:
        play.codes[f"{agent.name} before it became {binary.name} {version}"] = agent.process.stop(30)
    agent.binary = binary
    agent.configure(dict(agent.config, avro={"write_version": version}))
    agent.start()
    at_work(play, *play.ground.agents)


def _go_on(play):
    """Until enough runs have been published since."""
    def count():
        return sum(len(seen) for (topic, _), seen in list(play.tail.records.items()) if topic == play.ground.topics["runs"])
    begun = count()
    wait_until(f"{BESIDE} more runs", lambda: count() >= begun + BESIDE, 60, 0.1)


def _by_both(play, codec, final):
    """Else nothing was proved: a good part of the runs by today's schema, and of them by the later one."""
    runs = [codec.is_shipped(seen.value) for seen in final.tail.of(play.ground.topics["runs"])]
    later = len(runs) - sum(runs)
    play.notes.append(f"{later} of {len(runs)} runs by the later schema")
    play.check("both", [] if min(later, sum(runs)) >= 5 else [f"only {later} of {len(runs)} runs are by the later schema"])


def upgrade(seed):
    """Two agents become those of a later release, which write by the released schemas until both have
    (avro.write_version), and by their own then."""
    play, codec = _play("upgrade", seed)
    both = play.begin(play.ground.agent(), play.ground.agent(), feed_s=FEED_S)
    at_work(play, *both)
    for version in (TODAY, "current"):
        for agent, kill in zip(reversed(both), play.random.sample((True, False), 2)):  # who reads most is old to the last
            _become(play, agent, LATER, version, kill)
            _go_on(play)
    _by_both(play, codec, play.finish(120))
    return play


def downgrade(seed):
    """The way back: both agents write by the released schemas, and become today's when all before is read."""
    play, codec = _play("downgrade", seed)
    both = (play.ground.agent(), play.ground.agent())
    for agent in both:
        agent.binary = LATER
        agent.configure(dict(agent.config, avro={"write_version": "current"}))
    play.begin(*both, feed_s=FEED_S)
    at_work(play, *both)
    _go_on(play)
    for agent, kill in zip(both, play.random.sample((True, False), 2)):
        _become(play, agent, LATER, TODAY, kill)
    wait_until("no lag", lambda: sum(agent.metric("stoker_input_lag_messages") for agent in both) == 0, 60, 0.1)
    time.sleep(2)
    for agent, kill in zip(both, play.random.sample((True, False), 2)):
        _become(play, agent, BINARY, TODAY, kill)
        _go_on(play)
    _by_both(play, codec, play.finish(120))
    return play


SCENARIOS = {"upgrade": upgrade, "downgrade": downgrade}
