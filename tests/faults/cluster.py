"""Three Kafka nodes, each broker and controller. Looks like a Broker to a Play.

Used by the scenarios that lose nodes (three replicas of everything) and by those that disturb what nodes
say to each other (one replica, a proxy in front of every node).
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
    """nodes; and proxies, one in front of what the other nodes say to each, if asked for."""

    def __init__(self, name, replicas, proxied=False):
        ports = [(free_port(), free_port()) for _ in range(NODES)]
        voters = ",".join(f"{i + 1}@{HOST}:{controller}" for i, (_, controller) in enumerate(ports))
        least = str(max(1, replicas - 1))
        self.proxies = [Proxy(free_port()) for _ in range(NODES)] if proxied else []
        common = {**BROKER_SETTINGS, **dict.fromkeys(REPLICATED, replicas), "controller.quorum.voters": voters,
                  "transaction.state.log.min.isr": least, "min.insync.replicas": least,
                  "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
        self.nodes = [Broker(KAFKA, f"{name}-{i + 1}", {**common, "node.id": i + 1, **self._listeners(i, pair)}, pair)
                      for i, pair in enumerate(ports)]
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_up()
        self.await_whole()

    def _listeners(self, i, pair):
        if not self.proxies:
            return {}
        (client, controller), proxy = pair, self.proxies[i]
        return {"listeners": f"PLAINTEXT://{HOST}:{client},BROKERS://{HOST}:{proxy.target},"
                             f"CONTROLLER://{HOST}:{controller}",
                "advertised.listeners": f"PLAINTEXT://{HOST}:{client},BROKERS://{HOST}:{proxy.port}",
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BROKERS:PLAINTEXT",
                "inter.broker.listener.name": "BROKERS"}

    def await_whole(self):
        """All are in, and no partition misses a replica."""
        def whole():
            try:
                metadata = admin(self.bootstrap).list_topics(timeout=5)
            except Exception:  # pylint: disable=broad-except  # not yet
                return False
            return len(metadata.brokers) == NODES and all(
                len(part.isrs) == len(part.replicas) for topic in metadata.topics.values()
                for part in topic.partitions.values())
        wait_until("three whole nodes", whole, 90, 0.3)

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
