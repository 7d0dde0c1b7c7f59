"""Runs suites of unittest cases around real parts: what run.py of tests/real and tests/listener share.

A suite is a file test_NAME.py beside the run.py. Prints one line per case and ends with `N passed, M failed`; whatever is no
plain success has failed, a skip too.
"""

import argparse
import os
import pathlib
import sys
import time
import traceback
import unittest

REAL = pathlib.Path(__file__).resolve().parent
PYTHON = REAL.parents[1] / "build" / "venv" / "bin" / "python"


class Report(unittest.TestResult):
    """One line per case. What is no plain success counts as failed, a skip too."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = 0

    def startTest(self, test):  # noqa: N802  # unittest's name
        super().startTest(test)
        self._since = time.monotonic()

    def _line(self, word, test, details=""):
        seconds = time.monotonic() - getattr(self, "_since", time.monotonic())
        name = test.id().removeprefix("__main__.")
        print(f"{word:6} {seconds:6.1f} s  {name}", flush=True)
        if details:
            print("\n".join(f"       | {line}" for line in details.splitlines()), flush=True)

    def _fail(self, test, error):
        self.failed += 1
        if isinstance(error[1], (AssertionError,)) or type(error[1]).__name__ == "PartError":
            where = traceback.extract_tb(error[2])
            line = next((f for f in reversed(where) if pathlib.Path(f.filename).name.startswith("test_")),
                        where[-1])
            text = f"{pathlib.Path(line.filename).name}:{line.lineno}: {error[1]}"
        else:
            text = "".join(traceback.format_exception(*error))
        self._line("FAIL", test, text)

    def addSuccess(self, test):  # noqa: N802
        self.passed += 1
        self._line("ok", test)

    def addFailure(self, test, err):  # noqa: N802
        self._fail(test, err)

    def addError(self, test, err):  # noqa: N802
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):  # noqa: N802
        if err is not None:  # a test with such a part is told of in no other way
            self._fail(subtest, err)

    def addSkip(self, test, reason):  # noqa: N802
        self.failed += 1
        self._line("FAIL", test, f"skipped: {reason}")

    def addExpectedFailure(self, test, err):  # noqa: N802
        self._fail(test, err)

    def addUnexpectedSuccess(self, test):  # noqa: N802
        self.failed += 1
        self._line("FAIL", test, "succeeded where it was expected to fail")


def cases_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases_of(item)
        else:
            yield item


def names_of(case):
    """All that --suite may call a case: its module with or without test_, class, method, both."""
    module, klass, method = case.id().split(".")[-3:]
    return {module, module.removeprefix("test_"), klass, method, f"{klass}.{method}", case.id()}


def chosen_cases(suites, names):
    """The suite with the cases that are asked for; a name that fits nothing is an error."""
    loader = unittest.TestLoader()
    everything = [loader.loadTestsFromName(f"test_{suite}") for suite in suites]
    if not names:
        return unittest.TestSuite(everything)
    chosen = []
    for name in names:
        fits = [case for suite in everything for case in cases_of(suite)
                if name in names_of(case)]
        if not fits:
            sys.exit(f"run.py: no suite or case is called {name}; see --list")
        chosen += [case for case in fits if case not in chosen]
    return unittest.TestSuite(chosen)


def in_venv(needs="tests/real/deps.sh"):
    """Goes on as build/venv's Python, which deps.sh makes."""
    if not PYTHON.exists():
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: no build/venv: run {needs}")
    if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])


def main(suites, description):
    """What a run.py does; the exit code. Its folder comes before this one on the path."""
    in_venv()
    if str(REAL) not in sys.path:
        sys.path.append(str(REAL))
    import processes  # pylint: disable=import-outside-toplevel  # needs the venv's path first

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--suite", action="append", metavar="NAME", help="only this suite or case")
    parser.add_argument("--list", action="store_true", help="print the cases and end")
    args = parser.parse_args()
    suite = chosen_cases(suites, args.suite)
    if args.list:
        print("\n".join(case.id() for case in cases_of(suite)))
        return 0
    processes.begin_run()
    report = Report()
    try:
        suite.run(report)
    except KeyboardInterrupt as told:
        report.failed += 1
        print(f"interrupted {told}", flush=True)
    finally:
        processes.kill_all()
        print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return 1 if report.failed or not report.passed else 0
