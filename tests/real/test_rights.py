"""What a user of Kafka needs, on a broker that gives nothing else (StandardAuthorizer): with the rights that
docs/guarantees.md lists the agent does all of its work; without one of them it says which, publishes
nothing, and goes on once it has it; so too with its login.
"""

import time

from agent import stoker
from cases import NEWEST_KAFKA, RealCase
from kafka_client import Reader
from logs import HOUR_MS, Log
from processes import PartError, wait_until
from secured import (PASSWORD, USER, Certificates, SecuredBroker, describe_configs, read, read_group, read_groups, write,
                     write_transactions)
from topics_def import INPUTS, OUTPUTS, STATES

PLAIN = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": USER,
         "sasl.password": PASSWORD}
SCRAM = {**PLAIN, "sasl.mechanism": "SCRAM-SHA-512"}

HALF_EVENT = b'{"Event":"SparkListenerJobEnd","Job ID":'  # the beginning of one

_shared = {}


def secured_broker():
    if "broker" not in _shared:
        _shared["broker"] = SecuredBroker(NEWEST_KAFKA).start()
    return _shared["broker"]


def least_rights(site):
    """The list of docs/guarantees.md, and nothing else."""
    topics = site.topics
    return [*(read(topics[name]) for name in (*INPUTS, "runs", *STATES)),
            *(write(topics[name]) for name in (*OUTPUTS, *STATES)),
            read_group(site.name), write_transactions(site.name)]


class RightsCase(RealCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = secured_broker()
        first = Log.fixture("skew_groupbykey")
        # Two hours later, so that its events close the windows of the first.
        cls.logs = [first, Log.fixture("ok_groupby").copy("app-later", later_ms=2 * HOUR_MS)]

    def place(self, name, without=None, **login):
        """A site whose user has the least rights (all but those that `without` names), its input there.
        One partition and no ticks: what comes out does not depend on when."""
        site = self.site(name, self.broker, partitions=1)
        site.create_topics(site.agent())
        site.agents.clear()
        site.config["agent"]["tick"] = "0s"
        login = login or PLAIN
        brokers = self.broker.tls if login["security.protocol"] == "SSL" else self.broker.sasl
        site.config["kafka"].update(brokers=brokers, common={"topic.metadata.refresh.interval.ms": 1000, **login})
        missing = without(site) if without else None
        rights = least_rights(site)
        if missing is not None:
            rights.remove(missing)
        self.broker.allow(*rights)
        return site, missing

    def send(self, site, part=slice(None)):
        """One message that is half an event, then the logs; or a slice of all that."""
        everything = [(b"nobody", HALF_EVENT),
                      *((log.app_id, line) for log in self.logs for line in log.lines)]
        sender = site.sender()
        for key, line in everything[part]:
            sender.send(site.topics["events"], line, key)
        sender.flush()

    def assert_waits(self, agent, *words):
        """Alive, not ready, and soon all of these words on /readyz."""
        said = []

        def told():
            said.append(agent.readyz())
            return said[-1][0] == 503 and all(word in said[-1][1] for word in words)
        try:
            wait_until(f"not ready because of {words}", told, 15, 0.1, agent.process)
        except PartError as error:
            raise PartError(f"{error}\n    the last /readyz: {said[-1]}") from error
        self.assertEqual(200, agent.livez()[0])

    @staticmethod
    def reader(site):
        """Reads the committed records of all output topics."""
        return Reader(site.broker.bootstrap, [site.topics[name] for name in OUTPUTS])

    @staticmethod
    def output(site, reader):
        """Every committed record of every output topic, in its order: name -> (key, value)."""
        reader.to_end()
        return {name: [(m.key(), m.value()) for m in reader.records[site.topics[name]]] for name in OUTPUTS}

    def assert_nothing_published(self, site):
        self.assertEqual({name: [] for name in OUTPUTS}, self.output(site, self.reader(site)))

    def undisturbed(self):
        """(results, output) of an agent that had all rights from the beginning."""
        if "undisturbed" not in _shared:
            site, _ = self.place("rights")
            agent = site.agent().start().wait_ready(20)
            self.send(site)
            results = site.results().settle([(log.app_id, log.attempt) for log in self.logs], 40,
                                            agent.process)
            reader = self.reader(site)
            wait_until("every kind of record", lambda: all(self.output(site, reader).values()), 10)
            agent.stop()
            _shared["undisturbed"] = results.read(), self.output(site, reader)
        return _shared["undisturbed"]

    def assert_all_came_once(self, site, agent):
        """Byte for byte, and no record more often, than if nothing had been missing."""
        wanted = self.undisturbed()[1]
        reader = self.reader(site)

        def as_many(reader):
            return all(len(reader.records[site.topics[name]]) >= len(wanted[name]) for name in OUTPUTS)
        reader.until("as many records as undisturbed", as_many, 40, 0, agent.process)
        agent.wait_ready(20)
        agent.stop()
        output = self.output(site, reader)
        for name in OUTPUTS:
            self.assertEqual(wanted[name], output[name], name)

    def assert_keeps_waiting(self, agent, *words):
        """All of these words, all the time, long enough to do the wrong thing."""
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            status, said = agent.readyz()
            self.assertEqual((503, []), (status, [word for word in words if word not in said]), said)
            time.sleep(0.05)

    def check_missing(self, name, without, *words, lib="old", at_once=True):
        """Words (at once: before there is anything to do), nothing published, and all of it once the right
        is there."""
        site, missing = self.place(name, without)
        if not at_once:
            self.send(site)
        agent = site.agent(lib).start()
        self.assert_waits(agent, missing[1], *words)
        if at_once:
            self.send(site)
        self.assert_keeps_waiting(agent, missing[1], *words)
        self.assert_nothing_published(site)
        self.broker.allow(missing)
        self.assert_all_came_once(site, agent)


class LeastRights(RightsCase):
    def test_what_the_docs_list_is_enough(self):
        results, output = self.undisturbed()
        self.assert_equal_offline(results, self.offline(self.logs))
        self.assert_no_repeats(results)
        self.assertTrue(results.published(), "no bottleneck was published")
        self.assertTrue(results.recommendations, "no recommendation was published")
        self.assertTrue(results.windows, "no window was published")
        self.assertEqual([(b"nobody", HALF_EVENT)], output["dlq"])

    def test_a_restart_needs_no_more(self):
        site, _ = self.place("again")
        agent = site.agent().start().wait_ready(20)
        self.send(site, slice(0, 30))
        wait_until("half of it read", lambda: agent.metric("stoker_events_read_total") == 30, 10)
        agent.stop()
        self.send(site, slice(30, None))
        agent.start().wait_ready(20)
        self.assertGreater(agent.metric("stoker_restore_records_total"), 0)
        self.assert_all_came_once(site, agent)

    def test_looking_back_needs_to_read_its_topics_and_nothing_else(self):
        site, _ = self.place("past")
        agent = site.agent().start().wait_ready(20)
        self.send(site)
        log = self.logs[0]
        pipeline = site.results().settle([(log.app_id, log.attempt)], 40, agent.process).runs[log.app_id, log.attempt]["pipeline"]
        agent.stop()
        self.broker.deny(*least_rights(site))
        for topic, command in (("runs", "report"), ("recommendations", "advise")):
            words = (command, "--pipeline", pipeline, "-c", agent.config_path)
            with self.assertRaisesRegex(PartError, f"topic {site.topics[topic]} cannot be read: .* the user needs the ACL READ on it"):
                stoker(*words)
            self.broker.allow(read(site.topics[topic]))
            self.assertIn(log.app_id, stoker(*words).decode())

    def test_describe_configs_lets_it_refuse_a_wrong_policy(self):
        """Without, the policy is taken as right: that is what all other cases do."""
        site, _ = self.place("policy")
        topic = site.topics["state_pipelines"]
        self.broker.set(topic, "cleanup.policy", "delete")
        agent = site.agent().start().wait_ready(20)
        said = stoker("topics", "--verify", "-c", agent.config_path).decode()
        self.assertIn("DESCRIBE_CONFIGS", said)
        agent.stop()
        self.broker.allow(describe_configs(topic))
        agent.start()
        wait_until("its end", agent.process.ended, 20)
        self.assertEqual(1, agent.process.code())
        self.assertIn("cleanup.policy is delete, it must be compact", agent.process.tail())


class MissingRights(RightsCase):
    def test_write_on_an_output(self):
        self.check_missing("output", lambda site: write(site.topics["bottlenecks"]), "ACL WRITE")

    def test_write_on_a_state_topic(self):
        self.check_missing("state", lambda site: write(site.topics["state_applications"]), "ACL WRITE",
                           at_once=False)

    def test_write_on_a_state_topic_newest_library(self):
        self.check_missing("state", lambda site: write(site.topics["state_applications"]), "ACL WRITE",
                           lib="new", at_once=False)

    def test_read_on_a_state_topic(self):
        self.check_missing("unreadable", lambda site: read(site.topics["state_applications"]), "ACL READ")

    def test_read_on_the_events(self):
        self.check_missing("events", lambda site: read(site.topics["events"]), "ACL READ")

    def test_read_on_the_group(self):
        self.check_missing("group", lambda site: read_group(site.name), "group", "ACL READ")

    def test_write_on_transactional_ids(self):
        """The one that ends it: no wait makes an id right that is wrong."""
        site, missing = self.place("ids", lambda site: write_transactions(site.name))
        self.send(site)
        agent = site.agent().start()
        wait_until("its end", agent.process.ended, 20)
        self.assertEqual(1, agent.process.code())
        self.assertIn(f"transactional id {site.name}", agent.process.tail())
        self.assertIn("ACL WRITE", agent.process.tail())
        self.assert_nothing_published(site)
        self.broker.allow(missing)
        self.assert_all_came_once(site, agent.start())

    def test_every_other_right_of_the_list_is_needed(self):
        """Side by side. What comes before the missing right may come out; in the end it is all the same."""
        wanted = [*((read, name, "ACL READ") for name in ("runs", "state_pipelines")),
                  *((write, name, "ACL WRITE") for name in OUTPUTS if name != "bottlenecks"),
                  (write, "state_pipelines", "ACL WRITE")]
        started = []
        for right, name, words in wanted:
            site, missing = self.place(name, lambda site, r=right, n=name: r(site.topics[n]))
            self.send(site)
            started.append((site, missing, words, site.agent().start()))
        for _, missing, words, agent in started:
            self.assert_waits(agent, missing[1], words)
        for _, missing, _, _ in started:
            self.broker.allow(missing)
        for site, _, _, agent in started:
            self.assert_all_came_once(site, agent)

    def test_rights_that_are_taken_away(self):
        """In the middle of the work, and given back."""
        taken = [(lambda site: write(site.topics["runs"]), "ACL WRITE"),
                 (lambda site: read(site.topics["events"]), "ACL READ"),
                 (lambda site: read_group(site.name), "ACL READ")]
        started = []
        for right, words in taken:
            site, _ = self.place("taken")
            started.append((site, right(site), words, site.agent().start()))
            self.send(site, slice(0, 30))
        for site, right, _, agent in started:
            wait_until("read", lambda a=agent: a.metric("stoker_events_read_total") == 30, 10)
            agent.wait_ready(20)
            self.broker.deny(right)
            self.send(site, slice(30, None))
        for _, right, words, agent in started:
            self.assert_waits(agent, right[1], words)
            self.broker.allow(right)
        for site, _, _, agent in started:
            self.assert_all_came_once(site, agent)


class Logins(RightsCase):
    def test_a_wrong_password(self):
        site, _ = self.place("password", **{**PLAIN, "sasl.password": "another-word"})
        self.send(site)
        agent = site.agent().start()
        self.assert_waits(agent, "check user, password and sasl.mechanism")
        self.assert_keeps_waiting(agent, "check user, password and sasl.mechanism")
        self.assertNotIn("another-word", agent.process.log())
        self.assert_nothing_published(site)
        agent.stop()
        site.config["kafka"]["common"].update(PLAIN)
        self.assert_all_came_once(site, site.agent().start())

    def test_scram_with_debians_library_says_what_is_wrong(self):
        """librdkafka before 2.6.1 cannot log in to Kafka 4 that way, and is told of a wrong password."""
        site, _ = self.place("scram-old", **SCRAM)
        agent = site.agent("old").start()
        self.assert_waits(agent, "Kafka 4", "librdkafka before 2.6.1", "SASL/PLAIN over TLS")
        agent.stop()

    def test_scram_with_the_newest_library_once_the_password_is_set(self):
        self.broker.set_scram_password("not-yet-the-one")
        site, _ = self.place("scram-new", **SCRAM)
        self.send(site)
        agent = site.agent("new").start()
        self.assert_waits(agent, "check user, password and sasl.mechanism")
        self.broker.set_scram_password(PASSWORD)
        self.assert_all_came_once(site, agent)

    def tls(self, authority, name):
        certificate, key = authority.give(name)
        return {"security.protocol": "SSL", "ssl.ca.location": str(self.broker.certificates.authority),
                "ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}

    def test_a_certificate(self):
        site, _ = self.place("certificate", **self.tls(self.broker.certificates, USER))
        agent = site.agent().start().wait_ready(20)
        self.send(site)
        self.assert_all_came_once(site, agent)

    def test_a_certificate_that_the_broker_does_not_trust(self):
        site, _ = self.place("stranger", **self.tls(Certificates("strangers"), USER))
        agent = site.agent().start()
        self.assert_waits(agent, "SSL", "certificate")
        agent.stop()


class Shipping(RightsCase):
    """The list of docs/ship.md, for a user who does nothing but ship event logs."""

    def place_shipper(self, name, without=None):
        """(site, agent whose file `ship` is given, folder with a log, the right that is not there)."""
        site = self.site(name, self.broker, partitions=1)
        site.create_topics(site.agent())
        site.config["kafka"].update(brokers=self.broker.sasl, common=PLAIN)
        topics, prefix = site.topics, f"{site.name}.ship/"
        rights = {"events": write(topics["events"]), "positions": write(topics["state_ship"]), "read": read(topics["state_ship"]),
                  "group": read_groups(prefix), "ids": write_transactions(prefix)}
        missing = rights.pop(without, None)
        self.broker.allow(*rights.values())
        folder = self.logs_dir()
        log = Log.fixture("ok_groupby")
        log.path = None
        log.written(folder)
        return site, site.agent(), folder, missing

    @staticmethod
    def ship(agent, folder, *more):
        return stoker("ship", "--since", "all", "--timeout", "4s", "-c", agent.config_path, *more, folder).decode()

    def test_what_the_docs_list_is_enough(self):
        _, agent, folder, _ = self.place_shipper("ship")
        self.assertIn("all committed", self.ship(agent, folder))

    def test_without_the_right_to_transactions(self):
        _, agent, folder, _ = self.place_shipper("ship-plain", "ids")
        self.assertIn("all committed", self.ship(agent, folder, "--no-transactions"))
        self.assertTrue(self.ship(agent, folder, "--no-transactions").startswith("0 events"))

    def test_each_of_them_is_needed(self):
        for without in ("events", "positions", "read", "group", "ids"):
            site, agent, folder, missing = self.place_shipper(f"ship-{without}", without)
            with self.assertRaises(PartError) as told:
                self.ship(agent, folder)
            self.assertIn("exit 1", str(told.exception))
            self.assertIn(missing[1], str(told.exception))
            self.assertIn("ACL", str(told.exception))
            self.broker.allow(missing)
            lines = Log.fixture("ok_groupby").lines
            self.assertTrue(self.ship(agent, folder).startswith(f"{len(lines)} events"))
            found = Reader(site.broker.bootstrap, [site.topics["events"]]).to_end().records[site.topics["events"]]
            self.assertEqual(lines, [message.value() for message in found], without)
