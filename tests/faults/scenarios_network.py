"""Scenarios in which the network between the agents and Kafka, or between brokers, fails: connections
cut, delayed, requests that arrive after their connection ended, transaction markers that come late.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import time

from cluster import Cluster
from parts import Broker
from play import BROKER_SETTINGS, KAFKA, Play, at_work
from processes import HOST, free_port
from proxy import (ADD_OFFSETS, ADD_PARTITIONS, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, WRITE_MARKERS,
                   Proxy, Rule)

_proxied = {}


def proxied_broker(seed):
    """A broker with a listener of its own for agents and one for what brokers say to each other, both
    behind proxies; the suite itself talks to it directly. (broker, agents' proxy, brokers' proxy)"""
    if "broker" not in _proxied:
        agents, brokers = Proxy(), Proxy()
        client, controller = free_port(), free_port()
        agents.target, brokers.target = free_port(), free_port()
        broker = Broker(KAFKA, "faults-proxied", {
            **BROKER_SETTINGS,
            "listeners": f"PLAINTEXT://{HOST}:{client},AGENTS://{HOST}:{agents.target},"
                         f"BROKERS://{HOST}:{brokers.target},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{client},AGENTS://{HOST}:{agents.port},"
                                    f"BROKERS://{HOST}:{brokers.port}",
            "listener.security.protocol.map":
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,AGENTS:PLAINTEXT,BROKERS:PLAINTEXT",
            "inter.broker.listener.name": "BROKERS"}, (client, controller))
        broker.start()
        _proxied["broker"] = broker, agents, brokers
    broker, agents, brokers = _proxied["broker"]
    for proxy in (agents, brokers):
        proxy.begin(seed)
    return broker, agents, brokers


def _play(name, seed, **options):
    """A play whose agents reach Kafka through the proxy; calm again before the verdict."""
    broker, agents, brokers = proxied_broker(seed)
    play = Play(name, seed, broker, agent_brokers=f"{HOST}:{agents.port}", **options)
    play.clean_up.append(lambda: (agents.set_rules(), brokers.set_rules()))
    return play, agents, brokers


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
    play, agents, _ = _play("cut", seed)
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
    play, agents, _ = _play("delayed", seed)
    play.begin(feed_s=14)
    agents.set_rules(Rule("delay", 0.3, delay_s=(0.0, 0.5)))
    return _finish(play, agents)


def ghost_commits(seed):
    """F7: the request that ends a transaction arrives after its connection was cut."""
    play, agents, _ = _play("ghost-commits", seed)
    play.begin(feed_s=16)
    time.sleep(1)
    agents.set_rules(Rule("ghost", 0.2, (END_TXN,), (0.1, 0.6)))
    return _finish(play, agents)


def ghosts(seed):
    """F7: any request of a transaction arrives after its connection was cut."""
    play, agents, _ = _play("ghosts", seed)
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
        _proxied["slow"] = Cluster("faults-slow", 1, proxied=True)
    cluster = _proxied["slow"]
    play = Play("slow-markers", seed, cluster, kafka__consumer={"session.timeout.ms": 4000})
    first, second, third = (play.ground.agent(membership="dynamic") for _ in range(3))
    play.begin(first, feed_s=24)
    at_work(play, first)
    prompt = cluster.coordinator(play.ground.name)
    for number, proxy in enumerate(cluster.proxies, 1):
        proxy.begin(f"{seed} {number}")
        if number != prompt:
            proxy.set_rules(Rule("delay", 1.0, (WRITE_MARKERS,), (0.3, 1.5)))
    play.clean_up.append(lambda: [proxy.set_rules() for proxy in cluster.proxies])
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
