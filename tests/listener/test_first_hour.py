"""The first hour of somebody who follows docs/connect.md to the letter: its blocks are read out of the page, written where a user
would paste them, and lead to a verdict while the job runs. Only addresses and the jar's path are put in.
"""

import pathlib
import re

from agent import BINARY, environment, stoker
from cases import RealCase
from harness import VERSIONS, Spark, jar
from processes import ROOT, PartError, Process, fresh_dir, wait_until

PAGE = ROOT / "docs/connect.md"
JAR = re.compile(r"\S*stoker-spark-listener-[\d.]+\.jar")
SKEW_S = 16


def block(heading):
    """The first block under a heading of the page."""
    found = re.search(rf"^#+ {re.escape(heading)}\n.*?^```\w*\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    if not found:
        raise PartError(f"{PAGE.name} has no block under {heading!r}")
    return found[1]


def pasted(text, **places):
    """With this machine's jar and brokers instead of the page's."""
    text = JAR.sub(str(jar()), text)
    for name, value in places.items():
        text, count = re.subn(name, lambda _, v=value: v, text)
        if count == 0:
            raise PartError(f"no {name} in\n{text}")
    return text


class PastedSpark(Spark):
    """Reads its settings from a spark-defaults.conf, as a Spark that was installed does."""

    def __init__(self, version, defaults):
        super().__init__(version)
        self.conf_dir = fresh_dir("spark-conf")
        (self.conf_dir / "spark-defaults.conf").write_text(defaults)

    def environment(self):
        return dict(super().environment(), SPARK_CONF_DIR=str(self.conf_dir))


class FirstHour(RealCase):
    def follow(self, defaults):
        """Topics, agent, `stoker tail`, then a skewed job with these defaults; (its id, what tail printed before it ended)."""
        site = self.site("first-hour")
        agent = site.running()
        tail = Process("stoker tail", [BINARY, "tail", "-c", agent.config_path, "-n", "1"], agent.dir / "tail.log", environment("old"))
        spark = PastedSpark(VERSIONS[0], defaults.format(brokers=site.broker.bootstrap, topic=site.topics["events"]))
        job = spark.start("skewed", str(SKEW_S))
        wait_until("a verdict on the terminal", tail.ended, 180, process=job)
        said = tail.log().splitlines()[-1]
        self.assertFalse(job.ended(), f"the job ended before its first verdict came: {said}")
        app_id = job.app_id
        job.finish()
        return site, agent, app_id, said

    def test_three_lines_of_spark_defaults(self):
        lines = [line for line in block("spark-defaults.conf").splitlines() if line.strip()]
        self.assertEqual(3, len(lines), "the page promises three lines")
        text = pasted("\n".join(lines), **{r"kafka-1:9092,kafka-2:9092": "{brokers}"})
        # Of the test's own: each site has topics of its own name.
        site, agent, app_id, said = self.follow(text + "\nspark.stoker.topic {topic}\n")
        self.assertRegex(said, r"^Bottleneck +skewed  (low|moderate|severe|critical) \w+ \w+: stage ")
        doctor = stoker("doctor", "-c", agent.config_path, "-n", "100000").decode()
        self.assertIn(f"of 1 application ({app_id})", doctor)
        self.assertRegex(doctor, rf"by listener [\d.]+ \(Spark {re.escape(VERSIONS[0])}\); ")
        self.assertIn("0 failed, 0 warned", doctor)
        agent.stop()

    def test_a_secret_in_a_file(self):
        """As under "Secrets": what Kafka's client gets from a file and Spark never has. Here the brokers' address, without which
        nothing would come."""
        secret = fresh_dir("secret") / "kafka.properties"
        text = pasted(block("spark-defaults.conf"), **{r"spark\.stoker\.kafka\.bootstrap\.servers.*": ""}) + block("Secrets")
        text = text.replace("sasl.jaas.config ", "bootstrap.servers ").replace("/etc/stoker/kafka.properties:jaas", f"{secret}:address")
        self.assertIn(f"spark.stoker.kafka.bootstrap.servers              ${{file:{secret}:address}}", text)
        text = text.replace("{", "{{").replace("}", "}}") + "\nspark.stoker.topic {topic}\n"
        site = self.site("first-hour-secret")
        agent = site.running()
        secret.write_text(f"address={site.broker.bootstrap}\n")
        spark = PastedSpark(VERSIONS[0], text.format(topic=site.topics["events"]))
        job = spark.start("skewed", "1")
        job.finish()
        site.results().settle([(job.app_id, "")], 60, agent.process)
        self.assertNotIn(site.broker.bootstrap, pathlib.Path(job.event_log()).read_text())
        agent.stop()
