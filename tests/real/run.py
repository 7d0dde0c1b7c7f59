#!/usr/bin/env python3
"""Runs the real-parts suites: real Kafka, Alertmanager and Prometheus around the real program.

    tests/real/run.py [--list] [--suite NAME]...

NAME is a suite (alerts or test_alerts), a class, a case or Class.case; see --list.

Prints one line per case and ends with `N passed, M failed`; exit 1 if anything failed or could not
start. Re-runs itself with build/venv's Python (tests/real/deps.sh makes it). Skips nothing.
"""

import sys

import runner

SUITES = ("parts", "live_equals_offline", "followed", "history", "wrappers", "streams", "metrics", "alerts", "webhook", "web", "hostile", "garbage", "dead_letters", "million",
          "fleet", "ship", "outages", "state", "rights", "properties", "limits", "names", "memory", "doctor", "dashboards", "deployed")

if __name__ == "__main__":
    sys.exit(runner.main(SUITES, "real Kafka, Alertmanager and Prometheus suites"))
