"""Every query of every dashboard of deploy/grafana, asked of a real Prometheus that has scraped a real agent at work: none is
refused, and each finds data.
"""

import time

from cases import RealCase
from dashboards import FILLED, NAMES, dashboard, fill, queries, variables
from logs import Log
from parts import Alertmanager, Prometheus, WebhookRecorder
from processes import wait_until

FIRST, SECOND = ("pipeline/run1", "failed_stage"), ("pipeline/run2", "skew_groupbykey")


class Dashboards(RealCase):
    def send(self, site, names):
        logs = [Log.fixture(name) for name in names]
        sender = site.sender()
        for log in logs:
            for line in log.lines:
                sender.send(site.topics["events"], line, log.app_id)
        sender.flush()
        site.results().settle([(log.app_id, log.attempt) for log in logs])

    def scraped(self, prometheus, name, least):
        wait_until(f"{name} at {least}", lambda: sum(v for _, v in prometheus.query(name)) >= least, 20, 0.3)

    def test_every_query_finds_something(self):
        """Two runs of a pipeline with scrapes between them, so that what rises is seen to rise."""
        hook = WebhookRecorder()
        self.addCleanup(hook.stop)
        alertmanager = Alertmanager("dashboards-am", hook.url).start()
        self.addCleanup(alertmanager.kill_if_running)
        site = self.site("dashboards", alertmanager={"urls": [alertmanager.url]})
        agent = site.running()
        prometheus = Prometheus("dashboards-prometheus", f"127.0.0.1:{agent.port}").start()
        self.addCleanup(prometheus.stop)
        self.send(site, FIRST)
        self.scraped(prometheus, "stoker_pipeline_runs_total", len(FIRST))
        time.sleep(2.5)
        self.send(site, SECOND)
        self.scraped(prometheus, "stoker_pipeline_runs_total", len(FIRST) + len(SECOND))
        time.sleep(1.5)
        self.assertEqual(("agent", "fleet", "pipeline"), NAMES)
        wrong = []
        for name in NAMES:
            board = dashboard(name)
            values = dict(FILLED)
            for variable, (selector, label) in variables(board).items():
                found = {labels.get(label) for labels, _ in prometheus.query(fill(selector, values))}
                if not found - {None}:
                    wrong.append(f"{name}: ${variable} has no value")
                values[variable] = "stoker" if variable == "job" else ".*"
                if variable == "job":
                    self.assertEqual({"stoker"}, found)
            for title, expression in queries(board):
                try:
                    rows = prometheus.query(fill(expression, values))
                except Exception as error:  # pylint: disable=broad-except  # the next one, too
                    wrong.append(f"{name}, {title}: {error}")
                    continue
                if not rows:
                    wrong.append(f"{name}, {title}: finds nothing: {expression}")
        self.assert_none("queries of dashboards", wrong)
        agent.stop()
