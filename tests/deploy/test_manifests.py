"""What stands beside the chart and is made of it or of the agent's pages: plain manifests, dashboards, the page on deploying.
Called by tests/run.sh (step deploy).
"""
import json
import re
import subprocess
import sys
import unittest

import yaml

from chart import CHART, HELM, ROOT, STOKER, settings

sys.path.append(str(ROOT / "tests/real"))
PLAIN = ROOT / "deploy/kubernetes/stoker.yaml"
METRICS = {name: (kind, set(re.findall(r"\w+", labels.split(":")[0]))) for name, kind, labels in
           re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", (ROOT / "docs/metrics.md").read_text(), re.M)}
OURS = {"job", "instance", "le"}  # labels that a scrape or a histogram adds


class Manifests(unittest.TestCase):
    def test_they_are_what_the_chart_gives(self):
        made = subprocess.run([ROOT / "deploy/kubernetes/render.sh", HELM], capture_output=True, text=True, check=True).stdout
        self.assertEqual(made, PLAIN.read_text(), "deploy/kubernetes/render.sh build/deploy/bin/helm > deploy/kubernetes/stoker.yaml")

    def test_nothing_in_them_is_helms(self):
        self.assertIsNone(re.search(r"managed-by|helm\.sh|checksum/", PLAIN.read_text()))

    def test_the_agent_takes_their_settings(self):
        things = [thing for thing in yaml.safe_load_all(PLAIN.read_text()) if thing]
        done = subprocess.run([STOKER, "check", "-c", "/dev/stdin"], input=settings(things), capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)


class Dashboards(unittest.TestCase):
    def boards(self):
        from dashboards import NAMES, dashboard
        return {name: dashboard(name) for name in NAMES}

    def test_what_they_ask_for_is_exported(self):
        """Every metric and label is of docs/metrics.md; what only counts up is never shown as it stands."""
        from dashboards import queries, variables
        for name, board in self.boards().items():
            asked = queries(board) + [(variable, selector) for variable, (selector, _) in variables(board).items()]
            for title, expression in asked:
                for metric, selector in re.findall(r"\b((?:stoker|process)_\w+)\{([^}]*)\}", expression):
                    base = re.sub(r"_(bucket|sum|count)$", "", metric)
                    known = METRICS.get(metric) or METRICS.get(base)
                    self.assertIsNotNone(known, f"{name}, {title}: {metric}")
                    self.assertLessEqual(set(re.findall(r"(\w+)=", selector)), known[1] | OURS, f"{name}, {title}: {expression}")
                for by in re.findall(r"by \(([^)]*)\)", expression):
                    labels = set().union(*(known[1] for m, known in METRICS.items() if m in expression))
                    self.assertLessEqual(set(re.findall(r"\w+", by)), labels | OURS, f"{name}, {title}: {expression}")

    def test_every_metric_of_use_is_shown(self):
        """What the agents export about themselves is on a dashboard, or its absence is a decision made here."""
        text = json.dumps(self.boards())
        missing = {name for name in METRICS if name not in text}
        self.assertEqual({"process_max_fds", "process_virtual_memory_bytes", "stoker_changelog_messages", "stoker_dlq_records_total",
                          "stoker_events_duplicate_total", "stoker_events_future_total", "stoker_events_unknown_total",
                          "stoker_http_connections_ended_total", "stoker_input_lost_total", "stoker_input_partitions_added",
                          "stoker_listener_numbers_ignored_total", "stoker_restore_records_total", "stoker_shipped_bytes_total",
                          "stoker_state_records_written_total", "stoker_ticks_total", "stoker_words_unknown_total"}, missing)

    def test_they_are_whole(self):
        uids = [board["uid"] for board in self.boards().values()]
        self.assertEqual(len(uids), len(set(uids)))
        for name, board in self.boards().items():
            self.assertEqual(f"stoker-{name}", board["uid"])
            panels = board["panels"]
            self.assertEqual(len(panels), len({panel["id"] for panel in panels}))
            taken = set()
            for panel in panels:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{name}: {panel['title']} lies on another")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells
                if panel["type"] != "row":
                    self.assertTrue(panel["title"] and panel["description"] and panel["targets"], panel["title"])
                    self.assertEqual("${datasource}", panel["datasource"]["uid"])
            for link in re.findall(r"/d/([\w-]+)", json.dumps(board)):
                self.assertIn(link, uids)


class Page(unittest.TestCase):
    """docs/deploy.md names what there is."""

    def test_values_and_files(self):
        page = (ROOT / "docs/deploy.md").read_text()
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        named = re.findall(r"`(?:values: )?([a-zA-Z]+(?:\.[a-zA-Z]+)+)`", page)
        checked = 0
        for name in named:
            at, parts = values, name.split(".")
            if parts[0] not in values or parts[0] in ("config", "topics"):
                continue
            for part in parts:
                self.assertIn(part, at, name)
                at = at[part]
            checked += 1
        self.assertGreater(checked, 8)
        for path in re.findall(r"`(deploy/[\w./-]+)`", page):
            self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
