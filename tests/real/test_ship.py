"""`stoker ship` and input.event_logs on real Kafka: whatever dies while logs grow, roll, are packed, end and are
renamed, each of their events is in the topic once, in its log's order, and is judged as `analyze` judges the log.

The logs are written as Spark writes them, piece by piece, by threads of the suite: `.inprogress` until they end, plain
or packed, in one file or rolled.
"""

import collections
import json
import random
import subprocess
import threading
import time

from agent import BINARY, environment, stoker
from cases import RealCase
from kafka_client import Reader, set_topic
from logs import Log
from parts import Broker
from processes import PartError, Process, fresh_dir, wait_until

FORMATS = ("plain", "zstd", "lz4", "rolled", "rolled zstd")
FIXTURES = ("skew_groupbykey", "spill_sort", "failed_stage", "ok_groupby", "task_retries", "ok_join",
            "executor_lost", "shuffle_overhead", "slow_host", "ok_parquet_agg")


class Part:
    """One file that grows; packed by the tool of that name, which gets what is written and is ended with it."""

    def __init__(self, path, packer):
        self.path = path
        self._file = open(path, "wb")
        self._tool = packer and subprocess.Popen([packer, "-1", "-q", "-c"], stdin=subprocess.PIPE, stdout=self._file)

    def write(self, piece):
        to = self._tool.stdin if self._tool else self._file
        to.write(piece)
        to.flush()

    def close(self):
        if self._tool:
            self._tool.stdin.close()
            self._tool.wait()
        self._file.close()


class Grower:
    """Writes one log in one of the FORMATS, in pieces that end anywhere, and ends it as Spark does."""

    def __init__(self, log, folder, form, rng, pause_s):
        self.log, self._folder, self._rng, self._pause_s = log, folder, rng, pause_s
        self._packer = form.split()[-1] if form.split()[-1] in ("zstd", "lz4") else None
        self._rolled = form.startswith("rolled")
        self._ending = f".{self._packer}" if self._packer else ""
        self._name = log.app_id + (f"_{log.attempt}" if log.attempt else "")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def join(self):
        self._thread.join(120)
        if self._thread.is_alive():
            raise PartError(f"{self._name} is still written")

    def _pieces(self, lines):
        text = b"".join(line + b"\n" for line in lines)
        at = 0
        while at < len(text):
            size = self._rng.choice((1, 200, 2000, 8000, 20000))
            yield text[at:at + size]
            at += size

    def _grow(self, path, lines):
        part = Part(path, self._packer)
        for piece in self._pieces(lines):
            part.write(piece)
            time.sleep(self._rng.random() * self._pause_s)
        part.close()

    def _run(self):
        if not self._rolled:
            path = self._folder / f"{self._name}{self._ending}"
            growing = path.with_name(path.name + ".inprogress")
            self._grow(growing, self.log.lines)
            growing.rename(path)
            return
        folder = self._folder / f"eventlog_v2_{self._name}"
        folder.mkdir()
        status = folder / f"appstatus_{self._name}.inprogress"
        status.touch()
        count = 3
        for i in range(count):
            lines = self.log.lines[len(self.log.lines) * i // count:len(self.log.lines) * (i + 1) // count]
            self._grow(folder / f"events_{i + 1}_{self._name}{self._ending}", lines)
        status.rename(folder / f"appstatus_{self._name}")


class ShipCase(RealCase):
    def setUp(self):
        self.rng = random.Random(self.id())  # the same in every run

    def logs(self, count, start=0):
        """So many logs, each of another application."""
        return [Log.fixture(FIXTURES[i % len(FIXTURES)]).copy(f"app-20260101{i:06d}-{i:04d}") for i in range(start, start + count)]

    def place(self, name, broker=None, **sections):
        site = self.site(name, broker, **sections)
        agent = site.agent()
        site.create_topics(agent)
        folder = fresh_dir(f"ship-{site.name}")
        return site, agent, folder

    def grow(self, folder, logs, pause_s=0.02):
        return [Grower(log, folder, FORMATS[i % len(FORMATS)], self.rng, pause_s).start() for i, log in enumerate(logs)]

    def following(self, agent, folder, *more):
        process = Process("stoker ship", [BINARY, "ship", "--log-level", "info", "--follow", "--since", "all", "-c", agent.config_path, *more, folder],
                          agent.dir / "ship.log", environment("old"))
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def once(agent, *words):
        return stoker("ship", "-c", agent.config_path, *words).decode()

    @staticmethod
    def by_app(reader, topic):
        """app id -> values in order; an application lies in one partition."""
        found = collections.defaultdict(list)
        for message in sorted(reader.records[topic], key=lambda m: (m.partition(), m.offset())):
            found[message.key().decode()].append(message.value())
        return found

    def wait_all(self, reader, topic, logs, timeout_s=60, process=None):
        wanted = sum(len(log.lines) for log in logs)
        wait_until(f"{wanted} events", lambda: reader.poll() is not None and len(reader.records[topic]) >= wanted, timeout_s, 0.05,
                   process)

    def assert_each_once(self, site, logs, reader=None):
        reader = (reader or Reader(site.broker.bootstrap, [site.topics["events"]])).to_end()
        found = self.by_app(reader, site.topics["events"])
        self.assertEqual({log.app_id: len(log.lines) for log in logs}, {app: len(lines) for app, lines in found.items()})
        for log in logs:
            self.assertTrue(log.lines == found[log.app_id], f"{log.app_id}: other lines, or in another order")

    def assert_judged(self, site, agent, logs):
        results = site.results().settle([(log.app_id, log.attempt) for log in logs], 90, agent.process)
        self.assert_equal_offline(results, self.offline(logs))
        self.assert_no_repeats(results)


class Once(ShipCase):
    """Without --follow: what is there, and not again."""

    def test_what_is_there_and_then_what_came(self):
        site, agent, folder = self.place("once")
        logs = self.logs(7)
        for grower in self.grow(folder, logs[:5], 0):
            grower.join()
        said = self.once(agent, folder)
        self.assertIn(f"{sum(len(log.lines) for log in logs[:5])} events", said)
        self.assert_each_once(site, logs[:5])
        self.assertIn("0 events", self.once(agent, folder))
        for grower in self.grow(folder, logs[5:], 0):
            grower.join()
        self.once(agent, folder)
        reader = Reader(site.broker.bootstrap, [site.topics["events"]])
        self.assert_each_once(site, logs, reader)
        for message in reader.records[site.topics["events"]]:
            headers = dict(message.headers())
            self.assertEqual(message.key(), headers["app_id"])
            self.assertIn(message.key(), headers["stoker_log"])
            self.assertGreater(int(headers["stoker_log_line"]), 0)
        agent.start().wait_ready()
        self.assert_judged(site, agent, logs)
        agent.stop()

    def test_without_transactions(self):
        site, agent, folder = self.place("plain")
        logs = self.logs(3)
        for grower in self.grow(folder, logs, 0):
            grower.join()
        self.once(agent, "--no-transactions", folder)
        self.once(agent, "--no-transactions", folder)
        self.assert_each_once(site, logs)

    def test_old_logs_are_not_begun(self):
        site, agent, folder = self.place("since")
        logs = self.logs(2)
        for log in logs:
            log.written(folder)
        old = folder / logs[0].app_id
        subprocess.run(["touch", "-d", "8 days ago", old], check=True)
        self.once(agent, folder)
        self.assert_each_once(site, logs[1:])
        self.once(agent, "--since", "all", folder)
        self.assert_each_once(site, logs)

    def test_a_missing_topic_is_told(self):
        site = self.site("missing")
        agent = site.agent()
        folder = fresh_dir(f"ship-{site.name}")
        self.logs(1)[0].written(folder)
        with self.assertRaisesRegex(PartError, "exit 1.*stoker topics --create"):
            self.once(agent, "--timeout", "3s", folder)

    def test_too_large_an_event_is_declared(self):
        site, agent, folder = self.place("large", partitions=1)
        set_topic(site.broker.bootstrap, site.topics["events"], "max.message.bytes", "1000000")
        log = self.logs(1)[0]
        large = json.dumps({"Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", "executionId": 77,
                            "time": 1767225600000, "physicalPlanDescription": "x" * 2_000_000}).encode()
        log.lines.insert(len(log.lines) // 2, large)
        log.written(folder)
        self.assertIn("1 too large, left out and declared", self.once(agent, folder))
        reader = Reader(site.broker.bootstrap, [site.topics["events"]]).to_end()
        values = [m.value() for m in reader.records[site.topics["events"]]]
        reports = [json.loads(v) for v in values if b'"StokerListenerReport"' in v[:40]]
        self.assertEqual([line for line in log.lines if line != large], [v for v in values if b'"StokerListenerReport"' not in v[:40]])
        self.assertTrue(reports)
        self.assertEqual({"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart": 1}, reports[-1]["Refused"])
        self.assertEqual(log.app_id, reports[-1]["App ID"])
        self.assertEqual(1, reports[-1]["Accepted"] - reports[-1]["Sent"])
        end = next(i for i, v in enumerate(values) if v.startswith(b'{"Event":"SparkListenerApplicationEnd"'))
        self.assertIn(b'"StokerListenerReport"', values[end - 1])


class Follow(ShipCase):
    """With --follow, and kill -9 at random."""

    def test_killed_at_random_while_logs_grow(self):
        site, agent, folder = self.place("killed")
        logs = self.logs(12)
        reader = Reader(site.broker.bootstrap, [site.topics["events"]])
        growers = self.grow(folder, logs, 0.12)
        kills = 0
        while any(grower._thread.is_alive() for grower in growers):
            process = self.following(agent, folder)
            time.sleep(0.4 + self.rng.random() * 2)
            if process.ended():
                raise PartError(f"it ended with {process.code()}\n{process.tail()}")
            process.kill()
            kills += 1
        self.assertGreater(kills, 3)
        process = self.following(agent, folder)
        self.wait_all(reader, site.topics["events"], logs, 60, process)
        time.sleep(1)
        self.assertEqual(0, process.stop())
        self.assert_each_once(site, logs, reader)
        agent.start().wait_ready()
        self.assert_judged(site, agent, logs)
        agent.stop()

    def test_the_broker_is_restarted(self):
        broker = Broker("4.3.1", "kafka-ship").start()
        self.addCleanup(broker.kill_if_running)
        site, agent, folder = self.place("bounced", broker)
        logs = self.logs(6)
        growers = self.grow(folder, logs, 0.1)
        process = self.following(agent, folder)
        time.sleep(2)
        broker.kill()
        time.sleep(3)
        broker.start()
        for grower in growers:
            grower.join()
        self.wait_all(Reader(broker.bootstrap, [site.topics["events"]]), site.topics["events"], logs, 60, process)
        self.assertEqual(0, process.stop())
        self.assert_each_once(site, logs)

    def test_two_of_one_folder(self):
        """The second waits and takes over; one that was frozen meanwhile finds itself fenced."""
        site, agent, folder = self.place("two")
        logs = self.logs(5)
        growers = self.grow(folder, logs, 0.1)
        reader = Reader(site.broker.bootstrap, [site.topics["events"]])
        first = self.following(agent, folder, "--set", "agent.instance=one")
        wait_until("events", lambda: reader.poll(), 20, 0.1, first)
        second = self.following(agent, folder, "--set", "agent.instance=two")
        time.sleep(2)
        first.pause()
        for grower in growers:
            grower.join()
        self.wait_all(reader, site.topics["events"], logs, 60, second)
        first.cont()
        time.sleep(2)
        more = self.logs(3, 20)
        for grower in self.grow(folder, more, 0.02):
            grower.join()
        self.wait_all(reader, site.topics["events"], logs + more, 60, second)
        self.assertEqual([0, 0], [first.stop(), second.stop()])
        self.assert_each_once(site, logs + more, reader)

    def test_two_of_one_name(self):
        site, agent, folder = self.place("alike")
        log = self.logs(1)[0]
        log.written(folder)
        reader = Reader(site.broker.bootstrap, [site.topics["events"]])
        first = self.following(agent, folder)
        wait_until("events", lambda: reader.poll(), 20, 0.1, first)
        second = self.following(agent, folder)
        wait_until("the end of one", lambda: first.ended() or second.ended(), 30)
        ended, other = (first, second) if first.ended() else (second, first)
        self.assertEqual(1, ended.code())
        self.assertIn("under the same name", ended.log())
        more = self.logs(1, 20)[0]
        more.written(folder)
        wait_until("the other ships on", lambda: reader.poll(), 20, 0.1, other)
        self.assertEqual(0, other.stop())
        self.assert_each_once(site, [log, more])


class InAgent(ShipCase):
    """input.event_logs: the agent ships what it judges."""

    def agents(self, site, folder, count):
        site.config["input"] = {"event_logs": [str(folder)]}
        site.config["ship"] = {"since": "0s"}
        return [site.agent() for _ in range(count)]

    def test_killed_at_random(self):
        site, _, folder = self.place("agent")
        agent, = self.agents(site, folder, 1)
        logs = self.logs(6)
        growers = self.grow(folder, logs, 0.12)
        while any(grower._thread.is_alive() for grower in growers):
            agent.start()
            time.sleep(1 + self.rng.random() * 2)
            agent.kill()
        agent.start().wait_ready()
        wait_until("all read", lambda: agent.metric("stoker_shipped_lag_bytes") == 0 and agent.metric("stoker_shipped_logs") == len(logs),
                   60, 0.2, agent.process)
        self.assert_judged(site, agent, logs)
        self.assert_each_once(site, logs)
        agent.stop()

    def test_one_of_two_takes_over(self):
        """Both are ready; what one ships the other does not."""
        site, _, folder = self.place("agents")
        one, two = self.agents(site, folder, 2)
        logs = self.logs(4)
        for agent in (one, two):
            agent.start().wait_ready()
        for log in logs[:2]:
            log.written(folder)
        reader = Reader(site.broker.bootstrap, [site.topics["events"]])
        self.wait_all(reader, site.topics["events"], logs[:2], 30, one.process)
        wait_until("shipped by one", lambda: sorted(a.metric("stoker_shipped_events_total") for a in (one, two)) ==
                   [0, sum(len(log.lines) for log in logs[:2])], 10)
        at_work, idle = (one, two) if one.metric("stoker_shipped_events_total") else (two, one)
        at_work.kill()
        for log in logs[2:]:
            log.written(folder)
        self.wait_all(reader, site.topics["events"], logs, 60, idle.process)
        self.assert_judged(site, idle, logs)
        self.assert_each_once(site, logs, reader)
        idle.stop()
