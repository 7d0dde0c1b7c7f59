"""Runs one job through spark-submit, event log on, and says how long it took and what it found. It must leave nothing running: what a
run leaves behind is waited for, so that the time of all its processes is counted."""

import ctypes
import glob
import inspect
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRATCH = ROOT / "build" / "proof"
LIMIT_S = 600
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Run:
    """What one run of a job came to."""

    good: bool
    why: str = ""               # it is not good
    app_s: float = 0            # from the application's start to its end, by its own log
    work_s: float = 0           # of that, from its first job on: the rest is Spark's own start
    wall_s: float = 0           # of spark-submit
    cpu_s: float = 0            # of all its processes
    others: float = 0           # share of the machine's processors that others had meanwhile
    found: object = None        # what the job returned
    log: str = ""               # its event log
    properties: dict = field(default_factory=dict)  # Spark's, as its log tells them


class Spark:
    """A Spark of one version, as tests/corpus/deps.sh sets it up."""

    def __init__(self, version):
        self.venv = ROOT / "build" / "corpus" / f"spark-{version}"
        self.python = self.venv / "bin" / "python"
        homes = glob.glob(f"{self.venv}/lib/python*/site-packages/pyspark")
        if not homes:
            sys.exit(f"no Spark in {self.venv}: tests/corpus/deps.sh {version}")
        self.home = homes[0]
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def _submit(self, job, conf, args, folder):
        env = {**os.environ, "SPARK_HOME": self.home, "PYSPARK_PYTHON": str(self.python), "PYSPARK_DRIVER_PYTHON": str(self.python),
               "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "PYTHONHASHSEED": "0", "TZ": "UTC",
               "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", "PROOF_DATA": str(data_of(job)), "PROOF_OUT": f"{folder}/out"}
        line = [f"{self.home}/bin/spark-submit", "--master", job.master]
        for key, value in conf.items():
            line += ["--conf", f"{key}={value}"]
        with open(folder / "out.txt", "w", encoding="utf-8") as out:
            return subprocess.run([*line, str(HERE / "child.py"), job.name, *args], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False).returncode

    def once(self, job, *args):
        """What is done beforehand: seconds, or None if it failed."""
        folder = fresh(SCRATCH / "once" / job.name)
        began = time.monotonic()
        rc = self._submit(job, base_conf(folder), args, folder)
        return None if rc else time.monotonic() - began

    def run(self, job, conf, lines, name):
        """A run with these settings and the lines that are followed; `name` is its folder below the job's."""
        folder = fresh(SCRATCH / "runs" / job.name / name)
        (folder / "ev").mkdir()
        logged = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file:{folder}/ev", "spark.eventLog.compress": "false",
                  "spark.eventLog.rolling.enabled": "false"}
        before, busy, began = cpu_s(), busy_s(), time.monotonic()
        try:
            rc = self._submit(job, {**base_conf(folder), **logged, **conf}, [json.dumps(lines)], folder)
        except subprocess.TimeoutExpired:
            rc = f"no end after {LIMIT_S} s"
        wall = time.monotonic() - began
        reap()
        result = read(folder, rc)
        result.wall_s, result.cpu_s = wall, cpu_s() - before
        result.others = max(0.0, busy_s() - busy - result.cpu_s) / (os.cpu_count() * (time.monotonic() - began))
        for rest in ("local", "warehouse", "out"):
            shutil.rmtree(folder / rest, ignore_errors=True)
        return result


def data_of(job):
    """Where its input is, as it is made now."""
    if not job.prepare:
        return SCRATCH / "data" / "none"
    made_by = zlib.crc32(inspect.getsource(job.prepare).encode())
    return SCRATCH / "data" / f"{job.prepare.__name__}-{made_by:08x}"


def prepare(spark, job):
    """Makes a job's input if it is not there; False: that failed."""
    final = data_of(job)
    if not job.prepare or final.exists():
        return True
    part = fresh(final.with_suffix(".part"))
    if spark.once(job, "prepare", str(part)) is None:
        return False
    part.rename(final)
    return True


def compacted(spark, job, files):
    """Does once what the line `compact` says: the seconds that took, 0 if it was done already, None if it failed."""
    done = data_of(job) / f"compacted-{files}"
    if done.exists():
        return float(done.read_text(encoding="ascii"))
    shutil.rmtree(data_of(job) / "large", ignore_errors=True)
    took = spark.once(job, "compact", str(data_of(job)), str(files))
    if took is not None:
        done.write_text(f"{took:.1f}", encoding="ascii")
    return took


def base_conf(folder):
    """What has nothing to do with how fast a job is."""
    return {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": f"{folder}/local", "spark.sql.warehouse.dir": f"{folder}/warehouse", "spark.log.level": "ERROR"}


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def cpu_s():
    """Of all children that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_s():
    """Of all processors, by anybody."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, _, _, irq, softirq = map(int, f.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def reap(most_s=15):
    """Waits for what a run left behind: it becomes a child of ours when its parent ends."""
    until = time.monotonic() + most_s
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return


def read(folder, rc):
    """What a run's output and event log say."""
    out = (folder / "out.txt").read_text(encoding="utf-8", errors="replace")
    said = dict(line.split(" ", 1) for line in out.splitlines() if line.startswith(("APP ", "RESULT ")))
    logs = glob.glob(f"{folder}/ev/{said.get('APP', 'none')}*")
    if rc or "RESULT" not in said or not logs:
        return Run(False, f"rc {rc}: {' '.join(out.split())[-300:]}", log=logs[0] if logs else "")
    start = end = first = 0
    properties = {}
    with open(logs[0], encoding="utf-8") as f:
        for line in f:
            if line.startswith('{"Event":"SparkListenerApplicationStart"'):
                start = json.loads(line)["Timestamp"]
            elif not first and line.startswith('{"Event":"SparkListenerJobStart"'):
                first = json.loads(line)["Submission Time"]
            elif line.startswith('{"Event":"SparkListenerApplicationEnd"'):
                end = json.loads(line)["Timestamp"]
            elif line.startswith('{"Event":"SparkListenerEnvironmentUpdate"'):
                properties = json.loads(line)["Spark Properties"]
    whole = end >= first > start > 0
    return Run(whole, "" if whole else "no job or no end in its log", (end - start) / 1000, (end - first) / 1000,
               found=json.loads(said["RESULT"]), log=logs[0], properties=properties)
