#!/usr/bin/env python3
"""The test of the tests: breaks the agent on purpose, one way of tests/mutants/table.py at a time, and looks whether the
check that is named there notices.

    tests/mutants/run.py [--part | WORD...]   all; some, which the commit chooses; or those with a word in their row
    tests/mutants/run.py --check              only looks whether each finds its text once, and each room has one (tests/habits/run.sh)

What is made of a mutant's file is compiled alone and linked before the rooms as they were built: seconds, and nothing that
others use changes. The checks run in a copy of the tree (build/mutants/tree). Whoever noticed must hold without it, or nothing is proved. Prints a line a
mutant when it is done and ends with `N passed, M failed`: a mutant that survives has failed.
"""

import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

from table import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
WORK = BUILD / "mutants"
TREE = WORK / "tree"
SHARED = ("venv", "kafka", "librdkafka-new", "later-schemas")
SEEDS = (1, 2, 3)  # of a scenario: a mutant may need luck to be seen
DEAR_PART, CHEAP_PART = 1, 12  # how many a part takes of those on a real Kafka, and of the others
TRY_S = 600
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1",
               "TEST_PORTS": "10000-13999"}  # not those of the suites, which may run beside this one
PYTHON = str(BUILD / "venv" / "bin" / "python")
PROGRAM = {"golden": ["tests/golden/run.sh", "{program}"], "cli": ["tests/commands/cli.sh", "{program}"],
           "oracle": ["bash", "-c", 'python3 tests/oracle/compare.py "$0" $(tests/oracle/logs.sh)', "{program}"]}
SAYS = (r"^\[  FAILED  \] ([a-z]\w+)$", r"broken: ([^;\n]*)", r"^(?:not ok|FAIL\w*) +(.*)", r"(\w+Sanitizer: .*)",
        r"(runtime error: .*)", r"(\S.*)\s*\Z")


@dataclasses.dataclass(frozen=True)
class Check:
    """Who may notice: the programs it needs, first the one it is given, and its tries."""

    name: str
    preset: str
    targets: tuple
    tries: tuple
    dear: bool = False


@functools.cache
def check_of(name):
    if name.startswith("test_"):
        return Check(name, "dev", (name,), (["{program}"],))
    if name.startswith("fuzz_"):
        seeds = f"tests/fuzz/corpus/{name.removeprefix('fuzz_')}"
        limits = ["-seed=1", "-max_total_time=60", "-timeout=25", "-artifact_prefix={folder}/"]
        return Check(name, "fuzz", (name,), (["{program}", *limits, seeds],))
    if name in PROGRAM:
        return Check(name, "dev", ("stoker",), (PROGRAM[name],))
    if name == "hostile":
        return Check(name, "release", ("stoker",), (["python3", "tests/bench/hostile.py", "{program}"],))
    if (ROOT / "tests" / "habits" / name).is_file():
        return Check(name, "", (), ([f"tests/habits/{name}", "{file}"],))
    if name.startswith("real:"):
        suite = ["env", "STOKER_BINARY={program}", PYTHON, "tests/real/run.py", "--suite", name.removeprefix("real:")]
        return Check(name, "release", ("stoker",), (suite,), dear=True)
    scenario = [PYTHON, "tests/faults/run.py", "--binary", "{program}", "--scenario", name, "--seed"]
    return Check(name, "release", ("stoker-faults", "stoker-faults-later"), tuple([*scenario, str(seed)] for seed in SEEDS), dear=True)


def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **more)


def copy_tree():
    """The tree as it is, without what is built; what is downloaded is shared."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in filter(None, run(["git", "ls-files", "-z"], cwd=ROOT).stdout.split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    (TREE / "build").mkdir()
    for name in SHARED:
        if (BUILD / name).exists():
            (TREE / "build" / name).symlink_to((BUILD / name).resolve())


def build(mutants):
    """The programs as they are: what is broken is linked with them, and they are the control."""
    wanted = {(check.preset, target) for mutant in mutants for check in map(check_of, mutant.checks) for target in check.targets}
    for preset in sorted({preset for preset, _ in wanted}):
        targets = sorted(target for of, target in wanted if of == preset)
        first = ["tests/faults/build.sh"] if "stoker-faults-later" in targets else ["cmake", "--preset", preset]
        for command in (first, ["cmake", "--build", "--preset", preset, "--target", *targets]):
            done = run(command, cwd=ROOT)
            if done.returncode != 0:
                sys.exit(f"mutants: {' '.join(command)}\n{done.stdout[-3000:]}")


@functools.cache
def commands(preset, target):
    """All that is done to make a program; the last one links it."""
    lines = run(["ninja", "-C", str(BUILD / preset), "-t", "commands", target]).stdout.splitlines()
    return [shlex.split(line.removeprefix(": && ").removesuffix(" && :")) for line in lines]


@functools.cache
def made_of(preset):
    """Object -> the files it was made of."""
    told, objects = run(["ninja", "-C", str(BUILD / preset), "-t", "deps"]).stdout, {}
    for block in told.split("\n\n"):
        made, *files = block.split("\n")
        objects[made.split(":")[0]] = {os.path.normpath(BUILD / preset / file.strip()) for file in files}
    return objects


def link_with(mutant, preset, target, folder):
    """Makes the program anew from what its folder has changed; "" or what was wrong."""
    *compiles, link = commands(preset, target)
    broken = [(words[words.index("-o") + 1], words) for words in compiles if "-o" in words]
    broken = [(whole, words) for whole, words in broken if str(ROOT / mutant.file) in made_of(preset).get(whole, ())]
    own = {words[-1] for whole, words in broken if whole in link}  # the rooms have an object of it, too, which is not linked
    for number, (whole, words) in enumerate(broken):
        if whole not in link and words[-1] in own:
            continue
        source = pathlib.Path(words[-1]).relative_to(ROOT)
        changed = str(folder / f"{target}-{number}.o")
        if not (folder / source).exists():
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / source, folder / source)
        words = [{whole: changed, str(ROOT / source): str(folder / source), f"{whole}.d": f"{changed}.d"}.get(word, word)
                 for word in words if word != "-Werror"]
        first = [f"-I{folder}/include", f"-I{folder}/agent", "-iquote", str((ROOT / source).parent)]
        done = run([*words[:2], *first, *words[2:]], cwd=BUILD / preset)
        if done.returncode != 0:
            return done.stdout
        if whole in link:
            link = [changed if word == whole else word for word in link]
        else:
            link = [*link[:link.index("libstoker_rooms.a")], changed, *link[link.index("libstoker_rooms.a"):]]
    if link == commands(preset, target)[-1]:
        return "nothing is made of its file"
    done = run([str(folder / target) if word == target else word for word in link], cwd=BUILD / preset)
    return done.stdout if done.returncode != 0 else ""


def outcome(check, command, folder, file):
    """"" if the check holds, else what it says."""
    fill = {"program": folder / check.targets[0] if check.targets else "", "folder": folder, "file": file}
    try:
        done = run([word.format(**fill) for word in command], cwd=TREE, env=ENVIRONMENT, timeout=TRY_S)
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode == 0:
        return ""
    said = (re.search(says, done.stdout, re.MULTILINE) for says in SAYS)
    return next((found.group(1) for found in said if found), f"exit code {done.returncode}").strip()[:120]


@functools.cache
def control(name, number, file):
    """The same try without the mutant, once."""
    check = check_of(name)
    return outcome(check, check.tries[number], BUILD / check.preset, file)


def try_one(mutant):
    """(whether it was noticed, the words for it)"""
    folder = WORK / re.sub(r"\W+", "-", mutant.name)
    changed = folder / mutant.file
    changed.parent.mkdir(parents=True)
    changed.write_text((ROOT / mutant.file).read_text().replace(mutant.text, mutant.instead))
    checks = [check_of(name) for name in mutant.checks]
    for preset, target in dict.fromkeys((check.preset, target) for check in checks for target in check.targets):
        if wrong := link_with(mutant, preset, target, folder):
            return False, f"does not build: {wrong[-800:]}"
    tries = sorted(((number, check, command) for check in checks for number, command in enumerate(check.tries)), key=lambda t: t[0])
    for number, check, command in tries:
        if said := outcome(check, command, folder, changed):
            if wrong := control(check.name, number, ROOT / mutant.file):
                return False, f"{check.name} fails without it, too: {wrong}"
            return True, f"{check.name}: {said}"
    return False, "SURVIVED"


def report(mutant):
    begun = time.monotonic()
    good, words = try_one(mutant)
    print(f"{'ok' if good else 'FAIL':5}{time.monotonic() - begun:6.1f} s  {mutant.name:52} {words}", flush=True)
    return good


def fits(mutant):
    """What it changes is there, once."""
    path = ROOT / mutant.file
    times = path.read_text().count(mutant.text) if path.is_file() else 0
    if times != 1:
        print(f"FAIL  {mutant.name:52} its text is {times} times in {mutant.file}", flush=True)
    return times == 1


def is_dear(mutant):
    return check_of(mutant.checks[0]).dear


def bare_rooms():
    """Rooms of the agent without a mutant."""
    rooms = {path.name for path in (ROOT / "agent").iterdir() if path.is_dir()}
    return sorted(rooms - {pathlib.Path(mutant.file).parent.name for mutant in MUTANTS})


def part():
    """Those that the commit chooses: the slice behind that of the commit before, so that all come in turn, and always the same for
    the same. A copy that knows no commits before this one has a slice by chance."""
    shallow = run(["git", "rev-parse", "--is-shallow-repository"], cwd=ROOT).stdout.strip() != "false"
    number = int(run(["git", "rev-parse", "HEAD"], cwd=ROOT).stdout[:12], 16)
    if not shallow:
        number = int(run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT).stdout)
    chosen = []
    for dear, size in ((True, DEAR_PART), (False, CHEAP_PART)):
        rows = [mutant for mutant in MUTANTS if is_dear(mutant) == dear]
        slices = -(-len(rows) // size)
        chosen += rows[number % slices::slices]
        print(f"part {number % slices + 1} of {slices} of the {len(rows)} mutants {'on a real Kafka' if dear else 'of the other checks'}")
    return chosen


def main():
    if "--check" in sys.argv:
        for room in bare_rooms():
            print(f"FAIL  no mutant is in agent/{room}", flush=True)
        return 0 if all([fits(mutant) for mutant in MUTANTS]) and not bare_rooms() else 1
    words = sys.argv[1:]
    wanted = part() if "--part" in words else [
        mutant for mutant in MUTANTS
        if not words or any(word in " ".join((mutant.name, mutant.file, *mutant.checks)) for word in words)]
    if not wanted or not all([fits(mutant) for mutant in wanted]):
        sys.exit("mutants: no such mutant, or its text is gone")
    copy_tree()
    build(wanted)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(report, [mutant for mutant in wanted if not is_dear(mutant)]))
    results += [report(mutant) for mutant in wanted if is_dear(mutant)]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
