"""The chart as helm renders it, for the tests of this folder and of tests/real. Needs tests/deploy/deps.sh."""

import functools
import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/stoker"
PARTS = ROOT / "build/deploy"
HELM, KUBECONFORM = PARTS / "bin/helm", PARTS / "bin/kubeconform"
VALUES = sorted((ROOT / "tests/deploy/values").glob("*.yaml"))
STOKER = os.environ.get("STOKER", str(ROOT / "build/release/stoker"))
KUBERNETES = ("1.27.0", "1.37.0")  # the oldest that the chart is for, and the newest that there are schemas of


class ChartError(Exception):
    """What helm says is wrong."""


def helm(*args):
    """What helm prints; ChartError with its words if it fails."""
    if not HELM.exists():
        raise ChartError(f"no {HELM}: run tests/deploy/deps.sh")
    done = subprocess.run([HELM, *map(str, args)], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "HELM_CACHE_HOME": str(PARTS), "HELM_CONFIG_HOME": str(PARTS), "HELM_DATA_HOME": str(PARTS)})
    if done.returncode != 0:
        raise ChartError("\n".join(line for line in done.stderr.splitlines() if "symbolic link" not in line) + done.stdout)
    return done.stdout


def rendered(*args, release="stoker", namespace="spark", kubernetes=KUBERNETES[1]):
    """What `helm template` prints for these arguments: -f FILE, --set KEY=VALUE."""
    return helm("template", release, CHART, "--namespace", namespace, "--kube-version", kubernetes, *args)


@functools.lru_cache(maxsize=None)
def objects(*args, **how):
    """The same as objects, in their order."""
    return [thing for thing in yaml.safe_load_all(rendered(*args, **how)) if thing]


def of_kind(things, kind):
    return [thing for thing in things if thing["kind"] == kind]


def one(things, kind):
    """The only one of its kind."""
    found = of_kind(things, kind)
    if len(found) != 1:
        raise ChartError(f"{len(found)} objects of kind {kind}")
    return found[0]


def settings(things):
    """The agent's file, as text."""
    return one([thing for thing in things if "stoker.yaml" in thing.get("data", {})], "ConfigMap")["data"]["stoker.yaml"]
