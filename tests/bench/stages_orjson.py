"""stages_orjson LOG: per stage tasks, slowest, mean, run time and disk spill, by a Python script with orjson: what a
user would write in ten minutes. Run by tests/bench/run.sh."""
import sys

import orjson

stages = {}
for line in open(sys.argv[1], "rb"):
    event = orjson.loads(line)
    if event["Event"] == "SparkListenerTaskEnd":
        info, metrics = event["Task Info"], event.get("Task Metrics") or {}
        took = info["Finish Time"] - info["Launch Time"]
        stage = stages.setdefault((event["Stage ID"], event["Stage Attempt ID"]), [0, 0, 0, 0, 0])
        stage[0] += 1
        stage[1] = max(stage[1], took)
        stage[2] += took
        stage[3] += metrics.get("Executor Run Time", 0)
        stage[4] += metrics.get("Disk Bytes Spilled", 0)
print(len(stages), "stages", sum(s[0] for s in stages.values()), "task ends")
