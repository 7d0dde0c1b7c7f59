"""The long run: every fault mixed at random, for as long as one likes, best with the address sanitizer.

Used by run.py --soak. One Play; its verdict is that of all others, and memory must stay flat.
"""

import pathlib
import statistics
import threading
import time

from parts import Alertmanager, WebhookRecorder
from play import STABLE_S, Play
from processes import HOST, PartError
from proxy import (ADD_OFFSETS, ADD_PARTITIONS, END_TXN, PRODUCE, TXN_OFFSET_COMMIT, WRITE_MARKERS,
                   Rule)
from scenarios_network import proxied_broker

APPLICATIONS_PER_MINUTE = 30
WARM_S = 40  # a process this young says nothing about memory
GROWTH_MAX = 1.35


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

    def __init__(self, play, agents_proxy, brokers_proxy, manager):
        self.play, self.proxy, self.brokers, self.manager = play, agents_proxy, brokers_proxy, manager
        self.random = play.random
        self.done = {}

    def one(self):
        fault = self.random.choice((self.kill, self.kill, self.freeze, self.cut, self.ghosts, self.delay,
                                    self.slow_markers, self.broker, self.alertmanager, self.leave))
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
                agent.launch()
                agent.since = time.monotonic()

    def kill(self):
        agent = self._someone()
        if agent:
            agent.kill()

    def freeze(self):
        agent = self._someone()
        if agent:
            agent.process.pause()
            time.sleep(self.random.uniform(1, 8))
            agent.process.cont()

    def leave(self):
        agent = self._someone()
        if agent:
            agent.process.stop(40)
            time.sleep(self.random.uniform(0, 6))

    def cut(self):
        for _ in range(self.random.randint(1, 5)):
            self.proxy.cut_all()
            time.sleep(self.random.uniform(0.1, 2))

    def _rules(self, proxy, *rules):
        proxy.set_rules(*rules)
        time.sleep(self.random.uniform(3, 10))
        proxy.set_rules()

    def ghosts(self):
        self._rules(self.proxy, Rule("ghost", 0.15, (PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TXN,
                                                     TXN_OFFSET_COMMIT), (0.1, 0.6)))

    def delay(self):
        self._rules(self.proxy, Rule("delay", 0.3, delay_s=(0.0, 0.5)))

    def slow_markers(self):
        self._rules(self.brokers, Rule("delay", 1.0, (WRITE_MARKERS,), (0.0, 0.8)))

    def broker(self):
        if self.random.random() < 0.5:  # no kill -9: a single node may then leave a transaction open for good
            self.play.broker.stop()
            time.sleep(self.random.uniform(0.2, 3))
            self.play.broker.start()
        else:
            self.play.broker.pause()
            time.sleep(self.random.uniform(1, 6))
            self.play.broker.cont()

    def alertmanager(self):
        self.manager.kill()
        time.sleep(self.random.uniform(0.5, 5))
        self.manager.start()


def soak(seed, minutes):
    """F13: all faults mixed for `minutes`; memory flat, nothing lost, nothing twice."""
    hook = WebhookRecorder()
    manager = Alertmanager("soak-am", hook.url).start()
    broker, agents_proxy, brokers_proxy = proxied_broker(seed)
    play = Play("soak", seed, broker, agent_brokers=f"{HOST}:{agents_proxy.port}",
                applications=max(40, int(APPLICATIONS_PER_MINUTE * minutes)), junk=int(30 * minutes),
                kafka__consumer={"session.timeout.ms": 6000}, alertmanager__urls=[manager.url],
                alertmanager__resend_interval="1s", agent__workers=2)
    play.clean_up += [hook.stop, manager.kill_if_running]
    play.begin(play.ground.agent(), play.ground.agent(), feed_s=minutes * 60, at_once=0.01)
    faults, watch = Faults(play, agents_proxy, brokers_proxy, manager), Watch(play)
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        faults.one()
        faults.revive()
        time.sleep(play.random.uniform(2, 12))
    faults.revive()
    play.feeder.end(600)
    watch.stop()
    play.notes.append(", ".join(f"{n} {name}" for name, n in sorted(faults.done.items())))
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
