"""What the suites of disasters share: jobs that run beside their like without the listener, and things that go wrong.

    ran = run("busy", "200", "2", "0", brokers=..., topic=...)      # a Ran: how it ended, how long the end took
    case.unharmed(ran, close_s=3)                                   # against the same job without the listener, once a run

Figures are printed as they are measured. Nothing here knows how the listener works inside.
"""

import functools
import re
import socket
import subprocess
import threading
import time

import harness
from cases import RealCase
from processes import HOST, PartError, fresh_dir

# Beside what is measured the machine may be busy: a listener that holds a job up is found all the same.
SLOWER, SLACK_S = 1.5, 5.0


class Ran:
    """A job that has ended."""

    def __init__(self, job, timeout_s=harness.JOB_TIMEOUT_S):
        self.job = job
        result_at = None
        deadline = job.begun + timeout_s
        while not job.ended() and time.monotonic() < deadline:
            if result_at is None and "\nresult " in job.log():
                result_at = time.monotonic()
            time.sleep(0.1)
        self.seconds = job.finish(0, max(1, deadline - time.monotonic()))
        self.end_s = job.begun + self.seconds - (result_at or time.monotonic())  # from its result to the end of its process
        self.log = job.log()
        self.app_id = self._said("application")
        self.result, self.heap_mib = self._said("result"), self._said("heap")

    def _said(self, word):
        found = re.search(rf"^{word} (\S+)$", self.log, re.M)
        return found and found[1]

    def lines(self):
        """What the listener and Kafka's client wrote into the driver's log, above INFO."""
        return [line for line in self.log.splitlines()
                if re.search(r"\b(WARN|ERROR)\b", line) and re.search(r"StokerListener|kafka", line, re.I)]


def spark():
    """The one that all of them run on."""
    return harness.Spark(harness.VERSIONS[0])


def run(name, *args, way="listener", settings=None, meddle=None, timeout_s=harness.JOB_TIMEOUT_S, **where):
    """Runs a job to its end. meddle(job) is called as soon as it runs."""
    settings = {"spark.eventLog.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.stoker.close.timeout": "3s",
                **(settings or {})}
    if way is None:
        settings = {key: value for key, value in settings.items() if not key.startswith("spark.stoker.")}
    job = spark().start(name, *args, way=way, settings=settings, **where)
    if meddle:
        meddle(job)
    return Ran(job, timeout_s)


@functools.lru_cache(maxsize=None)
def without(name, *args, settings=()):
    """The same job without the listener, once."""
    return run(name, *args, way=None, settings=dict(settings))


class DisasterCase(RealCase):
    """Assertions about a job that something happened to."""

    def unharmed(self, ran, *like, close_s=3.0, settings=None):
        """Same result and about the time of the job without the listener; no more at the end than its deadline."""
        alone = without(*like, settings=tuple((settings or {}).items()))
        ratio = ran.seconds / alone.seconds
        print(f"       | {self.id().split('.')[-1]}: {ran.seconds:.1f} s, alone {alone.seconds:.1f} s (x {ratio:.2f}); the end "
              f"{ran.end_s:.1f} s, alone {alone.end_s:.1f} s; heap {ran.heap_mib} MiB, alone {alone.heap_mib} MiB", flush=True)
        self.assertEqual(ran.result, alone.result)
        self.assertLess(ran.seconds, SLOWER * alone.seconds + close_s + SLACK_S)
        self.assertLess(ran.end_s, SLOWER * alone.end_s + close_s + SLACK_S)

    def few_words(self, ran, at_least=1):
        """At most one warning a minute, and the one about what was left at the end."""
        lines = ran.lines()
        self.assertLessEqual(len(lines), 2 + int(ran.seconds / 60), "\n".join(lines))
        self.assertGreaterEqual(len(lines), at_least, ran.log[-2000:])


class Silent:
    """A port that takes connections and never says a word."""

    def __init__(self):
        self._listening = socket.create_server((HOST, 0), backlog=64)
        self._taken = []
        self.address = f"{HOST}:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        while True:
            try:
                self._taken.append(self._listening.accept()[0])
            except OSError:
                return

    def close(self):
        self._listening.close()
        for connection in self._taken:
            connection.close()

    def connections(self):
        return len(self._taken)


HANGING_NAMES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node != NULL && strstr(node, "never-answered") != NULL) {
        sleep(3600);
    }
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    }
    return real(node, service, hints, out);
}
"""


def hanging_names():
    """Words before a command for which the name never-answered.example is looked up for an hour."""
    folder = fresh_dir("hanging-names")
    (folder / "names.c").write_text(HANGING_NAMES)
    done = subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "names.so", folder / "names.c", "-ldl"], capture_output=True,
                          text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise PartError(f"cc: {done.stderr}")
    return "env", f"LD_PRELOAD={folder / 'names.so'}"
