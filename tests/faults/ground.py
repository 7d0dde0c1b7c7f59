"""Where a run takes place: fresh topics and a fresh group on a broker, the agents of the group, the
feeder that writes the workload while they run, and the wait until all of it has been worked off.

Used by play.py and the scenarios. Knows today's agent by the settings it has: what a binary does not
know is left out of its configuration, so that an older one can be judged by the same suite.
"""

import functools
import threading
import time

from agent import BINARY, Stoker, environment, stoker
from kafka_client import Sender, admin, await_topics, create_topics, unique
from kafka_look import committed, ends, insist
from processes import PartError, Process, wait_until
from topics_def import INPUTS, OUTPUTS, STATES

QUIET_S = 3.0
OPEN_S = 30.0
TRANSACTION_TIMEOUT_MS = 10_000
COMMIT_INTERVAL = "200ms"
# A small quarantine: what was freed would otherwise look like growth.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:quarantine_size_mb=4:malloc_context_size=8",
              "UBSAN_OPTIONS": "print_stacktrace=1"}


@functools.cache
def known_settings():
    """The dotted names of the settings this binary has."""
    found, section = set(), ""
    for line in stoker("config", "sample").decode().splitlines():
        name, colon, value = line.partition(":")
        if not colon or name.lstrip().startswith("#"):
            continue
        if not name.startswith(" "):
            section = name
            found.add(name)
        elif name.startswith("  ") and not name.startswith("   "):
            found.add(f"{section}.{name.strip()}")
    return frozenset(found)


def keeps_state():
    """Whether this binary keeps its state in Kafka, which is what the suite is about."""
    return "topics.state_applications" in known_settings()


class Agent(Stoker):
    """A Stoker that may be told at which step to die, whose deaths are expected, and which may become
    another program when it starts again."""

    binary = BINARY

    def launch(self, crash_point=None):
        """Starts it without waiting for anything."""
        env = {**environment(self.lib), **SANITIZERS}
        if crash_point:
            env["CRASH_POINT"] = crash_point
        self.process = Process(f"stoker {self.name}", [self.binary, "run", "-c", self.config_path],
                               self.dir / "stoker.log", env)
        return self

    def start(self, crash_point=None):
        self.launch(crash_point)
        wait_until(f"stoker {self.name} alive", lambda: self.livez()[0] == 200, 30,
                   process=self.process)
        return self

    def running(self):
        return self.process is not None and not self.process.ended()

    def log(self):
        return (self.dir / "stoker.log").read_text(errors="replace")


class _Stamped(Sender):
    def put(self, topic, record):
        while True:
            try:
                self._producer.produce(topic, record.value, record.key, record.partition,
                                       on_delivery=self._delivered, timestamp=record.timestamp_ms)
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.1)


class Feeder:
    """Writes a workload into a topic, a share at once and the rest spread over some seconds."""

    def __init__(self, bootstrap, topic, records):
        self._sender = _Stamped(bootstrap)
        self._topic, self._records, self._sent = topic, records, 0
        self._thread, self._error = None, None

    def at_once(self, share):
        """Writes up to `share` of all, and waits for it."""
        self._send_to(int(len(self._records) * share))
        self._sender.flush()

    def _send_to(self, end):
        for record in self._records[self._sent:end]:
            self._sender.put(self._topic, record)
        self._sent = max(self._sent, end)

    def begin(self, seconds):
        """The rest in the background."""
        self._thread = threading.Thread(target=self._pace, args=(seconds,), daemon=True)
        self._thread.start()

    def _pace(self, seconds):
        begun, first = time.monotonic(), self._sent
        left = len(self._records) - first
        try:
            while self._sent < len(self._records):
                share = (time.monotonic() - begun) / max(seconds, 0.01)
                self._send_to(first + int(left * min(share, 1.0)))
                time.sleep(0.05)
            self._sender.flush(120)
        except Exception as error:  # pylint: disable=broad-except  # raised where it is waited for
            self._error = error

    @property
    def running(self):
        return self._thread is not None and self._thread.is_alive()

    def end(self, timeout_s=180):
        """Waits until all is written."""
        if self._thread is None:
            self.begin(0)
        self._thread.join(timeout_s)
        if self._thread.is_alive() or self._error:
            raise PartError(f"feeding: {self._error or 'still at it'}")


class Ground:
    """Topics and a group of their own. agent_brokers: where the agents find Kafka, if not where the
    suite does (a proxy). events, runs: existing topics to read instead of new ones."""

    def __init__(self, name, bootstrap, partitions, agent_brokers=None, replication=1, **options):
        self.name = unique(name)
        self.bootstrap = bootstrap
        self.partitions, self.replication = partitions, replication
        self.agents = []
        self.supervised, self.ended_with = False, []  # drain starts who ends by itself again; exit codes
        self.reads_all = BINARY  # the program that can read all that is in the runs topic
        self.waited_for = []  # what agents said they were waiting for, while they were to drain
        self.topics = {topic: f"{self.name}.{topic}" for topic in (*INPUTS, *OUTPUTS)}
        if keeps_state():
            self.topics |= {topic: f"{self.name}.{topic}" for topic in STATES}
        self.topics |= options.pop("topics", {})
        self.own_events = self.topics["events"].startswith(self.name)
        self.config = {
            "cluster": "faults",
            "kafka": {"brokers": agent_brokers or bootstrap,
                      "consumer": {"heartbeat.interval.ms": 500, "session.timeout.ms": 30000},
                      "producer": {"transaction.timeout.ms": TRANSACTION_TIMEOUT_MS}},
            "topics": {**self.topics, "partitions": partitions},
            "agent": {"group": self.name, "commit_interval": COMMIT_INTERVAL},
            "limits": {"idle": "2h", "grace": "5m"},
            "window": {"length": "30m", "pane": "1m"}}
        if "agent.tick" in known_settings():
            self.config["agent"]["tick"] = "0s"
        self._overlay(options)

    def _overlay(self, options):
        for dotted, value in options.items():
            section, _, key = dotted.partition("__")
            if f"{section}.{key}" in known_settings() or section == "kafka":
                self.config.setdefault(section, {})
                old = self.config[section].get(key)
                self.config[section][key] = {**old, **value} if isinstance(old, dict) else value

    @property
    def written(self):
        """The topics that agents write to."""
        return [self.topics[name] for name in (*OUTPUTS, *STATES) if name in self.topics]

    def agent(self, twin_of=None, **agent_options):
        """One more agent of the group, not started. twin_of: the name of another, which it has, too."""
        name = f"{self.name}-{len(self.agents)}"
        options = {k: v for k, v in agent_options.items() if f"agent.{k}" in known_settings()}
        config = dict(self.config, agent={**self.config["agent"], **options, "instance": twin_of or name})
        agent = Agent(name, config)
        agent.instance = twin_of or name
        self.agents.append(agent)
        return agent

    def create_topics(self, first):
        """The events topic by hand, its records are of last year; the others by the program."""
        if self.own_events:
            self.create_events()
        first.create_topics()
        await_topics(self.bootstrap, list(self.topics.values()))
        if "dlq" in self.topics:  # its letters have the time of their events
            self.alter_topics(["dlq"], {"retention.ms": "-1"})

    def create_events(self):
        create_topics(self.bootstrap, {self.topics["events"]: self.partitions},
                      {"retention.ms": "-1", "message.timestamp.type": "CreateTime",
                       "max.message.bytes": "8000000"}, self.replication)

    def delete_topic(self, name):
        client = admin(self.bootstrap)  # must outlive the request
        for future in client.delete_topics([self.topics[name]]).values():
            future.result(20)

    def alter_topics(self, names, config):
        """Sets topic configuration, e.g. so that compaction happens within a run."""
        from confluent_kafka.admin import (AlterConfigOpType, ConfigEntry,  # noqa: PLC0415
                                           ConfigResource, ResourceType)
        client = admin(self.bootstrap)
        wanted = [ConfigResource(ResourceType.TOPIC, self.topics[name], incremental_configs=[
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in config.items()]) for name in names]
        for future in client.incremental_alter_configs(wanted).values():
            future.result(20)

    def feeder(self, workload):
        return Feeder(self.bootstrap, self.topics["events"], workload.records)

    def runs_feeder(self, records):
        return Feeder(self.bootstrap, self.topics["runs"], records)

    def more_events(self, workload):
        """All of another workload behind what is there."""
        self.feeder(workload).at_once(1.0)

    def positions(self):
        return insist("positions", lambda: committed(
            self.bootstrap, self.name, [self.topics["events"], self.topics["runs"]]))

    def ends(self, names=None, committed_only=False):
        names = names or [*self.written, self.topics["events"], self.topics["runs"]]
        return insist("ends", lambda: ends(self.bootstrap, names, committed_only))

    def behind(self):
        """(topic, partition) -> (committed, last stable end) where the group has not read all. Markers at
        the end of the runs topic are nobody's to read, so there this is only an upper bound."""
        at, until = self.positions(), self.ends([self.topics["events"], self.topics["runs"]], True)
        return {part: (at[part], end) for part, end in until.items() if end > (at[part] or 0)}

    def drain(self, timeout_s=90):
        """Waits until the events are worked off, all state is loaded, and nothing is written any more. An agent
        that commits behind what it read (an older one) counts as done when it is quiet and says it has no lag."""
        events, deadline = self.topics["events"], time.monotonic() + timeout_s
        last, since = None, time.monotonic()
        while True:
            now = self.ends(self.written)
            if now != last:
                last, since = now, time.monotonic()
            quiet_s = time.monotonic() - since
            # What a dead agent left open hides what stage 2 has yet to read; I6 judges what stays open.
            settled = quiet_s >= QUIET_S and (quiet_s >= OPEN_S or now == self.ends(self.written, True))
            behind = [part for part in self.behind() if part[0] == events]
            waits = [words for agent in self.agents if agent.running()
                     for code, words in [agent.readyz()] if code != 200]
            if waits:  # state that is read late may make it write again
                since = time.monotonic()
                self.waited_for.append(waits[0].strip())
            elif settled and (not keeps_state() or not behind):
                return
            if time.monotonic() > deadline:
                raise PartError(f"not drained within {timeout_s} s: quiet for {quiet_s:.0f} s, behind: "
                                f"{self.behind()}, waits for: {waits}\n" + "\n".join(a.process.tail(5) for a in self.agents))
            if self.supervised:  # from here: a child dies with the thread that made it
                self._start_again()
            if not any(agent.running() for agent in self.agents):
                raise PartError("no agent runs that could drain\n" + "\n".join(
                    f"{a.name} ended with {a.process.code()}\n{a.process.tail(8)}" for a in self.agents))
            time.sleep(0.3)

    def _start_again(self):
        for agent in self.agents:
            if not agent.running():
                self.ended_with.append(agent.process.code())
                agent.launch()

    def stop(self):
        """SIGTERM to all that run; instance -> exit code."""
        return {agent.name: agent.process.stop(40) for agent in self.agents if agent.running()}

    def end(self):
        """For clean-up: whatever runs is killed."""
        for agent in self.agents:
            if agent.process is not None:
                agent.kill()
