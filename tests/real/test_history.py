"""The past of a pipeline out of the topics of a real Kafka: report, compare and advise --pipeline must say what they say of the
event logs of the same runs, as far as records carry it, and say what is not known.
"""

import json
import subprocess
import time

from confluent_kafka import Producer

from agent import BINARY, environment, stoker
from cases import RealCase, _same
from logs import HOUR_MS, Log
from test_followed import KRYO, having

PIPELINE = [f"pipeline/run{i}" for i in range(1, 6)]
# Of a stage of compare that records do not carry; records are carried where nothing was shuffled.
UNKNOWN = ("start_up_s", "stages_s", "driver_s")


class History(RealCase):
    def setUp(self):
        self.site_ = self.site("history")
        self.agent = self.site_.running()
        self.results = self.site_.results()

    def play(self, logs):
        sender = self.site_.sender()
        for log in logs:
            for line in log.lines:
                sender.send(self.site_.topics["events"], line, log.app_id)
        sender.flush()
        self.results.settle([(log.app_id, log.attempt) for log in logs], 60, self.agent.process)
        self.assert_sound(self.results)
        return self.results.runs[(logs[0].app_id, logs[0].attempt)]["pipeline"]

    def told(self, *args, code=0, lib="old"):
        """A command over the topics: its standard output and what it complained."""
        done = subprocess.run([str(BINARY), *map(str, args), "-c", str(self.agent.config_path)], stdin=subprocess.DEVNULL,
                              capture_output=True, env=environment(lib), timeout=60, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def object(self, *args, lib="old"):
        out, err = self.told(*args, "--format", "json", lib=lib)
        self.assertEqual("", err)
        return json.loads(out)

    def assert_same(self, want, got, where):
        """All that is in `want` is in `got`."""
        if isinstance(want, dict):
            for key, value in want.items():
                self.assert_same(value, got[key], f"{where}.{key}")
        elif isinstance(want, list):
            self.assertEqual(len(want), len(got), where)
            for i, (a, b) in enumerate(zip(want, got)):
                self.assert_same(a, b, f"{where}[{i}]")
        else:
            self.assertTrue(_same(want, got), f"{where}: {got}, not {want}")

    def test_report_compare_and_advise_say_what_they_say_of_logs(self):
        logs = [Log.fixture(name) for name in PIPELINE]
        other = Log.fixture("ok_groupby")
        name = self.play(logs)
        played_s = time.monotonic()
        time.sleep(1.1)
        other_name = self.play([other])
        age = f"{int(time.monotonic() - played_s)}s"
        self.assertIn(other.app_id, self.told("report", "--pipeline", other_name, "--since", age)[0])
        err = self.told("report", "--pipeline", name, "--since", age, code=1)[1]
        self.assertIn(f"has no run of {name} that was written of since then; the nearest names there are: {other_name}", err)
        paths = [log.path for log in logs]
        self.look_at_report(name, paths, logs)
        self.look_at_compare(name, paths, logs)
        self.look_at_advice(name, paths, logs)
        self.look_at_errors(name, logs)
        self.agent.stop()

    def look_at_report(self, name, paths, logs):
        for args, lib in (((), "old"), (("--baseline", logs[0].app_id), "new")):
            offline = json.loads(stoker("report", "--format", "json", *args, *paths))
            live = self.object("report", "--pipeline", name, "--since", "1h", *args, lib=lib)
            for run in (run for group in offline["pipelines"][0]["groups"] for run in group["runs"]):
                del run["log"]
            self.assert_same(offline["pipelines"], live["pipelines"], "report")
            self.assertEqual(5, sum(len(group["runs"]) for group in live["pipelines"][0]["groups"]))
        out, err = self.told("report", "--pipeline", name, "--limit", 2)
        self.assertIn("only the 2 runs that began last are looked at (--limit)", err)
        self.assertEqual([False, False, False, True, True], [f"| {log.app_id} " in out for log in logs])
        self.assertIn("<!doctype html", self.told("report", "--pipeline", name, "--format", "html")[0].lower())

    def look_at_compare(self, name, paths, logs):
        last, before = logs[-1], logs[-2]
        offline = json.loads(stoker("compare", "--format", "json", paths[-2], paths[-1]))
        live = self.object("compare", "--pipeline", name)
        self.assertEqual(live, self.object("compare", "--pipeline", name, before.app_id, self.results.runs[last.app_id, ""]["run_id"]))
        for key in ("a", "b", "seconds", "findings"):
            self.assert_same(offline[key], live[key], key)
        self.assertEqual([None] * 3, [live[key] for key in UNKNOWN])
        self.assertTrue(live["stages"] and len(live["stages"]) == len(offline["stages"]))
        of_log = {(s["a"] and s["a"]["stage"], s["b"] and s["b"]["stage"]): s for s in offline["stages"]}
        for stage in live["stages"]:
            log = of_log[stage["a"] and stage["a"]["stage"], stage["b"] and stage["b"]["stage"]]
            self.assertIsNone(stage["reasons"])
            for key in ("seconds", "share", "matters"):
                self.assert_same(log[key], stage[key], f"stage.{key}")
            for side in (s for s in ("a", "b") if stage[s]):
                for key, value in stage[side].items():
                    self.assertTrue(_same(log[side][key], value) or (key == "records" and value is None), (key, log[side], stage[side]))
        self.assertEqual(offline["stages"][0]["b"]["stage"], live["stages"][0]["b"]["stage"])  # the one that took longer
        carried = {s["key"] for run in (last, before) for s in self.results.runs[run.app_id, ""]["settings"]}
        self.assertEqual([s for s in offline["settings"] if s["key"] in carried], live["settings"])
        text = self.told("compare", "--pipeline", name)[0]
        self.assertIn("Not known by them: task slots", text)
        self.assertIn("CPU time", text)

    def look_at_advice(self, name, paths, logs):
        for log, path, args in ((logs[-1], paths[-1], ()), (logs[0], paths[0], (logs[0].app_id,))):
            offline = json.loads(stoker("advise", "--format", "json", path))
            live = self.object("advise", "--pipeline", name, *args)
            self.assertEqual(log.app_id, live["run"]["app_id"])
            self.assert_same(offline, live, "advise")
            self.assertEqual([], live["withdrawn"] + live["missing"])
            text, words = self.told("advise", "--pipeline", name, *args)[0], stoker("advise", path).decode()
            self.assertTrue(text.startswith(words[:-1]), text)
            self.assertEqual(not live["told"] + live["outcomes"], text == words)
            self.assertEqual(sorted(o["id"] for o in self.results.outcomes if o["app_id"] == log.app_id), sorted(o["id"] for o in live["told"]))

    def look_at_errors(self, name, logs):
        err = self.told("report", "--pipeline", name[:-1] + "x", code=1)[1]
        self.assertIn(f"has no run of {name[:-1]}x; the nearest names there are: {name}", err)
        err = self.told("compare", "--pipeline", name, logs[0].app_id, "app-none", code=1)[1]
        self.assertIn(f"has no run app-none of {name}", err)
        err = self.told("advise", "--pipeline", name, "--set", "topics.recommendations=nothing.here", code=1)[1]
        self.assertIn("topic nothing.here cannot be read", err)
        self.assertIn("stoker topics --create", err)
        err = self.told("report", "--pipeline", name, "--brokers", "127.0.0.1:1", "--log-level", "error", code=1)[1]
        self.assertIn("Kafka at 127.0.0.1:1 ", err)
        sender = self.site_.sender()  # whoever may write there
        for value in (b"\xc3\x01nonsense", b"", b"{}"):
            sender.send(self.site_.topics["runs"], value, name)
        sender.flush()
        out, err = self.told("report", "--pipeline", name)
        self.assertIn(f": 2 records of {name} could not be read; the first one: partition ", err)
        self.assertIn(logs[0].app_id, out)
        producer = Producer({"bootstrap.servers": self.site_.broker.bootstrap, "transactional.id": self.site_.name})
        producer.init_transactions()
        producer.begin_transaction()  # what is not committed is not there, and is not waited for
        producer.produce(self.site_.topics["runs"], b"not yet", name)
        producer.flush()
        for end in (lambda: None, producer.abort_transaction):
            end()
            began_s = time.monotonic()
            self.assertEqual((out, err), self.told("report", "--pipeline", name))
            self.assertLess(time.monotonic() - began_s, 5)

    def test_what_became_of_advice_is_told_and_withdrawn_advice_is_no_part_of_the_set(self):
        base = Log.fixture("spill_sort")
        runs = [base.copy(f"app-20260101000000-{i:04}", later_ms=i * HOUR_MS) for i in range(6)]
        for i in (3, 4):
            having(runs[i], *KRYO)
        for log in runs:
            name = self.play([log])
        last = self.object("advise", "--pipeline", name)
        self.assertEqual(["memory"], [w["kind"] for w in last["withdrawn"]])
        self.assertNotIn("memory", [r["kind"] for r in last["recommendations"]])
        self.assertNotIn(KRYO[0], last["settings"])
        self.assertEqual(["withdrawn"], [o["outcome"] for o in last["outcomes"]])
        given = self.object("advise", "--pipeline", name, runs[2].app_id)
        self.assertIn("memory", [r["kind"] for r in given["recommendations"]])
        self.assertEqual([("memory", "no_effect", runs[4].app_id)], [(o["kind"], o["outcome"], o["told_by"]) for o in given["outcomes"]])
        applied = self.object("advise", "--pipeline", name, runs[3].app_id)
        self.assertEqual([("memory", "no_effect")], [(o["kind"], o["outcome"]) for o in applied["told"]])
        text = self.told("advise", "--pipeline", name)[0]
        self.assertIn("withdrawn: no part of the set, do not apply it\n  memory: Withdrawn: it was applied twice", text)
        text = self.told("advise", "--pipeline", name, runs[2].app_id)[0]
        self.assertIn(f"what became of it\n  memory: no_effect, as {runs[4].app_id} tells. Applied: ", text)
        self.agent.stop()
