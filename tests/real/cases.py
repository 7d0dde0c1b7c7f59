"""What the suites share: one broker per version for the whole run, a Site (topics, group, agents) per
case, Results (every record of the output topics decoded) and the comparison with `stoker analyze`.
"""

import math
import unittest

from agent import Stoker, analyze
from kafka_client import Reader, Sender, await_topics, topics, unique
from parts import Broker
from processes import PartError, fresh_dir
from records import Codec
from topics_def import RECORDS, TOPICS

NEWEST_KAFKA = "4.3.1"
RECORD_TOPICS = {"runs": "io.stoker.PipelineRun", "bottlenecks": "io.stoker.Bottleneck",
                 "recommendations": "io.stoker.Recommendation", "windows": "io.stoker.PipelineWindow"}
if set(RECORD_TOPICS) != set(RECORDS):
    raise PartError("RECORD_TOPICS does not name the records of every output of topics.def")
# What PipelineRun and the "run" object of analyze both have, under the same name.
RUN_FIELDS = (
    "pipeline", "app_name", "user", "spark_version", "started_ms", "ended_ms", "duration_s",
    "total_records", "records_from", "data_size_bytes", "data_size_gb", "records_per_s", "gb_per_h",
    "shuffle_read_bytes", "shuffle_write_bytes", "completeness")

_brokers = {}


def shared_broker(version=NEWEST_KAFKA):
    """The broker of that version, started by whoever asks first."""
    if version not in _brokers:
        _brokers[version] = Broker(version)
        _brokers[version].start()
    return _brokers[version]


class Site:
    """One set of topics and one consumer group on a broker, and the agents that share them."""

    def __init__(self, name, broker, partitions=6, **sections):
        self.name = unique(name)
        self.broker = broker
        self.topics = {topic: f"{self.name}.{topic}" for topic in TOPICS}
        self.config = {
            "kafka": {"brokers": broker.bootstrap, "consumer": {"heartbeat.interval.ms": 500, "session.timeout.ms": 10000}},
            "topics": {**self.topics, "partitions": partitions},
            "agent": {"group": self.name},
            **sections}
        self.partitions = partitions
        self.agents = []

    def agent(self, lib="old"):
        """One more agent of the group, not started."""
        instance = f"{self.name}-{len(self.agents)}"
        config = dict(self.config, agent=dict(self.config["agent"], instance=instance))
        agent = Stoker(instance, config, lib)
        self.agents.append(agent)
        return agent

    def create_topics(self, agent):
        """By the program's own command; what it made is then looked at from outside."""
        agent.create_topics()
        await_topics(self.broker.bootstrap, list(self.topics.values()))
        there = topics(self.broker.bootstrap)
        for topic in ("events", "runs"):
            if there[self.topics[topic]] != self.partitions:
                raise PartError(f"{self.topics[topic]} has {there[self.topics[topic]]} partitions, "
                                f"{self.partitions} were asked for")

    def running(self, lib="old"):
        """Topics made, one agent started and ready."""
        agent = self.agent(lib)
        self.create_topics(agent)
        return agent.start().wait_ready()

    def sender(self):
        return Sender(self.broker.bootstrap)

    def results(self):
        return Results(self)

    def end(self):
        """Ends what still runs; used as a clean-up, so it only kills."""
        for agent in self.agents:
            if agent.process is not None:
                agent.kill()


class Results:
    """The records of a site's output topics, each decoded as it comes; the last one of each id."""

    def __init__(self, site):
        self._site = site
        self._codec = Codec()
        self._topics = {name: site.topics[name] for name in RECORD_TOPICS}
        self._reader = Reader(site.broker.bootstrap, list(self._topics.values()))
        self._taken = dict.fromkeys(RECORD_TOPICS, 0)
        self.runs, self.bottlenecks, self.recommendations = {}, {}, {}
        self.outcomes = []  # what became of recommendations, as it was told: later revisions of theirs
        self.windows = []
        self.wrong = []  # what no record may be: undecodable, on the wrong topic, badly keyed
        self.repeated = []  # records whose revision did not rise

    def _decode(self):
        for name, topic in self._topics.items():
            messages = self._reader.records[topic]
            for message in messages[self._taken[name]:]:
                self._take(name, message)
            self._taken[name] = len(messages)

    def _take(self, name, message):
        where = f"{name} {message.partition()}@{message.offset()}"
        try:
            record_name, record = self._codec.decode(message.value())
        except Exception as error:  # pylint: disable=broad-except  # whatever fastavro raises
            self.wrong.append(f"{where}: {type(error).__name__}: {error}")
            return
        if record_name != RECORD_TOPICS[name]:
            self.wrong.append(f"{where}: a {record_name}")
            return
        key = (message.key() or b"").decode(errors="replace")
        if key != record["pipeline"]:
            self.wrong.append(f"{where}: key {key!r} but pipeline {record['pipeline']!r}")
        if name == "windows":
            self.windows.append(record)
            return
        if record.get("outcome"):
            self.outcomes.append(record)
            return
        table = getattr(self, name)
        identity = (record["app_id"], record["attempt"]) if name == "runs" else record["id"]
        before = table.get(identity)
        if before is not None and record["revision"] <= before["revision"]:
            self.repeated.append(f"{where}: revision {record['revision']} after {before['revision']}")
        if before is None or record["revision"] >= before["revision"]:
            table[identity] = record

    def settle(self, runs, timeout_s=60.0, process=None):
        """Waits until each run of `runs`, (app id, attempt) each, has ended and nothing more comes."""
        def done(_reader):
            self._decode()
            return not self.missing(runs)
        try:
            self._reader.until("all runs judged", done, timeout_s, 1.5, process)
        except PartError as error:
            raise PartError(f"{error}\n    without an end: {self.missing(runs)[:5]}; "
                            f"wrong: {self.wrong[:3]}") from error
        return self

    def read(self):
        """Takes what there is now, without waiting for anything in particular."""
        self._reader.to_end()
        self._decode()
        return self

    def messages(self, name):
        """The raw messages of one output topic, in the order they were read."""
        return self._reader.records[self._topics[name]]

    def missing(self, runs):
        return [run for run in runs
                if run not in self.runs or self.runs[run]["status"] == "running"]

    def published(self):
        """The verdicts that stand: last revision, above negligible, not retracted."""
        return {id_: record for id_, record in self.bottlenecks.items()
                if record["severity"] != "negligible" and record["state"] != "retracted"}


def _same(a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def _millis(value):
    """fastavro makes a datetime of a timestamp-millis; analyze has the number."""
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value


def _plain_verdict(source, stage_attempt_field, stage_field="stage"):
    stage, attempt = source[stage_field], source[stage_attempt_field]
    whole_run = stage is None or stage < 0
    return {"kind": source["kind"], "stage": None if whole_run else stage,
            "attempt": None if whole_run else attempt, "rule_met": source["rule_met"],
            "severity": source["severity"], "cause": source["cause"] or "",
            "evidence": dict(source["evidence"] or {})}


def _evidence_differences(where, live, offline):
    names = set(live) | set(offline)
    return [f"{where}: evidence {name}: live {live.get(name)}, offline {offline.get(name)}"
            for name in sorted(names) if not _same(live.get(name), offline.get(name))]


def _verdict_differences(live, offline, by):
    found = []
    for key in sorted(set(live) | set(offline), key=str):
        a, b = live.get(key), offline.get(key)
        if a is None or b is None:
            words = a or b
            found.append(f"{by} {key}: only {'offline' if a is None else 'live'}: {words['kind']} "
                         f"stage {words['stage']} {words['severity']} {words['cause']}")
            continue
        where = f"{a['kind']} stage {a['stage']}.{a['attempt']} ({key})"
        found += [f"{where}: {name}: live {a[name]!r}, offline {b[name]!r}"
                  for name in a if name != "evidence" and not _same(a[name], b[name])]
        found += _evidence_differences(where, a["evidence"], b["evidence"])
    return found


def compare_run(results, identity, offline, ids=True, passing_advice=False):
    """Differences between one run's live records and what analyze says, as lines. With ids=False
    verdicts are matched by (kind, stage, attempt): for runs whose identity differs on purpose. With
    passing_advice there may be recommendations that have gone with their bottlenecks (_has_passed)."""
    live_run = results.runs.get(identity)
    if live_run is None:
        return [f"{identity}: no PipelineRun"]
    found = []
    if live_run["status"] != offline["run"]["outcome"]:
        found.append(f"status: live {live_run['status']}, offline {offline['run']['outcome']}")
    for name in RUN_FIELDS:
        if name not in live_run or name not in offline["run"]:
            found.append(f"run.{name}: missing live or offline")
        elif not _same(_millis(live_run[name]), offline["run"][name]):
            found.append(f"run.{name}: live {live_run[name]!r}, offline {offline['run'][name]!r}")
    live, wanted = {}, {}
    for id_, record in results.published().items():
        if (record["app_id"], record["attempt"]) == identity:
            verdict = _plain_verdict(record, "stage_attempt")
            live[id_ if ids else (verdict["kind"], verdict["stage"], verdict["attempt"])] = verdict
    for verdict in offline["bottlenecks"]:
        if verdict["severity"] != "negligible" and verdict["state"] != "retracted" and \
                verdict["rule_met"] is not None:
            plain = _plain_verdict(verdict, "attempt")
            wanted[verdict["id"] if ids else (plain["kind"], plain["stage"], plain["attempt"])] = plain
    found += _verdict_differences(live, wanted, "id" if ids else "verdict")
    if ids:
        found += advice_differences(results, identity, offline, passing_advice)
    return [f"{identity[0]}: {line}" for line in found]


def _has_passed(results, recommendation):
    """Whether it was given for bottlenecks of which none stands any more: it is not taken back itself, it goes with them."""
    told, standing = results.bottlenecks, results.published()
    answered = recommendation["bottlenecks"]
    return bool(answered) and all(id_ in told and id_ not in standing for id_ in answered)


def advice_differences(results, identity, offline, passing):
    """Every recommendation that was published says what analyze says under that id."""
    wanted = {r["id"]: r for r in offline["recommendations"]}
    found = []
    for id_, live in results.recommendations.items():
        if (live["app_id"], live["attempt"]) != identity:
            continue
        other = wanted.get(id_)
        if other is None:
            if not (passing and _has_passed(results, live)):
                found.append(f"recommendation {live['kind']} ({id_}): only live")
            continue
        for name in ("kind", "action", "settings", "saving_s"):
            if not _same(live[name], other[name]):
                found.append(f"recommendation {live['kind']}: {name}: live {live[name]!r}, "
                             f"offline {other[name]!r}")
    return found


class RealCase(unittest.TestCase):
    """A case with clean-up of its sites, and the assertions that several suites make."""

    maxDiff = None

    def site(self, name, broker=None, **options):
        site = Site(name, broker or shared_broker(), **options)
        self.addCleanup(site.end)
        return site

    def logs_dir(self):
        return fresh_dir(f"logs-{self.id()}")

    def offline(self, logs):
        """What analyze says of each log: (app id, attempt) -> object."""
        folder = self.logs_dir()
        judged = analyze([log.written(folder) for log in logs])
        found = {(o["run"]["app_id"], o["run"]["attempt"]): o for o in judged}
        self.assertEqual(sorted((log.app_id, log.attempt) for log in logs), sorted(found),
                         "analyze must judge one run per log")
        return found

    def assert_equal_offline(self, results, offline, ids=True, passing=()):
        """passing: ids of applications of which advice may have gone with its bottlenecks (compare_run)."""
        self.assert_sound(results)
        differences = [line for identity, judged in offline.items()
                       for line in compare_run(results, identity, judged, ids, identity[0] in passing)]
        strangers = set(results.runs) - set(offline)
        differences += [f"{run}: a run that nobody sent" for run in sorted(strangers)]
        self.assert_none("live differs from offline", differences)

    def assert_sound(self, results):
        self.assert_none("bad records", results.wrong)

    def assert_no_repeats(self, results):
        self.assert_none("revisions that do not rise", results.repeated)

    def assert_none(self, words, findings):
        if findings:
            shown = "\n".join(f"    {line}" for line in findings[:25])
            self.fail(f"{words}, {len(findings)} times:\n{shown}")
