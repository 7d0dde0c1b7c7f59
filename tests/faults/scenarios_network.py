"""Scenarios in which the network between the agents and Kafka, or between brokers, fails: connections
cut, delayed, requests that arrive after their connection ended, transaction markers that come late.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import time

from cluster import Cluster
from play import Play, at_work
from proxy import (ADD_OFFSETS, ADD_PARTITIONS, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, WRITE_MARKERS,
                   Rule)

_proxied = {}


def _play(name, seed, **options):
    """A play whose agents reach the only broker through a proxy; calm again before the verdict."""
    if "one" not in _proxied:
        _proxied["one"] = Cluster("faults-proxied", 1, nodes=1, agents=True)
    cluster = _proxied["one"]
    cluster.calm(seed)
    play = Play(name, seed, cluster, agent_brokers=cluster.agent_brokers, **options)
    play.clean_up.append(lambda: cluster.calm(seed))
    return play, cluster.agents[0]


def _finish(play, *proxies):
    """The faults must have happened, then they end."""
    play.feeder.end()
    done = {}
    for proxy in proxies:
        proxy.set_rules()
        done |= proxy.done
        proxy.done = {}
    play.check("faults", [] if done else ["the proxy did nothing"])
    play.notes.append(", ".join(f"{count} {act}" for act, count in sorted(done.items())))
    play.finish(120)
    return play


def cut_connections(seed):
    """F6: connections cut again and again, before a request arrives or before its answer does."""
    play, agents = _play("cut", seed)
    play.begin(feed_s=16)
    time.sleep(1)
    agents.set_rules(Rule("cut", 0.01), Rule("late-cut", 0.02, delay_s=(0.0, 0.05)))

    def everything(_i):
        agents.cut_all()
        agents.done["cut all"] = agents.done.get("cut all", 0) + 1
    play.while_feeding(5, 14, everything)
    return _finish(play, agents)


def delayed(seed):
    """F6: every request may take up to half a second longer."""
    play, agents = _play("delayed", seed)
    play.begin(feed_s=14)
    agents.set_rules(Rule("delay", 0.3, delay_s=(0.0, 0.5)))
    return _finish(play, agents)


def ghost_commits(seed):
    """F7: the request that ends a transaction arrives after its connection was cut."""
    play, agents = _play("ghost-commits", seed)
    play.begin(feed_s=16)
    time.sleep(1)
    agents.set_rules(Rule("ghost", 0.2, (END_TXN,), (0.1, 0.6)))
    return _finish(play, agents)


def ghosts(seed):
    """F7: any request of a transaction arrives after its connection was cut."""
    play, agents = _play("ghosts", seed)
    play.begin(feed_s=16)
    time.sleep(1)
    agents.set_rules(Rule("ghost", 0.12, (PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TXN,
                                          TXN_OFFSET_COMMIT), (0.1, 0.6)))
    return _finish(play, agents)


def slow_markers(seed):
    """F8: a commit is over, yet its markers reach some nodes up to 1.5 s late; meanwhile agents come and go.
    The node that keeps the positions is not late: who takes over sees the new position at once, while the
    state topics do not show yet what belongs to it."""
    if "slow" not in _proxied:
        _proxied["slow"] = Cluster("faults-slow", 1, between=True)
    cluster = _proxied["slow"]
    play = Play("slow-markers", seed, cluster, kafka__consumer={"session.timeout.ms": 4000})
    first, second, third = (play.ground.agent(membership="dynamic") for _ in range(3))
    play.begin(first, feed_s=24)
    at_work(play, first)
    prompt = cluster.coordinator(play.ground.name)
    cluster.calm(seed)
    for number, proxy in enumerate(cluster.between, 1):
        if number != prompt:
            proxy.set_rules(Rule("delay", 1.0, (WRITE_MARKERS,), (0.3, 1.5)))
    play.clean_up.append(lambda: cluster.calm(seed))
    for there in ((first, second), (first, second, third)):
        there[-1].start()
        at_work(play, *there)
    for leaving, there in ((second, (first, third)), (third, (first,))):
        play.codes[leaving.name] = leaving.process.stop(40)
        at_work(play, *there)
    second.start()
    time.sleep(play.random.uniform(0.5, 2))
    first.kill()
    return _finish(play, *cluster.proxies)


SCENARIOS = {"cut": cut_connections, "delayed": delayed, "ghost-commits": ghost_commits, "ghosts": ghosts,
             "slow-markers": slow_markers}
