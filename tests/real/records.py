"""Decodes what the agent writes: single-object Avro, by fastavro and today's schemas, those of every release (and those of a
later one, where a suite has agents of it).

Framing: C3 01, the CRC-64-AVRO fingerprint of the schema's parsing canonical form in little-endian
order, the body. Anything else about a record (an unknown fingerprint, bytes left over) is an error.
"""

import io
import json

import fastavro
import fastavro.schema

from processes import ROOT, PartError

SCHEMAS = ROOT / "schemas"
RELEASED = SCHEMAS / "released"
MAGIC = b"\xc3\x01"
# A known answer (Avro's own tests): the fingerprint of the schema "int".
INT_FINGERPRINT = (0x7275D51A3F395C8F).to_bytes(8, "little")


def fingerprint(schema):
    """The eight bytes of the schema's CRC-64-AVRO as they stand in a record."""
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    return bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


class Codec:
    """Schemas by fingerprint: the four shipped ones (today's, or those of another folder), all that were released, and those
    of the folders given."""

    def __init__(self, *others, shipped=SCHEMAS):
        if fingerprint("int") != INT_FINGERPRINT:
            raise PartError("fastavro's CRC-64-AVRO is not what records.py expects")
        self._by_fingerprint, self._shipped = {}, {}
        for folder in (shipped, SCHEMAS, *sorted(RELEASED.iterdir()), *others):
            for name in ("PipelineRun", "Bottleneck", "Recommendation", "PipelineWindow"):
                path = folder / f"{name}.avsc"
                if not path.exists():
                    raise PartError(f"no {path.relative_to(ROOT)}")
                schema = json.loads(path.read_text())
                known = (f"{schema['namespace']}.{schema['name']}", fastavro.parse_schema(schema))
                self._by_fingerprint.setdefault(fingerprint(schema), known)
                self._shipped.setdefault(known[0], (fingerprint(schema), known[1]))

    def decode(self, data):
        """(full name of the record, the record as a dict) of one message's value."""
        return self._read(data, lambda name, schema: schema)

    def is_shipped(self, data):
        """True if the record was written by a shipped schema."""
        return data[2:10] in [mark for mark, _ in self._shipped.values()]

    def as_shipped(self, data):
        """The bytes as they were if the record had been written by the shipped schema of its name: read by fastavro's
        resolution, written by it."""
        name, record = self._read(data, lambda name, schema: self._shipped[name][1])
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._shipped[name][1], record)
        return MAGIC + self._shipped[name][0] + out.getvalue()

    def _read(self, data, reader_of):
        if data is None or data[:2] != MAGIC:
            raise ValueError(f"not single-object Avro: starts with {data[:2]!r}" if data else "empty")
        known = self._by_fingerprint.get(data[2:10])
        if known is None:
            raise ValueError(f"fingerprint {data[2:10].hex()} belongs to no known schema")
        name, schema = known
        body = io.BytesIO(data[10:])
        record = fastavro.schemaless_reader(body, schema, reader_of(name, schema))
        left = len(body.read())
        if left:
            raise ValueError(f"{name}: {left} bytes left over")
        return name, record
