#!/usr/bin/env python3
"""The oracle: judges Spark event logs by the base rules, independently of the agent.

    oracle.py LOG...      a log is a file (.zst, .gz or plain), a rolled folder, or - for stdin

Prints one JSON object per run and line: `run`, `stages`, `verdicts` and `log` (what was skipped).
Standard library only, and written from the rules alone: it must never share code with the agent.
"""

import json
import sys

from oracle_log import Log, LogError
from oracle_rules import report
from oracle_state import Run, start_identity

START = "SparkListenerApplicationStart"


def runs_of(log):
    """The runs of a log, in order. Another ApplicationStart begins another run, a repeated one not;
    what comes before the first belongs to the first."""
    run = Run()
    runs = [run]
    for event in log:
        if event["Event"] == START and run.identity not in (None, start_identity(event)):
            run = Run()
            runs.append(run)
        if not run.apply(event):
            log.malformed += 1
    return runs


def judge(path):
    """The reports of all runs of one log."""
    log = Log(path)
    runs = runs_of(log)
    skipped = {"path": path, "malformed": log.malformed, "cut": log.cut}
    return [dict(report(run, log.in_progress), log=skipped) for run in runs]


def main(arguments):
    if not arguments or any(argument in ("-h", "--help") for argument in arguments):
        print(__doc__.strip(), file=sys.stderr)
        return 64
    failed = False
    for path in arguments:
        try:
            for result in judge(path):
                print(json.dumps(result))
        except (LogError, OSError) as error:
            print(f"oracle: {error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
