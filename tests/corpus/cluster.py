"""What a recording needs around it: a standalone cluster, a killed or a throttled executor.

Every process is started here or by a process started here, and is ended by its own pid.
"""
import os
import signal
import socket
import subprocess
import threading
import time


def spark_home(python):
    return subprocess.check_output(
        [python, "-c", "import pyspark, os; print(os.path.dirname(pyspark.__file__))"], text=True).strip()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(host, port, seconds=30):
    for _ in range(seconds * 10):
        try:
            socket.create_connection((host, port), 0.3).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {host}:{port}")


class Cluster:
    """A Master on 127.0.0.1 and two one-core Workers on 127.0.0.2 and 127.0.0.3."""

    def __init__(self, python, scratch):
        home = spark_home(python)
        self.port, self.procs, self.workers = free_port(), [], []
        self.url = f"spark://127.0.0.1:{self.port}"
        log = open(os.path.join(scratch, "cluster.log"), "ab")
        env = {**os.environ, "SPARK_HOME": home, "PYSPARK_PYTHON": python, "SPARK_DAEMON_MEMORY": "256m",
               "SPARK_WORKER_DIR": os.path.join(scratch, "worker"), "SPARK_LOCAL_DIRS": os.path.join(scratch, "local")}

        def start(cls, host, *args):
            p = subprocess.Popen([f"{home}/bin/spark-class", f"org.apache.spark.deploy.{cls}", "--host", host,
                                  "--webui-port", "0", *args], stdout=log, stderr=log,
                                 env={**env, "SPARK_LOCAL_IP": host}, cwd=scratch)
            self.procs.append(p)
            return p

        start("master.Master", "127.0.0.1", "--port", str(self.port))
        wait_port("127.0.0.1", self.port)
        for host in ("127.0.0.2", "127.0.0.3"):
            self.workers.append(start("worker.Worker", host, "--cores", "1", "--memory", "2g", self.url).pid)
        time.sleep(3)

    def stop(self):
        for p in reversed(self.procs):
            p.terminate()
        for p in self.procs:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()


def children(pid):
    found = []
    for d in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{d}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(d))
        except OSError:
            pass
    return found


def descendants(pid):
    out = []
    for c in children(pid):
        out += [c] + descendants(c)
    return out


def executors_of(worker):
    """Executor JVMs that this Worker (a pid of ours) runs."""
    out = []
    for pid in children(worker):
        try:
            with open(f"/proc/{pid}/cmdline") as f:
                if "CoarseGrainedExecutorBackend" in f.read():
                    out.append(pid)
        except OSError:
            pass
    return out


def kill_executor_when(spark, worker, tasks, done):
    """kill -9 of the Worker's executor once `done` tasks of an active stage of `tasks` tasks have finished."""
    def go():
        tracker = spark.sparkContext.statusTracker()
        while True:
            for sid in tracker.getActiveStageIds():
                i = tracker.getStageInfo(sid)
                if i and i.numTasks == tasks and i.numCompletedTasks >= done:
                    for pid in executors_of(worker):
                        os.kill(pid, signal.SIGKILL)
                    return
            time.sleep(0.1)
    threading.Thread(target=go, daemon=True).start()


class Throttle:
    """Lets a Worker's executor, and its Python children, run only `share` of the time, as a slow machine would."""

    def __init__(self, worker, share, period=0.2):
        self.on = True
        self.args = worker, share, period
        self.thread = threading.Thread(target=self._go, daemon=True)
        self.thread.start()

    @staticmethod
    def _signal(pids, sig):
        for p in pids:
            try:
                os.kill(p, sig)
            except ProcessLookupError:
                pass

    def _go(self):
        worker, share, period = self.args
        while self.on:
            pids = [q for p in executors_of(worker) for q in [p] + descendants(p)]
            for _ in range(10):
                self._signal(pids, signal.SIGSTOP)
                time.sleep(period * (1 - share))
                self._signal(pids, signal.SIGCONT)
                time.sleep(period * share)

    def stop(self):
        self.on = False
        self.thread.join()
