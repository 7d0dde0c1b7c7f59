"""`stoker doctor` on a real Kafka: what it says, line by line, of a site that is well and of one thing after the other that is
not; that it writes nothing, moves nothing and disturbs nobody.
"""

import json
import socket
import subprocess
import time

from confluent_kafka import Consumer, TopicPartition

from agent import BINARY, environment
from cases import RealCase, shared_broker
from kafka_client import admin, unique
from logs import Log
from processes import HOST, PartError, wait_until
from secured import PASSWORD, read, read_group, set_topic, write, write_transactions
from test_rights import PLAIN, SCRAM, RightsCase
from topics_def import INPUTS, OUTPUTS, STATES

FROM_LISTENER = [("app_id", b"set below"), ("stoker_seq", b"1"), ("stoker_listener", b"0.2.0"), ("spark_version", b"3.5.6")]

NEEDED = (*INPUTS, *OUTPUTS, *STATES)  # by an agent that ships no event logs


def doctor(site, *words, lib="old", timeout_s=60):
    """(exit code, checks) of the JSON form, and that the text form says the same."""
    path = site.agents[0].config_path if site.agents else site.agent(lib).config_path
    started = time.monotonic()
    done = subprocess.run([BINARY, "doctor", "-c", path, "--format", "json", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, env=environment(lib), timeout=timeout_s, check=False)
    if done.returncode not in (0, 1):
        raise PartError(f"doctor: exit {done.returncode}: {done.stderr.decode(errors='replace')[-3000:]}")
    said = json.loads(done.stdout)
    said["took_s"] = time.monotonic() - started
    said["raw"] = done.stdout + done.stderr
    if done.returncode != (0 if said["ok"] else 1):
        raise PartError(f"doctor: exit {done.returncode}, but {said}")
    return said


def headers(app_id):
    return [("app_id", app_id.encode()), *FROM_LISTENER[1:]]


class DoctorCase(RealCase):
    def assert_says(self, said, check, mark, text, remedy=""):
        """One line of this check has these words, and this remedy."""
        lines = [line for line in said["checks"] if line["check"] == check]
        if not any(line["mark"] == mark and text in line["text"] and remedy in line["remedy"] for line in lines):
            self.fail(f"{check}: no {mark} with {text!r} -> {remedy!r} among\n" + "\n".join(map(str, lines)))

    def assert_only_failure(self, said, check):
        self.assertEqual({check}, {line["check"] for line in said["checks"] if line["mark"] == "FAIL"}, said["checks"])

    def made(self, name, **options):
        """A site whose topics are there."""
        site = self.site(name, **options)
        site.create_topics(site.agent())
        return site

    @staticmethod
    def send(site, log, key=True, with_headers=True, **how):
        sender = site.sender()
        for line in log.lines:
            sender.send(site.topics["events"], line, log.app_id if key else None,
                        headers(log.app_id) if with_headers else None, **how)
        sender.flush()


class Well(DoctorCase):
    def test_a_site_that_works(self):
        """Every line, beside a running agent, which is not disturbed and whose positions do not move."""
        site = self.site("doctor")
        agent = site.running()
        logs = [Log.fixture("skew_groupbykey"), Log.fixture("ok_groupby")]
        for log in logs:
            self.send(site, log)
        site.results().settle([(log.app_id, log.attempt) for log in logs], 60, agent.process)
        before = positions(site)
        said = doctor(site, "--records", "100000")
        self.assertTrue(said["ok"], said)
        self.assertEqual((0, 0), (said["failed"], said["warned"]), said)
        self.assert_says(said, "brokers", "ok", f"{site.broker.bootstrap} answers (PLAINTEXT, librdkafka 2.0.2)")
        self.assert_says(said, "topics", "ok", f"{len(NEEDED)} of {len(NEEDED)} topics are there and fit; {site.topics['events']} has 6 partitions")
        self.assert_says(said, "rights", "ok", f"the positions of group {site.name}, writing {len(OUTPUTS) + len(STATES)} topics as {site.name}-doctor")
        self.assert_says(said, "events", "ok", "the newest is ")
        records = sum(len(log.lines) for log in logs)
        self.assert_says(said, "events", "ok", f"of the last {records} records {records} are listener events")
        self.assert_says(said, "events", "ok", "of 2 applications (")
        self.assert_says(said, "events", "ok", f"{records} by listener 0.2.0 (Spark 3.5.6); 100 % have stoker_seq")
        self.assert_says(said, "agents", "ok", f"1 in group {site.name} (Stable)")
        self.assert_says(said, "agents", "ok", "; 0 events not read yet")
        self.assert_says(said, "alerts", "ok", "sent to nobody")
        self.assert_says(said, "pages", "ok", "an agent answers at ")
        self.assertEqual(before, positions(site))
        self.assertEqual(200, agent.readyz()[0])
        self.assertEqual(0, agent.metric("stoker_fenced_total"))
        agent.stop()

    def test_it_writes_nothing(self):
        """Not even for readers that do not ask for what is committed; and no transaction stays open."""
        site = self.made("doctor-writes")
        self.assertTrue(doctor(site)["ok"])
        names = [site.topics[name] for name in (*OUTPUTS, *STATES)]
        consumer = Consumer({"bootstrap.servers": site.broker.bootstrap, "group.id": unique("look"), "isolation.level": "read_uncommitted",
                             "auto.offset.reset": "earliest", "enable.partition.eof": True, "log_level": 0})
        wanted = [TopicPartition(name, p, 0) for name in names for p in consumer.list_topics(timeout=10).topics[name].partitions]
        consumer.assign(wanted)
        ended = set()
        while len(ended) < len(wanted):
            for message in consumer.consume(100, 10):
                self.assertIsNotNone(message.error(), f"a record on {message.topic()}")
                ended.add((message.topic(), message.partition()))
        consumer.close()
        self.assertEqual({}, positions(site))

    def test_the_form_for_people(self):
        site = self.made("doctor-text")
        done = subprocess.run([BINARY, "doctor", "-c", site.agents[0].config_path], stdin=subprocess.DEVNULL, capture_output=True,
                              env=environment("old"), timeout=60, check=False)
        lines = done.stdout.decode().splitlines()
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        self.assertTrue(lines[0].startswith("ok       settings  "), lines)
        self.assertTrue(any(line.startswith("warn     events    ") and "has no record in any of its 6 partitions" in line for line in lines), lines)
        self.assertTrue(any(line.strip().startswith("-> send some: docs/connect.md") for line in lines), lines)
        self.assertEqual("0 failed, 2 warned", lines[-1])
        self.assertLessEqual(len(lines), 24, "more than a screen")


def positions(site):
    """(partition) -> offset of the site's group on its events."""
    consumer = Consumer({"bootstrap.servers": site.broker.bootstrap, "group.id": site.name, "log_level": 0})
    found = consumer.committed([TopicPartition(site.topics["events"], p) for p in range(site.partitions)], timeout=10)
    consumer.close()
    return {p.partition: p.offset for p in found if p.offset >= 0}


class Unreachable(DoctorCase):
    def said_of(self, brokers, common=None, lib="old"):
        site = self.site("doctor-nobody")
        site.config["kafka"].update(brokers=brokers, common=common or {})
        said = doctor(site, "--timeout", "3s", lib=lib)
        self.assert_only_failure(said, "brokers")
        self.assertLess(said["took_s"], 9)
        for check in ("topics", "rights", "events", "agents"):
            self.assert_says(said, check, "skipped", "no broker answers")
        self.assert_says(said, "pages", "ok", "is free for an agent")
        return said

    def test_nobody_there(self):
        said = self.said_of(f"{HOST}:1")
        self.assert_says(said, "brokers", "FAIL", "Connection refused", "is this the port of a listener")

    def test_a_port_that_never_answers(self):
        with socket.create_server((HOST, 0)) as silent:
            said = self.said_of(f"{HOST}:{silent.getsockname()[1]}")
        self.assert_says(said, "brokers", "FAIL", "", "firewall")

    def test_a_name_that_is_unknown(self):
        said = self.said_of("no-such-host.invalid:9092")
        self.assert_says(said, "brokers", "FAIL", "resolve", "is the name right")

    def test_tls_where_none_is_spoken(self):
        said = self.said_of(shared_broker().bootstrap, {"security.protocol": "SSL"})
        self.assert_says(said, "brokers", "FAIL", "SSL", "speaks another protocol")


class Topics(DoctorCase):
    def test_one_is_missing(self):
        site = self.made("doctor-missing")
        client = admin(site.broker.bootstrap)  # must outlive the request
        client.delete_topics([site.topics["bottlenecks"]])[site.topics["bottlenecks"]].result(20)
        said = wait_until("it is gone", lambda: (lambda s: None if s["ok"] else s)(doctor(site)), 20)
        self.assert_only_failure(said, "topics")
        self.assert_says(said, "topics", "FAIL", f"{site.topics['bottlenecks']}: cannot be used", "stoker topics --create -c ")

    def test_all_are_missing(self):
        site = self.site("doctor-none")
        site.agent()
        said = doctor(site)
        self.assert_only_failure(said, "topics")
        self.assertEqual(len(NEEDED), said["failed"])
        self.assert_says(said, "events", "skipped", "cannot be used")

    def test_a_wrong_policy_on_a_state_topic(self):
        site = self.made("doctor-policy")
        set_topic(site.broker.bootstrap, site.topics["state_pipelines"], "cleanup.policy", "delete")
        said = wait_until("it is told", lambda: (lambda s: None if s["ok"] else s)(doctor(site)), 20)
        self.assert_only_failure(said, "topics")
        self.assert_says(said, "topics", "FAIL", "cleanup.policy is delete, it must be compact",
                         f"kafka-configs.sh --alter --entity-type topics --entity-name {site.topics['state_pipelines']} "
                         f"--add-config cleanup.policy=compact --bootstrap-server {site.broker.bootstrap}")


class Events(DoctorCase):
    def test_none_yet_and_no_agent(self):
        site = self.made("doctor-empty")
        said = doctor(site)
        self.assertTrue(said["ok"])
        self.assert_says(said, "events", "warn", "has no record in any of its 6 partitions", "docs/connect.md")
        self.assert_says(said, "agents", "warn", f"nobody is in group {site.name}; 0 events not read yet", "stoker run -c ")

    def test_old_ones(self):
        site = self.made("doctor-old", partitions=1)
        log = Log.fixture("ok_groupby")
        self.send(site, log, timestamp=int(time.time() * 1000) - 3 * 86400 * 1000)
        said = doctor(site)
        self.assert_says(said, "events", "warn", "the newest is 3 d 00 h", "does a Spark run now")
        self.assert_says(said, "agents", "warn", f"{len(log.lines)} events not read yet")

    def test_ones_of_tomorrow(self):
        site = self.made("doctor-early", partitions=1)
        self.send(site, Log.fixture("ok_groupby"), timestamp=int(time.time() * 1000) + 1800 * 1000)
        self.assert_says(doctor(site), "events", "warn", "ahead of this host's clock", "NTP")

    def test_nothing_that_decodes(self):
        site = self.made("doctor-garbage", partitions=1)
        sender = site.sender()
        for _ in range(4):
            sender.send(site.topics["events"], b'{"Event":"SparkListenerTaskEnd","Stage ID":', b"key")
        sender.flush()
        said = doctor(site)
        self.assert_only_failure(said, "events")
        self.assert_says(said, "events", "FAIL", "of the last 4 records 0 are listener events; cannot be used: 4 malformed", "is it the right topic")

    def test_some_that_do_not_decode(self):
        site = self.made("doctor-some", partitions=1)
        self.send(site, Log.fixture("ok_groupby"))
        sender = site.sender()
        sender.send(site.topics["events"], b'{"Event":"SparkListenerTaskEnd","Stage ID":', b"key")
        sender.flush()
        said = doctor(site, "-n", "10")
        self.assertTrue(said["ok"])
        self.assert_says(said, "events", "warn", "of the last 10 records 9 are listener events; cannot be used: 1 malformed")

    def test_events_beside_others_in_a_record(self):
        """Each record has an event and more of what is none: it counts once, as one with an event."""
        site = self.made("doctor-beside", partitions=1)
        log = Log.fixture("ok_groupby")
        sender = site.sender()
        for line in log.lines[:4]:
            record = b'{"records":[{"applicationId":"%s","properties":%s}' % (log.app_id.encode(), line)
            sender.send(site.topics["events"], record + b',{"category":"Metrics","properties":{}}' * 3 + b"]}", log.app_id)
        sender.flush()
        self.assert_says(doctor(site), "events", "ok", "of the last 4 records 4 are listener events")

    def test_nobody_says_whose_they_are(self):
        site = self.made("doctor-whose", partitions=1)
        sender = site.sender()
        for task in range(20):
            sender.send(site.topics["events"], b'{"Event":"SparkListenerTaskEnd","Stage ID":1,"Stage Attempt ID":0,'
                        b'"Task Info":{"Task ID":%d,"Launch Time":1700000000000,"Finish Time":1700000001000}}' % task)
        sender.flush()
        said = doctor(site)
        self.assert_only_failure(said, "events")
        self.assert_says(said, "events", "FAIL", "cannot be used: 20 unplaced", "header app_id")

    def test_one_application_in_several_partitions(self):
        site = self.made("doctor-split")
        log = Log.fixture("ok_groupby")
        sender = site.sender()
        for i, line in enumerate(log.lines):
            sender.send(site.topics["events"], line, None, headers(log.app_id), i % 3)
        sender.flush()
        said = doctor(site, "-n", "100000")
        self.assert_only_failure(said, "events")
        self.assert_says(said, "events", "FAIL", "1 applications lie in more than one partition", "the application id as the key")

    def test_text_of_a_message_is_escaped(self):
        site = self.made("doctor-hostile", partitions=1)
        log = Log.fixture("ok_groupby")
        sender = site.sender()
        for line in log.lines:
            sender.send(site.topics["events"], line, b"\x1b[31m", [("app_id", log.app_id.encode()), ("stoker_listener", b"\x1b]0;x\x07\xe2\x80\xae")])
        sender.flush()
        said = doctor(site)
        self.assertNotIn(b"\x1b", said["raw"])
        self.assertNotIn("\x1b", json.dumps(said["checks"], ensure_ascii=False))
        self.assert_says(said, "events", "ok", "by listener \\x1b]0;x\\x07\\u202e (Spark")

    def test_only_the_last_are_looked_at(self):
        site = self.made("doctor-last", partitions=3)
        self.send(site, Log.fixture("ok_groupby"))
        self.assert_says(doctor(site, "-n", "6"), "events", "ok", "of the last 2 records 2 are")


class Rights(DoctorCase, RightsCase):
    """By the user of a broker that gives nothing else: RightsCase."""

    def missing(self, name, without, check, text, remedy, lib="old"):
        site, missing = self.place(name, without)
        said = doctor(site, lib=lib)
        self.assertFalse(said["ok"])
        self.assert_says(said, check, "FAIL", text.format(missing[1]), remedy.format(missing[1]))
        self.assertEqual({check}, {line["check"] for line in said["checks"] if line["mark"] == "FAIL"}, said["checks"])
        self.broker.allow(missing)
        self.assertTrue(doctor(site, lib=lib)["ok"])

    def test_the_list_of_the_docs_is_enough(self):
        site, _ = self.place("doctor-least")
        said = doctor(site)
        self.assertTrue(said["ok"], said)
        self.assert_says(said, "brokers", "ok", "(SASL_PLAINTEXT PLAIN, librdkafka 2.0.2)")
        self.assert_says(said, "rights", "ok", "tried: reading ")
        self.assertNotIn(PASSWORD.encode(), said["raw"])

    def test_read_on_the_events(self):
        self.missing("doctor-read", lambda site: read(site.topics["events"]), "topics", "{}: cannot be used", "--topic {}")

    def test_read_on_what_may_be_written(self):
        self.missing("doctor-runs", lambda site: read(site.topics["runs"]), "rights", "the user needs the ACL READ",
                     "--operation READ --topic {}")

    def test_write_on_what_may_be_read(self):
        self.missing("doctor-write", lambda site: write(site.topics["state_pipelines"]), "rights", "topic {} cannot be written",
                     "--operation WRITE --topic {}")

    def test_write_on_what_may_be_read_newest_library(self):
        self.missing("doctor-write-new", lambda site: write(site.topics["state_pipelines"]), "rights", "topic {} cannot be written",
                     "--operation WRITE --topic {}", lib="new")

    def test_read_on_the_group(self):
        self.missing("doctor-group", lambda site: read_group(site.name), "rights", "the user needs the ACL READ", "--operation READ --group {}")

    def test_write_on_transactional_ids(self):
        self.missing("doctor-ids", lambda site: write_transactions(site.name), "rights", "transactional id {}-doctor", "prefixed --transactional-id {}")

    def test_a_login_where_none_is_given(self):
        site, _ = self.place("doctor-login")
        site.config["kafka"]["common"] = {}
        said = doctor(site, "--timeout", "3s")
        self.assert_only_failure(said, "brokers")
        self.assert_says(said, "brokers", "FAIL", "", "it wants TLS or a login")

    def test_a_wrong_password_is_not_shown(self):
        site, _ = self.place("doctor-password", **{**PLAIN, "sasl.password": "another-word"})
        said = doctor(site, "--timeout", "3s", "--log-level", "debug")
        self.assert_only_failure(said, "brokers")
        self.assert_says(said, "brokers", "FAIL", "", "sasl.password")
        self.assertNotIn(b"another-word", said["raw"])

    def test_scram_on_kafka_4(self):
        site, _ = self.place("doctor-scram", **SCRAM)
        said = doctor(site, "--timeout", "3s")
        self.assert_says(said, "brokers", "FAIL", "librdkafka before 2.6.1", "install a newer librdkafka")
