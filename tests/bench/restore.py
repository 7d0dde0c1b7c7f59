#!/usr/bin/env python3
"""How long until an agent works again that was killed with many live applications: from its start to
readiness, state of all of them read back from Kafka.

    tests/bench/restore.py [APPLICATIONS]

Prints a Markdown table; exit 1 above 5 s for 10,000 applications. Called by tests/bench/kafka.sh.
"""

import os
import pathlib
import re
import sys
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

READY_MAX_S = 5.0
ROUNDS = 3


def live_part(log):
    """The lines up to the middle of the first stage that has tasks: an application at work."""
    tasks = [i for i, line in enumerate(log.lines) if b'"SparkListenerTaskEnd"' in line[:60]]
    return log.lines[:tasks[min(len(tasks) - 1, 3)] + 1]


def measure(applications):
    """(seconds from start to readiness, records, bytes) per round, and live applications."""
    site = Site("restore", shared_broker(), agent={"workers": 2})
    site.config["agent"]["group"] = site.name
    agent = site.running()
    sender, log, topic = Sender(site.broker.bootstrap), Log.fixture("ok_groupby"), site.topics["events"]
    lines, old = live_part(log), log.app_id.encode()
    for i in range(applications):
        app_id = f"application_1_{i:06d}"
        for line in lines:
            sender.send(topic, line.replace(old, app_id.encode()), app_id)
    sender.flush()
    processes.wait_until("all read", lambda: agent.metric("stoker_events_read_total") == applications * len(lines) and
                         agent.metric("stoker_input_lag_messages") == 0, 300, 0.5, agent.process)
    time.sleep(6)
    live = agent.metric("stoker_applications")
    found = []
    for _ in range(ROUNDS):
        agent.kill()
        begun = time.monotonic()
        agent.start().wait_ready()
        took = time.monotonic() - begun
        log_text = agent.process.tail(500)
        loaded = re.findall(r"event=partition_loaded .* records=(\d+) bytes=(\d+)", log_text)
        found.append((took, sum(int(n) for n, _ in loaded), sum(int(b) for _, b in loaded)))
    resident = next(int(line.split()[1]) // 1024 for line in
                    pathlib.Path(f"/proc/{agent.process.pid}/status").read_text().splitlines() if "VmRSS" in line)
    agent.stop()
    site.end()
    return found, int(live), resident


def main():
    applications = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    processes.begin_run()
    try:
        found, live, resident = measure(applications)
    finally:
        processes.kill_all()
    best = min(took for took, _, _ in found)
    print(f"| killed with live applications | start to ready, best of {ROUNDS}, s | worst | state read, MB | resident, MiB |\n"
          "|--:|--:|--:|--:|--:|\n"
          f"| {live} | {best:.2f} | {max(took for took, _, _ in found):.2f} | {found[0][2] / 1e6:.0f} | {resident} |")
    if best > READY_MAX_S * max(1, applications / 10_000):
        print(f"above the floor: {READY_MAX_S} s for 10,000 applications")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
