"""Scenarios in which agents die, freeze, come and go; Kafka itself is well.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import re
import statistics
import time

from ground import TRANSACTION_TIMEOUT_MS
from play import Play, at_work
from processes import PartError, wait_until
from verdict import POSITION_KEY, position


DYNAMIC_SESSION_S = 4
STATIC_P50_S, SLACK_S = 4.0, 4.0  # generous: the machine may be busy
PAUSE_MAX_MS = 4000  # likewise; a session that ends takes as long
REVOKED = re.compile(r"event=partition_revoked .*?topic=(\S+) partition=(\d+)")


def _recovery(play, killed_ms, p50_s):
    """From each kill to the next commit."""
    took = [ms / 1000 for ms in play.recovery_ms(killed_ms)]
    p50 = statistics.median(took) if took else 0.0
    play.notes.append(f"kill to next commit: p50 {p50:.2f} s, worst {max(took, default=0):.2f} s")
    play.check("recovery", [] if len(took) == len(killed_ms) and p50 <= p50_s else
               [f"{len(took)} of {len(killed_ms)} kills were followed by a commit, p50 {p50:.2f} s"])


def kill_static(seed):
    """F1: kill -9 six times at random moments, restarted at once, under the same name."""
    play = Play("kill-static", seed)
    agent = play.begin()
    killed = []
    play.while_feeding(6, 12, lambda _i: killed.append(play.kill_and_restart(agent)))
    play.finish()
    _recovery(play, killed, STATIC_P50_S)
    return play


def kill_dynamic(seed):
    """F2: the same without a name in the group: its partitions wait for the session to end."""
    play = Play("kill-dynamic", seed, kafka__consumer={"session.timeout.ms": DYNAMIC_SESSION_S * 1000})
    agent = play.begin(play.ground.agent(membership="dynamic"), feed_s=24)
    killed = []
    for _ in range(3):
        time.sleep(play.random.uniform(0.5, 2))
        killed.append(play.kill_and_restart(agent))
        at_work(play, agent)
    play.finish(120)
    _recovery(play, killed, DYNAMIC_SESSION_S + SLACK_S)
    return play


def kill_workers(seed):
    """F1 with three workers in the agent and the newest librdkafka."""
    play = Play("kill-workers", seed)
    agent = play.ground.agent(workers=3)
    agent.lib = "new"
    play.begin(agent)
    killed = []
    play.while_feeding(4, 12, lambda _i: killed.append(play.kill_and_restart(agent)))
    play.finish()
    _recovery(play, killed, STATIC_P50_S)
    return play


def scale(seed):
    """F3: one agent, three, one; they leave by SIGTERM and by kill -9."""
    play = Play("scale", seed, kafka__consumer={"session.timeout.ms": 4000})
    first = play.begin(feed_s=24)
    second, third = play.ground.agent(), play.ground.agent()
    time.sleep(play.random.uniform(1, 2))
    second.start()
    time.sleep(play.random.uniform(0, 1))
    third.start()
    at_work(play, first, second, third)
    time.sleep(play.random.uniform(0, 2))
    leaving = [first, second, third]
    play.random.shuffle(leaving)
    leaving[0].kill()
    time.sleep(play.random.uniform(0, 2))
    play.codes[leaving[1].name] = leaving[1].process.stop(30)
    time.sleep(play.random.uniform(0, 1))
    play.finish(120)
    return play


def scale_cooperative(seed):
    """F3: the same, handed over one by one (cooperative-sticky, the newest librdkafka): who keeps a partition
    goes on with it meanwhile."""
    play = Play("scale-coop", seed, kafka__consumer={"session.timeout.ms": 4000,
                                                     "partition.assignment.strategy": "cooperative-sticky"})
    first, second, third = (play.ground.agent(membership="dynamic") for _ in range(3))
    for agent in (first, second, third):
        agent.lib = "new"
    play.begin(first, feed_s=24)
    at_work(play, first)
    begun_ms = time.time() * 1000
    for there in ((first, second), (first, second, third)):
        there[-1].start()
        at_work(play, *there)
    _keeps_on(play, first, begun_ms, time.time() * 1000)
    third.kill()
    time.sleep(play.random.uniform(0, 2))
    play.codes[second.name] = second.process.stop(30)
    play.finish(120)
    return play


def _keeps_on(play, agent, from_ms, to_ms):
    """What came into a partition of the runs that this agent kept was worked off soon all the time between."""
    names, waits = play.ground.topics, []
    lost = {int(number) for topic, number in REVOKED.findall(agent.log()) if topic == names["runs"]}
    for number in set(range(play.ground.partitions)) - lost:
        made = [(seen.timestamp_ms, position(seen.value)["offset"])
                for seen in list(play.tail.records[names["state_pipelines"], number]) if seen.key == POSITION_KEY]
        for seen in list(play.tail.records[names["runs"], number]):
            if from_ms < seen.timestamp_ms < to_ms:
                done = [at for at, offset in made if offset > seen.offset]
                waits.append(min(done, default=time.time() * 1000) - seen.timestamp_ms)
    longest = max(waits, default=0)
    play.notes.append(f"{len(waits)} runs in partitions that stayed, worked off within {longest / 1000:.1f} s")
    play.check("pause", ([] if waits else ["no run came into a partition that stayed"]) +
               ([] if longest < PAUSE_MAX_MS else [f"a partition that stayed stood still for {longest:.0f} ms"]))


def zombie(seed):
    """F4: an owner frozen beyond its session; another takes over; the frozen one wakes up, twice."""
    play = Play("zombie", seed, kafka__consumer={"session.timeout.ms": 4000})
    first, second = play.begin(play.ground.agent(), play.ground.agent(), feed_s=24)
    for frozen, other in ((first, second), (second, first)):
        at_work(play, first, second)
        frozen.process.pause()
        at_work(play, other)
        time.sleep(play.random.uniform(0.0, 1.5))
        frozen.process.cont()
        time.sleep(play.random.uniform(2, 4))
        if not frozen.running():  # it may give up: in words, and not with 0
            play.check("zombie", [] if frozen.process.code() else ["a zombie ended with 0"])
            play.notes.append(f"a zombie ended with {frozen.process.code()}")
            frozen.start()
    play.finish(120)
    play.notes.append(f"{sum('event=transaction_failed' in agent.log() for agent in (first, second))} of 2 "
                      "had a transaction refused")
    return play


def _frozen_in_transaction(play, agent):
    """Frozen while a transaction is open; else it goes on."""
    def is_open():
        names = play.ground.written
        return play.ground.ends(names) != play.ground.ends(names, committed_only=True)
    if not is_open():
        return False
    agent.process.pause()
    time.sleep(0.5)  # the end of one that was just over
    if not is_open():
        agent.process.cont()
        return False
    return True


def frozen(seed):
    """F4: an owner frozen for longer than its transaction may take, but not than its session: it keeps its
    partitions and must undo what Kafka has aborted meanwhile."""
    play = Play("frozen", seed, agent__commit_interval="3s")
    agent = play.begin(feed_s=44)
    for _ in range(2):
        time.sleep(play.random.uniform(1, 3))
        wait_until("frozen in a transaction", lambda: _frozen_in_transaction(play, agent), 20, 0.2)
        time.sleep(TRANSACTION_TIMEOUT_MS / 1000 + 3)
        agent.process.cont()
    play.finish()
    refused = agent.log().count("event=transaction_failed")
    play.check("frozen", [] if refused >= 2 else [f"{refused} transactions were refused, not 2"])
    return play


def twins(seed):
    """Two agents by mistake have one name: they throw each other out until one gives up, in words; what is
    written is right all the same."""
    play = Play("twins", seed)
    first = play.ground.agent()
    twin = play.ground.agent(twin_of=first.instance)
    play.begin(first, feed_s=16)
    time.sleep(play.random.uniform(1, 3))
    twin.start()
    both = (first, twin)
    wait_until("one of two twins gives up", lambda: not all(agent.running() for agent in both), 90, 0.1)
    time.sleep(2)
    for agent in both:
        if not agent.running():
            play.check("twins", [] if agent.process.code() == 1 and "another process uses the name" in agent.log()
                       else [f"{agent.name} ended with {agent.process.code()}\n{agent.process.tail(3)}"])
    if not any(agent.running() for agent in both):
        play.notes.append("both gave up")
        first.start()
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
        play.check("F10", [f"{error}: is CRASH_POINT compiled in (tests/faults/build.sh)?"])
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


SCENARIOS = {"kill-static": kill_static, "kill-dynamic": kill_dynamic, "kill-workers": kill_workers,
             "scale": scale, "scale-coop": scale_cooperative, "zombie": zombie, "frozen": frozen, "twins": twins, "every-step": every_step}
