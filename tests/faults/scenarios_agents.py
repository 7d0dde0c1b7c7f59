"""Scenarios in which agents die, freeze, come and go; Kafka itself is well.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import statistics
import time

from play import Play
from processes import PartError, wait_until


def _median_words(play, killed_ms):
    took = play.recovery_ms(killed_ms)
    if took:
        play.notes.append(f"kill to next commit: p50 {statistics.median(took) / 1000:.2f} s, "
                          f"worst {max(took) / 1000:.2f} s")
    return took


def kill_static(seed):
    """F1: kill -9 six times at random moments, restarted at once, under the same name."""
    play = Play("kill-static", seed)
    agent = play.begin()
    killed = []
    play.while_feeding(6, 12, lambda _i: killed.append(play.kill_and_restart(agent)))
    play.finish()
    _median_words(play, killed)
    return play


def kill_dynamic(seed):
    """F2: the same without a name in the group: its partitions wait for the session to end."""
    play = Play("kill-dynamic", seed, kafka__consumer={"session.timeout.ms": 4000})
    agent = play.begin(play.ground.agent(membership="dynamic"))
    killed = []
    play.while_feeding(3, 12, lambda _i: killed.append(play.kill_and_restart(agent)))
    play.finish(120)
    _median_words(play, killed)
    return play


def scale(seed):
    """F3: one agent, three, one; they leave by SIGTERM and by kill -9."""
    play = Play("scale", seed, kafka__consumer={"session.timeout.ms": 4000})
    first = play.begin(feed_s=20)
    second, third = play.ground.agent(), play.ground.agent()
    time.sleep(play.random.uniform(1, 2))
    second.start()
    time.sleep(play.random.uniform(0, 2))
    third.start()
    time.sleep(play.random.uniform(4, 6))
    leaving = [first, second, third]
    play.random.shuffle(leaving)
    leaving[0].kill()
    time.sleep(play.random.uniform(0, 2))
    play.codes[leaving[1].name] = leaving[1].process.stop(30)
    time.sleep(play.random.uniform(0, 1))
    play.finish(120)
    return play


def zombie(seed):
    """F4: an owner frozen beyond its session; another takes over; the frozen one wakes up, twice."""
    play = Play("zombie", seed, kafka__consumer={"session.timeout.ms": 4000})
    first, second = play.begin(play.ground.agent(), play.ground.agent(), feed_s=24)
    time.sleep(2)
    for frozen in (first, second):
        wait_until(f"{frozen.name} at work", lambda: frozen.metric("stoker_partitions_assigned"), 30)  # noqa: B023
        frozen.process.pause()
        time.sleep(4 + play.random.uniform(2.5, 4))
        frozen.process.cont()
        time.sleep(play.random.uniform(2, 4))
        if not frozen.running():  # it may give up: in words, and not with 0
            play.check("zombie", [] if frozen.process.code() else ["a zombie ended with 0"])
            play.notes.append(f"zombie ended with {frozen.process.code()}")
            frozen.start()
    play.finish(120)
    return play


STEPS = ("commit.begin", "commit.state", "commit.offsets", "commit.flushed", "commit.during", "commit.done")
RESTORE_STEPS = ("restore.committed", "restore.watermark", "restore.reading", "restore.loaded",
                 "restore.start")
WHERE_IT_DIES_S = 15


def _await_death(play, agent, step):
    try:
        wait_until(f"death at {step}", lambda: not agent.running(), WHERE_IT_DIES_S, 0.02)
    except PartError as error:
        play.check("F10", [f"{error}: is CRASH_POINT compiled in (preset faults)?"])
        agent.kill()
        return
    if agent.process.code() != -9:
        play.check("F10", [f"at {step} it ended with {agent.process.code()} instead of being killed"])


def every_step(seed):
    """F10: kill -9 at every step of a commit and of a restore."""
    play = Play("every-step", seed)
    agent = play.ground.agent()
    steps = list(STEPS + RESTORE_STEPS)
    play.random.shuffle(steps)
    play.begin(agent, feed_s=25)
    time.sleep(1)
    agent.kill()
    for step in steps:
        most = 4 if step.startswith("commit") else 6
        agent.launch(f"{step}:{play.random.randint(1, most)}")
        _await_death(play, agent, step)
    agent.start()
    play.notes.append(f"{len(steps)} steps")
    play.finish()
    return play


SCENARIOS = {"kill-static": kill_static, "kill-dynamic": kill_dynamic, "scale": scale, "zombie": zombie,
             "every-step": every_step}
