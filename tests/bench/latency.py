#!/usr/bin/env python3
"""How long from an event on the broker to its alert at the Alertmanager's door: one idle Kafka node, one
agent with default settings, failed runs one after the other at random moments.

    tests/bench/latency.py [RUNS]

Prints a Markdown table; exit 1 if the 99th percentile is above 250 ms. Called by tests/bench/kafka.sh.
The door is a stand-in that answers 200: what Alertmanager does then is its own.
"""

import http.server
import json
import os
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
    os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])
sys.path.insert(0, str(ROOT / "tests" / "real"))

import processes  # noqa: E402
from cases import Site, shared_broker  # noqa: E402
from kafka_client import Sender  # noqa: E402
from logs import Log  # noqa: E402

P99_MAX_MS = 250
WARM = 10  # runs before it counts


class Door:
    """Takes alerts as an Alertmanager does: pipeline -> when its first alert came."""

    def __init__(self):
        self.came = {}
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802  # the name http.server asks for
                now = time.monotonic()
                for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                    if alert["labels"]["alertname"] == "PipelineFailure":
                        door.came.setdefault(alert["labels"]["pipeline"], now)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((processes.HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{processes.HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def measure(runs):
    """Milliseconds per run, in order."""
    door = Door()
    site = Site("latency", shared_broker(), alertmanager={"urls": [door.url]})
    agent = site.running()
    sender = Sender(site.broker.bootstrap)
    fixture, topic, took = Log.fixture("failed_stage"), site.topics["events"], []
    try:
        for i in range(runs + WARM):
            log = fixture.copy(f"application_1_{i:05d}", f"latency-{i}-job")
            # The event that tells is the application's end; all others are there before.
            at = max(n for n, line in enumerate(log.lines) if b'"SparkListenerApplicationEnd"' in line[:60])
            for line in log.lines[:at]:
                sender.send(topic, line, log.app_id)
            sender.flush()
            time.sleep(random.uniform(0.3, 1.3))
            if log.app_name in door.came:
                raise processes.PartError("the alert came before the event that should cause it")
            for line in log.lines[at:]:
                sender.send(topic, line, log.app_id)
            sender.flush()
            begun = time.monotonic()
            processes.wait_until("the alert", lambda: log.app_name in door.came, 20, 0.001)  # noqa: B023
            took.append((door.came[log.app_name] - begun) * 1000)
    finally:
        agent.stop()
        site.end()
    return took[WARM:]


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    processes.begin_run()
    try:
        took = sorted(measure(runs))
    finally:
        processes.kill_all()
    p50, p90, p99 = (took[min(len(took) - 1, int(len(took) * q))] for q in (0.5, 0.9, 0.99))
    print("| event on the broker to alert posted | p50 ms | p90 ms | p99 ms | max ms |\n|---|--:|--:|--:|--:|\n"
          f"| {len(took)} failed runs, default settings | {p50:.0f} | {p90:.0f} | {p99:.0f} | {took[-1]:.0f} |")
    if p99 > P99_MAX_MS:
        print(f"above the floor: p99 {p99:.0f} ms, {P99_MAX_MS} ms is wanted")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
