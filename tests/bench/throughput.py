#!/usr/bin/env python3
"""What exactly once costs: a topic of real events read by a bare librdkafka consumer, by the agent's engine
without transactions and state, and by the agent, in turn on one broker.

    tests/bench/throughput.py [MEGABYTES [ROUNDS]]

Prints Markdown tables with ratios and floors; exit 1 if one is missed. Called by tests/bench/kafka.sh.
"""

import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
    os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests" / "faults")]

import processes  # noqa: E402
import verdict  # noqa: E402
from agent import stoker  # noqa: E402
from cases import Site, shared_broker  # noqa: E402
from kafka_client import admin, create_topics, unique  # noqa: E402
from kafka_look import ends, read_all  # noqa: E402

LOGS = ("skew_groupbykey", "skew_join", "ok_join", "ok_groupby", "spill_sort", "gc_pressure", "shuffle_overhead",
        "io_small_files", "too_few_partitions", "broadcastable_join", "slow_host", "costly_records")
BENCH = ROOT / "build" / "release" / "bench_kafka"
PARTITIONS = 6
ONE_COMMIT_MS = 300  # its records lie closer together
# The bare consumer counts bytes that librdkafka's own thread has unpacked; judging them takes a core for itself at
# some hundred MB/s, so its floor only notices a step back.
PLAIN_MIN, BARE_MIN = 0.95, 0.12


def logs(megabytes):
    """As many long logs as there are in LOGS, together of this size."""
    folder = ROOT / "build" / "bench" / f"fleet-{megabytes}"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name in LOGS:
        out = folder / f"{name}.jsonl"
        if not out.exists():
            part = out.with_suffix(".part")
            subprocess.run([sys.executable, str(ROOT / "tests/bench/amplify.py"),
                            str(ROOT / f"tests/fixtures/logs/{name}/events.jsonl.zst"),
                            str(megabytes * 1e6 / len(LOGS)), str(part)], check=True)
            part.rename(out)
        found.append(out)
    return found


def count(broker, topic):
    """Messages in a topic that begins at 0."""
    return sum(ends(broker.bootstrap, [topic]).values())


def agent_rate(site, lib, messages, message_bytes):
    """Bytes a second of an agent, and bytes of state written per byte read."""
    agent = site.agent(lib).start()
    processes.wait_until("all read and committed", lambda: read_to_end(agent, messages), 300, 0.5, agent.process)
    share = agent.metric("stoker_state_bytes_written_total") / agent.metric("stoker_event_bytes_read_total")
    agent.stop()
    return between_commits(site) * message_bytes, share


def between_commits(site):
    """Messages a second from the first commit to the last but one, by the positions they hold: the last waits for
    its time though all is read."""
    seen = [seen for seen in read_all(site.broker.bootstrap, [site.topics["state_applications"]]).of(
        site.topics["state_applications"]) if seen.key == b"#pos"]
    at, commits = {}, []  # a commit: when, and messages worked off so far
    for record in sorted(seen, key=lambda record: record.timestamp_ms):
        at[record.partition] = verdict.position(record.value)["offset"]
        if commits and record.timestamp_ms - commits[-1][0] < ONE_COMMIT_MS:
            commits.pop()
        commits.append((record.timestamp_ms, sum(at.values())))
    if len(commits) < 4:
        raise processes.PartError(f"only {len(commits)} commits: more megabytes are needed")
    (first_ms, first), (last_ms, last) = commits[0], commits[-2]
    return (last - first) / (last_ms - first_ms) * 1000


def read_to_end(agent, messages):
    try:
        return agent.metric("stoker_events_read_total") == messages and agent.metric("stoker_input_lag_messages") == 0
    except processes.PartError:  # no page yet
        return False


def bench(mode, broker, topic, messages, *more):
    done = subprocess.run([str(BENCH), mode, broker.bootstrap, topic, str(messages), *more], check=True,
                          capture_output=True, text=True)
    return float(done.stdout)


def measure(megabytes, rounds):
    """Rates by reader, in order of the rounds; changelog bytes per input byte."""
    broker = shared_broker()
    site = Site("throughput", broker, partitions=PARTITIONS)
    site.create_topics(site.agent())
    topic = site.topics["events"]
    stoker("replay", "-b", broker.bootstrap, "-t", topic, "--align", *logs(megabytes), timeout_s=900)
    messages = count(broker, topic)
    message_bytes = sum(path.stat().st_size for path in logs(megabytes)) / messages
    rates, shares = {"bare": [], "plain": [], "old": [], "new": []}, []
    for _ in range(rounds):
        rates["bare"].append(bench("bare", broker, topic, messages))
        others = unique("runs"), unique("records")
        create_topics(broker.bootstrap, dict.fromkeys(others, PARTITIONS))
        rates["plain"].append(bench("plain", broker, topic, messages, *others))
        for lib in ("old", "new"):
            fresh = Site("throughput", broker, partitions=PARTITIONS)
            fresh.topics["events"] = fresh.config["topics"]["events"] = topic
            fresh.create_topics(fresh.agent())
            rate, share = agent_rate(fresh, lib, messages, message_bytes)
            rates[lib].append(rate)
            shares.append(share)
            fresh.end()
            admin(broker.bootstrap).delete_topics([t for t in fresh.topics.values() if t != topic])
    return messages, rates, shares


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    processes.begin_run()
    try:
        messages, rates, shares = measure(megabytes, rounds)
    finally:
        processes.kill_all()
    best = {name: max(found) / 1e6 for name, found in rates.items()}
    to_plain, to_bare = best["old"] / best["plain"], best["new"] / best["bare"]
    print(f"{messages} events, {megabytes} MB, {len(LOGS)} applications, {PARTITIONS} partitions, one broker on the "
          f"same cores, {rounds} rounds\n\n"
          "| reader | best MB/s |\n|---|--:|\n"
          f"| bare librdkafka consumer | {best['bare']:.0f} |\n"
          f"| both stages without transactions and state | {best['plain']:.0f} |\n"
          f"| `stoker run` | {best['old']:.0f} |\n"
          f"| `stoker run` with the newest librdkafka | {best['new']:.0f} |\n\n"
          "| ratio (of the best) | found | floor |\n|---|--:|--:|\n"
          f"| exactly once against without | {to_plain:.2f} | {PLAIN_MIN} |\n"
          f"| Kafka to verdict (newest librdkafka) against a bare consumer | {to_bare:.2f} | {BARE_MIN} |\n"
          f"| changelog bytes per input byte | {statistics.median(shares):.3f} | |")
    missed = [words for words, found, floor in (("against without", to_plain, PLAIN_MIN),
                                                ("against bare", to_bare, BARE_MIN)) if found < floor]
    for words in missed:
        print(f"missed: {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
