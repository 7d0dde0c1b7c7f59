"""Kafka nodes, each broker and controller: three, or one. Looks like a Broker to a Play.

Used by the scenarios that lose nodes (three replicas of everything) and by those that disturb what is said
on the way: between nodes (`between`) and from agents to nodes (`agents`), a proxy in front of every node.
The suite itself always talks to the nodes directly.
"""

from kafka_client import admin
from parts import Broker
from play import BROKER_SETTINGS, KAFKA
from processes import HOST, free_port, wait_until
from proxy import Proxy

NODES = 3
REPLICATED = ("offsets.topic.replication.factor", "transaction.state.log.replication.factor",
              "share.coordinator.state.topic.replication.factor", "default.replication.factor")


class Cluster:
    """nodes; `between` and `agents`: a proxy per node, if asked for. What agents connect to is
    `agent_brokers`."""

    def __init__(self, name, replicas, nodes=NODES, between=False, agents=False):
        ports = [(free_port(), free_port()) for _ in range(nodes)]
        voters = ",".join(f"{i + 1}@{HOST}:{controller}" for i, (_, controller) in enumerate(ports))
        least = str(max(1, replicas - 1))
        self.between = [Proxy(free_port()) for _ in ports] if between else []
        self.agents = [Proxy(free_port()) for _ in ports] if agents else []
        common = {**BROKER_SETTINGS, **dict.fromkeys(REPLICATED, replicas), "controller.quorum.voters": voters,
                  "transaction.state.log.min.isr": least, "min.insync.replicas": least,
                  "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
        self.nodes = [Broker(KAFKA, f"{name}-{i + 1}", {**common, "node.id": i + 1, **self._listeners(i, pair)}, pair)
                      for i, pair in enumerate(ports)]
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)
        self.agent_brokers = ",".join(f"{HOST}:{proxy.port}" for proxy in self.agents) or self.bootstrap
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_up()
        self.await_whole()

    @property
    def proxies(self):
        return [*self.agents, *self.between]

    def calm(self, seed):
        """No proxy does anything; what they do from here on is the same for the same seed."""
        for number, proxy in enumerate(self.proxies):
            proxy.begin(f"{seed} {number}")

    def _listeners(self, i, pair):
        """server.properties of the listeners: a proxied one is advertised at its proxy."""
        proxied = {name: proxies[i] for name, proxies in (("BROKERS", self.between), ("AGENTS", self.agents))
                   if proxies}
        at = {"PLAINTEXT": pair[0], **{name: proxy.target for name, proxy in proxied.items()}}
        seen = {"PLAINTEXT": pair[0], **{name: proxy.port for name, proxy in proxied.items()}}
        both = ({**at, "CONTROLLER": pair[1]}, seen)
        listeners, advertised = (",".join(f"{name}://{HOST}:{port}" for name, port in each.items()) for each in both)
        return {"listeners": listeners, "advertised.listeners": advertised,
                "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in both[0]),
                "inter.broker.listener.name": "BROKERS" if self.between else "PLAINTEXT"}

    def await_whole(self):
        """All are in, and no partition misses a replica."""
        def whole():
            try:
                metadata = admin(self.bootstrap).list_topics(timeout=5)
            except Exception:  # pylint: disable=broad-except  # not yet
                return False
            return len(metadata.brokers) == len(self.nodes) and all(
                len(part.isrs) == len(part.replicas) for topic in metadata.topics.values()
                for part in topic.partitions.values())
        wait_until(f"{len(self.nodes)} whole nodes", whole, 90, 0.3)

    def coordinator(self, group):
        """The number of the node that keeps this group's positions."""
        client = admin(self.bootstrap)  # must outlive the request
        return client.describe_consumer_groups([group], request_timeout=10)[group].result(15).coordinator.id

    def kill_if_running(self):
        """For when it is needed no more: it has memory and time of others."""
        for node in self.nodes:
            node.kill_if_running()
        for proxy in self.proxies:
            proxy.stop()
