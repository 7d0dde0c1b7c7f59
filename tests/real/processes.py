"""Child processes of the real-parts suites: started with a log file, waited for, always ended.

Used by tests/real, tests/faults and tests/listener. Every child leads a process group of its own, which is killed at exit whatever
happened, and dies with this process even if that is killed outright. Nothing here knows Kafka.
"""

import atexit
import ctypes
import fcntl
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
# A suite is its folder below tests/: where its files lie below build/ and the ports it takes, so that suites can run side by side.
# TEST_PORTS=FIRST-LAST is for those who run the programs of a suite beside it (tests/mutants/run.py).
SUITES = {"faults": ("fault-files", "20000-25999"), "listener": ("listener-files", "14000-19999")}
MAIN = pathlib.Path(sys.argv[0]).resolve().parent.name
FOLDER, OWN_PORTS = SUITES.get(MAIN, ("real", "26000-31999"))
WORK = BUILD / FOLDER
FIRST_PORT, LAST_PORT = map(int, os.environ.get("TEST_PORTS", OWN_PORTS).split("-"))
PORTS = range(FIRST_PORT, LAST_PORT + 1)
HOST = "127.0.0.1"

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_running = []
_locks = []  # held until this process ends; children do not inherit it
_given_ports = set()


class PartError(Exception):
    """A part could not be started or did not do in time what it must: the suite cannot go on."""


def free_port():
    """A port nobody listens on, below the range the kernel takes for outgoing connections, so that a
    part that was killed gets its port back, and not of those that the other suite takes."""
    for _ in range(1000):
        port = random.choice(PORTS)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise PartError(f"no free port between {PORTS[0]} and {PORTS[-1]}")


def fresh_dir(name):
    """An empty folder NAME below WORK."""
    path = WORK / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def wait_until(what, condition, timeout_s=30.0, every_s=0.05, process=None):
    """Calls condition() until it returns something true, which is returned. A PartError names `what`
    when the time is over or when `process` has ended meanwhile."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if process is not None and process.ended():
            raise PartError(f"{what}: {process.name} ended with {process.code()}\n{process.tail()}")
        if time.monotonic() > deadline:
            tail = f"\n{process.tail()}" if process is not None else ""
            raise PartError(f"{what}: not within {timeout_s:.0f} s{tail}")
        time.sleep(every_s)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child: its command, its log file (stdout and stderr together) and its life."""

    def __init__(self, name, args, log_path, env=None, cwd=None):
        self.name = name
        self.log_path = pathlib.Path(log_path)
        self._paused = False
        with open(self.log_path, "ab") as log:
            try:
                self._child = subprocess.Popen(
                    [str(a) for a in args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=env, cwd=cwd, start_new_session=True, preexec_fn=_die_with_parent)
            except OSError as error:
                raise PartError(f"{name} does not start: {error}") from error
        _running.append(self)

    @property
    def pid(self):
        return self._child.pid

    def ended(self):
        return self._child.poll() is not None

    def code(self):
        return self._child.returncode

    def log(self):
        return self.log_path.read_text(errors="replace")

    def tail(self, lines=15):
        return "\n".join(f"    {line}" for line in self.log().splitlines()[-lines:])

    def _signal(self, number):
        try:
            os.killpg(self._child.pid, number)
        except ProcessLookupError:
            pass

    def pause(self):
        self._signal(signal.SIGSTOP)
        self._paused = True

    def cont(self):
        self._signal(signal.SIGCONT)
        self._paused = False

    def kill(self):
        """kill -9 of the whole group, and waits for it."""
        if not self.ended():
            self._signal(signal.SIGKILL)
        self._child.wait()
        if self in _running:
            _running.remove(self)

    def stop(self, timeout_s=20.0):
        """SIGTERM, and waits; the exit code. A child that does not end in time is killed and that is
        a PartError."""
        if self._paused:
            self.cont()
        if not self.ended():
            self._signal(signal.SIGTERM)
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise PartError(f"{self.name} did not end within {timeout_s:.0f} s of SIGTERM\n"
                            f"{self.tail()}") from None
        self.kill()
        return self.code()

    def wait(self, timeout_s):
        """Waits for a child that ends by itself; its exit code."""
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise PartError(f"{self.name} still ran after {timeout_s:.0f} s\n{self.tail()}") from None
        self.kill()
        return self.code()


def kill_all():
    """Ends every child that still runs, the newest first."""
    for process in reversed(list(_running)):
        process.kill()


def _on_signal(number, _frame):
    # Of all exceptions only this one is not taken by unittest for the failure of a case.
    raise KeyboardInterrupt(signal.Signals(number).name)


def begin_run():
    """For the main program: an empty WORK, which no other run of the suite uses meanwhile (a second one
    waits), and being told to end means ending the children too."""
    BUILD.mkdir(exist_ok=True)
    _locks.append(open(f"{WORK}.lock", "w", encoding="ascii"))
    try:
        fcntl.flock(_locks[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another run of the suite to end", flush=True)
        fcntl.flock(_locks[0], fcntl.LOCK_EX)
    shutil.rmtree(WORK, ignore_errors=True)
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGHUP, _on_signal)


atexit.register(kill_all)
