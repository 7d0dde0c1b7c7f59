#!/usr/bin/env python3
"""Records, labels and checks event logs of real Spark applications into which bottlenecks were put on purpose.

    record.py list                    every workload and what is put into it
    record.py run [PATTERN...]        record those whose name matches (fnmatch); --again records anew
    record.py label [PATTERN...]      label recorded logs again, without running Spark

The programs are in jobs.py and jobs_resources.py. What is recorded goes to tests/fixtures/logs/NAME; scratch space is build/corpus, which deps.sh fills
with a Spark of each version. A label says what was put in, on which stages, and the numbers of the log that show it: `verified` is
true only if the log does show it. Paths and names of this machine are taken out of a log; every number in it was measured by Spark.
"""

import contextlib
import fnmatch
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import evlog
from cluster import Cluster, Throttle, spark_home
from registry import WORKLOADS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRATCH = f"{ROOT}/build/corpus"
LOGS = f"{ROOT}/tests/fixtures/logs"


def python_of(version):
    return f"{SCRATCH}/spark-{version}/bin/python"


BASE_CONF = {
    "spark.eventLog.enabled": "true", "spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.dir": f"file:{SCRATCH}/ev", "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.warehouse.dir": f"{SCRATCH}/warehouse", "spark.local.dir": f"{SCRATCH}/local",
    "spark.sql.shuffle.partitions": "8", "spark.driver.memory": "2g",
}


def load():
    import jobs  # noqa: F401  # registers its workloads
    import jobs_resources  # noqa: F401  # and these
    return WORKLOADS


class Context:
    """What a workload's program is given."""

    def __init__(self, w):
        self.w = w
        self.data = os.path.join(SCRATCH, "data", f"{w.prepare.__name__}-{w.spark}" if w.prepare else "none")
        self.out = os.path.join(SCRATCH, "out", w.name)
        self.workers = json.loads(os.environ.get("CORPUS_WORKERS", "[]"))
        self.vars = {}

    @contextlib.contextmanager
    def step(self, spark, name):
        """Jobs inside belong to the group `name`: this is how a label finds its stages."""
        sc = spark.sparkContext
        sc.setJobGroup(name, name)
        yield
        sc.setLocalProperty("spark.jobGroup.id", None)
        sc.setLocalProperty("spark.job.description", None)


# --- the child: one Spark application ---------------------------------------------------------------------------

def jars(w):
    """Paths of the workload's jars, from the registry's ordinary client."""
    paths = []
    for coordinates in w.jars:
        _, name, version = coordinates.split(":")
        paths.append(f"{SCRATCH}/jars/{name}-{version}.jar")
        if not os.path.exists(paths[-1]):
            subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={SCRATCH}/jars"], check=True)
    return ",".join(paths)


def session(w, recorded=True):
    from pyspark.sql import SparkSession

    conf = {**BASE_CONF, **w.conf}
    if w.jars:
        conf["spark.jars"] = jars(w)
    if not recorded:
        conf.update({"spark.eventLog.enabled": "false", "spark.driver.memory": "2g"})
    b = SparkSession.builder.appName(w.app).master(os.environ.get("CORPUS_MASTER", w.mode) if recorded else "local[2]")
    for k, v in conf.items():
        b = b.config(k, str(v))
    s = b.getOrCreate()
    s.sparkContext.setLogLevel("ERROR")
    return s


def child(name):
    w = load()[name]
    ctx = Context(w)
    shutil.rmtree(ctx.out, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        spark = session(w)
        print("APP", spark.sparkContext.applicationId, flush=True)
        if w.slow_host:
            stack.callback(Throttle(ctx.workers[1], w.slow_host).stop)
        try:
            w.run(spark, ctx)
        except Exception as e:
            if not w.fails:
                raise
            print("failed as meant:", str(e)[:200])
        with contextlib.suppress(Exception) if w.outcome in ("killed", "lost") else contextlib.nullcontext():
            spark.stop()


def prepare(name):
    """Make a workload's input, in a process of its own; Spark, if used, leaves no log."""
    w = load()[name]
    ctx = Context(w)
    final, ctx.data = ctx.data, ctx.data + ".part"
    shutil.rmtree(ctx.data, ignore_errors=True)
    os.makedirs(ctx.data)
    w.prepare(ctx, lambda: session(w, recorded=False))
    os.rename(ctx.data, final)


# --- the parent -------------------------------------------------------------------------------------------------

def folder(w):
    return os.path.join(LOGS, w.name)


def record(w):
    python = python_of(w.spark)
    for d in ("ev", "local", "worker", "run", "out", "data"):
        os.makedirs(os.path.join(SCRATCH, d), exist_ok=True)
    for f in glob.glob(f"{SCRATCH}/ev/*"):
        os.remove(f)
    env = {**os.environ, "PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python, "SPARK_LOCAL_IP": "127.0.0.1",
           "SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_USER": "etl", "HADOOP_USER_NAME": "etl", "PYTHONHASHSEED": "0",
           "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"}
    env.pop("SPARK_HOME", None)
    me = [python, os.path.join(HERE, "record.py")]
    if w.prepare and not os.path.exists(Context(w).data):
        subprocess.run([*me, "_prepare", w.name], env=env, cwd=f"{SCRATCH}/run", check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cluster = None
    if w.mode == "standalone":
        cluster = Cluster(python, SCRATCH)
        env.update(CORPUS_MASTER=cluster.url, CORPUS_WORKERS=json.dumps(cluster.workers))
        del env["SPARK_LOCAL_HOSTNAME"]
    began, load_before = time.time(), os.getloadavg()[0]
    try:
        r = subprocess.run([*me, "_child", w.name], env=env,
                           cwd=f"{SCRATCH}/run", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=400)
        out, rc = r.stdout, r.returncode
    except subprocess.TimeoutExpired as e:
        out, rc = (e.stdout or b"").decode(), "timeout"
    finally:
        if cluster:
            cluster.stop()
    wall = round(time.time() - began, 1)
    with open(f"{SCRATCH}/run/{w.name}.out", "w") as f:
        f.write(out)
    app_id = next((x.split()[1] for x in out.splitlines() if x.startswith("APP ")), None)
    logs = glob.glob(f"{SCRATCH}/ev/{app_id}*")
    if rc or not logs:
        print(f"FAIL {w.name}: rc {rc}, see build/corpus/run/{w.name}.out\n" + out[-1500:], flush=True)
        return False
    to = folder(w)
    os.makedirs(to, exist_ok=True)
    scrub = evlog.Scrubber({
        spark_home(python): "/opt/spark", os.path.dirname(os.path.dirname(python)): "/opt/python",
        os.path.realpath(sys.executable): "/opt/python/bin/python",
        Context(w).data: "/data/lake", Context(w).out: "/data/out", SCRATCH: "/data",
        HERE: "/opt/jobs", "jobs.py": "job.py",
        f'"{socket.gethostname()}"': '"localhost"',
    })
    with open(logs[0], encoding="utf-8") as src, open(f"{to}/events.jsonl", "w", encoding="utf-8") as dst:
        for line in src:
            dst.write(scrub.line(line))
    subprocess.run(["zstd", "-q", "-19", "--rm", "-f", f"{to}/events.jsonl"], check=True)
    return label(w, wall, [round(load_before, 1), round(os.getloadavg()[0], 1)])


def read(w):
    raw = subprocess.run(["zstd", "-q", "-dc", f"{folder(w)}/events.jsonl.zst"], check=True,
                         stdout=subprocess.PIPE).stdout.decode("utf-8")
    return evlog.App(raw.splitlines()), len(raw.encode())


def holds(numbers, check):
    bad = []
    for k, want in check.items():
        low, high = want if isinstance(want, (tuple, list)) else (want, float("inf"))
        if not low <= numbers.get(k, 0) <= high:
            bad.append(f"{k}={numbers.get(k)} not in [{low}, {high}]")
    return bad


def label(w, wall=None, load=None):
    app, size = read(w)
    path = f"{folder(w)}/label.json"
    old = json.load(open(path)) if os.path.exists(path) else {}
    problems, injected = [], []
    for i in w.injected:
        stages = evlog.find(app, i.step, i.where) if i.kind != "none" and i.where != "run" else []
        stages = [s for s in stages if not holds(s.numbers(), i.check)] or stages  # those that really carry it
        entry = {"kind": i.kind, "stages": [s.id for s in stages]}
        if any((s.id, 1) in app.stages for s in stages):
            entry["stage_attempts"] = [[s.id, s.attempt] for s in stages]
        entry["detail"] = dict(i.detail)
        if stages:
            entry["detail"]["measured"] = {str(s.id): s.numbers() for s in stages}
            bad = [holds(s.numbers(), i.check) for s in stages]
            if all(bad):
                problems += [f"{i.kind}: {b}" for b in bad]
        elif i.kind != "none" and i.where != "run":
            problems.append(f"{i.kind}: no stage found")
        elif i.check:  # a healthy control or a trap: the check is about the stage that looks worst
            worst = [holds(s.numbers(), i.check) for s in evlog.find(app, i.step, "all")]
            if all(worst):
                problems += [f"none: {min(worst, key=len)}"]
        injected.append(entry)
    if w.plan and not any(w.plan in p for p in app.plans):
        problems.append(f"plan without {w.plan}")
    if w.app_check and not w.app_check(app):
        problems.append("app check failed")
    if all(i.kind == "none" and not i.check for i in w.injected):
        # A healthy control must carry no straggler of this machine's making; the first task on each core is often
        # a straggler (class loading, JIT, Python workers starting), and the label says so.
        for s in app.ran():
            n, warm = s.numbers(), s.warm(2).numbers()
            if n["tasks"] >= 4 and n["max_ms"] > 1000 and n["max_over_avg"] > 3:
                injected[0]["detail"].setdefault("cold_start_stages", {})[str(s.id)] = n["max_over_avg"]
            if warm["tasks"] >= 4 and warm["max_ms"] > 2000 and warm["max_over_avg"] > 3:
                problems.append(f"straggler in stage {s.id}: max/avg {warm['max_over_avg']}, max {warm['max_ms']} ms")
    if (app.end is None) != (w.outcome == "lost"):
        problems.append(f"ApplicationEnd: {app.end}")
    out = {"name": w.name, "spark_version": app.version, "app_name": app.name, "mode": w.mode, "outcome": w.outcome}
    out.update(injected=injected, may_also=list(w.may_also), note=w.note,
               config={k: str(v).replace(SCRATCH, "/data") for k, v in {
                   **{k: BASE_CONF[k] for k in ("spark.sql.shuffle.partitions", "spark.driver.memory")},
                   **w.conf}.items()},
               app_ms=(app.end or app.last_ts) - app.start if app.end else None,
               wall_s=wall if wall is not None else old.get("wall_s"),
               load_before_after=load or old.get("load_before_after"), log_bytes=size, verified=not problems)
    if problems:
        out["problems"] = problems
    with open(path, "w") as f:
        json.dump(out, f, indent=1, ensure_ascii=False)
        f.write("\n")
    state = "ok  " if not problems else "BAD "
    print(f"{state}{w.name}: {out['wall_s']} s, {size / 1e6:.2f} MB",
          *problems, sep="  ", flush=True)
    return not problems


def main():
    cmd, args = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    again = "--again" in args
    patterns = [a for a in args if not a.startswith("--")] or ["*"]
    if cmd == "_child":
        return child(args[0])
    if cmd == "_prepare":
        return prepare(args[0])
    todo = [w for w in load().values() if any(fnmatch.fnmatch(w.name, p) for p in patterns)]
    if cmd == "list":
        for w in todo:
            print(f"{w.name:32} {w.spark:6} {w.mode:12} {', '.join(i.kind for i in w.injected)}")
    elif cmd in ("run", "label"):
        good = True
        for w in todo:
            have = os.path.exists(f"{folder(w)}/label.json")
            if cmd == "label":
                good &= not have or label(w)
            elif again or not have:
                good &= bool(record(w))
        return 0 if good else 1
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    sys.modules["record"] = sys.modules["__main__"]
    sys.exit(main())
