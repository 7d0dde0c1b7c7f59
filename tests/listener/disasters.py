#!/usr/bin/env python3
"""All the disasters that the listener must stand: those of CI and the slow ones. Called by make listener-disasters.

    tests/listener/disasters.py [--list] [--suite NAME]...
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "real"))

import runner  # noqa: E402  # from there

SUITES = ("disasters", "troubles")

if __name__ == "__main__":
    sys.exit(runner.main(SUITES, "the listener while things go wrong"))
