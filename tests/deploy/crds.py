#!/usr/bin/env python3
"""crds.py KUBERNETES CRDS OUT: the JSON schemas that kubeconform reads, in one folder.

KUBERNETES has those of Kubernetes' own kinds, each of which gets the definitions that it refers to; of CRDS, a folder of CustomResourceDefinitions, each version of each kind becomes a
schema as strict as theirs: a field that the kind does not have is a mistake, as the API server takes it with strict validation.
Called by deps.sh.
"""
import json
import pathlib
import re
import sys

import yaml

OLDEST, NEWEST = "1.27.0", "1.37.0"  # the chart's kubeVersion, and the newest there is
OWN_KINDS = ("configmap-v1", "service-v1", "serviceaccount-v1", "statefulset-apps-v1", "poddisruptionbudget-policy-v1",
             "networkpolicy-networking-v1")
KINDS = ("ServiceMonitor", "PrometheusRule", "KafkaTopic", "KafkaUser")


def strict(schema):
    """The same schema for a validator that knows no x-kubernetes- words, and lets nothing unknown pass."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(value) for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
        out["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict) and not open_ended:
        out["additionalProperties"] = False
    return out


def referred(text):
    return set(re.findall(r'"(?:/api/_definitions\.json)?#/\$defs/([^"]+)"', text))


def whole(text, definitions):
    """A schema of Kubernetes with all that it refers to in itself."""
    needed, todo = {}, referred(text)
    while todo:
        name = todo.pop()
        needed[name] = definitions[name]
        todo |= referred(json.dumps(needed[name])) - set(needed)
    schema = json.loads(text)
    del schema["$id"]  # it is found by its file
    schema["$defs"] = needed
    return json.dumps(schema).replace('"/api/_definitions.json#/', '"#/')


def main(kubernetes, crds, out):
    for version in (OLDEST, NEWEST):
        folder = kubernetes / f"v{version}-local-strict"
        definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
        (out / f"v{version}").mkdir(parents=True)
        for path in (folder / f"{name}.json" for name in OWN_KINDS):
            (out / f"v{version}" / path.name).write_text(whole(path.read_text(), definitions))
    missing = set(KINDS)
    for path in sorted(crds.glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text()):
            spec = crd["spec"]
            kind = spec["names"]["kind"]
            if kind not in KINDS:
                continue
            missing.discard(kind)
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}  # checked as that of any kind
                folder = out / spec["group"]
                folder.mkdir(exist_ok=True)
                (folder / f"{kind.lower()}_{version['name']}.json").write_text(json.dumps(schema))
    if missing:
        sys.exit(f"crds.py: no CRD of {', '.join(sorted(missing))} in {crds}")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
