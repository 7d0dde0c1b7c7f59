#!/usr/bin/env python3
"""Runs the fault suite: real Kafka, real agents, real faults, and the question whether every event took
effect exactly once.

    tests/faults/run.py [--list] [--short | --soak MINUTES] [--scenario NAME]... [--seed N] [--binary PATH]

--short is all scenarios once, and what happens without any option. One line per scenario; ends with
`N passed, M failed`. Needs build/venv (tests/real/deps.sh) and, for what kills
at chosen steps, a binary that tests/faults/build.sh makes. Can run beside tests/real/run.py: its files lie under
build/fault-files/.
"""

import argparse
import os
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
BINARY = ROOT / "build" / "release" / "stoker-faults"


def arguments():
    parser = argparse.ArgumentParser(description="exactly once under faults, on real Kafka")
    parser.add_argument("--list", action="store_true", help="print the scenarios and end")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--short", action="store_true", help="every scenario once (the default)")
    length.add_argument("--soak", type=float, metavar="MINUTES", help="all faults mixed, for so long")
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="of input and faults (1)")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help=f"default {BINARY.relative_to(ROOT)}")
    return parser.parse_args()


def scenarios():
    """Name -> function, in the order they run."""
    # pylint: disable=import-outside-toplevel  # needs the venv and --binary first
    import scenarios_agents
    import scenarios_anew
    import scenarios_alerts
    import scenarios_brokers
    import scenarios_input
    import scenarios_network
    import scenarios_upgrade

    return {**scenarios_agents.SCENARIOS, **scenarios_upgrade.SCENARIOS, **scenarios_alerts.SCENARIOS, **scenarios_input.SCENARIOS,
            **scenarios_anew.SCENARIOS, **scenarios_network.SCENARIOS, **scenarios_brokers.SCENARIOS}


def run_one(name, scenario, seed):
    """One line with the verdict, more if it fails; True if it holds."""
    import play as playing  # pylint: disable=import-outside-toplevel
    import verdict  # pylint: disable=import-outside-toplevel

    begun, wrong, notes = time.monotonic(), {}, []
    try:
        play = scenario(seed)
        wrong, notes = play.failed(), play.notes
        holds = " ".join(sorted(set(play.wrong) - set(wrong)))
    except KeyboardInterrupt:
        raise
    except Exception as error:  # pylint: disable=broad-except  # whatever: it has failed
        known = "PartError" in [kind.__name__ for kind in type(error).__mro__]
        wrong = {"run": str(error).splitlines() if known else traceback.format_exc().splitlines()}
        holds = ""
    finally:
        playing.end_all()
    word = "FAIL" if wrong else "ok"
    print(f"{word:5} {time.monotonic() - begun:6.1f} s  {name:18} seed {seed}  holds: {holds or '-'}"
          f"{'  broken: ' + ' '.join(sorted(wrong)) if wrong else ''}{'; ' + '; '.join(notes) if notes else ''}",
          flush=True)
    for check, lines in sorted(wrong.items()):
        for line in verdict.shown(lines) if check != "run" else lines[-30:]:
            print(f"       | {check}: {line}", flush=True)
    return not wrong


def main():
    args = arguments()
    if not PYTHON.exists():
        sys.exit("run.py: no build/venv: run tests/real/deps.sh")
    if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])
    os.environ["STOKER_BINARY"] = str(args.binary.resolve())
    sys.path[:0] = [str(HERE), str(HERE.parent / "real")]
    known = scenarios()
    unknown = [name for name in args.scenario or [] if name not in known]
    if unknown:
        sys.exit(f"run.py: no scenario is called {unknown[0]}; see --list")
    if args.list:
        for name, scenario in known.items():
            print(f"{name:18} {' '.join(scenario.__doc__.split())}")
        return 0
    if not args.binary.exists():
        sys.exit(f"run.py: no {args.binary}: tests/faults/build.sh makes it")
    import processes  # pylint: disable=import-outside-toplevel

    processes.begin_run()
    passed = failed = 0
    if args.soak:
        import scenarios_soak  # pylint: disable=import-outside-toplevel

        known = {"soak": lambda seed: scenarios_soak.soak(seed, args.soak)}
    try:
        for name in args.scenario or known:
            good = run_one(name, known[name], args.seed)
            passed, failed = passed + good, failed + (not good)
    except KeyboardInterrupt as told:
        failed += 1
        print(f"interrupted {told}", flush=True)
    finally:
        processes.kill_all()
        print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
