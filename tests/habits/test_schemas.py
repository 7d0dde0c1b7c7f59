"""test_schemas: what schemas.py must not let pass: each case changes a copy of schemas/ in one way, and is named by what
schemas.py must say then. Called by run.sh."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def field_of(schema, name):
    return next(f for f in schema["fields"] if f["name"] == name)


class Schemas(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        shutil.copytree(ROOT / "schemas", self.root / "schemas")
        (self.root / "docs").mkdir()

    def said(self, change=None, path="schemas/PipelineRun.avsc"):
        """What schemas.py says when change(schema) was made to the file."""
        file = self.root / path
        if change is not None:
            schema = json.loads(file.read_text())
            change(schema)
            file.write_text(json.dumps(schema, indent=2))
        call = [sys.executable, HERE / "schemas.py", "--root", self.root]
        (self.root / "docs/records.md").write_text(subprocess.run([*call, "--doc"], capture_output=True, text=True, check=True).stdout)
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        self.assertEqual("", done.stderr)
        self.assertEqual(done.returncode, 1 if done.stdout.strip() else 0)
        return done.stdout.strip()

    def test_as_they_are(self):
        self.assertEqual("", self.said())

    def test_a_new_field_with_a_default_may_come(self):
        self.assertEqual("", self.said(lambda s: s["fields"].insert(3, {"name": "new", "type": "long", "default": 1, "doc": "Something new."})))

    def test_a_new_field_without_a_default(self):
        self.assertIn("since 0.1.0: PipelineRun.new: a new field needs a default",
                      self.said(lambda s: s["fields"].append({"name": "new", "type": "long", "doc": "Something new."})))

    def test_a_removed_field(self):
        self.assertIn("PipelineRun.user: was released and is gone", self.said(lambda s: s["fields"].remove(field_of(s, "user"))))

    def test_a_renamed_field(self):
        self.assertIn("PipelineRun.user: was released and is gone", self.said(lambda s: field_of(s, "user").update(name="owner")))

    def test_a_changed_type(self):
        self.assertIn("PipelineRun.tasks: its type has changed", self.said(lambda s: field_of(s, "tasks").update(type="int")))

    def test_a_changed_type_within_a_list(self):
        self.assertIn("Stage.tasks: its type has changed",
                      self.said(lambda s: field_of(field_of(s, "stages")["type"]["items"], "tasks").update(type="double")))

    def test_a_removed_field_within_a_list(self):
        def change(schema):
            stage = field_of(schema, "stages")["type"]["items"]
            stage["fields"].remove(field_of(stage, "gc_ms"))
        self.assertIn("Stage.gc_ms: was released and is gone", self.said(change))

    def test_a_changed_default(self):
        self.assertIn("PipelineRun.completeness: its default has changed",
                      self.said(lambda s: field_of(s, "completeness").update(default=0.0)))

    def test_a_default_that_is_gone(self):
        self.assertIn("PipelineRun.user: its default has changed", self.said(lambda s: field_of(s, "user").pop("default")))

    def test_a_released_schema_that_was_changed(self):
        self.assertIn("schemas/released/0.1.0/PipelineRun.avsc: is not what was released",
                      self.said(lambda s: field_of(s, "user").update(doc="Someone else."), "schemas/released/0.1.0/PipelineRun.avsc"))

    def test_a_released_schema_that_is_gone(self):
        (self.root / "schemas/released/0.1.0/Bottleneck.avsc").unlink()
        self.assertIn("Bottleneck.avsc: was released and is gone", self.said())

    def test_a_type_that_older_agents_cannot_walk(self):
        self.assertIn("PipelineRun.new: bytes is a type",
                      self.said(lambda s: s["fields"].append({"name": "new", "type": "bytes", "default": "", "doc": "Something new."})))

    def test_a_field_without_words(self):
        self.assertIn("PipelineRun.user: no doc", self.said(lambda s: field_of(s, "user").update(doc="Who")))


if __name__ == "__main__":
    unittest.main()
