"""Event logs for the suites: the fixtures as lines, and copies of them under another name, application
id, attempt or time, written where `stoker analyze` and `stoker replay` can read them.
"""

import os
import pathlib
import re
import subprocess

import orjson

from processes import ROOT, PartError

FIXTURES = pathlib.Path(os.environ.get("REAL_LOGS", ROOT / "tests/fixtures/logs"))
# Times in an event log are milliseconds since 1970 as bare JSON integers of 13 digits; everything
# else of that size would have to be a byte count above a terabyte, which the fixtures do not have.
TIME = re.compile(rb"(?<=:)1[5-9]\d{11}(?=[,}\]])")
HOUR_MS = 3600 * 1000


def names():
    """The fixtures' names, e.g. ok_groupby or pipeline/run1, sorted."""
    found = sorted(str(p.parent.relative_to(FIXTURES)) for p in FIXTURES.rglob("events.jsonl.zst"))
    if not found:
        raise PartError(f"no event logs under {FIXTURES}")
    return found


class Log:
    """One run's events as byte lines, and whose they are."""

    def __init__(self, name, lines):
        self.name = name
        self.lines = lines
        self.path = None
        start = next((orjson.loads(line) for line in lines
                      if b'"SparkListenerApplicationStart"' in line[:200]), None)
        if start is None:
            raise PartError(f"{name}: no ApplicationStart")
        self.app_id = start["App ID"]
        self.attempt = start.get("App Attempt ID") or ""
        self.app_name = start["App Name"]

    @property
    def has_end(self):
        """False if the driver was gone before it said so: live, such a run goes on until it is taken for lost."""
        return any(b'"SparkListenerApplicationEnd"' in line[:200] for line in self.lines)

    @classmethod
    def fixture(cls, name):
        path = FIXTURES / name / "events.jsonl.zst"
        done = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=False)
        if done.returncode != 0:
            raise PartError(f"{path}: {done.stderr.decode(errors='replace').strip()}")
        log = cls(name, done.stdout.splitlines())
        log.path = path
        return log

    def copy(self, app_id, app_name=None, attempt=None, later_ms=0):
        """The same run as another application: its id (everywhere in the log), name, attempt and
        all times shifted by later_ms."""
        old, new = self.app_id.encode(), app_id.encode()
        lines = []
        for line in self.lines:
            line = line.replace(old, new)
            if later_ms:
                line = TIME.sub(lambda m: str(int(m[0]) + later_ms).encode(), line)
            if b'"SparkListenerApplicationStart"' in line[:200]:
                event = orjson.loads(line)
                event["App Name"] = app_name or event["App Name"]
                if attempt is not None:
                    event["App Attempt ID"] = attempt
                line = orjson.dumps(event)
            elif app_name and self.app_name.encode() in line:
                line = line.replace(b'"spark.app.name":"' + self.app_name.encode() + b'"',
                                    b'"spark.app.name":"' + app_name.encode() + b'"')
            lines.append(line)
        return Log(f"{self.name} as {app_id}", lines)

    def written(self, folder):
        """Writes the log as a plain file into `folder` (once); its path."""
        if self.path is None:
            self.path = pathlib.Path(folder) / f"{self.app_id}{'_' + self.attempt if self.attempt else ''}"
            self.path.write_bytes(b"\n".join(self.lines) + b"\n")
        return self.path


def interleaved(logs):
    """(log, line) of several logs, one event of each in turn until all are through."""
    for i in range(max(len(log.lines) for log in logs)):
        for log in logs:
            if i < len(log.lines):
                yield log, log.lines[i]
