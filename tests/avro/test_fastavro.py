"""test_fastavro: another implementation of Avro reads our records by the schema that wrote them, by later ones and by
earlier ones. Needs build/venv (tests/real/deps.sh) and build/dev.

    build/venv/bin/python -B -m unittest discover -s tests/avro -p 'test_*.py'
    build/venv/bin/python -B tests/avro/test_fastavro.py --keep     writes tests/fixtures/records/later anew

tests/fixtures/records/later is a released run as a later release would have written it, by fastavro; test_avro_writers
wants the released run out of it, to the byte."""
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import fastavro
import fastavro.schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fixtures"))
import later_schemas  # noqa: E402  # pylint: disable=wrong-import-position

RECORDS = ROOT / "tests/fixtures/records"
RELEASES = sorted(p for p in (ROOT / "schemas/released").iterdir())
NAMES = ("PipelineRun", "Bottleneck", "Recommendation", "PipelineWindow")
MAGIC = b"\xc3\x01"
FRAME = 10
# What a later release has to say, by the name of the field.
SAID = {"later_long": 1 << 40, "later_int": -5, "later_text": "text", "later_flag": False, "later_real": -1.5, "later_null": 77,
        "later_list": ["a", "b", "c"], "later_map": {"one": 1.0}, "later_part": {"a": 9, "b": ["q", None]}}


def plain(kind):
    """A schema without logical types, so that a time stays a number."""
    if isinstance(kind, list):
        return [plain(each) for each in kind]
    if isinstance(kind, dict):
        return {key: plain(value) if key in ("type", "items", "values", "fields") else value
                for key, value in kind.items() if key != "logicalType"}
    return kind


def schema_at(folder, name):
    return plain(json.loads((folder / f"{name}.avsc").read_text()))


def mark(schema):
    """The frame of a schema."""
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    return MAGIC + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


def read(data, writer, reader):
    """One framed record, whole."""
    if data[:FRAME] != mark(writer):
        raise AssertionError("framed as if by another schema")
    body = io.BytesIO(data[FRAME:])
    # Copies: fastavro marks what it has parsed.
    record = fastavro.schemaless_reader(body, json.loads(json.dumps(writer)), json.loads(json.dumps(reader)))
    if body.read():
        raise AssertionError("bytes left over")
    return record


def written(record, schema):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, json.loads(json.dumps(schema)), record)
    return mark(schema) + out.getvalue()


def as_read(record, writer, reader):
    """The record with the reader's fields alone, its defaults where the writer knew none."""
    known, out = {f["name"]: f for f in writer["fields"]}, {}
    for field in reader["fields"]:
        name, items = field["name"], field["type"].get("items") if isinstance(field["type"], dict) else None
        if name not in known:
            out[name] = field["default"]
        elif isinstance(items, dict):
            out[name] = [as_read(each, known[name]["type"]["items"], items) for each in record[name]]
        else:
            out[name] = record[name]
    return out


def said(record, schema):
    """The record with what a later release has to say, in nested records, too."""
    out = dict(record)
    for field in schema["fields"]:
        items = field["type"].get("items") if isinstance(field["type"], dict) else None
        if field["name"] in SAID:
            out[field["name"]] = SAID[field["name"]]
        elif isinstance(items, dict):
            out[field["name"]] = [said(each, items) for each in record[field["name"]]]
    return out


def kept(folder, name):
    """(bytes, value) of a record that was kept."""
    return (folder / f"{name}.bin").read_bytes(), json.loads((folder / f"{name}.json").read_text())[name]


def later_run():
    """The oldest released run, written as a later release would, and that release's schema."""
    schema = later_schemas.later(json.loads((RELEASES[0] / "PipelineRun.avsc").read_text()))
    _, value = kept(RECORDS / RELEASES[0].name, "PipelineRun")
    return written(said(value, plain(schema)), plain(schema)), json.dumps(schema, indent=1) + "\n"


class Records(unittest.TestCase):
    maxDiff = None

    def check_all(self, folder, schemas):
        """Every kept record of a folder, by its own schema, today's, and a later one."""
        for name in NAMES:
            with self.subTest(folder=folder, name=name):
                data, value = kept(folder, name)
                writer, today = schema_at(schemas, name), schema_at(ROOT / "schemas", name)
                for reader in (writer, today, plain(later_schemas.later(today))):
                    self.assertEqual(as_read(value, writer, reader), read(data, writer, reader))

    def test_released_records_are_read_by_today_s_and_later_schemas(self):
        self.assertTrue(RELEASES)
        for release in RELEASES:
            self.check_all(RECORDS / release.name, release)

    def test_today_s_records_are_read_by_today_s_and_later_schemas(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([ROOT / "build/dev/test_golden", "--keep", folder], check=True, capture_output=True)
            self.check_all(pathlib.Path(folder), ROOT / "schemas")

    def test_later_records_are_read_by_released_schemas(self):
        for release in RELEASES:
            for name in NAMES:
                with self.subTest(release=release.name, name=name):
                    _, value = kept(RECORDS / release.name, name)
                    reader = schema_at(release, name)
                    writer = plain(later_schemas.later(reader))
                    full = said(value, writer)
                    self.assertNotEqual(value, full)
                    self.assertEqual(full, read(written(full, writer), writer, writer))
                    self.assertEqual(value, read(written(full, writer), writer, reader))

    def test_the_later_run_that_the_agent_is_to_read_is_fastavro_s(self):
        data, schema = later_run()
        self.assertEqual(data, (RECORDS / "later/PipelineRun.bin").read_bytes(), "--keep writes it anew")
        self.assertEqual(schema, (RECORDS / "later/PipelineRun.avsc").read_text(), "--keep writes it anew")


if __name__ == "__main__":
    if "--keep" in sys.argv:
        run, text = later_run()
        (RECORDS / "later").mkdir(exist_ok=True)
        (RECORDS / "later/PipelineRun.bin").write_bytes(run)
        (RECORDS / "later/PipelineRun.avsc").write_text(text)
    else:
        unittest.main()
