"""How an event may arrive: raw or wrapped, and who says whose it is (header, key, value). In each way
the run is judged as `stoker analyze` judges the bare log.
"""

import orjson

from cases import RealCase
from logs import Log

LOG = "skew_groupbykey"


def raw(_log, line):
    return line


def with_app_id(log, line):
    return orjson.dumps({**orjson.loads(line), "appId": log.app_id})


def wrapped_object(log, line):
    return orjson.dumps({"appId": log.app_id, "event": orjson.loads(line)})


def wrapped_text(log, line):
    return orjson.dumps({"appId": log.app_id, "event": line.decode()})


class Wrappers(RealCase):
    def check(self, app_id, attempt="", value=raw, key=None, headers=None):
        """Sends the log as `app_id` in the given way, all to one partition."""
        original = Log.fixture(LOG)
        # The id must come from where the case says, so no event carries another one.
        log = original.copy(app_id, attempt=attempt or None)
        site = self.site("wrap")
        agent = site.running()
        sender = site.sender()
        for line in log.lines:
            sender.send(site.topics["events"], value(log, line), key, headers, partition=1)
        sender.flush()
        results = site.results().settle([(app_id, attempt)], 30, agent.process)
        offline = self.offline([log])
        self.assertTrue(any(b["severity"] != "negligible" for o in offline.values()
                            for b in o["bottlenecks"]), f"{LOG} has no verdict worth comparing")
        self.assert_equal_offline(results, offline)
        self.assertEqual(0, agent.metric("stoker_dlq_records_total"))
        agent.stop()

    def test_raw_by_key(self):
        self.check("app-key", key="app-key")

    def test_raw_by_key_with_attempt(self):
        self.check("app-key-attempt", "2", key="app-key-attempt/2")

    def test_raw_by_header(self):
        self.check("app-header", headers={"app_id": b"app-header"})

    def test_raw_by_headers_with_attempt(self):
        self.check("app-headers", "3", headers={"app_id": b"app-headers", "app_attempt": b"3"})

    def test_header_wins_over_key(self):
        self.check("app-wins", headers={"app_id": b"app-wins"}, key="app-loses")

    def test_extra_top_level_app_id(self):
        self.check("app-extra", value=with_app_id)

    def test_wrapped_as_object(self):
        self.check("app-object", value=wrapped_object)

    def test_wrapped_as_string(self):
        self.check("app-string", value=wrapped_text)

    def test_key_wins_over_value(self):
        """The value names another application; the key decides."""
        self.check("app-decides", key="app-decides",
                   value=lambda log, line: orjson.dumps({**orjson.loads(line), "appId": "app-other"}))
