#!/usr/bin/env python3
"""Runs the listener's suites: real Spark with the listener in it, real Kafka, the real program.

    tests/listener/run.py [--list] [--suite NAME]...

As tests/real/run.py; $STOKER_SPARK names the Spark versions instead of the two of CI. Needs tests/listener/deps.sh.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "real"))

import runner  # noqa: E402  # from there

SUITES = ("content", "judged", "events", "first_hour", "disasters", "bench_job")

if __name__ == "__main__":
    sys.exit(runner.main(SUITES, "real Spark with the listener, real Kafka"))
