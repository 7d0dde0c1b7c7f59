"""The long run: every fault mixed at random on three nodes, for as long as one likes, best with the address
sanitizer.

Used by run.py --soak. One Play; its verdict is that of all others, and memory must stay flat.
"""

import pathlib
import statistics
import threading
import time

from cluster import Cluster
from ground import STATES
from parts import Alertmanager, WebhookRecorder
from play import STABLE_S, Play
from processes import PartError
from proxy import (ADD_OFFSETS, ADD_PARTITIONS, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, WRITE_MARKERS,
                   Rule)
from scenarios_agents import RESTORE_STEPS, STEPS

APPLICATIONS_PER_MINUTE = 40
WARM_S = 40  # a process this young says nothing about memory
GROWTH_MAX = 1.35
PROGRESS_S = 300


class Watch:
    """Looks on every few seconds: memory of agents that live for a while, how old an open end gets."""

    def __init__(self, play):
        self._play, self._over = play, threading.Event()
        self.resident, self.oldest_s = [], 0.0
        self._open_since = {}
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        while not self._over.wait(5):
            for agent in self._play.ground.agents:
                if agent.running() and time.monotonic() - getattr(agent, "since", 0) > WARM_S:
                    self.resident.append(_resident_mib(agent.process.pid))
            try:
                ends = self._play.ground.ends()
                stable = self._play.ground.ends(committed_only=True)
            except PartError:
                continue
            now = time.monotonic()
            self._open_since = {part: self._open_since.get(part, (now, stable[part])) for part in ends
                                if ends[part] > stable[part] and
                                self._open_since.get(part, (now, stable[part]))[1] == stable[part]}
            self.oldest_s = max([self.oldest_s, *(now - since for since, _ in self._open_since.values())])

    def stop(self):
        self._over.set()
        self._thread.join(60)


def _resident_mib(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class Faults:
    """What may happen; each leaves things so that another may follow."""

    def __init__(self, play, cluster, manager):
        self.play, self.cluster, self.manager = play, cluster, manager
        self.random = play.random
        self.done = {}

    def one(self):
        fault = self.random.choice((self.kill, self.kill_at_step, self.freeze, self.leave, self.cut, self.ghosts,
                                    self.delay, self.slow_markers, self.kill_node, self.restart_node,
                                    self.freeze_node, self.alertmanager))
        self.done[fault.__name__] = self.done.get(fault.__name__, 0) + 1
        fault()

    def _someone(self):
        running = [agent for agent in self.play.ground.agents if agent.running()]
        return self.random.choice(running) if running else None

    def revive(self):
        """Who ended is started again, as a supervisor would."""
        for agent in self.play.ground.agents:
            if not agent.running():
                if agent.process is not None and agent.process.code() not in (-9, 0, 1):
                    self.play.check("ends", [f"{agent.name} ended with {agent.process.code()}"])
                self._launch(agent)

    def _launch(self, agent, crash_point=None):
        agent.launch(crash_point)
        agent.since = time.monotonic()

    def kill(self):
        agent = self._someone()
        if agent:
            agent.kill()

    def kill_at_step(self):
        """Killed, and in its next life again at a step of a commit or of a restore."""
        agent = self._someone()
        if agent:
            agent.kill()
            self._launch(agent, f"{self.random.choice(STEPS + RESTORE_STEPS)}:{self.random.randint(1, 12)}")

    def freeze(self):
        agent = self._someone()
        if agent:
            agent.process.pause()
            time.sleep(self.random.uniform(1, 12))
            agent.process.cont()

    def leave(self):
        agent = self._someone()
        if agent:
            code = agent.process.stop(40)
            self.play.check("ends", [f"{agent.name} ended with {code}"] if code else [])
            time.sleep(self.random.uniform(0, 8))

    def cut(self):
        for _ in range(self.random.randint(1, 5)):
            for proxy in self.cluster.agents:
                proxy.cut_all()
            time.sleep(self.random.uniform(0.1, 2))

    def _rules(self, proxies, *rules):
        for proxy in proxies:
            proxy.set_rules(*rules)
        time.sleep(self.random.uniform(3, 10))
        for proxy in proxies:
            proxy.set_rules()

    def ghosts(self):
        self._rules(self.cluster.agents, Rule("ghost", 0.15, (PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TXN,
                                                              TXN_OFFSET_COMMIT), (0.1, 0.6)))

    def delay(self):
        self._rules(self.cluster.agents, Rule("delay", 0.3, delay_s=(0.0, 0.5)))

    def slow_markers(self):
        self._rules(self.cluster.between, Rule("delay", 1.0, (WRITE_MARKERS,), (0.0, 0.8)))

    def _node(self):
        """Two nodes must be there to take over: the last one that failed has caught up."""
        self.cluster.await_whole()
        return self.random.choice(self.cluster.nodes)

    def kill_node(self):
        node = self._node()
        node.kill()
        time.sleep(self.random.uniform(0.2, 8))
        node.start()

    def restart_node(self):
        node = self._node()
        node.stop()
        node.start()

    def freeze_node(self):
        node = self._node()
        node.pause()
        time.sleep(self.random.uniform(1, 8))
        node.cont()

    def alertmanager(self):
        self.manager.kill()
        time.sleep(self.random.uniform(0.5, 5))
        self.manager.start()


def soak(seed, minutes):
    """F13: all faults mixed for `minutes`; memory flat, nothing lost, nothing twice."""
    hook = WebhookRecorder()
    manager = Alertmanager("soak-am", hook.url).start()
    cluster = Cluster("soak-node", 3, between=True, agents=True)
    cluster.calm(seed)
    play = Play("soak", seed, cluster, agent_brokers=cluster.agent_brokers, replication=3,
                applications=max(40, int(APPLICATIONS_PER_MINUTE * minutes)), junk=int(30 * minutes),
                kafka__consumer={"session.timeout.ms": 10000}, alertmanager__urls=[manager.url],
                alertmanager__resend_interval="1s", agent__workers=2)
    play.clean_up += [hook.stop, manager.kill_if_running, cluster.kill_if_running]
    play.feeder_suffers = True
    play.compacted = [play.ground.topics[name] for name in STATES]  # in an hour, Kafka does
    play.begin(play.ground.agent(), play.ground.agent(), feed_s=minutes * 60, at_once=0.01)
    faults, watch = Faults(play, cluster, manager), Watch(play)
    end, told = time.monotonic() + minutes * 60, time.monotonic()
    while time.monotonic() < end:
        faults.one()
        faults.revive()
        time.sleep(play.random.uniform(2, 12))
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            print(f"      {(end - told) / 60:4.0f} min left, {sum(faults.done.values())} faults", flush=True)
    cluster.calm(seed)
    cluster.await_whole()
    for agent in play.ground.agents:  # no one may wait for a step at which to die
        agent.kill()
    faults.revive()
    play.feeder.end(600)
    watch.stop()
    play.notes.append(f"{sum(faults.done.values())} faults: " +
                      ", ".join(f"{n} {name}" for name, n in sorted(faults.done.items())))
    _memory(play, watch)
    play.check("LSO", [] if watch.oldest_s < STABLE_S + 10 else [f"an end was open for {watch.oldest_s:.0f} s"])
    play.finish(300)
    return play


def _memory(play, watch):
    quarter = len(watch.resident) // 4
    if quarter < 5:
        play.notes.append("too short to judge memory")
        return
    early = statistics.median(watch.resident[quarter:2 * quarter])
    late = statistics.median(watch.resident[-quarter:])
    play.notes.append(f"resident {early:.0f} MiB early, {late:.0f} late; oldest open end {watch.oldest_s:.0f} s")
    play.check("memory", [] if late < early * GROWTH_MAX else [f"grew from {early:.0f} to {late:.0f} MiB"])
