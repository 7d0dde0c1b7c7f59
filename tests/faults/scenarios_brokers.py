"""Scenarios in which Kafka itself fails: one node that is killed or freezes, three nodes of which one is
lost or all are restarted one after the other, a changelog that is compacted meanwhile or is gone.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import time

from cluster import Cluster
from ground import STATES
from kafka_client import admin
from kafka_files import forgotten_markers
from parts import Broker
from play import BROKER_SETTINGS, KAFKA, HangingTransaction, Play, end_all
from processes import PartError, wait_until

_own = {}


def own_broker():
    """One node that may be broken; whole again when this returns."""
    if "one" not in _own:
        _own["one"] = Broker(KAFKA, "faults-own", BROKER_SETTINGS).start()
    return _own["one"]


def broker_bounce(seed):
    """F5: the only broker is killed and frozen, and comes back."""
    return _bounce_and_look(seed, "old")


def broker_bounce_new(seed):
    """F5: the same with the newest librdkafka, which may not come back from it: then the agent ends and is
    started again."""
    return _bounce_and_look(seed, "new")


def _bounce_and_look(seed, lib):
    try:
        play = _bounce(seed, lib)
        lost = forgotten_markers(play.broker.dir / "data", play.ground.written) if play.failed() else []
    except HangingTransaction as error:
        play, lost = None, str(error).splitlines()[-1:]
    if not lost:
        return play
    # Killed between its own "prepare" and the markers of a transaction, a single node may forget some (seen on
    # 4.3.1: CompleteCommit or CompleteAbort in its log, no marker in a partition): docs/guarantees.md.
    end_all()
    play = _bounce(seed + 1000, lib)
    play.notes.append(f"at first Kafka itself lost the end of a transaction: {lost[0]}")
    return play


def _bounce(seed, lib):
    # A transaction that times out while the node is away is aborted as it boots, which loses markers most.
    play = Play("broker-bounce", seed, own_broker(), kafka__producer={"transaction.timeout.ms": 60000})
    play.feeder_suffers = True
    agent = play.ground.agent()
    agent.lib = lib
    play.begin(agent, feed_s=18)
    time.sleep(play.random.uniform(2, 4))
    play.broker.kill()
    time.sleep(play.random.uniform(0.2, 1.5))
    play.broker.start()
    time.sleep(play.random.uniform(2, 4))
    play.broker.pause()
    time.sleep(play.random.uniform(3, 5))
    play.broker.cont()
    play.ground.supervised = True
    play.finish(240)
    codes = play.ground.ended_with
    stuck = agent.log().count("event=worker_stuck")
    play.check("F5", [f"it ended with {codes}, {stuck} times because it was stuck"] if codes != [1] * stuck else [])
    play.notes += [f"ended with {code} and was started again" for code in codes]
    return play


def three_nodes():
    """The cluster, whole."""
    if "three" not in _own:
        _own["three"] = Cluster("faults-node", 3)
    _own["three"].await_whole()
    return _own["three"]


def _three(name, seed, feed_s):
    play = Play(name, seed, three_nodes(), replication=3)
    play.feeder_suffers = True
    play.begin(feed_s=feed_s)
    time.sleep(play.random.uniform(2, 3))
    return play


def lost_node(seed):
    """F5: one of three nodes is killed, and is back half a minute later."""
    play = _three("lost-node", seed, 16)
    lost = play.random.choice(play.broker.nodes)
    lost.kill()
    time.sleep(20)
    lost.start()
    play.finish(150)
    return play


def rolling_restart(seed):
    """F5: three nodes are restarted one after the other, one of them by kill -9; an agent is killed too."""
    play = _three("rolling", seed, 30)
    nodes = play.random.sample(play.broker.nodes, 3)
    for i, node in enumerate(nodes):
        node.kill() if i == 1 else node.stop()
        node.start()
        play.broker.await_whole()
        if i == 0:
            play.kill_and_restart(play.ground.agents[0])
    play.finish(150)
    return play


def compaction(seed):
    """F12: changelogs are compacted again and again while the agent is killed."""
    play = Play("compaction", seed)
    agent = play.ground.agent()
    play.ground.create_topics(agent)
    play.ground.alter_topics(STATES, {
        "segment.ms": "1000", "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "1000", "delete.retention.ms": "60000"})
    play.compacted = [play.ground.topics[name] for name in STATES]
    play.begin(agent, feed_s=16, make_topics=False)
    play.while_feeding(4, 14, lambda _i: play.kill_and_restart(agent))
    final = play.finish()
    written = sum(end for part, end in play.ground.ends(
        [play.ground.topics["state_applications"]]).items())
    kept = len(final.of("state_applications"))
    play.check("F12", [] if kept < written * 0.7 else [f"{kept} of {written} records left: no compaction"])
    play.notes.append(f"{kept} of {written} records left")
    return play


def deleted_state(seed):
    """F12: a changelog is deleted while offsets remain: the agent must refuse to run, in words."""
    play = Play("deleted-state", seed, applications=8)
    agent = play.begin(feed_s=3)
    play.feeder.end()
    play.ground.drain()
    agent.process.stop(30)
    topic = play.ground.topics["state_applications"]
    client = admin(play.ground.bootstrap)
    client.delete_topics([topic])[topic].result(30)
    time.sleep(1)
    play.check("F12", _must_refuse(agent, None, "is missing while the topic is"))
    agent.create_topics()
    play.check("F12", _must_refuse(agent, "its state is gone", "on an empty changelog"))
    return play


def _must_refuse(agent, words, when):
    """With words: it ends by itself, not with 0, and its log has them. Without: it never gets ready."""
    agent.launch()
    try:
        wait_until("an end", lambda: not agent.running() or agent.readyz()[0] == 200, 12)
        if agent.running():
            return [f"it runs {when}"]
    except PartError:
        if words is None:
            agent.kill()
            return []
        return [f"it neither ends nor runs {when}: {agent.readyz()}"]
    if words and words not in agent.log():
        return [f"it ended {when} without '{words}'\n{agent.log()[-600:]}"]
    return [] if agent.process.code() else [f"it ended with 0 {when}"]


SCENARIOS = {"broker-bounce": broker_bounce, "bounce-new": broker_bounce_new, "lost-node": lost_node, "rolling": rolling_restart,
             "compaction": compaction, "deleted-state": deleted_state}
