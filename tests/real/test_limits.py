"""Topics that take less than what is to be written (max.message.bytes), on a real broker: below a megabyte and above, from the
beginning and lowered under a running agent, told by the broker and learned from its refusals. What does not fit is shortened,
says so and is counted; all else comes out as ever, each record once, after few transactions that failed, or none.
"""

import random
import subprocess
import time

import orjson

from agent import BINARY, environment
from cases import RealCase
from kafka_client import Reader, set_topic
from logs import Log
from processes import wait_until
from test_rights import PLAIN, least_rights, secured_broker

LOGS = ("skew_groupbykey", "slow_host")
ABORTS = "stoker_transaction_aborts_total"


def noise(size, seed=1):
    """No event, and nothing that compresses."""
    return random.Random(seed).randbytes(size)


def many_stages(app_id, count):
    """A run whose record is large: so many stages, with long names and no tasks."""
    at = 1795411156000
    events = [{"Event": "SparkListenerApplicationStart", "App Name": "many-stages", "App ID": app_id, "Timestamp": at, "User": "etl"}]
    for stage in range(count):
        info = {"Stage ID": stage, "Stage Attempt ID": 0, "Stage Name": f"{stage:04} " + "n" * 120, "Number of Tasks": 1,
                "Submission Time": at + stage, "Completion Time": at + 2 * stage + 1}
        events += [{"Event": "SparkListenerStageSubmitted", "Stage Info": info},
                   {"Event": "SparkListenerStageCompleted", "Stage Info": info}]
    events.append({"Event": "SparkListenerApplicationEnd", "Timestamp": at + 5000})
    return Log("many_stages", [orjson.dumps(event) for event in events])


def with_executors(log, count=300):
    """The same run with so many more executors on hosts with long names: values of state of 20 kB."""
    at = next(i for i, line in enumerate(log.lines) if b'"SparkListenerApplicationStart"' in line[:200])
    time_ms = orjson.loads(log.lines[at])["Timestamp"]
    added = [orjson.dumps({"Event": "SparkListenerExecutorAdded", "Timestamp": time_ms, "Executor ID": f"x{i}", "Executor Info": {
        "Host": noise(50, i).hex(), "Total Cores": 1, "Log Urls": {}, "Attributes": {}}}) for i in range(count)]
    return Log(f"{log.name} with executors", log.lines[:at + 1] + added + log.lines[at + 1:])


class LimitsCase(RealCase):
    def setUp(self):
        self.logs = [Log.fixture(name) for name in LOGS]

    def place(self, name, broker=None, **limits):
        """A site with its topics, these limits on them."""
        site = self.site(name, broker)
        site.create_topics(site.agent())
        site.agents.clear()
        for topic, takes in limits.items():
            self.limit(site, topic, takes)
        return site

    def limit(self, site, topic, takes):
        set_topic(site.broker.bootstrap, site.topics[topic], "max.message.bytes", takes)

    def send(self, site, junk=(), logs=None):
        """The good runs, and one of the others behind every few of their events."""
        sender = site.sender()
        good = [(line, log.app_id) for log in (self.logs if logs is None else logs) for line in log.lines]
        every = max(1, len(good) // (len(junk) + 1))
        left = list(junk)
        for i, (line, key) in enumerate(good):
            sender.send(site.topics["events"], line, key)
            if i % every == 0 and left:
                sender.send(site.topics["events"], left.pop(0), f"junk-{len(left)}")
        for value in left:
            sender.send(site.topics["events"], value, f"junk-{len(value)}-{value[:4].hex()}")
        sender.flush()

    def letters(self, site, agent, count):
        topic = site.topics["dlq"]
        reader = Reader(site.broker.bootstrap, [topic])
        reader.until(f"{count} dead letters", lambda r: len(r.records[topic]) >= count, 60, 1.5, agent.process)
        self.assertEqual(count, len(reader.records[topic]))
        places = {tuple(dict(m.headers())[f"stoker.source.{name}"] for name in ("partition", "offset")) for m in reader.records[topic]}
        self.assertEqual(count, len(places), "a letter came twice")
        return reader.records[topic]

    def judged_as_ever(self, site, agent, logs=None):
        logs = self.logs if logs is None else logs
        results = site.results().settle([(log.app_id, log.attempt) for log in logs], 90, agent.process)
        self.assert_equal_offline(results, self.offline(logs))
        self.assert_no_repeats(results)
        return results

    def assert_counted(self, agent, topic, count, at_most_aborts):
        wait_until("counted", lambda: agent.metric("stoker_records_too_large_total", topic=topic) >= count, 10)
        self.assertEqual(count, agent.metric("stoker_records_too_large_total", topic=topic))
        self.assertLessEqual(agent.metric(ABORTS), at_most_aborts)

    def assert_told(self, site, agent, topic):
        lines = [line for line in agent.process.log().splitlines() if "event=records_too_large" in line]
        self.assertTrue(any(f"--entity-name {site.topics[topic]} --add-config max.message.bytes=" in line for line in lines), lines)


class DeadLetters(LimitsCase):
    def check_shortened(self, lib, takes, size):
        site = self.place("letter", dlq=takes)
        agent = site.agent(lib).start().wait_ready()
        small = [noise(1000, 10 + i) for i in range(12)]
        self.send(site, [noise(size), *small])
        letters = self.letters(site, agent, 13)
        self.judged_as_ever(site, agent)
        short = [m for m in letters if not m.value()]
        self.assertEqual([str(size).encode()], [dict(m.headers())["stoker.value.dropped"] for m in short])
        self.assertEqual(sorted(small), sorted(m.value() for m in letters if m.value()))
        self.assert_counted(agent, "dlq", 1, 0)
        self.assert_told(site, agent, "dlq")
        agent.stop()

    def test_below_a_megabyte(self):
        self.check_shortened("old", 200_000, 300_000)

    def test_below_a_megabyte_newest_library(self):
        self.check_shortened("new", 200_000, 300_000)

    def test_above_a_megabyte(self):
        self.check_shortened("old", 1_200_000, 1_900_000)

    def test_what_just_fits_is_whole(self):
        """Up to the last bytes, alone and with others: a batch is never larger than the limit."""
        site = self.place("fits", dlq=200_000)
        agent = site.agent().start().wait_ready()
        just = [noise(size, size) for size in (199_300, 199_350, 100_000, 99_900, 50_000)]
        self.send(site, just)
        letters = self.letters(site, agent, len(just))
        self.assertEqual(sorted(just), sorted(m.value() for m in letters))
        self.assert_counted(agent, "dlq", 0, 0)
        agent.stop()

    def check_small_together(self, lib):
        site = self.place("together", dlq=3000)
        agent = site.agent(lib).start().wait_ready()
        small = [noise(900, i) for i in range(2000)]
        self.send(site, small)
        letters = self.letters(site, agent, len(small))
        self.assertEqual(sorted(small), sorted(m.value() for m in letters))
        self.judged_as_ever(site, agent)
        self.assert_counted(agent, "dlq", 0, 0)
        agent.stop()

    def test_small_ones_are_too_large_only_together(self):
        self.check_small_together("old")

    def test_small_ones_are_too_large_only_together_newest_library(self):
        self.check_small_together("new")

    def test_headers_and_key_may_be_too_large_as_well(self):
        site = self.place("headers", dlq=2000)
        agent = site.agent().start().wait_ready()
        sender = site.sender()
        for key, headers in ((b"k", [("own", b"h" * 3000)]), (b"k" * 4000, [("own", b"h")])):
            sender.send(site.topics["events"], noise(3000), key, headers=headers, partition=0)
        sender.flush()
        letters = sorted(self.letters(site, agent, 2), key=lambda m: int(dict(m.headers())["stoker.source.offset"]))
        said = [dict(m.headers()) for m in letters]
        self.assertEqual([(b"3000", b"1", None), (b"3000", b"1", b"4000")], [
            tuple(s.get(f"stoker.{name}.dropped") for name in ("value", "headers", "key")) for s in said])
        self.assertEqual([b"k", None], [m.key() for m in letters])
        agent.stop()

    def check_lowered_and_raised(self, lib):
        site = self.place("lowered")
        agent = site.agent(lib).start().wait_ready()
        self.send(site, [noise(300_000, 1)], self.logs[:1])
        self.assertEqual(300_000, len(self.letters(site, agent, 1)[0].value()))
        self.limit(site, "dlq", 200_000)
        self.send(site, [noise(300_000, 2), *(noise(5000, 20 + i) for i in range(100))], self.logs[1:])
        self.letters(site, agent, 102)
        self.judged_as_ever(site, agent)
        self.assert_counted(agent, "dlq", 1, 2)
        self.limit(site, "dlq", 1_000_000)
        sent = 102
        deadline = time.monotonic() + 90
        while "max_message_bytes=1000000" not in agent.process.log():  # limits are asked for as long as something is written
            self.assertLess(time.monotonic(), deadline, "the new limit is not seen")
            self.send(site, [noise(100)], [])
            sent += 1
            time.sleep(1)
        self.send(site, [noise(300_000, 3)], [])
        letters = self.letters(site, agent, sent + 1)
        self.assertEqual(2, sum(len(m.value() or b"") == 300_000 for m in letters))
        self.assert_counted(agent, "dlq", 1, 2)
        agent.stop()

    def test_lowered_and_raised_while_it_runs(self):
        self.check_lowered_and_raised("old")

    def test_lowered_and_raised_while_it_runs_newest_library(self):
        self.check_lowered_and_raised("new")

    def check_learned(self, lib):
        """Nobody tells the limit: no right DESCRIBE_CONFIGS."""
        broker = secured_broker()
        site = self.place("learned", broker, dlq=20_000)
        site.config["kafka"].update(brokers=broker.sasl, common=PLAIN)
        broker.allow(*least_rights(site))
        agent = site.agent(lib).start().wait_ready(20)
        small = [noise(4000, 10 + i) for i in range(300)]
        large = [noise(size, size) for size in (300_000, 1_500_000, 25_000, 100_000)]
        self.send(site, [*small[:100], *large, *small[100:]])
        letters = self.letters(site, agent, 304)
        self.judged_as_ever(site, agent)
        self.assertEqual(sorted(small), sorted(m.value() for m in letters if m.value()))
        self.assert_counted(agent, "dlq", 4, 8)
        aborts = agent.metric(ABORTS)
        self.send(site, [noise(300_000, 9), *small], [])
        self.letters(site, agent, 605)
        self.assertEqual(aborts, agent.metric(ABORTS))  # it is remembered
        agent.stop()

    def test_learned_from_refusals(self):
        self.check_learned("old")

    def test_learned_from_refusals_newest_library(self):
        self.check_learned("new")


class Records(LimitsCase):
    def check_run(self, lib, takes):
        site = self.place("run", runs=takes)
        agent = site.agent(lib).start().wait_ready()
        large = many_stages("app-many-stages", 600)
        self.send(site, logs=[*self.logs, large])
        results = self.judged_as_ever(site, agent, [*self.logs, large])
        run = results.runs[(large.app_id, "")]
        self.assertTrue(run["shortened"])
        self.assertEqual(600, run["stage_count"])
        self.assertEqual("0599", run["stages"][0]["name"][:4])  # the slowest
        self.assertTrue(len(run["stages"]) >= takes // 1000, len(run["stages"]))
        for record in results.messages("runs"):
            self.assertLessEqual(len(record.value()), takes)
        wait_until("counted", lambda: agent.metric("stoker_records_too_large_total", topic="runs") > 0, 10)
        self.assertEqual(0, agent.metric(ABORTS))
        self.assert_told(site, agent, "runs")
        agent.stop()

    def test_a_run_that_is_too_large(self):
        self.check_run("old", 50_000)

    def test_a_run_that_is_too_large_newest_library(self):
        self.check_run("new", 50_000)

    def test_every_output_at_a_few_kilobytes(self):
        """Nothing stands still, whatever is left of the records."""
        site = self.place("tiny", **dict.fromkeys(("runs", "bottlenecks", "recommendations", "windows", "dlq"), 1500))
        agent = site.agent().start().wait_ready()
        self.send(site, [noise(2000, i) for i in range(50)])
        self.letters(site, agent, 50)
        wait_until("all read", lambda: agent.metric("stoker_input_lag_messages") == 0, 60)
        self.assertEqual(0, agent.metric(ABORTS))
        results = site.results().settle([(log.app_id, log.attempt) for log in self.logs], 60, agent.process)
        self.assert_sound(results)
        agent.stop()


class State(LimitsCase):
    """State topics that take little: nothing is lost, and read back it is the same."""

    def setUp(self):
        self.logs = [with_executors(Log.fixture(name)) for name in LOGS]

    def raw(self, site, topic):
        """What a restart reads: the newest value of every key of every partition."""
        reader = Reader(site.broker.bootstrap, [site.topics[topic]]).to_end()
        return {(m.partition(), m.key()): m.value() for m in reader.records[site.topics[topic]]}

    def assert_no_orphans(self, site, topic):
        """Every piece belongs to a value that is kept in as many."""
        newest = self.raw(site, topic)
        pieces = 0
        for (partition, key), value in newest.items():
            if value is not None and key[:1] == b"#" and key[1:2].isdigit():
                number, of = key[1:].split(b".", 1)
                pieces += 1
                head = newest[partition, of]
                self.assertEqual(b"\xfe", (head or b" ")[:1], key)
                self.assertLess(int(number), int(head[1:]), key)
        return pieces

    def check_in_pieces(self, lib):
        site = self.place("pieces", state_applications=4096, state_pipelines=4096)
        agent = site.agent(lib).start().wait_ready()
        half = len(self.logs[0].lines) // 2
        sender = site.sender()
        for log in self.logs:
            for line in log.lines[:half]:
                sender.send(site.topics["events"], line, log.app_id)
        sender.flush()
        wait_until("half read", lambda: agent.metric("stoker_events_read_total") >= 2 * half, 30)
        wait_until("in pieces", lambda: agent.metric("stoker_records_too_large_total", topic="state") > 0, 30)
        self.assertEqual(0, agent.metric(ABORTS))
        agent.kill()
        self.assertGreater(self.assert_no_orphans(site, "state_applications"), 0)
        agent.start().wait_ready()
        for log in self.logs:
            for line in log.lines[half:]:
                sender.send(site.topics["events"], line, log.app_id)
        sender.flush()
        site.results().settle([(log.app_id, log.attempt) for log in self.logs], 60, agent.process)
        self.assert_no_orphans(site, "state_applications")
        self.limit(site, "state_applications", 1_000_000)
        agent.stop()
        agent.start().wait_ready()  # from pieces, with whole ones to come
        more = with_executors(Log.fixture(LOGS[0]).copy("app-more"))
        self.send(site, logs=[more])
        self.judged_as_ever(site, agent, [*self.logs, more])
        self.assertEqual(0, agent.metric("stoker_records_too_large_total", topic="state"))
        self.assert_no_orphans(site, "state_applications")
        agent.stop()

    def test_in_pieces(self):
        self.check_in_pieces("old")

    def test_in_pieces_newest_library(self):
        self.check_in_pieces("new")

    def test_lowered_while_it_runs(self):
        site = self.place("lowered")
        agent = site.agent().start().wait_ready()
        self.send(site, logs=self.logs[:1])
        site.results().settle([(self.logs[0].app_id, self.logs[0].attempt)], 60, agent.process)
        self.limit(site, "state_applications", 5000)
        self.send(site, logs=self.logs[1:])
        self.judged_as_ever(site, agent)
        self.assertLessEqual(agent.metric(ABORTS), 2)
        self.assertGreater(self.assert_no_orphans(site, "state_applications"), 0)
        agent.stop()

    def test_learned_from_refusals(self):
        broker = secured_broker()
        site = self.place("learned", broker, state_applications=5000)
        site.config["kafka"].update(brokers=broker.sasl, common=PLAIN)
        broker.allow(*least_rights(site))
        agent = site.agent().start().wait_ready(20)
        self.send(site)
        self.judged_as_ever(site, agent)
        self.assertLessEqual(agent.metric(ABORTS), 12)
        self.assertGreater(self.assert_no_orphans(site, "state_applications"), 0)
        agent.stop()

    def test_no_room_at_all_ends_it(self):
        """With the command that mends it: at its start, and under it."""
        site = self.place("no-room")
        agent = site.agent().start().wait_ready()
        self.limit(site, "state_applications", 700)
        self.send(site)
        wait_until("its end", agent.process.ended, 60)
        self.assertEqual(1, agent.process.code())
        wanted = f"--entity-name {site.topics['state_applications']} --add-config max.message.bytes=1000000"
        self.assertIn(wanted, agent.process.tail(60))
        agent.start()
        wait_until("its end", agent.process.ended, 60)
        self.assertEqual(1, agent.process.code())
        self.assertIn("--add-config max.message.bytes=", agent.process.tail(60))
        self.limit(site, "state_applications", 1_000_000)
        agent.start().wait_ready()
        self.judged_as_ever(site, agent)
        agent.stop()


class Verify(LimitsCase):
    def verify(self, site):
        agent = site.agent()
        done = subprocess.run([str(BINARY), "topics", "--verify", "-c", agent.config_path], capture_output=True,
                              env=environment("old"), timeout=60, check=False)
        return done.returncode, done.stdout.decode()

    def test_says_what_does_not_fit_and_what_mends_it(self):
        site = self.place("verify")
        self.assertEqual(0, self.verify(site)[0])
        self.limit(site, "dlq", 1_048_588)
        self.limit(site, "runs", 50_000)
        self.limit(site, "state_pipelines", 1000)
        self.limit(site, "state_applications", 100_000)
        code, said = self.verify(site)
        self.assertEqual(1, code)
        for name, word, wanted in (("dlq", "WRONG", (32 << 20) + 65536), ("runs", "WRONG", 1_000_000),
                                   ("state_pipelines", "WRONG", 1_000_000), ("state_applications", "note", 1_000_000)):
            line = next(line for line in said.splitlines() if f"{site.topics[name]}: " in line)
            self.assertIn(word, line)
            self.assertIn(f"--entity-name {site.topics[name]} --add-config max.message.bytes={wanted})", line)
            self.limit(site, name, wanted)
        self.assertEqual(0, self.verify(site)[0])
