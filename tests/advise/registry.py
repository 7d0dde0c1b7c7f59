#!/usr/bin/env python3
"""registry: the table of settings (include/advise/settings.def) against real Sparks.

    tests/advise/registry.py BINARY [LINE...]      # a line of Spark is 3.5; without one those of LINES

One session a Spark: it is started with the example of every row that may be set before an application starts, and given the others
by SET. Of each row Spark's own registry of settings (core, SQL, Kubernetes, DStreams) must have the key, take the example for the
value that we mean, and agree on what holds where nobody set it, since when the key exists and whether a session may set it. A
family's beginning must be a constant of Spark, and what reads its members must read the example. And every key of Spark that a text
of the detectors and advisors names must be known. Called by tests/run.sh; needs tests/listener/deps.sh or tests/corpus/deps.sh.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES = ("3.5", "4.1", "4.3")
BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
TIMES_MS = {"": 1, "ms": 1, "s": 1000, "min": 60000, "h": 3600000, "d": 86400000}
# Beside the example of a family what its reader needs, too.
WITH = {"spark.metrics.conf.*": {"spark.metrics.conf.*.sink.prometheusServlet.path": "/metrics/prometheus"},
        "spark.kubernetes.executor.volumes.*": {
            "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.claimName": "OnDemand"}}
# Of others, what looks like a key in code, and a property of jobs that is no setting.
KEY = re.compile(r"(?<![\w.])spark\.[A-Za-z][A-Za-z0-9.]*")  # no class of org.apache.spark
NOT_SPARKS = re.compile(r"spark\.(range\b|read(Stream)?\b|rapids|comet|databricks|openlineage|stoker|sql\.functions|scheduler\.pool)")


def release(text):
    """3.5 as we write it, 3.5.0 as Spark does."""
    return tuple(int(n) for n in text.split(".")[:2])


def rows(binary):
    """The table as it is printed for docs/rules.md."""
    lines = subprocess.run([binary, "man", "settings"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = [name.strip() for name in lines[0].strip("|").split("|")]
    return [dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")))) for line in lines[2:]]


def number(row, text):
    """What a value of the row means: a number in bytes, milliseconds or its own unit; a text stays."""
    kind = row["value"]
    if kind == "text":
        return text
    if kind == "true or false":
        return text == "true"
    digits, unit = re.fullmatch(r"(-?[\d.]+)([a-z]*)", text.lower()).groups()
    factors = BYTES if kind.startswith("bytes") else TIMES_MS
    unit = unit.removesuffix("b") if len(unit) == 2 and factors is BYTES else unit
    if unit == "":
        return float(digits) * (1000 if "seconds" in kind else 1)
    return float(digits) * factors[unit]


def own_value(row, spark):
    """What the row says of that Spark; None: nothing."""
    value = None
    for text, since in re.findall(r"(?:from ([\d.]+) )?`([^`]*)`", row["Spark's own"]):
        if not text or release(text) <= spark:
            value = since
    return value


def example(row):
    key, value = row["setting"].strip("`"), row["example"].strip("`")
    if key.endswith("*"):
        name, value = value.split("=", 1)
        key = key[:-1] + name
    return key, value


def named_keys():
    """Keys of Spark in the texts of detectors and advisors."""
    found = set()
    for path in [*(ROOT / "agent/detect").glob("*.c"), *(ROOT / "agent/advise").glob("*.c")]:
        text = re.sub(r"\"\s*\"", "", path.read_text())
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text):
            found |= {key.rstrip(".") for key in KEY.findall(literal) if not NOT_SPARKS.match(key)}
    return sorted(found)


def python_of(line):
    """The newest Spark of a line that is installed."""
    found = [p for place in ("build/spark/", "build/corpus/spark-") for p in ROOT.glob(f"{place}{line}.*/bin/python")]
    if not found:
        sys.exit(f"registry.py: no Spark {line} in build/spark or build/corpus: tests/listener/deps.sh VERSION")
    return str(max(found, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parts[-3])]))


class Registry:
    """In a process of that Spark: what it says of its settings."""

    def __init__(self, spark, version):
        self.spark, self.version, self.jvm = spark, version, spark._jvm
        java = self.jvm.java.lang.Class
        loader = self.jvm.java.lang.Thread.currentThread().getContextClassLoader()

        def module(name):  # a Scala object
            return java.forName(f"org.apache.spark.{name}$", True, loader).getField("MODULE$").get(None)

        self.entries, self.sql = module("internal.config.ConfigEntry"), module("sql.internal.SQLConf")
        config = module("deploy.k8s.Config")
        for name in ("package", "UI", "Kryo", "Python"):  # their entries are known once they are loaded
            module(f"internal.config.{name}")
        module("streaming.StreamingConf")
        self.beginnings = {"spark.metrics.conf."}
        for method in config.getClass().getMethods():
            if method.getReturnType().getName() == "java.lang.String" and method.getParameterCount() == 0:
                self.beginnings.add(str(getattr(config, method.getName())()))

    def entry(self, key):
        return self.sql.getConfigEntry(key) or self.entries.findEntry(key)

    def default_of(self, entry):
        """What holds where nobody set it, and whether that is what another setting says."""
        text = entry.defaultValueString()
        if text.startswith("<value of "):
            return self.default_of(self.entry(text[len("<value of "):-1]))[0], True
        return None if text == "<undefined>" else text, False

    def wrong(self, row):
        """What Spark says otherwise of a row that it knows, in words."""
        key, value = example(row)
        entry = self.entry(key)
        if entry is None and key == "spark.default.parallelism":  # before 4.0 it has no entry, and counts
            if self.spark.sparkContext.defaultParallelism != int(value):
                yield f"is {self.spark.sparkContext.defaultParallelism} after {key}={value}"
            return
        if entry is None:
            yield "is not in Spark's registry"
            return
        taken = entry.valueConverter().andThen(entry.stringConverter()).apply(value)
        if number(row, taken) != number(row, value):
            yield f"takes {value} for {taken}"
        own, (default, fallback) = own_value(row, self.version), self.default_of(entry)
        if own is None and default is not None and not fallback:
            yield f"is {default} where nobody set it"
        if own is not None and (default is None or number(row, own) != number(row, default)):
            yield f"is {default} where nobody set it, not {own}"
        if release(entry.version()) != release(row["since"]):
            yield f"is there since {entry.version()}, not {row['since']}"
        modifiable = self.spark.conf.isModifiable(key)
        if modifiable != (row["set in"] == "session"):
            yield f"{'may' if modifiable else 'may not'} be set in a session"
        if modifiable:
            self.spark.sql(f"SET {key}={value}")
            if self.spark.conf.get(key) != value:
                yield f"is {self.spark.conf.get(key)} after SET {key}={value}"
        elif self.spark.sparkContext.getConf().get(key) != value:
            yield f"is {self.spark.sparkContext.getConf().get(key)} in the session that was given {value}"

    def wrong_family(self, row):
        beginning, (key, value) = row["setting"].strip("`*"), example(row)
        if beginning not in self.beginnings:
            yield "is no beginning that Spark knows"
        if ".volumes." in key:
            utils = self.jvm.org.apache.spark.deploy.k8s.KubernetesVolumeUtils
            volume = utils.parseVolumesWithPrefix(self.spark._jsc.sc().conf(), beginning).head()
            if volume.mountPath() != value:
                yield f"is a volume at {volume.mountPath()}"
        if beginning == "spark.metrics.conf.":
            for path in ("metrics/prometheus", "metrics/executors/prometheus"):
                with urllib.request.urlopen(f"{self.spark.sparkContext.uiWebUrl}/{path}", timeout=30) as page:
                    if b"metrics_" not in page.read():
                        yield f"no metrics at /{path}"


def inside(table, keys):
    """In a process of one Spark: a session, and all that is wrong, one line each."""
    import pyspark
    from pyspark.sql import SparkSession

    version = release(pyspark.__version__)
    known = [row for row in table if release(row["since"]) <= version]
    builder = SparkSession.builder.master("local[1]").appName("registry")
    settings = {"spark.ui.port": os.environ["REGISTRY_PORT"], "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for row in known:
        if row["set in"] != "session":
            settings.update(dict([example(row)]), **WITH.get(row["setting"].strip("`"), {}))
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    if spark.range(1000).selectExpr("id % 7 AS k").groupBy("k").count().count() != 7:
        print("WRONG the session does not count")
    registry = Registry(spark, version)
    for row in known:
        check = registry.wrong_family if row["setting"].endswith("*`") else registry.wrong
        try:
            problems = list(check(row))
        except Exception as error:  # noqa: BLE001  # a problem of this row, not of the others
            problems = [repr(error)[:500]]
        for problem in problems:
            print(f"WRONG {row['setting']} {problem}")
        print("ok" if not problems else "failed", row["setting"])
    for key in keys:
        if registry.entry(key) is None and registry.entry(f"{key}.enabled") is None:
            print(f"UNKNOWN {key}")
    spark.stop()


def main(binary, *lines):
    table, keys = rows(binary), named_keys()
    passed = failed = 0
    unknown = set(keys)
    ports = int(os.environ.get("TEST_PORTS", "15000-18999").split("-")[0])
    for place, line in enumerate(lines or LINES):
        python = python_of(line)
        home = next(pathlib.Path(python).parents[1].glob("lib/python3*/site-packages/pyspark"))
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_", "PYTHON"))}
        env.update(SPARK_HOME=str(home), PYSPARK_PYTHON=python, SPARK_LOCAL_IP="127.0.0.1", REGISTRY_PORT=str(ports + place))
        done = subprocess.run([python, __file__, "--inside", json.dumps([table, keys])], env=env, capture_output=True, text=True,
                              timeout=300, check=False)
        out = done.stdout.splitlines()
        ok = sum(text.startswith("ok ") for text in out)
        wrong = [text for text in out if text.startswith("WRONG")]
        unknown &= {text.split()[1] for text in out if text.startswith("UNKNOWN")}
        if done.returncode != 0:
            wrong.append("WRONG " + "\n".join(done.stderr.splitlines()[-15:]))
        print(f"Spark {pathlib.Path(python).parts[-3]}: {ok} settings as they are in the table")
        for text in wrong:
            print(f"FAIL {text[6:]}")
        passed, failed = passed + ok, failed + len(wrong)
    for key in sorted(unknown):
        print(f"FAIL a text names {key}, which no Spark knows")
    failed += len(unknown)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(*json.loads(sys.argv[2]))
    else:
        sys.exit(main(*sys.argv[1:]))
