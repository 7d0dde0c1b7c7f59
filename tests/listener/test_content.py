"""What the listener makes of events, without Spark: every real event log as slim and as full mode would send it is judged exactly
as the log itself. So nothing that the agent reads is missing in the table that both share (events.txt), and of no text that it
shows more is hidden by one of them than by the other. One thing is not sent: a plan's own words (`simpleString`), which hold the
user's SQL; without the type of a join the agent is less sure of what it says of it, and that is all the difference."""

import json
import subprocess

from agent import stoker
from cases import RealCase
from harness import jar
from logs import Log, names
from processes import fresh_dir


def sent(log, small, *options):
    """Writes what the listener would have sent of a log, and returns what it could not read of it."""
    with open(log, "rb") as events, open(small, "wb") as out:
        return subprocess.run(["java", "-cp", str(jar()), "io.stoker.spark.SlimLog", *options], stdin=events, stdout=out,
                              stderr=subprocess.PIPE, text=True, check=True).stderr


def verdicts(log):
    """What `analyze` says of a log, but how sure it is of joins."""
    runs = [json.loads(line) for line in stoker("analyze", "--format", "json", log).splitlines()]
    for run in runs:
        for bottleneck in run["bottlenecks"]:
            if bottleneck["kind"] == "join_strategy":
                for field in ("confidence", "confidence_why"):
                    bottleneck.pop(field, None)
    return runs


class Content(RealCase):
    def judged_the_same(self, *options):
        """Of how many bytes of the logs that many are left."""
        folder = fresh_dir("content" + "".join(options))
        whole = left = 0
        self.assertGreater(len(names()), 30)
        for name in names():
            plain, small = folder / "plain", folder / "small"
            plain.write_bytes(b"\n".join(Log.fixture(name).lines) + b"\n")
            self.assertEqual("", sent(plain, small, *options), name)
            self.assertEqual(verdicts(plain), verdicts(small), name)
            whole += plain.stat().st_size
            left += small.stat().st_size
        return left / whole

    def test_slim(self):
        self.assertLess(self.judged_the_same(), 0.4)

    def test_full(self):
        self.assertLess(self.judged_the_same("--full"), 1)
