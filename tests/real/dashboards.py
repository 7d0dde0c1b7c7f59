"""The dashboards of deploy/grafana as what they ask of Prometheus: every query with its variables filled in, as Grafana would."""

import json
import re

from processes import ROOT, PartError

FOLDER = ROOT / "deploy/grafana"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
# What Grafana's own variables are for a scrape every second; the dashboards' stand in `templating`.
FILLED = {"__rate_interval": "10s", "__range": "1m", "__interval": "5s"}
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


def dashboard(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def fill(expression, values):
    """With every variable replaced; one that is nowhere set is a mistake."""
    def value(match):
        name = match[1] or match[2]
        if name not in values:
            raise PartError(f"{expression}: nobody sets ${name}")
        return values[name]
    return VARIABLE.sub(value, expression)


def queries(board):
    """(panel's title, expression as it stands)."""
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]


def variables(board):
    """name -> (selector, label) of each variable that asks Prometheus."""
    found = {}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            match = LABEL_VALUES.fullmatch(variable["query"]["query"])
            if match is None:
                raise PartError(f"{variable['name']}: not label_values(SELECTOR, LABEL): {variable['query']['query']}")
            found[variable["name"]] = match.groups()
    return found
