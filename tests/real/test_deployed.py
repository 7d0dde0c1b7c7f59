"""What the chart asks Strimzi for, made by hand on real brokers: its KafkaTopics are those that `stoker topics --create` makes, and
with the rights of its KafkaUser and no other an agent does all of its work. Needs tests/deploy/deps.sh.
"""

import json
import sys

from confluent_kafka.admin import AclOperation, ConfigResource, ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

from agent import stoker
from cases import RealCase
from kafka_client import admin, await_topics, topics
from logs import Log
from processes import ROOT, fresh_dir
from test_rights import PLAIN, secured_broker

sys.path.append(str(ROOT / "tests/deploy"))
import chart  # noqa: E402  # pylint: disable=wrong-import-position

RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactionalId": ResourceType.TRANSACTIONAL_ID}
PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefix": ResourcePatternType.PREFIXED}
OPERATIONS = {"Read": AclOperation.READ, "Write": AclOperation.WRITE, "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS}


def rendered(site):
    """The chart's objects for an agent with this site's names."""
    config = {"kafka": {"brokers": site.broker.bootstrap}, "topics": site.config["topics"], "agent": {"group": site.name}}
    values = fresh_dir(f"values-{site.name}") / "values.yaml"
    values.write_text(json.dumps({"config": config, "strimzi": {
        "cluster": "main", "topics": {"enabled": True, "replicas": 1}, "user": {"enabled": True}}}))
    return chart.objects("-f", str(values))


def settings_of(site):
    """What was set of each topic, and its partitions: key below topics: -> dict."""
    there = topics(site.broker.bootstrap)
    wanted = {key: ConfigResource(ConfigResource.Type.TOPIC, name) for key, name in site.topics.items()}
    client = admin(site.broker.bootstrap)
    answers = client.describe_configs(list(wanted.values()))
    return {key: {"partitions": there[site.topics[key]],
                  **{name: entry.value for name, entry in answers[resource].result(20).items() if not entry.is_default}}
            for key, resource in wanted.items()}


class Deployed(RealCase):
    def test_its_topics_are_those_of_the_program(self):
        by_program, by_chart = self.site("by-program", partitions=3), self.site("by-chart", partitions=3)
        by_program.create_topics(by_program.agent())
        specs = [thing["spec"] for thing in chart.of_kind(rendered(by_chart), "KafkaTopic")]
        client = admin(by_chart.broker.bootstrap)
        made = client.create_topics([
            NewTopic(spec["topicName"], spec["partitions"], spec["replicas"],
                     config={key: str(value).lower() for key, value in spec["config"].items()}) for spec in specs])
        for future in made.values():
            future.result(20)
        await_topics(by_chart.broker.bootstrap, list(by_chart.topics.values()))
        said = stoker("topics", "--verify", "-c", by_chart.agent().config_path).decode()
        self.assertEqual({"ok"}, {line.split()[0] for line in said.splitlines() if line}, said)
        self.assertEqual(settings_of(by_program), settings_of(by_chart))

    def test_its_user_may_do_the_work(self):
        site = self.site("its-user", secured_broker(), partitions=1)
        site.create_topics(site.agent())
        site.agents.clear()
        site.config["kafka"].update(brokers=site.broker.sasl, common=PLAIN)
        acls = chart.one(rendered(site), "KafkaUser")["spec"]["authorization"]["acls"]
        site.broker.allow(*((RESOURCES[r["type"]], r["name"], PATTERNS[r["patternType"]], OPERATIONS[operation])
                            for acl in acls for r in (acl["resource"],) for operation in acl["operations"]))
        agent = site.agent().start().wait_ready(20)
        log, sender = Log.fixture("skew_groupbykey"), site.sender()
        for line in log.lines:
            sender.send(site.topics["events"], line, log.app_id)
        sender.send(site.topics["events"], b'{"Event":"SparkListenerJobEnd","Job ID":', b"nobody")
        sender.flush()
        results = site.results().settle([(log.app_id, log.attempt)], 40, agent.process)
        self.assert_equal_offline(results, self.offline([log]))
        self.assertEqual(1, agent.metric("stoker_dlq_records_total"))
        self.assertEqual(0, agent.metric("stoker_kafka_errors_total"))
        self.assertNotIn("DESCRIBE_CONFIGS", agent.process.log())
        agent.stop()
