"""Real Spark jobs with the listener in them: runs one, and reads what came onto the topic.

    spark = Spark("3.5.6")                                   # build/spark/VERSION, made by deps.sh
    job = spark.start("sql", way="listener", brokers=broker.bootstrap, topic=topic)
    job.finish()                                             # waits; the exit code the job must have
    events = on_topic(broker.bootstrap, topic, job.app_id)   # what the listener sent of it
    log = job.event_log()                                    # what Spark itself wrote of it

The agent that judges a topic is a Site's of tests/real/cases.py. `way` is how the listener comes in, a key of WAYS, or None:
then the job runs as it does for somebody who has never heard of us. A job is a file of jobs/. Jobs run on Java 17 and this
machine's Python: Spark 3.3 cannot pickle a function of Python 3.11, so a job for every version has no Python code in its tasks.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from kafka_client import all_of
from processes import BUILD, HOST, ROOT, PartError, Process, fresh_dir, wait_until

HERE = pathlib.Path(__file__).resolve().parent
JOBS = HERE / "jobs"
# The Spark versions of the suites, one of each Scala, and who asks for others. What needs one takes the first.
VERSIONS = os.environ.get("STOKER_SPARK", "3.5.6 4.3.0").split()
WAYS = {"listener": {"spark.extraListeners": "io.stoker.spark.StokerListener"},
        "plugin": {"spark.plugins": "io.stoker.spark.StokerPlugin"}}
# Small, quiet, on loopback, and an event log that is one plain file. A test's own settings win.
SETTINGS = {
    "spark.master": "local[2]", "spark.driver.memory": "1g", "spark.ui.enabled": "false",
    "spark.driver.host": HOST, "spark.driver.bindAddress": HOST, "spark.sql.shuffle.partitions": "8",
    "spark.eventLog.enabled": "true", "spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false"}
JOB_TIMEOUT_S = 300


def version():
    """The project's, which is the listener's."""
    return re.search(r"^project\(stoker VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]


def jar():
    """The listener's jar: what `make listener` made, or $STOKER_LISTENER_JAR."""
    path = pathlib.Path(os.environ.get("STOKER_LISTENER_JAR") or
                        ROOT / f"deploy/spark-listener/target/stoker-spark-listener-{version()}.jar")
    if not path.exists():
        raise PartError(f"no {path}: make listener")
    return path


class Spark:
    """One Spark: build/spark/VERSION, a Python venv with that pyspark."""

    def __init__(self, version):
        self.version = version
        self.venv = BUILD / "spark" / version
        found = sorted((self.venv / "lib").glob("python3*/site-packages/pyspark"))
        if len(found) != 1:
            raise PartError(f"no Spark {version} in {self.venv}: run tests/listener/deps.sh {version}")
        self.home = found[0]

    def environment(self):
        """Of a job: this Spark and nothing that configures another one."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_", "STOKER_", "LD_", "PYTHON"))}
        python = str(self.venv / "bin" / "python")
        return dict(env, SPARK_HOME=str(self.home), PYSPARK_PYTHON=python, PYSPARK_DRIVER_PYTHON=python, SPARK_LOCAL_IP=HOST)

    def compiled(self, source, *jars):
        """A folder with the classes of one Java file, compiled against this Spark and these jars."""
        folder = fresh_dir(f"java-{source.stem}")
        path = ":".join(map(str, (self.home / "jars" / "*", *jars)))
        done = subprocess.run(["javac", "-nowarn", "--release", "8", "-Xlint:-options", "-cp", path, "-d", str(folder), str(source)],
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise PartError(f"{source}: {done.stderr}")
        return folder

    def start(self, name, *args, way=None, brokers=None, topic=None, settings=None, wrapper=()):
        """Starts jobs/NAME.py with these arguments by spark-submit, and returns the Job. settings win over all others; wrapper
        is put before the command (`time`, say)."""
        folder = fresh_dir(f"job-{name}-{self.version}-{way}-{time.monotonic_ns()}")
        log_dir = folder / "eventlog"
        log_dir.mkdir()
        conf = dict(SETTINGS, **{"spark.eventLog.dir": log_dir.as_uri(), "spark.local.dir": str(folder)})
        if way is not None:
            conf.update(WAYS[way])
            conf.update({"spark.jars": str(jar()), "spark.stoker.kafka.bootstrap.servers": brokers, "spark.stoker.topic": topic})
        conf.update(settings or {})
        command = [*wrapper, self.home / "bin" / "spark-submit",
                   *(word for key, value in conf.items() for word in ("--conf", f"{key}={value}")), JOBS / f"{name}.py", *args]
        return Job(f"{name} on Spark {self.version} ({way})", command, folder, self.environment())


class Job(Process):
    """A driver that runs: spark-submit's own process, which becomes the driver's JVM. Its log is stdout and stderr together."""

    def __init__(self, name, command, folder, env):
        self.dir = folder
        self.begun = time.monotonic()
        super().__init__(name, command, folder / "driver.log", env, folder)

    @property
    def app_id(self):
        """The application's id: the name of its event log. Waits until there is one."""
        wait_until(f"{self.name} has an event log", self._logs, JOB_TIMEOUT_S, process=self)
        return self.event_log().name.removesuffix(".inprogress")

    def _logs(self):
        return [path for path in (self.dir / "eventlog").iterdir() if not path.name.startswith(".")]

    def event_log(self):
        """The event log's path; `.inprogress` if the application never ended it."""
        found = self._logs()
        if len(found) != 1:
            raise PartError(f"{self.name}: {len(found)} event logs\n{self.tail()}")
        return found[0]

    def finish(self, code=0, timeout_s=JOB_TIMEOUT_S):
        """Waits for its end, with this exit code; how many seconds it lived."""
        got = self.wait(timeout_s)
        if got != code:
            raise PartError(f"{self.name} ended with {got}, not {code}\n{self.tail(30)}")
        return time.monotonic() - self.begun

    def terminate(self):
        """SIGTERM to the driver alone, as `kill PID` or a pod's end sends it."""
        os.kill(self.pid, signal.SIGTERM)

    def said(self, pattern):
        """The first match of a regular expression in what it printed, or None."""
        return re.search(pattern, self.log())


class Sent:
    """One message of the listener: key, headers (name -> text), the event."""

    def __init__(self, message):
        self.key = (message.key() or b"").decode()
        self.headers = {name: (value or b"").decode() for name, value in message.headers() or []}
        self.value = message.value()
        self.event = json.loads(self.value)
        self.name = self.event["Event"]


def on_topic(bootstrap, topic, app_id=None):
    """All that lies on a topic now, of one application or of all, each partition in its order."""
    sent = (Sent(message) for message in sorted(all_of(bootstrap, topic), key=lambda m: (m.partition(), m.offset())))
    return [one for one in sent if app_id in (None, one.key.split("/")[0])]


def in_log(path):
    """The events of an event log, in its order."""
    return [json.loads(line) for line in pathlib.Path(path).read_bytes().splitlines()]
