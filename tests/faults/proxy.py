"""A TCP proxy in front of a Kafka listener that breaks things on purpose: it cuts connections, delays
requests, and lets "ghosts" through: the client's connection is cut, yet its request still arrives, late.

Used by the scenarios of scenarios_network.py. Understands no more of Kafka's protocol than the frame
(length, API key). What it does is decided by `rules`, seeded; must never change a byte.
"""

import dataclasses
import random
import socket
import struct
import threading
import time

from processes import HOST, free_port

PRODUCE, FETCH, INIT_PRODUCER = 0, 1, 22
ADD_PARTITIONS, ADD_OFFSETS, END_TXN, WRITE_MARKERS, TXN_OFFSET_COMMIT = 24, 25, 26, 27, 28


@dataclasses.dataclass
class Rule:
    """What may happen to a request. keys: API keys, None for all; chance: 0..1; most: how often."""

    act: str  # "delay", "cut" (never arrives), "ghost" (arrives after the cut), "late-cut" (answer lost)
    chance: float
    keys: tuple | None = None
    delay_s: tuple = (0.0, 0.3)
    most: int = 1_000_000


def _exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return bytes(data)


def _frame(sock):
    head = _exactly(sock, 4)
    return head + _exactly(sock, struct.unpack(">i", head)[0])


def _close(*socks):
    for sock in socks:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


class Proxy:
    """Listens on its own port, forwards to `target` (set it before the first connection)."""

    def __init__(self, target=None):
        self.port = free_port()
        self.target = target
        self.done = {}  # act -> how often
        self._rules, self._random = [], random.Random(0)
        self._lock, self._open = threading.Lock(), set()
        self._server = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, seed):
        """Calm, and from here on the same for the same seed, whatever was before."""
        self.set_rules()
        self._random, self.done = random.Random(f"proxy {seed}"), {}

    def set_rules(self, *rules):
        with self._lock:
            self._rules = list(rules)

    def cut_all(self):
        """Every connection ends now."""
        with self._lock:
            pairs, self._open = self._open, set()
        for pair in pairs:
            _close(*pair)

    def stop(self):
        _close(self._server)
        self.cut_all()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
                broker = socket.create_connection((HOST, self.target), 5)
            except OSError:
                if self._server.fileno() < 0:
                    return
                _close(client)
                continue
            for sock in (client, broker):
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, broker)
            with self._lock:
                self._open.add(pair)
            threading.Thread(target=self._requests, args=pair, daemon=True).start()
            threading.Thread(target=self._answers, args=pair, daemon=True).start()

    def _pick(self, key):
        with self._lock:
            for rule in self._rules:
                if (rule.keys is None or key in rule.keys) and rule.most > 0 and \
                        self._random.random() < rule.chance:
                    rule.most -= 1
                    self.done[rule.act] = self.done.get(rule.act, 0) + 1
                    return rule.act, self._random.uniform(*rule.delay_s)
        return None, 0.0

    def _requests(self, client, broker):
        try:
            while True:
                frame = _frame(client)
                act, wait_s = self._pick(struct.unpack(">h", frame[4:6])[0])
                if act == "cut":
                    break
                if act == "ghost":
                    _close(client)
                    time.sleep(wait_s)
                    broker.sendall(frame)
                    time.sleep(0.5)  # the broker works it off before it sees the end
                    break
                if act == "late-cut":
                    broker.sendall(frame)
                    time.sleep(wait_s)
                    break
                if act == "delay":
                    time.sleep(wait_s)
                broker.sendall(frame)
        except OSError:
            pass
        self._end(client, broker)

    def _answers(self, client, broker):
        try:
            while data := broker.recv(1 << 16):
                client.sendall(data)
        except OSError:
            pass
        if client.fileno() >= 0:  # a ghost's request must not be cut short by its own client's end
            self._end(client, broker)

    def _end(self, client, broker):
        with self._lock:
            self._open.discard((client, broker))
        _close(client, broker)
