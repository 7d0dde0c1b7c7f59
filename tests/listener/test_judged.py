"""A job's run is judged from the topic as from its event log, whatever way the listener came in, whatever it sends (all, or
only what Stoker reads), and however the job ends. Two versions of Spark, one of each Scala; all of them: matrix.py.
"""

from cases import RealCase
from harness import VERSIONS
from plays import SUITE, of_suite


def _case(name, mode):
    def judged(self):
        self.assert_none("not as it must be", of_suite(name, mode, self.version).wrong())
    return judged


for _version in VERSIONS:
    _name = f"Spark_{_version.replace('.', '_')}"
    _cases = {f"test_{name}_{mode}".replace("-", "_"): _case(name, mode) for name, mode in SUITE}
    globals()[_name] = type(_name, (RealCase,), {"version": _version, "__module__": __name__, **_cases})
