"""The webhook door: one request when an alert begins and one when it ends, signed, with the same id after a
restart of the agent; the address, which is a secret, is in no log and on no page."""

import hashlib
import hmac
import json
import time

from cases import RealCase
from logs import HOUR_MS, Log
from parts import WebhookRecorder, http_get
from processes import wait_until

SECRET = "whsec-PLUGH"
PATH = "/services/T0/B0/XYZZY"


class Webhook(RealCase):
    def setUp(self):
        self.hook = WebhookRecorder()
        self.addCleanup(self.hook.stop)
        self.site_ = self.site("webhook", webhook={"urls": [self.hook.url + PATH], "secret": SECRET, "resend_interval": "1s"})
        self.agent = self.site_.running()

    def send(self, log):
        sender = self.site_.sender()
        for line in log.lines:
            sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()

    def told(self, status):
        """The bodies of that status, once there is one."""
        def look():
            bodies = [json.loads(body) for _, body in self.hook.raw(PATH)]
            return [b for b in bodies if b["status"] == status and b["alertname"] == "PipelineFailure"]
        return wait_until(f"a request that says {status}", look, 30, 0.1, self.agent.process)

    def test_begins_and_ends_once_each(self):
        bad = Log.fixture("failed_stage")
        self.send(bad)
        began = self.told("firing")
        self.assertEqual(("critical", "pipeline_failure", bad.app_name, None),
                         tuple(began[0][k] for k in ("severity", "kind", "pipeline", "ends_at")))
        self.assertTrue(began[0]["text"].startswith("FIRING PipelineFailure (critical): Pipeline "), began[0]["text"])
        time.sleep(3)  # three resend intervals
        self.assertEqual(1, len(self.told("firing")))
        self.agent.stop()
        self.agent.start().wait_ready()
        again = wait_until("that it is told once more after a restart", lambda: self.told("firing")[1:], 30, 0.1, self.agent.process)
        self.assertEqual([began[0]["id"]], [b["id"] for b in again])
        self.send(Log.fixture("ok_groupby").copy("app-good-again", bad.app_name, later_ms=HOUR_MS))
        ended = self.told("resolved")
        self.assertEqual(began[0]["id"], ended[0]["id"])
        self.assertLessEqual(ended[0]["starts_at"], ended[0]["ends_at"])
        time.sleep(2)
        self.assertEqual((2, 1), (len(self.told("firing")), len(self.told("resolved"))))
        for headers, body in self.hook.raw(PATH):
            self.assert_signed(headers["Stoker-Signature"], body)
        self.assert_hidden()
        self.agent.stop()

    def assert_signed(self, signature, body):
        """As a receiver would look at it, with another implementation."""
        parts = dict(part.split("=", 1) for part in signature.split(","))
        self.assertLess(abs(time.time() - int(parts["t"])), 120)
        wanted = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        self.assertTrue(hmac.compare_digest(wanted, parts["v1"]))

    def assert_hidden(self):
        pages = [http_get(self.agent.url + page)[1] for page in ("/", "/metrics", "/readyz")]
        for text in [*pages, self.agent.process.log()]:
            self.assertNotIn("XYZZY", text)
            self.assertNotIn("PLUGH", text)
