"""KafkaTopics and the KafkaUser of the chart against what the program and the pages say: the topics of include/model/topics.def
with the settings of `stoker topics --create`, and just the rights of docs/guarantees.md and docs/ship.md. tests/real (suite
deployed) makes both on a real broker. Called by tests/run.sh (step deploy).
"""
import pathlib
import re
import subprocess
import unittest

import yaml

from chart import ROOT, STOKER, ChartError, objects, of_kind, one, rendered

LEAST, FULL, SHIPS = (("-f", str(ROOT / f"tests/deploy/values/{name}.yaml")) for name in ("least", "full", "ships"))
ASKED = ("--set", "strimzi.cluster=main,strimzi.topics.enabled=true,strimzi.user.enabled=true")
TOPICS_C = (ROOT / "agent/kafka/topics.c").read_text()
ROWS = re.findall(r'^TOPIC\(\w+,\s*"(\w+)",\s*"([^"]+)",\s*TOPIC_(\w+),', (ROOT / "include/model/topics.def").read_text(), re.M)
USE = {name: use for name, _, use in ROWS}
DEFAULT = {name: topic for name, topic, _ in ROWS}


def names(values):
    """The agent's names of its topics with these values: key below topics: -> topic."""
    given = yaml.safe_load(pathlib.Path(values[1]).read_text())["config"].get("topics", {})
    return {key: given.get(key, topic) for key, topic in DEFAULT.items()}


def constant(path, name):
    return int(re.search(rf"\b{name} = (\d+)", (ROOT / path).read_text()).group(1))


def rights(things):
    """(type, name, pattern, operation) of the KafkaUser."""
    acls = one(things, "KafkaUser")["spec"]["authorization"]["acls"]
    found = [(a["resource"]["type"], a["resource"]["name"], a["resource"]["patternType"], operation)
             for a in acls for operation in a["operations"]]
    if len(found) != len(set(found)):
        raise ChartError(f"a right is there twice: {found}")
    return set(found)


def documented(topics, group, ships, dead_letters, describe):
    """What docs/guarantees.md and docs/ship.md list, with the uses of topics.def."""
    wanted = {("topic", topics[t], "literal", "Read") for t, use in USE.items() if use in ("INPUT", "LINK", "STATE")}
    written = {t for t, use in USE.items() if use in ("LINK", "OUTPUT", "STATE") or (use == "DEAD_LETTERS" and dead_letters)}
    wanted |= {("group", group, "literal", "Read"), ("transactionalId", group, "prefix", "Write")}
    if ships:
        positions = {t for t, use in USE.items() if use == "POSITIONS"}
        wanted |= {("topic", topics[t], "literal", "Read") for t in positions} | {("group", f"{group}.ship/", "prefix", "Read")}
        written |= positions | {"events"}
    wanted |= {("topic", topics[t], "literal", "Write") for t in written}
    if describe:
        wanted |= {("topic", topics[t], "literal", "DescribeConfigs") for t in written}
    return wanted


class User(unittest.TestCase):
    def test_the_rights_are_those_of_the_pages_and_no_more(self):
        for values, group, ships, dead_letters, describe in (
                ((*LEAST, *ASKED), "stoker", False, True, True), (FULL, "stoker-prod", False, False, True),
                (SHIPS, "stoker", True, True, False)):
            self.assertEqual(documented(names(values), group, ships, dead_letters, describe), rights(objects(*values)), values)

    def test_the_pages_still_list_them_so(self):
        """The words that `documented` is a reading of."""
        page = " ".join((ROOT / "docs/guarantees.md").read_text().split())
        self.assertIn("ACLs: READ on `topics.events`, `topics.runs` and both state topics; WRITE on `topics.runs`, the outputs, the state "
                      "topics and the dead-letter topic (not with `topics.dlq_enabled: false`); READ on the group; WRITE on the "
                      "transactional ids that begin with the group's name", page)
        self.assertIn("DESCRIBE_CONFIGS on the state topics lets it check their policy, which is taken as right without, and on all that "
                      "it writes lets it know their limits", page)
        rows = re.findall(r"^\| (READ|WRITE) \| (.*?) \|$", (ROOT / "docs/ship.md").read_text(), re.M)
        self.assertEqual([("WRITE", "`topics.events`, `topics.state_ship`"), ("READ", "`topics.state_ship`"),
                          ("READ", "consumer groups that begin with `<agent.group>.ship/`"),
                          ("WRITE", "transactional ids that begin with `<agent.group>.ship/` (not with `--no-transactions`)")], rows)

    def test_the_cluster_must_be_named(self):
        for part in ("topics", "user"):
            with self.assertRaisesRegex(ChartError, "strimzi.cluster"):
                rendered(*LEAST, "--set", f"strimzi.{part}.enabled=true")


class Topics(unittest.TestCase):
    def test_every_topic_and_no_other(self):
        for values, without in (((*LEAST, *ASKED), set()), (FULL, {"dlq"}), (SHIPS, {"events"})):
            topics = of_kind(objects(*values), "KafkaTopic")
            wanted = [topic for key, topic in names(values).items() if key not in without]
            self.assertEqual(wanted, [topic["spec"]["topicName"] for topic in topics])
            self.assertEqual(len(topics), len({topic["metadata"]["name"] for topic in topics}))
            for topic in topics:
                self.assertEqual("keep", topic["metadata"]["annotations"]["helm.sh/resource-policy"])
                self.assertEqual("main", topic["metadata"]["labels"]["strimzi.io/cluster"])

    def test_partitions(self):
        for values, partitions in (((*LEAST, *ASKED), 6), (FULL, 24), (SHIPS, 6)):
            for topic in of_kind(objects(*values), "KafkaTopic"):
                positions = topic["spec"]["topicName"] == names(values)["state_ship"]
                self.assertEqual(1 if positions else partitions, topic["spec"]["partitions"])

    def test_settings_are_those_of_the_program(self):
        pairs = dict(re.findall(r'\{"([a-z.]+)", "([a-z0-9.]+)"\}', re.search(r"compacted_config.*?;", TOPICS_C, re.S).group(0)))
        pairs["unclean.leader.election.enable"] = "false"
        self.assertIn('set_config(topic, "unclean.leader.election.enable", "false")', TOPICS_C)
        self.assertIn('set_config(topic, "cleanup.policy", "delete")', TOPICS_C)
        plain = {"cleanup.policy": "delete", "unclean.leader.election.enable": "false"}
        least = constant("agent/kafka/topics.c", "LIMIT_DEFAULT_BYTES")
        self.assertGreater(least, constant("include/model/topic.h", "TOPIC_RECORD_BYTES"))
        largest = {"events": 32 << 20, "dlq": (32 << 20) + constant("agent/commands/setup.c", "HEADER_BYTES")}
        for topic in of_kind(objects(*LEAST, *ASKED), "KafkaTopic"):
            key = next(k for k, name in DEFAULT.items() if name == topic["spec"]["topicName"])
            got = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in topic["spec"]["config"].items()}
            wanted = pairs if USE[key] in ("STATE", "POSITIONS") else plain
            self.assertEqual({**wanted, "max.message.bytes": str(largest.get(key, least))}, got, key)
        kept = next(t for t in of_kind(objects(*FULL), "KafkaTopic") if t["spec"]["topicName"] == "spark.events_raw")
        self.assertEqual(259200000, kept["spec"]["config"]["retention.ms"])

    def test_the_names_are_the_agents(self):
        """The chart's defaults, against the program's."""
        shown = yaml.safe_load(subprocess.run([STOKER, "config", "show"], capture_output=True, text=True, check=True).stdout)
        self.assertEqual(DEFAULT, {key: shown["topics"][key] for key in DEFAULT})
        self.assertEqual(names(LEAST), {next(k for k, n in DEFAULT.items() if n == t["spec"]["topicName"]): t["spec"]["topicName"]
                                        for t in of_kind(objects(*LEAST, *ASKED), "KafkaTopic")})
        self.assertEqual(("stoker", 6), (shown["agent"]["group"], shown["topics"]["partitions"]))


if __name__ == "__main__":
    unittest.main()
