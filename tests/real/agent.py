"""Stoker itself as a part: the program's commands, a running agent, and its configuration file.

Used by every suite. The program is build/release/stoker (or $STOKER_BINARY), run with Debian's
librdkafka ("old") or the newest ("new"); which one a running agent really has is checked.
"""

import json
import os
import pathlib
import re
import subprocess

from parts import http_get
from processes import BUILD, HOST, PartError, Process, free_port, fresh_dir, wait_until

BINARY = pathlib.Path(os.environ.get("STOKER_BINARY", BUILD / "release" / "stoker"))
NEW_LIBRDKAFKA = BUILD / "librdkafka-new"
# A folder with a librdkafka for every agent instead, whatever it asks for: tests/tsan/run.sh.
OWN_LIBRDKAFKA = os.environ.get("STOKER_LIBRDKAFKA")
LIBRARIES = ("old", "new")


def environment(lib):
    """The environment of the program: nothing that configures it by accident, and the library."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("STOKER_", "LD_"))}
    if lib == "new" or OWN_LIBRDKAFKA:
        env["LD_LIBRARY_PATH"] = OWN_LIBRDKAFKA or str(NEW_LIBRDKAFKA)
    return env


def stoker(*args, lib="old", timeout_s=120):
    """Runs a command of the program to its end; its standard output. Exit code 0 is required."""
    if not BINARY.exists():
        raise PartError(f"no {BINARY}: make build")
    try:
        done = subprocess.run([str(BINARY), *map(str, args)], stdin=subprocess.DEVNULL,
                              capture_output=True, env=environment(lib), timeout=timeout_s,
                              check=False)
    except subprocess.TimeoutExpired:
        raise PartError(f"stoker {args[0]}: still ran after {timeout_s} s") from None
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip()[-2000:]
        raise PartError(f"stoker {' '.join(map(str, args))}: exit {done.returncode}: {words}")
    return done.stdout


def analyze(logs):
    """The program's own offline judgement: one object per run."""
    return [json.loads(line) for line in stoker("analyze", "--format", "json", *logs).splitlines()]


def _yaml(value, indent=0):
    """Nested dicts, lists and scalars as block YAML, every text quoted."""
    pad = "  " * indent
    lines = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            lines += [f"{pad}{key}:", *_yaml(inner, indent + 1)] if inner else [f"{pad}{key}: {{}}"]
        elif isinstance(inner, list):
            lines += [f"{pad}{key}:", *(f"{pad}  - {json.dumps(item)}" for item in inner)]
        else:
            lines.append(f"{pad}{key}: {json.dumps(inner)}")
    return lines


class Stoker:
    """One agent: `stoker run -c FILE` and what it says on its HTTP port."""

    def __init__(self, name, config, lib="old"):
        """config: nested dicts; http.listen is chosen here."""
        self.name = name
        self.lib = lib
        self.dir = fresh_dir(f"stoker-{name}")
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.config_path = self.dir / "stoker.yaml"
        self.configure(config)
        self.process = None

    def configure(self, config):
        """What it runs with from its next start on."""
        self.config = dict(config, http={"listen": f"{HOST}:{self.port}"})
        self.config_path.write_text("\n".join(_yaml(self.config)) + "\n")

    def create_topics(self):
        return stoker("topics", "--create", "-c", self.config_path, lib=self.lib)

    def start(self):
        """Starts it and waits until it lives (not until it is ready)."""
        if not BINARY.exists():
            raise PartError(f"no {BINARY}: make build")
        self.process = Process(f"stoker {self.name}", [BINARY, "run", "-c", self.config_path],
                               self.dir / "stoker.log", environment(self.lib))
        wait_until(f"stoker {self.name} alive", lambda: self.livez()[0] == 200, 20,
                   process=self.process)
        self._check_library()
        return self

    def wait_ready(self, timeout_s=60):
        try:
            wait_until(f"stoker {self.name} ready", lambda: self.readyz()[0] == 200, timeout_s,
                       process=self.process)
        except PartError as error:
            raise PartError(f"{error}\n    /readyz: {self.readyz()}") from error
        return self

    def _check_library(self):
        maps = pathlib.Path(f"/proc/{self.process.pid}/maps").read_text()
        loaded = {line.split()[-1] for line in maps.splitlines() if "/librdkafka" in line}
        new = any("confluent_kafka.libs" in path for path in loaded)
        own = all(path.startswith(OWN_LIBRDKAFKA) for path in loaded) if OWN_LIBRDKAFKA else None
        if len(loaded) != 1 or not (own if OWN_LIBRDKAFKA else new == (self.lib == "new")):
            raise PartError(f"stoker {self.name} should use the {self.lib} librdkafka, has {loaded}")

    def livez(self):
        return http_get(self.url + "/livez")[:2]

    def readyz(self):
        return http_get(self.url + "/readyz")[:2]

    def metrics_text(self):
        status, body, _ = http_get(self.url + "/metrics")
        if status != 200:
            raise PartError(f"stoker {self.name}: /metrics says {status}: {body}")
        return body

    def metric(self, name, **labels):
        """The sum of a metric's samples with these labels; None if there is none."""
        found = [value for sample, has, value in samples(self.metrics_text())
                 if sample == name and all(has.get(k) == v for k, v in labels.items())]
        return sum(found) if found else None

    def kill(self):
        self.process.kill()

    def stop(self):
        """Ends it as a service manager would: it must exit 0."""
        code = self.process.stop()
        if code != 0:
            raise PartError(f"stoker {self.name}: SIGTERM ended it with {code}\n{self.process.tail()}")


SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


def samples(text):
    """(name, labels, value) of each line of a text exposition."""
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match:
            yield match[1], dict(LABEL.findall(match[2] or "")), float(match[3])
