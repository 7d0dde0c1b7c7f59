"""schemas: every record and field explained, names unique, and nothing but additions with defaults since any release kept in
schemas/released/, which are as they were released. Also prints docs/records.md with --doc, and fails if that page is not
what it prints.

    tests/habits/schemas.py [--doc] [--root FOLDER]     FOLDER: another tree to look at, for the test of this script

Called by tests/habits/run.sh. When a release is made: see CONTRIBUTING.md."""
import hashlib
import json
import pathlib
import sys

HOME = pathlib.Path(__file__).resolve().parents[2]
ROOT = pathlib.Path(sys.argv[sys.argv.index("--root") + 1]) if "--root" in sys.argv else HOME
# What every release can walk (agent/avro/avro_schema.c); a type beyond these would be unreadable to older agents.
TYPES = {"null", "boolean", "int", "long", "double", "string", "array", "map", "record"}
RECORDS = 4


def shape(kind):
    """A type as readers see it: without words, names of records kept."""
    if isinstance(kind, list):
        return [shape(k) for k in kind]
    if isinstance(kind, dict):
        if kind["type"] == "record":
            return {"record": kind["name"]}
        return {k: shape(v) if k in ("items", "values") else v for k, v in kind.items() if k in ("type", "items", "values", "logicalType")}
    return kind


def parts(kind):
    """The type itself and all types within it, records' fields left alone."""
    yield kind
    inner = kind if isinstance(kind, list) else [kind[k] for k in ("items", "values") if k in kind] if isinstance(kind, dict) else []
    for each in inner:
        yield from parts(each)


def records(schema):
    yield schema
    for field in schema["fields"]:
        for kind in parts(field["type"]):
            if isinstance(kind, dict) and kind["type"] == "record":
                yield from records(kind)


def bad_types(field, known):
    for kind in parts(field["type"]):
        name = kind["type"] if isinstance(kind, dict) else kind
        if isinstance(name, str) and name not in TYPES and name not in known:
            yield name


def complaints(path):
    """What is wrong with a schema as it stands."""
    schema = json.loads(path.read_text())
    if schema.get("namespace") != "io.stoker" or schema["name"] != path.stem:
        yield "must be io.stoker." + path.stem
    known = {record["name"] for record in records(schema)}
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
            for name in bad_types(field, known):
                yield f"{record['name']}.{field['name']}: {name} is a type that agents of older releases cannot walk"


def since(path, released):
    """What has changed since a release but by additions with defaults."""
    old = {r["name"]: r for r in records(json.loads(released.read_text()))}
    new = {r["name"]: r for r in records(json.loads(path.read_text()))} if path.exists() else {}
    for name, record in old.items():
        before = {f["name"]: f for f in record["fields"]}
        after = {f["name"]: f for f in new[name]["fields"]} if name in new else {}
        for field in before:
            if field not in after:
                yield f"{name}.{field}: was released and is gone"
            elif shape(after[field]["type"]) != shape(before[field]["type"]):
                yield f"{name}.{field}: its type has changed"
            elif after[field].get("default", "none") != before[field].get("default", "none"):
                yield f"{name}.{field}: its default has changed"
        for field in after:
            if field not in before and "default" not in after[field]:
                yield f"{name}.{field}: a new field needs a default"


def unlike_released(release):
    """Files of a release that are not as they were released."""
    sums = {name: digest for digest, name in (line.split() for line in (release / "SHA256SUMS").read_text().splitlines())}
    for path in sorted(p for p in release.iterdir() if p.name != "SHA256SUMS"):
        if sums.pop(path.name, None) != hashlib.sha256(path.read_bytes()).hexdigest():
            yield f"{path.relative_to(ROOT)}: is not what was released"
    yield from (f"{release.relative_to(ROOT)}/{name}: was released and is gone" for name in sums)


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
    releases = sorted(p for p in (ROOT / "schemas/released").iterdir() if p.is_dir())
    bad = [f"{p.name}: {text}" for p in files for text in complaints(p)]
    for release in releases:
        bad += unlike_released(release)
        bad += [f"{old.name}, since {release.name}: {text}" for old in sorted(release.glob("*.avsc"))
                for text in since(ROOT / "schemas" / old.name, old)]
    if (ROOT / "docs/records.md").read_text() != page():
        bad.append("docs/records.md is not what tests/habits/schemas.py --doc prints")
    if len(files) != RECORDS or not releases:
        bad.append(f"{len(files)} schemas and {len(releases)} releases: is this the right folder?")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
