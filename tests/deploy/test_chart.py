"""The chart deploy/helm/stoker: what helm makes of it is taken by Kubernetes, by the operators' own schemas and by the agent.

Called by tests/run.sh (step deploy); STOKER names another program than the built one. Needs tests/deploy/deps.sh.
"""
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

import yaml

from chart import (CHART, KUBECONFORM, KUBERNETES, PARTS, ROOT, STOKER, VALUES, ChartError, helm, objects, of_kind, one,
                   rendered, settings)

LEAST, FULL, SHIPS = (("-f", str(ROOT / f"tests/deploy/values/{name}.yaml")) for name in ("least", "full", "ships"))
ALL = [("-f", str(path)) for path in VALUES]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
# Properties that the agent hides by a word of their names, and that hold no secret: they may stand in the values.
HARMLESS = {"enable.sasl.oauthbearer.unsecure.jwt", "sasl.kerberos.kinit.cmd", "sasl.oauthbearer.assertion.jwt.template.file",
            "sasl.oauthbearer.assertion.private.key.file", "sasl.oauthbearer.client.credentials.client.id",
            "sasl.oauthbearer.token.endpoint.url"}
KINDS = {"ConfigMap", "Service", "ServiceAccount", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor",
         "PrometheusRule", "KafkaTopic", "KafkaUser"}


def pod(things):
    return one(things, "StatefulSet")["spec"]["template"]["spec"]


def containers(things):
    return [*pod(things).get("initContainers", []), *pod(things)["containers"]]


def leaves(value, path=()):
    """(path, value) of all that is no map."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, below in value.items():
        yield from leaves(below, (*path, str(key)))


class Tools(unittest.TestCase):
    def test_helm_lint(self):
        for values in ALL:
            said = helm("lint", "--strict", CHART, *values)
            self.assertIn("1 chart(s) linted, 0 chart(s) failed", said)

    def test_kubeconform(self):
        for values, version in itertools.product(ALL, KUBERNETES):
            text = rendered(*values, kubernetes=version)
            done = subprocess.run(
                [KUBECONFORM, "-strict", "-summary", "-verbose", "-kubernetes-version", version,
                 "-schema-location", f"{PARTS}/schemas/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
                 "-schema-location", f"{PARTS}/schemas/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json", "-"],
                input=text, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(0, done.returncode, f"{values} {version}\n{done.stdout}{done.stderr}")
            count = len([thing for thing in yaml.safe_load_all(text) if thing])
            self.assertIn(f"Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0", done.stdout)

    def test_the_values_reach_every_kind(self):
        self.assertEqual(KINDS, {thing["kind"] for values in ALL for thing in objects(*values)})

    def test_the_values_are_those_of_the_schema(self):
        """Each default is in the schema, and a value that is not is refused."""
        schema = json.loads((CHART / "values.schema.json").read_text())
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())

        def compare(values, schema, where):
            self.assertEqual(set(values), set(schema["properties"]) - {"global", "initialDelaySeconds", "claims"}, where)
            self.assertIs(False, schema["additionalProperties"], where)
            for name, value in values.items():
                below = schema["properties"][name]
                if isinstance(value, dict) and name != "config" and "properties" in below:
                    compare(value, below, f"{where}.{name}")
        compare(defaults, schema, "values")
        for wrong in ("replicaCount=3", "replicas=-1", "image.tags=x", "strimzi.apiVersion=v2", "secrets[0].setting=password",
                      "config.kafka=x:1", "podDisruptionBudget.maxUnavailable=0", "networkPolicy.egressPorts[0]=70000"):
            with self.assertRaises(ChartError, msg=wrong):
                rendered(*LEAST, "--set", wrong)


class Pods(unittest.TestCase):
    def test_names_that_last(self):
        for values in ALL:
            things = objects(*values)
            self.assertEqual(one(things, "StatefulSet")["spec"]["serviceName"], one(things, "Service")["metadata"]["name"])
            for container in containers(things):
                instance = [e for e in container["env"] if e["name"] == "STOKER_AGENT__INSTANCE"]
                self.assertEqual([{"fieldRef": {"fieldPath": "metadata.name"}}], [e["valueFrom"] for e in instance])
        with self.assertRaisesRegex(ChartError, "agent.instance"):
            rendered(*LEAST, "--set", "config.agent.instance=x")

    def test_nothing_may_be_done_but_the_work(self):
        for values in ALL:
            things = objects(*values)
            self.assertIs(False, pod(things)["automountServiceAccountToken"])
            user = {} if values == SHIPS else {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                                               "fsGroupChangePolicy": "OnRootMismatch"}
            self.assertEqual({"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **user},
                             pod(things)["securityContext"])
            for container in containers(things):
                self.assertEqual({"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                  "capabilities": {"drop": ["ALL"]}}, container["securityContext"])
                self.assertTrue(all(mount["readOnly"] for mount in container["volumeMounts"]))

    def test_one_port(self):
        """Where the agent listens is where probes, Prometheus and the policy look."""
        for values in ALL:
            things = objects(*values)
            port = int(yaml.safe_load(settings(things))["http"]["listen"].rsplit(":", 1)[1])
            main = pod(things)["containers"][0]
            self.assertEqual([{"name": "http", "containerPort": port, "protocol": "TCP"}], main["ports"])
            service = one(things, "Service")["spec"]
            self.assertEqual([{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP"}], service["ports"])
            scheme = main["livenessProbe"]["httpGet"]["scheme"]
            self.assertEqual({"path": "/livez", "port": "http", "scheme": scheme}, main["livenessProbe"]["httpGet"])
            self.assertEqual({"path": "/readyz", "port": "http", "scheme": scheme}, main["readinessProbe"]["httpGet"])
            for policy in of_kind(things, "NetworkPolicy"):
                self.assertEqual([{"port": "http", "protocol": "TCP"}], policy["spec"]["ingress"][0]["ports"])
            for monitor in of_kind(things, "ServiceMonitor"):
                self.assertEqual(("http", "/metrics"), tuple(monitor["spec"]["endpoints"][0][k] for k in ("port", "path")))
                self.assertEqual(scheme.lower(), monitor["spec"]["endpoints"][0].get("scheme", "http"))
        for listen in ("127.0.0.1:9571", ""):
            with self.assertRaisesRegex(ChartError, "http.listen"):
                rendered(*LEAST, "--set", f"config.http.listen={listen}")

    def test_the_paths_are_served(self):
        served = (ROOT / "agent/serve/http.c").read_text()
        for path in ("/livez", "/readyz", "/metrics"):
            self.assertIn(f'"{path}"', served)

    def test_selectors_find_the_pods(self):
        for values in ALL:
            things = objects(*values)
            labels = one(things, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
            selectors = [one(things, "StatefulSet")["spec"]["selector"]["matchLabels"], one(things, "Service")["spec"]["selector"]]
            selectors += [thing["spec"]["selector"]["matchLabels"] for thing in of_kind(things, "PodDisruptionBudget")]
            selectors += [thing["spec"]["podSelector"]["matchLabels"] for thing in of_kind(things, "NetworkPolicy")]
            for selector in selectors:
                self.assertEqual({"app.kubernetes.io/name", "app.kubernetes.io/instance"}, set(selector))
                self.assertLessEqual(selector.items(), labels.items())
            for monitor in of_kind(things, "ServiceMonitor"):
                service = one(things, "Service")["metadata"]["labels"]
                self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), service.items())

    def test_the_job_is_what_the_rules_look_for(self):
        jobs = set(re.findall(r'job="(\w+)"', ALERTS.read_text()))
        things = objects(*FULL, release="another")
        label = one(things, "ServiceMonitor")["spec"]["jobLabel"]
        self.assertEqual(jobs, {one(things, "Service")["metadata"]["labels"][label]})

    def test_memory_follows_the_settings(self):
        """The state's bound and a quarter, 256 MiB a worker, 128 MiB: what docs/guarantees.md says of either."""
        for values, workers, state in ((LEAST, 1, 512), (FULL, 2, 1024), (SHIPS, 1, 128)):
            for container in containers(objects(*values)):
                self.assertEqual(f"{state + state // 4 + 256 * workers + 128}Mi", container["resources"]["limits"]["memory"])
        given = objects(*FULL, "--set", "resources.limits.memory=3Gi")
        self.assertEqual({"cpu": 2, "memory": "3Gi"}, {k: int(v) if k == "cpu" else v for k, v in
                                                       pod(given)["containers"][0]["resources"]["limits"].items()})

    def test_other_settings_are_another_pod(self):
        def annotation(*values):
            return one(objects(*values), "StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        self.assertEqual(annotation(*LEAST), annotation(*LEAST, "--set", "replicas=9"))
        self.assertNotEqual(annotation(*LEAST), annotation(*LEAST, "--set", "config.log.level=debug"))

    def test_topics_are_made_before_only_if_asked_for(self):
        self.assertNotIn("initContainers", pod(objects(*LEAST)))
        self.assertEqual([["stoker", "topics", "--create", "-c", "/etc/stoker/stoker.yaml"]],
                         [c["command"] for c in pod(objects(*FULL))["initContainers"]])


class Settings(unittest.TestCase):
    """The agent's file."""

    @classmethod
    def setUpClass(cls):
        """A certificate and its key, for the files of the pod that are some: librdkafka looks at them."""
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = pathlib.Path(folder, "key"), pathlib.Path(folder, "crt")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=stoker", "-keyout", key, "-out", certificate], check=True, capture_output=True)
            cls.contents = {".key": key.read_text(), ".crt": certificate.read_text()}

    def check(self, things, *more):
        """Asks the agent, with the files of the pod in a folder of ours and the variables of its secrets."""
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            for volume in pod(things)["volumes"]:
                for source in volume.get("projected", {}).get("sources", []):
                    for item in next(iter(source.values()))["items"]:
                        path = place / volume["name"] / item["path"]
                        path.parent.mkdir(exist_ok=True)
                        path.write_text(self.contents.get(path.suffix, "a-word\n"))
            mounts = {m["name"]: m["mountPath"] for m in pod(things)["containers"][0]["volumeMounts"]}
            for name in ("secrets", "files"):
                if (place / name).exists():
                    self.assertEqual(f"/run/stoker/{name}", mounts[name])
            file = place / "stoker.yaml"
            file.write_text(settings(things).replace("/run/stoker/", f"{place}/"))
            env = {e["name"]: e.get("value", "x") for e in pod(things)["containers"][0]["env"]}
            return subprocess.run([STOKER, *(more or ("check",)), "-c", str(file)], env=env, capture_output=True, text=True,
                                  timeout=30, check=False)

    def test_the_agent_takes_them(self):
        for values in ALL:
            done = self.check(objects(*values))
            self.assertEqual(0, done.returncode, f"{values}\n{done.stdout}{done.stderr}")

    def test_they_arrive_as_they_were_given(self):
        for values in ALL:
            given = yaml.safe_load(pathlib.Path(values[1]).read_text())["config"]
            got = dict(leaves(yaml.safe_load(settings(objects(*values)))))
            for path, value in leaves(given):
                self.assertEqual(value, got[path], path)

    def test_every_setting_can_be_given(self):
        """The sample, which has them all."""
        sample = yaml.safe_load((ROOT / "config/stoker.yaml").read_text())
        del sample["agent"]["instance"]
        sample["http"]["listen"] = "0.0.0.0:9571"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"config": sample}, file)
            file.flush()
            things = objects("-f", file.name)
        self.assertEqual(sample, yaml.safe_load(settings(things)))
        self.assertEqual(0, self.check(things).returncode)

    def test_secrets_come_by_reference(self):
        things = objects(*FULL)
        file = yaml.safe_load(settings(things))
        self.assertEqual("/run/stoker/secrets/kafka.common.sasl.password", file["kafka"]["common"]["sasl.password_file"])
        self.assertNotIn("basic_auth_password", str(file))
        for container in containers(things):
            sources = {e["name"]: e["valueFrom"] for e in container["env"] if "valueFrom" in e}
            self.assertEqual({"secretKeyRef": {"name": "stoker-alerts", "key": "password"}},
                             sources["STOKER_ALERTMANAGER__BASIC_AUTH_PASSWORD"])
            self.assertIn({"name": "secrets", "mountPath": "/run/stoker/secrets", "readOnly": True}, container["volumeMounts"])
        volumes = {v["name"]: v for v in pod(things)["volumes"]}
        self.assertEqual([{"secret": {"name": "stoker-kafka", "items": [{"key": "password", "path": "kafka.common.sasl.password"}]}}],
                         volumes["secrets"]["projected"]["sources"])
        self.assertEqual(["secret", "configMap"], [next(iter(s)) for s in volumes["files"]["projected"]["sources"]])

    def test_the_agent_has_the_secrets(self):
        """By the names of their variables and files, of every section."""
        args = []
        for at, (setting, how) in enumerate([("kafka.common.sasl.password", "environment"), ("kafka.consumer.ssl.key.password", "file"),
                                             ("alertmanager.basic_auth_password", "file")]):
            args += ["--set", f"secrets[{at}].setting={setting},secrets[{at}].secret=s,secrets[{at}].key=k,secrets[{at}].as={how}"]
        done = self.check(objects(*LEAST, "--set", "config.alertmanager.basic_auth_user=me", *args), "config", "show")
        for line in (r'"sasl.password": "\[hidden\]" # STOKER_KAFKA__COMMON__SASL_PASSWORD', r'"ssl.key.password": "\[hidden\]" # .*yaml',
                     r"basic_auth_password: .*\[hidden\].* # .*yaml"):
            self.assertRegex(done.stdout, line, done.stderr)

    def test_no_secret_may_stand_in_the_values(self):
        """Of all that the agent takes for one: those of its table, and the properties that it hides."""
        page = (ROOT / "docs/configuration.md").read_text()
        secrets = set(re.findall(r"^\| `([^`]+)` \| secret text", page, re.M))
        properties = set(re.findall(r"^`([a-z.]+)`,?$", page, re.M))
        self.assertGreater(len(secrets), 1)
        self.assertGreater(len(properties), 50)
        file = "kafka: {common: {" + ", ".join(f"{name}: x" for name in sorted(properties)) + "}}\n"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(file)
            config.flush()
            shown = subprocess.run([STOKER, "config", "show", "-c", config.name], capture_output=True, text=True, check=False).stdout
        hidden = set(re.findall(r'"([a-z.]+)": "\[hidden\]"', shown)) - HARMLESS
        self.assertIn("sasl.password", hidden)
        for setting in [*secrets, *(f"kafka.common.{name}" for name in sorted(hidden))]:
            section, name = setting.split(".", 1) if not setting.startswith("kafka.") else ("kafka.common", setting[13:])
            values = {"config": {}}
            at = values["config"]
            for part in section.split("."):
                at = at.setdefault(part, {})
            at[name] = "a-word"
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                yaml.safe_dump(values, file)
                file.flush()
                with self.assertRaisesRegex(ChartError, re.escape(f"config holds secrets: {setting}"), msg=setting):
                    rendered(*LEAST, "-f", file.name)


class Notes(unittest.TestCase):
    """What helm says after an install, which only a cluster shows: rendered as a text of a ConfigMap in a copy of the chart."""

    def notes(self, *args):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "stoker")
            shutil.copytree(CHART, copy)
            (copy / "templates/NOTES.txt").rename(copy / "files/notes.txt")
            (copy / "templates/notes.yaml").write_text(
                'kind: Notes\ntext: {{ tpl (.Files.Get "files/notes.txt") . | toJson }}\n')
            text = helm("template", "judge", copy, "-n", "spark", "--kube-version", KUBERNETES[1], *args)
            return one([thing for thing in yaml.safe_load_all(text) if thing], "Notes")["text"]

    def test_what_they_say_is_there(self):
        commands = subprocess.run([STOKER, "--help"], capture_output=True, text=True, check=True).stdout
        for values in ALL:
            said = self.notes(*values)
            named = re.findall(r"-- stoker (\w+)", said)
            self.assertGreaterEqual(len(named), 2)
            for command in named:
                self.assertIn(f"\n  {command} ", commands)
            self.assertIn(f"exec {one(objects(*values, release='judge'), 'StatefulSet')['metadata']['name']}-0 ", said)
            self.assertEqual(values == LEAST, "topics --create" in said)
        self.assertNotIn("NOTE:", self.notes(*LEAST))
        self.assertIn("topics.partitions is 6", self.notes(*LEAST, "--set", "replicas=4,config.agent.workers=2"))


class Network(unittest.TestCase):
    def test_it_may_go_where_the_settings_point(self):
        def ports(values):
            egress = one(objects(*values), "NetworkPolicy")["spec"]["egress"]
            self.assertEqual([53, 53], [p["port"] for p in egress[0]["ports"]])
            return {p["port"] for p in egress[1]["ports"]}
        self.assertEqual({9093, 9094, 9095, 443}, ports(FULL))
        self.assertEqual({9093}, ports(SHIPS))
        policy = one(objects(*FULL), "NetworkPolicy")["spec"]
        self.assertEqual({"Ingress", "Egress"}, set(policy["policyTypes"]))
        self.assertIn("from", policy["ingress"][0])

    def test_the_names_of_the_service_are_known(self):
        hosts = yaml.safe_load(settings(objects(*LEAST, release="x", namespace="ns")))["http"]["hosts"]
        self.assertEqual(["x-stoker", "x-stoker.ns", "x-stoker.ns.svc", "x-stoker.ns.svc.cluster.local",
                          "*.x-stoker.ns.svc.cluster.local"], hosts)


class Rules(unittest.TestCase):
    def test_the_rules_are_those_of_the_file(self):
        wanted = yaml.safe_load(ALERTS.read_text())
        self.assertEqual(wanted, one(objects(*FULL), "PrometheusRule")["spec"])

    def test_the_dashboards_are_those_of_the_folder(self):
        maps = [m for m in of_kind(objects(*FULL), "ConfigMap") if m["metadata"]["labels"].get("grafana_dashboard") == "1"]
        got = {name: json.loads(text) for m in maps for name, text in m["data"].items()}
        self.assertEqual({f"stoker-{p.name}": json.loads(p.read_text()) for p in (ROOT / "deploy/grafana").glob("*.json")}, got)

    def test_a_package_has_them(self):
        """What is in the chart by a link is in its package as it is."""
        with tempfile.TemporaryDirectory() as folder:
            helm("package", CHART, "-d", folder)
            with tarfile.open(next(pathlib.Path(folder).iterdir())) as package:
                links = [path for path in (CHART / "files").rglob("*") if path.is_symlink()]
                self.assertTrue(links)
                for path in links:
                    name = f"stoker/{path.relative_to(CHART)}"
                    self.assertEqual(path.read_bytes(), package.extractfile(name).read(), name)

    def test_one_version(self):
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        version = re.search(r"project\(\s*stoker[^)]*VERSION\s+([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual((version, version), (chart["version"], chart["appVersion"]))


if __name__ == "__main__":
    unittest.main()
