"""Topics that other tools fill, judged with the defaults alone. The records have the shapes that the tools' public documentation
gives (Microsoft's diagnostic emitter, Vector, Fluent Bit, Filebeat, Kafka Connect's file source with a JsonConverter); what such
topics hold beside events is in between, counted to the record and no dead letter. Verdicts equal `stoker analyze` of the bare log.
"""

import collections
import random

import orjson

from cases import RealCase
from logs import Log

LOG = "skew_groupbykey"
LOG_LINE = "24/05/01 12:00:00 INFO TaskSetManager: Finished task 3.0 in stage 1.0 (TID 7) in 12 ms"


def fabric(log, event, _text):
    return {"timestamp": "2024-09-06T03:09:37.235Z", "category": "EventLog", "fabricLivyId": "5f1a7c7a", "fabricWorkspaceId": "5b0e",
            "fabricTenantId": "72f9", "applicationId": log.app_id, "applicationName": "n", "executorId": "driver", "properties": event}


def vector(log, _event, text):
    return {"file": f"/spark-events/{log.app_id}.inprogress", "host": "node-1", "message": text, "source_type": "file",
            "timestamp": "2024-09-06T03:09:37.235Z"}


def fluent_bit(log, _event, text):
    return {"@timestamp": 1725592177.235, "filename": f"/spark-events/{log.app_id}", "log": text}


def filebeat(log, _event, text):
    return {"@timestamp": "2024-09-06T03:09:37.235Z", "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.14.0"},
            "log": {"offset": 17, "file": {"path": f"/spark-events/eventlog_v2_{log.app_id}/events_1_{log.app_id}"}},
            "message": text, "input": {"type": "filestream"}, "ecs": {"version": "8.0.0"}, "host": {"name": "node-1"}}


def connect_hoisted(log, _event, text):
    """The line under a name, and the file's beside it: by HoistField and InsertField, without a schema."""
    return {"line": text, "file": f"/spark-events/{log.app_id}"}


def connect_schema(_log, _event, text):
    """The file source's own record, a string, by a JsonConverter with schemas: whose it is must come from elsewhere."""
    return {"schema": {"type": "string", "optional": False}, "payload": text}


def connect_line(_log, _event, text):
    return text  # a JsonConverter without schemas: the whole value is a string of JSON


def fabric_strangers(log):
    return [("other_category", {**fabric(log, {}, ""), "category": "Log", "properties": {
                "timestamp": "2024-09-06T03:09:37.235Z", "message": LOG_LINE, "logger_name": "a.b.C", "level": "INFO"}}),
            ("other_category", {**fabric(log, {}, ""), "category": "Metrics", "properties": {
                "instanceName": log.app_id, "metricName": "driver.jvmCpuTime", "value": "123"}})]


def shipped_strangers(shape):
    return lambda log: [("log_line", shape(log, {}, LOG_LINE)), ("log_line", LOG_LINE), ("no_event", {"heartbeat": 1}), ("empty", None)]


class Streams(RealCase):
    def check(self, shape, strangers, key=None):
        """The log and another one, in turns, each record of a stream with strangers in between."""
        logs = [Log.fixture(LOG).copy("application_1700000000000_0001"), Log.fixture("ok_groupby").copy("app-20240101000000-0002")]
        site = self.site("streams")
        agent = site.running()
        sender, source, ignored = site.sender(), random.Random(3), collections.Counter()
        for number, log in enumerate(logs):
            for line in log.lines:
                if source.random() < 0.3:
                    reason, record = source.choice(strangers(log))
                    ignored[reason] += 1
                    raw = record.encode() if record is LOG_LINE else None if record is None else orjson.dumps(record)
                    sender.send(site.topics["events"], raw, key and key(log), partition=number)
                record = shape(log, orjson.loads(line), line.decode())
                sender.send(site.topics["events"], orjson.dumps(record), key and key(log), partition=number)
        sender.flush()
        results = site.results().settle([(log.app_id, log.attempt) for log in logs], 60, agent.process)
        offline = self.offline(logs)
        self.assertTrue(any(b["severity"] != "negligible" for o in offline.values() for b in o["bottlenecks"]), "nothing to compare")
        self.assert_equal_offline(results, offline)
        self.assertEqual(0, agent.metric("stoker_dlq_records_total"))
        self.assertEqual(0, agent.metric("stoker_events_skipped_total"))
        counted = {reason: agent.metric("stoker_input_ignored_total", reason=reason) for reason in ignored}
        self.assertEqual(dict(ignored), counted)
        self.assertEqual(sum(ignored.values()), agent.metric("stoker_input_ignored_total"))
        agent.stop()

    def test_diagnostic_emitter_of_fabric(self):
        self.check(fabric, fabric_strangers)

    def test_batches_of_the_emitter(self):
        """Several records in one message, as Azure Monitor sends them: each of them counts."""
        log = Log.fixture(LOG).copy("application_1700000000000_0003")
        site = self.site("batches")
        agent = site.running()
        sender, strangers = site.sender(), 0
        for at in range(0, len(log.lines), 7):
            records = [fabric(log, orjson.loads(line), "") for line in log.lines[at:at + 7]]
            records.insert(len(records) // 2, fabric_strangers(log)[at % 2][1])
            strangers += 1
            sender.send(site.topics["events"], orjson.dumps({"records": records}), partition=2)
        sender.flush()
        results = site.results().settle([(log.app_id, log.attempt)], 60, agent.process)
        self.assert_equal_offline(results, self.offline([log]))
        self.assertEqual(strangers, agent.metric("stoker_input_ignored_total", reason="other_category"))
        self.assertEqual(0, agent.metric("stoker_dlq_records_total"))
        agent.stop()

    def test_vector(self):
        self.check(vector, shipped_strangers(vector))

    def test_fluent_bit(self):
        self.check(fluent_bit, shipped_strangers(fluent_bit))

    def test_filebeat(self):
        self.check(filebeat, shipped_strangers(filebeat))

    def test_connect_with_the_name_of_the_file(self):
        self.check(connect_hoisted, shipped_strangers(connect_hoisted))

    def test_connect_with_a_schema_and_a_key(self):
        self.check(connect_schema, shipped_strangers(connect_schema), key=lambda log: log.app_id)

    def test_connect_as_a_string_with_a_key(self):
        self.check(connect_line, shipped_strangers(connect_line), key=lambda log: log.app_id)
