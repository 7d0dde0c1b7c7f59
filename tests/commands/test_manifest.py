"""What `stoker advise kubernetes` prints is a SparkApplication that the Spark operator takes, whatever it is asked for.

The schema below has the fields that are used, with the types and bounds that the operator's documents give them
(sparkoperator.k8s.io/v1beta2); a field that is not in it is a mistake. The resource version is the operator's, names and
quantities are those of Kubernetes. Called by tests/run.sh; STOKER names another program than the built one.
"""
import json
import os
import pathlib
import subprocess
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
STOKER = os.environ.get("STOKER", str(ROOT / "build/release/stoker"))
LOGS = sorted((ROOT / "tests/fixtures/logs").glob("*/events.jsonl.zst"))

NAME = {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
CORES = {"type": "string", "pattern": r"^[1-9][0-9]*(m|\.[0-9]+)?$"}
MEMORY = {"type": "string", "pattern": "^[1-9][0-9]*[mg]$"}  # as the JVM takes it
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0}


def thing(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


POD = {"cores": {"type": "integer", "minimum": 1}, "coreRequest": CORES, "coreLimit": CORES, "memory": MEMORY,
       "memoryOverhead": MEMORY, "nodeSelector": TEXTS, "annotations": TEXTS}
ALWAYS = ["cores", "coreRequest", "coreLimit", "memory", "memoryOverhead"]
SCHEMA = thing(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "sparkoperator.k8s.io/v1beta2"},
    kind={"const": "SparkApplication"},
    metadata=thing(["name"], name=NAME, namespace={"type": "string", "maxLength": 63}),
    spec=thing(
        ["type", "mode", "image", "mainApplicationFile", "sparkVersion", "restartPolicy", "driver", "executor"],
        type={"enum": ["Java", "Python", "Scala", "R"]},
        pythonVersion={"enum": ["2", "3"]},
        mode={"enum": ["cluster", "client"]},
        image={"type": "string", "minLength": 1},
        imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
        mainApplicationFile={"type": "string", "minLength": 1},
        mainClass={"type": "string", "minLength": 1},
        sparkVersion={"type": "string", "minLength": 1},
        restartPolicy=thing(["type"], type={"enum": ["Never", "Always", "OnFailure"]}),
        dynamicAllocation=thing(["enabled"], enabled={"type": "boolean"}, minExecutors=COUNT, initialExecutors=COUNT,
                                maxExecutors=COUNT),
        sparkConf=TEXTS,
        driver=thing(ALWAYS, serviceAccount=NAME, **POD),
        executor=thing(ALWAYS, **POD)))


def said(*words):
    return subprocess.run([STOKER, "advise", "kubernetes", *words], capture_output=True, text=True, check=True).stdout


def mib(text):
    return int(text[:-1]) * {"m": 1, "g": 1024}[text[-1]]


class Manifest(unittest.TestCase):
    def whole(self, *words):
        """The manifest that is printed for these words, which holds together."""
        text = said("--format", "yaml", *words)
        manifest = yaml.safe_load(text)
        jsonschema.Draft202012Validator(SCHEMA).validate(manifest)
        spec = manifest["spec"]
        allocation = spec["dynamicAllocation"]
        self.assertLessEqual(allocation["minExecutors"], allocation["initialExecutors"])
        self.assertLessEqual(allocation["initialExecutors"], allocation["maxExecutors"])
        for pod in (spec["driver"], spec["executor"]):
            self.assertEqual(str(pod["cores"]), pod["coreRequest"])
            self.assertEqual(pod["coreRequest"], pod["coreLimit"])
            self.assertGreaterEqual(mib(pod["memoryOverhead"]), 384)
            if spec["type"] == "Python":
                self.assertGreaterEqual(mib(pod["memoryOverhead"]), 0.39 * mib(pod["memory"]))
        for key in spec["sparkConf"]:
            self.assertTrue(key.startswith("spark."), key)
            self.assertNotIn(key, ("spark.executor.memory", "spark.kubernetes.namespace"))  # they have fields
        return manifest

    def test_of_options(self):
        manifest = self.whole("--image", "own/etl:7", "--namespace", "etl", "--name", "Daily KPIs (2026)", "--zone", "eu-1a",
                              "--service-account", "spark", "--storage-class", "ssd", "--data-size", "200GB", "--executors", "30",
                              "--executor-cores", "5", "--main-class", "a.B", "--spark-version", "3.5.6")
        spec = manifest["spec"]
        self.assertEqual({"name": "daily-kpis-2026", "namespace": "etl"}, manifest["metadata"])
        self.assertEqual(("Scala", "a.B", "3.5.6"), (spec["type"], spec["mainClass"], spec["sparkVersion"]))
        self.assertEqual(("20g", "2g", "10g"), (spec["executor"]["memory"], spec["executor"]["memoryOverhead"], spec["driver"]["memory"]))
        self.assertEqual({"enabled": True, "minExecutors": 1, "initialExecutors": 1, "maxExecutors": 30}, spec["dynamicAllocation"])
        self.assertEqual({"topology.kubernetes.io/zone": "eu-1a"}, spec["executor"]["nodeSelector"])
        self.assertEqual("10G", spec["driver"]["annotations"]["kubernetes.io/egress-bandwidth"])
        claim = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options."
        self.assertEqual(("OnDemand", "ssd", "100Gi"),
                         tuple(spec["sparkConf"][claim + name] for name in ("claimName", "storageClass", "sizeLimit")))
        self.assertEqual("true", spec["sparkConf"]["spark.dynamicAllocation.shuffleTracking.enabled"])

    def test_of_python(self):
        spec = self.whole("--image", "i", "--main-file", "local:///app/job.py", "--data-size", "1TB")["spec"]
        self.assertEqual(("Python", "3"), (spec["type"], spec["pythonVersion"]))

    def test_names_that_are_none(self):
        for name in ("", "---", "1st of May", "Ünï", "a" * 200, "9" * 63, "x\"; rm -rf /", "a: {b"):
            self.whole("--image", "i", "--name", name)

    def test_of_logs(self):
        for log in LOGS:
            with self.subTest(log.parent.name):
                self.whole("--image", "i", str(log))

    def test_all_forms_say_the_same(self):
        words = ("--image", "i", "--zone", "z", "--data-size", "77GB")
        both = json.loads(said("--format", "json", *words))
        self.assertEqual(said("--format", "yaml", *words), both["manifest"])
        text = said(*words)
        self.assertTrue(text.endswith("---\n" + both["manifest"]))
        lines = [line.split(None, 1) for line in text.split("---\n")[0].splitlines() if line and not line.startswith("#")]
        self.assertEqual(both["settings"], dict(lines))


if __name__ == "__main__":
    unittest.main()
