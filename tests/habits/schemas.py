"""schemas: every record and field explained, names unique, and nothing but additions with defaults since the release kept in
tests/fixtures/schemas. Also prints docs/records.md with --doc, and fails if that page is not what it prints.

Called by tests/habits/run.sh. When a release is made, copy schemas/ over tests/fixtures/schemas/."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shape(kind):
    """A type as readers see it: without words, names of records kept."""
    if isinstance(kind, list):
        return [shape(k) for k in kind]
    if isinstance(kind, dict):
        if kind["type"] == "record":
            return {"record": kind["name"]}
        return {k: shape(v) if k in ("items", "values") else v for k, v in kind.items() if k in ("type", "items", "values", "logicalType")}
    return kind


def records(schema):
    yield schema
    for field in schema["fields"]:
        kind = field["type"]
        if isinstance(kind, dict) and isinstance(kind.get("items"), dict) and kind["items"].get("type") == "record":
            yield from records(kind["items"])


def complaints(path):
    schema = json.loads(path.read_text())
    if schema.get("namespace") != "io.stoker" or schema["name"] != path.stem:
        yield "must be io.stoker." + path.stem
    for record in records(schema):
        names = [f["name"] for f in record["fields"]]
        if len(names) != len(set(names)):
            yield f"{record['name']}: a name stands twice"
        if not record.get("doc"):
            yield f"{record['name']}: no doc"
        for field in record["fields"]:
            if len(field.get("doc", "")) < 5:
                yield f"{record['name']}.{field['name']}: no doc"
            if isinstance(field["type"], list) and (field["type"][0] != "null" or field.get("default", 0) is not None):
                yield f"{record['name']}.{field['name']}: optional means [null, type] with default null"
    released = ROOT / "tests/fixtures/schemas" / path.name
    old = {r["name"]: r for r in records(json.loads(released.read_text()))}
    new = {r["name"]: r for r in records(schema)}
    for name, record in old.items():
        before = {f["name"]: f for f in record["fields"]}
        after = {f["name"]: f for f in new[name]["fields"]} if name in new else {}
        for field in before:
            if field not in after:
                yield f"{name}.{field}: was released and is gone"
            elif shape(after[field]["type"]) != shape(before[field]["type"]):
                yield f"{name}.{field}: its type has changed"
        for field in after:
            if field not in before and "default" not in after[field]:
                yield f"{name}.{field}: a new field needs a default"


def words(kind):
    if isinstance(kind, list):
        return words(kind[1]) + ", or null"
    if isinstance(kind, dict):
        inner = kind.get("items", kind.get("values"))
        if inner is not None:
            return f"{kind['type']} of {inner['name'] if isinstance(inner, dict) else inner}"
        return "time (ms)" if kind.get("logicalType") else kind["type"]
    return kind


def page():
    out = ["# Records", "", "Printed by `tests/habits/schemas.py --doc` from `schemas/`. Framing: Avro single objects (C3 01, the CRC-64-AVRO of",
           "the schema's canonical form, little-endian, then the binary). The key of every record is the pipeline's name."]
    for path in sorted((ROOT / "schemas").glob("*.avsc")):
        for record in records(json.loads(path.read_text())):
            out += ["", f"## {record['name']}", "", record["doc"], "", "| field | type | what it is |", "|---|---|---|"]
            out += [f"| `{f['name']}` | {words(f['type'])} | {f['doc']} |" for f in record["fields"]]
    return "\n".join(out) + "\n"


def main():
    if "--doc" in sys.argv:
        sys.stdout.write(page())
        return 0
    files = sorted((ROOT / "schemas").glob("*.avsc"))
    bad = [f"{p.name}: {text}" for p in files for text in complaints(p)]
    if (ROOT / "docs/records.md").read_text() != page():
        bad.append("docs/records.md is not what tests/habits/schemas.py --doc prints")
    print("\n".join(bad))
    return 1 if bad or len(files) != 4 else 0


if __name__ == "__main__":
    sys.exit(main())
