"""What may be set of librdkafka's properties, with the library that the program is built against and with the newest:
both are loaded and asked for all that they know.
"""

import json
import re
import subprocess
import sys
import unittest

from agent import BINARY, LIBRARIES, NEW_LIBRDKAFKA, environment, stoker

ASK = """
import ctypes, json
lib = ctypes.CDLL("librdkafka.so.1")
lib.rd_kafka_version_str.restype = ctypes.c_char_p
names = []
for kind in ("conf", "topic_conf"):
    new, dump = getattr(lib, f"rd_kafka_{kind}_new"), getattr(lib, f"rd_kafka_{kind}_dump")
    new.restype, dump.restype, dump.argtypes = ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p), [ctypes.c_void_p, ctypes.c_void_p]
    count = ctypes.c_size_t()
    pairs = dump(new(), ctypes.byref(count))
    names += [pairs[i].decode() for i in range(0, count.value, 2)]
print(json.dumps([lib.rd_kafka_version_str().decode(), names]))
"""


class Properties(unittest.TestCase):
    def test_all_are_in_the_table(self):
        page = set(re.findall(r"`([\w.]+)`", stoker("config", "doc").decode()))
        versions = set()
        for lib in LIBRARIES:
            asked = subprocess.run([sys.executable, "-c", ASK], env=environment(lib), capture_output=True, check=True)
            version, names = json.loads(asked.stdout)
            versions.add(version)
            self.assertGreater(len(names), 100)
            self.assertEqual([], [name for name in names if name not in page], f"librdkafka {version}")
        self.assertEqual(2, len(versions))

    def check(self, lib, setting):
        return subprocess.run([str(BINARY), "check", "--set", setting], env=environment(lib), capture_output=True,
                              text=True, check=False)

    def test_cooperative_rebalancing_by_version(self):
        setting = "kafka.consumer.partition.assignment.strategy=cooperative-sticky"
        old = self.check("old", setting)
        self.assertEqual(78, old.returncode)
        self.assertIn("--set: kafka.consumer.partition.assignment.strategy: cooperative-sticky needs librdkafka 2.10.1",
                      old.stderr)
        new = self.check("new", setting)
        self.assertEqual((0, ""), (new.returncode, new.stderr), NEW_LIBRDKAFKA)
