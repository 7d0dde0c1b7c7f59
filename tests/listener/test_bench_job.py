"""`stoker bench-job` with real Spark: the event logs of whatever a command starts are found, however it starts it and whatever
spark-defaults.conf says; what is reported is what `analyze` says of the same logs. Two versions of Spark; no listener, no Kafka."""

import json
import statistics
import subprocess

from agent import BINARY, analyze
from cases import RealCase
from harness import JOBS, VERSIONS, Spark
from processes import fresh_dir

JOB = str(JOBS / "sized.py")
TIMEOUT_S = 900  # of all runs of a command


class Bench(RealCase):
    """One way to start Spark; `version` is set by the classes made of this below."""

    version = None

    def bench(self, *command, sizes="1e4,60000", iterations=2, code=0, defaults=None):
        """The report as JSON, and the event logs that it was made of."""
        spark = Spark(self.version)
        folder = fresh_dir(f"bench-{self.version}-{self.id().rsplit('.', 1)[1]}")
        env = spark.environment()
        if defaults is not None:
            (folder / "conf").mkdir()
            (folder / "conf" / "spark-defaults.conf").write_text(defaults)
            env["SPARK_CONF_DIR"] = str(folder / "conf")
        words = [word.replace("PYTHON", env["PYSPARK_PYTHON"]).replace("SPARK_HOME", env["SPARK_HOME"]) for word in command]
        done = subprocess.run(
            [BINARY, "bench-job", "--sizes", sizes, "--iterations", str(iterations), "--keep", folder / "kept", "--format", "json",
             "--", *words], env=env, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        logs = sorted(path for path in (folder / "kept").glob("*/eventlog/*") if not path.name.startswith("."))
        return json.loads(done.stdout), logs

    def check(self, *command, **more):
        report, logs = self.bench(*command, **more)
        (pipeline,) = report["pipelines"]
        runs = {run["run"]["app_id"]: run["run"] for run in analyze(logs)}
        self.assertEqual(pipeline["pipeline"], "sized")
        iterations = more.get("iterations", 2)
        self.assertEqual([(g["asked"], g["iterations"]) for g in pipeline["groups"]], [("1e4", iterations), ("60000", iterations)])
        self.assertEqual(len(runs), 2 * iterations)
        for group in pipeline["groups"]:
            own = [runs[run["app_id"]] for run in group["runs"]]
            self.assertEqual(group["duration_s"]["mean"], statistics.fmean(run["duration_s"] for run in own))
            self.assertEqual(group["duration_s"]["max"], max(run["duration_s"] for run in own))
        self.assertEqual((pipeline["left_out"], report["failed_commands"]), ([], []))

    # What a cluster's own file says must not take the logs away.
    ELSEWHERE = "spark.eventLog.enabled false\nspark.eventLog.dir file:///nowhere\n"

    def test_a_python_program(self):
        self.check("PYTHON", JOB, "{size}", defaults=self.ELSEWHERE)

    def test_spark_submit(self):
        self.check("SPARK_HOME/bin/spark-submit", JOB, "{size}", iterations=1, defaults=self.ELSEWHERE)

    def test_a_script_around_it(self):
        self.check("bash", "-c", f"SPARK_HOME/bin/spark-submit {JOB} $STOKER_BENCH_SIZE", iterations=1)

    def test_a_job_that_fails_is_told(self):
        report, _ = self.bench("PYTHON", JOB, "{size}", sizes="10001,10000", iterations=1, code=1)
        self.assertEqual([(f["asked"], f["iteration"]) for f in report["failed_commands"]], [("10001", 1)])
        (pipeline,) = report["pipelines"]
        self.assertEqual([(g["asked"], g["iterations"]) for g in pipeline["groups"]], [("10000", 1)])


for _version in VERSIONS:
    _name = f"Spark_{_version.replace('.', '_')}"
    globals()[_name] = type(_name, (Bench,), {"version": _version, "__module__": __name__})
del Bench  # has no version of its own
