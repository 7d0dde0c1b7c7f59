#!/usr/bin/env python3
"""The test of the fault suite: breaks the agent on purpose, one way at a time, and looks whether the
suite notices.

    tests/faults/mutants.py [--no-control] [NAME]...
    tests/faults/mutants.py --check        only looks whether each finds its text once (tests/habits/run.sh)

Works on a copy of the tree in build/mutants/. The scenarios must hold without a mutant first: else nothing
is proved. Prints a table and ends with `N passed, M failed`: a mutant that survives has failed. Takes about
a quarter of an hour.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants"
SHARED = ("venv", "kafka", "librdkafka-new")
SEEDS = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One text of one file is another; the scenarios that must notice."""

    name: str
    file: str
    text: str
    instead: str
    scenarios: tuple


MUTANTS = (
    Mutant("avro.write_version forgotten", "agent/avro/avro_codec.c",
           "codec->writes[i] = avro_codec_find(codec, fingerprint);", "codec->writes[i] = &codec->current[i];", ("upgrade",)),
    Mutant("readers know only the schema they write by", "agent/avro/avro_read.c",
           "*schema = avro_codec_find(codec, fingerprint);",
           "*schema = codec->writes[0]->fingerprint == fingerprint ? codec->writes[0] : NULL;", ("upgrade",)),
    Mutant("offsets committed outside the transaction", "agent/kafka/sink.c",
           "rd_kafka_send_offsets_to_transaction(sink->client.rk, list, member, timeout_ms);",
           "((void)timeout_ms, rd_kafka_commit(group->rk, list, 0), (rd_kafka_error_t *)NULL);",
           ("every-step", "kill-static")),
    Mutant("restore to the last stable offset", "agent/kafka/changelog.c",
           "rd_kafka_query_watermark_offsets(changelog->ends.rk",
           "rd_kafka_query_watermark_offsets(changelog->committed.rk",
           ("slow-markers",)),
    Mutant("no producer replacement", "agent/kafka/sink.c",
           "if (atomic_load(&sink->client.doubtful)) {",
           "if (false && atomic_load(&sink->client.doubtful)) {",
           ("ghost-commits", "ghosts")),
    Mutant("input read uncommitted", "agent/kafka/client_rules.def",
           'OURS("isolation.level", FOR_C, "read_committed",', 'OURS("isolation.level", FOR_C, "read_uncommitted",',
           ("aborted-input",)),
    Mutant("no seek, no restore after an abort", "agent/live/worker.c",
           "        part_unload(worker->parts[i]);\n", "        (void)worker->parts[i];\n",
           ("frozen",)),
    Mutant("no seek after an abort", "agent/kafka/source.c",
           "    rd_kafka_resp_err_t code = rd_kafka_seek(p->topic->handle, p->number, offset, SEEK_TIMEOUT_MS);\n",
           "    static _Thread_local char sought[2][64];\n"
           "    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;\n"
           "    if (!sought[strstr(p->topic->name, \".runs\") != NULL][p->number % 64]++) {\n"
           "        code = rd_kafka_seek(p->topic->handle, p->number, offset, SEEK_TIMEOUT_MS);\n    }\n",
           ("frozen", "ghosts")),
    Mutant("the state's position in no transaction's state", "agent/live/worker.c",
           "        put_state(part, STR(POSITION_KEY), buf_str(&worker->value));\n", "",
           ("kill-static",)),
    Mutant("alerts are not told again after a restart", "agent/live/worker_parts.c",
           "each_alert(part, tell_alert);", "(void)tell_alert;",
           ("alert-survives",)),
    Mutant("ticks are not counted", "agent/live/worker.c",
           "            part->ticked = part->touched = true;\n", "            part->ticked = true;\n",
           ("ticks",)),
)


def copied():
    """The tree as it is, without what is built; what is downloaded is shared."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        source, copy = ROOT / name, COPY / name
        if not copy.exists() or source.read_bytes() != copy.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    for top in ("agent", "include", "tests"):  # what is gone would still be built
        for path in (COPY / top).rglob("*"):
            if path.is_file() and str(path.relative_to(COPY)) not in names and "__pycache__" not in path.parts:
                path.unlink()
    (COPY / "build").mkdir(exist_ok=True)
    for name in SHARED:
        link = COPY / "build" / name
        if not link.exists():
            link.symlink_to((ROOT / "build" / name).resolve())


def built():
    done = subprocess.run(["tests/faults/build.sh", "-DSTOKER_WERROR=OFF"], cwd=COPY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 0


def played(scenario, seed):
    """What the suite says of it: "" if it holds."""
    done = subprocess.run([sys.executable, "tests/faults/run.py", "--scenario", scenario, "--seed", str(seed)],
                          cwd=COPY, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stdout.splitlines()
    first = next((line for line in lines if line.startswith("FAIL")), f"exit code {done.returncode}")
    broken = re.search(r"broken: ([^;]*)", first)
    why = next((line for word in ("state_mismatch", "| I", "| F", "|") for line in lines if word in line), "")
    return f"{scenario}, seed {seed}: {broken.group(1).strip() if broken else first}\n      {why.strip()[:240]}"


def noticed(mutant):
    """How the suite noticed, or None."""
    tries = (played(scenario, seed) for seed in SEEDS for scenario in mutant.scenarios)
    return next(filter(None, tries), None)


def holds_without(mutants):
    """The scenarios hold while nothing is broken."""
    trouble = [words for scenario in sorted({scenario for mutant in mutants for scenario in mutant.scenarios})
               if (words := played(scenario, SEEDS[0]))]
    print("\n".join(trouble) if trouble else "ok    without a mutant all scenarios hold", flush=True)
    return not trouble


def fits(mutant, tree):
    """What it changes is there, once."""
    path = tree / mutant.file
    times = path.read_text().count(mutant.text) if path.is_file() else 0
    if times != 1:
        print(f"FAIL  {mutant.name:48} its text is {times} times in {mutant.file}", flush=True)
    return times == 1


def tried(mutant):
    """A line of the table; True if the mutant was noticed."""
    path = COPY / mutant.file
    if not fits(mutant, COPY):
        return False
    whole = path.read_text()
    path.write_text(whole.replace(mutant.text, mutant.instead))
    try:
        how = noticed(mutant) if built() else "does not build"
    finally:
        path.write_text(whole)
    good = how is not None and how != "does not build"
    print(f"{'ok' if good else 'FAIL':5} {mutant.name:48} {how or 'SURVIVED'}", flush=True)
    return good


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    wanted = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    if "--check" in sys.argv:
        return 0 if all([fits(mutant, ROOT) for mutant in MUTANTS]) else 1
    os.environ.pop("STOKER_BINARY", None)
    copied()
    if not built():
        sys.exit("mutants.py: the copy does not build")
    results = [holds_without(wanted)] if "--no-control" not in sys.argv else []
    results += [tried(mutant) for mutant in wanted]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
