"""A job's run is judged from the topic as from its event log, whatever way the listener came in, whatever it sends (all, or
only what Stoker reads), and however the job ends. Two versions of Spark, one of each Scala; all of them: matrix.py.
"""

import os

from cases import RealCase
from plays import play

VERSIONS = os.environ.get("STOKER_SPARK", "3.5.6 4.3.0").split()


class Judged:
    """The cases, once per Spark version (the classes below)."""

    version = None

    def check(self, name, way, mode="full"):
        self.assert_none("not as it must be", play(name, self.version, way, mode).wrong())

    def test_batch(self):
        self.check("batch", "listener")

    def test_sql(self):
        self.check("sql", "plugin")

    def test_sql_slim(self):
        self.check("sql", "listener", "slim")

    def test_stream_slim(self):
        self.check("stream", "plugin", "slim")

    def test_stream(self):
        self.check("stream", "listener")

    def test_a_long_skewed_stage_is_judged_before_the_end(self):
        self.check("skewed", "plugin")

    def test_failing(self):
        self.check("failing", "listener")

    def test_system_exit(self):
        self.check("exit-jvm", "plugin")

    def test_exit_of_python_slim(self):
        self.check("exit-python", "listener", "slim")

    def test_sigterm(self):
        self.check("sigterm", "listener")


for _version in VERSIONS:
    _name = f"Spark_{_version.replace('.', '_')}"
    globals()[_name] = type(_name, (Judged, RealCase), {"version": _version, "__module__": __name__})
