"""Alerts through two real Alertmanagers to a webhook: a failed and a skewed run fire, both managers
get every alert, firing ones are sent again, a later good run of the pipeline resolves them.
"""

import time

from cases import RealCase
from logs import HOUR_MS, Log
from parts import Alertmanager, WebhookRecorder
from processes import wait_until

RESEND_S = 1
CLUSTER = "real-test"
SEVERITIES = ("negligible", "low", "moderate", "severe", "critical")


class Alerts(RealCase):
    def setUp(self):
        """Two managers with a path of their own at one webhook, an agent that knows both."""
        self.hook = WebhookRecorder()
        self.addCleanup(self.hook.stop)
        self.managers = [Alertmanager(name, f"{self.hook.url}/{name}").start() for name in ("am1", "am2")]
        for manager in self.managers:
            self.addCleanup(manager.kill)
        self.site_ = self.site("alerts", cluster=CLUSTER, alertmanager={
            "urls": [manager.url for manager in self.managers],
            "resend_interval": f"{RESEND_S}s"})
        self.agent = self.site_.running()

    def send(self, *logs):
        sender = self.site_.sender()
        for log in logs:
            for line in log.lines:
                sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()

    def at_both(self, what, status, **labels):
        """Waits until the webhook heard of such an alert from either manager; the first of each."""
        heard = []
        for manager in self.managers:
            path = f"/{manager.name}"
            alerts = wait_until(f"{what} by {manager.name}",
                                lambda: self.hook.alerts(path, status, **labels), 30, 0.1,  # noqa: B023
                                self.agent.process)
            heard.append(alerts[0])
        return heard

    def test_a_failed_run_fires_and_a_good_one_resolves(self):
        bad = Log.fixture("failed_stage")
        self.send(bad)
        for alert in self.at_both("PipelineFailure", "firing", alertname="PipelineFailure"):
            labels = alert["labels"]
            wanted = {"alertname": "PipelineFailure", "severity": "critical",
                      "service": "data-pipeline", "pipeline": bad.app_name, "cluster": CLUSTER}
            self.assertEqual(wanted, {k: labels.get(k) for k in wanted})
            self.assertEqual("Pipeline execution failed", alert["annotations"].get("summary"))
            self.assertIn(bad.app_name, alert["annotations"].get("description", ""))
        good = Log.fixture("ok_groupby").copy("app-good-again", bad.app_name, later_ms=HOUR_MS)
        self.send(good)
        resolved = self.at_both("resolved PipelineFailure", "resolved", alertname="PipelineFailure")
        for alert in resolved:
            self.assertEqual(bad.app_name, alert["labels"]["pipeline"])
            self.assertLessEqual(alert["startsAt"], alert["endsAt"])
        self.agent.stop()

    def test_every_verdict_from_moderate_on_fires(self):
        logs = [Log.fixture("skew_groupbykey"), Log.fixture("ok_groupby")]
        wanted = {(o["run"]["pipeline"], b["kind"]) for o in self.offline(logs).values()
                  for b in o["bottlenecks"] if b["rule_met"] is not None and
                  SEVERITIES.index(b["severity"]) >= SEVERITIES.index("moderate")}
        self.assertTrue({kind for _, kind in wanted} & {"data_skew", "straggler"},
                        f"analyze sees no skew of note in skew_groupbykey: {wanted}")
        self.send(*logs)
        for pipeline, kind in sorted(wanted):
            for alert in self.at_both(f"{kind} of {pipeline}", "firing", pipeline=pipeline, kind=kind):
                self.assertEqual("data-pipeline", alert["labels"].get("service"))
                self.assertEqual(CLUSTER, alert["labels"].get("cluster"))
                self.assertIn(alert["labels"].get("severity"), ("warning", "critical"))
        time.sleep(1.5)  # a false alert would have been notified by now
        fired = {(a["labels"].get("pipeline"), a["labels"].get("kind")) for a in self.hook.alerts()}
        self.assertEqual(wanted, fired, "alerts that no verdict is behind")
        self.agent.stop()

    def test_a_firing_alert_is_sent_again(self):
        """Alertmanager lets an alert lapse at its endsAt, 4 resend intervals ahead: after twice that
        it can only be there because it was sent again. A manager that forgot everything gets it too."""
        self.send(Log.fixture("failed_stage"))
        self.at_both("PipelineFailure", "firing", alertname="PipelineFailure")
        first = [manager.alerts(alertname="PipelineFailure")[0] for manager in self.managers]
        self.managers[1].kill()
        self.managers[1].start()
        time.sleep(8 * RESEND_S)
        for manager, before in zip(self.managers, first, strict=True):
            now = manager.alerts(alertname="PipelineFailure")
            self.assertEqual(1, len(now), f"{manager.name} has no such alert any more")
            self.assertEqual(before["labels"], now[0]["labels"])
            self.assertEqual(before["startsAt"], now[0]["startsAt"])
            self.assertGreater(now[0]["endsAt"], before["endsAt"])
        self.assertFalse(self.hook.alerts("/am1", "resolved", alertname="PipelineFailure"))
        self.agent.stop()

    def test_ending_the_agent_resolves_nothing(self):
        """A rolling restart must not page "resolved": the alert lapses only at its endsAt."""
        self.send(Log.fixture("failed_stage"))
        self.at_both("PipelineFailure", "firing", alertname="PipelineFailure")
        self.agent.stop()
        time.sleep(1)
        self.assertFalse(self.hook.alerts(status="resolved"))

    def test_a_renamed_cluster_resolves_the_old_name(self):
        """Under the old labels, and for good: a failed run of before does not fire under both names."""
        bad = Log.fixture("failed_stage")
        self.send(bad)
        self.at_both("PipelineFailure", "firing", alertname="PipelineFailure", cluster=CLUSTER)
        self.agent.stop()
        self.agent.configure(dict(self.agent.config, cluster="renamed"))
        self.agent.start().wait_ready()
        for alert in self.at_both("resolved PipelineFailure", "resolved", alertname="PipelineFailure"):
            self.assertEqual(CLUSTER, alert["labels"]["cluster"])
            self.assertEqual(bad.app_name, alert["labels"]["pipeline"])
        self.send(bad.copy("app-bad-again", bad.app_name, later_ms=HOUR_MS))
        self.at_both("PipelineFailure", "firing", alertname="PipelineFailure", cluster="renamed")
        for manager in self.managers:
            firing = {alert["labels"]["cluster"] for alert in manager.alerts(alertname="PipelineFailure")}
            self.assertEqual({"renamed"}, firing)
        self.agent.stop()
