#!/usr/bin/env python3
"""Every Spark that is promised, with the listener in both ways and both modes, through every job of plays.py: a table, and what
was wrong below it. Called by `make listener-matrix`; exit 1 if anything was wrong.

    tests/listener/matrix.py [--spark VERSION]... [--play NAME]... [--way listener|plugin]... [--mode full|slim]...
"""

import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "real"))

import runner  # noqa: E402  # from there

VERSIONS = re.search(r'^all="(.*)"', (HERE / "deps.sh").read_text(), re.M)[1].split()
# Slim mode is another content, not another way in: once a version is enough.
COMBINATIONS = (("listener", "full"), ("plugin", "full"), ("listener", "slim"))


def cell(name, version, way, mode):
    """What the table says of one play, and what was wrong with it."""
    import plays  # pylint: disable=import-outside-toplevel  # needs the venv
    from processes import PartError  # pylint: disable=import-outside-toplevel

    try:
        played = plays.play(name, version, way, mode)
        wrong = played.wrong()
        said = f"{'WRONG' if wrong else 'ok'} {played.seconds:.0f} s, {len(played.sent)} events"
    except PartError as error:
        wrong, said = [f"{name}, Spark {version}, {way}, {mode}: {error}"], "WRONG"
    print(f"{version} {way} {mode} {name}: {said}", file=sys.stderr, flush=True)
    return said, wrong


def run(args):
    import plays  # pylint: disable=import-outside-toplevel
    import processes  # pylint: disable=import-outside-toplevel

    names = args.play or list(plays.PLAYS)
    processes.begin_run()
    wrong, rows = [], []
    try:
        for version in args.spark or VERSIONS:
            for way, mode in COMBINATIONS:
                if way in (args.way or (way,)) and mode in (args.mode or (mode,)):
                    cells = [cell(name, version, way, mode) for name in names]
                    rows.append(f"| {version} | {way} | {mode} | {' | '.join(said for said, _ in cells)} |")
                    wrong += [line for _, lines in cells for line in lines]
    finally:
        processes.kill_all()
    print(f"| Spark | way in | mode | {' | '.join(names)} |\n|---|---|---|{'---|' * len(names)}", *rows, sep="\n")
    print(*wrong, sep="\n")
    return 1 if wrong or not rows else 0


def main():
    runner.in_venv("tests/listener/deps.sh all")
    parser = argparse.ArgumentParser(description="the listener in every Spark")
    for name in ("spark", "play", "way", "mode"):
        parser.add_argument(f"--{name}", action="append")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
