"""What is on the topic and what is in the event log of the same run, type by type and field by field. TABLE is every difference
that there may be, with its reason; docs/listener-events.md is this table, printed (`python3 -B tests/listener/test_events.py`).
In full mode a difference that is not in the table is an error, and so is a row that no job shows. In slim mode less is on the
topic, but what is there is as in full.
"""

import collections
import fnmatch
import pathlib
import sys

if __name__ == "__main__":
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "real"))

import fields
from fields import DIFFERS, EMPTIED, ONLY_LOG, ONLY_TOPIC

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "listener-events.md"
# shown: every run of the suite must show it; without, it depends on the moment or on the Spark version.
Row = collections.namedtuple("Row", "events fields sides shown why")
WHOLE = ("",)  # the event, not a field of it
BOTH = (ONLY_TOPIC, ONLY_LOG, DIFFERS)
PROPERTIES = ("properties that Stoker does not read stay in the driver, unless `spark.stoker.properties` names them; what looks like a "
              "secret to Spark or to us is hidden in those that are sent")
TABLE = (
    Row(("EnvironmentUpdate",), ("Spark Properties.*",), (ONLY_LOG, DIFFERS), True, PROPERTIES),
    Row(("JobStart", "StageSubmitted"), ("Properties.*",), (ONLY_LOG, DIFFERS), True, PROPERTIES),
    Row(("SQLExecutionStart",), ("modifiedConfigs.*",), (ONLY_LOG, DIFFERS), False, PROPERTIES),
    Row(("EnvironmentUpdate",),
        ("System Properties", "Hadoop Properties", "Metrics Properties", "Classpath Entries"), (ONLY_LOG,), True,
        "properties of Java, Hadoop and the metrics system, and the class path, tell nothing of a run and much of the machine"),
    Row(("*",), ("*",), (EMPTIED,), True,
        "free texts that Stoker does not read (SQL, plans, descriptions, call sites, stack traces, ...) stay in the driver; "
        "`spark.stoker.texts=true` sends them, scrubbed"),
    Row(("SQLExecutionStart",), ("description",), (DIFFERS,), False,
        "of what Spark says of a stream's batch, the ids of its query and its run"),
    Row(("TaskEnd", "JobEnd", "StageCompleted", "SQLExecutionEnd", "QueryTerminatedEvent"),
        ("Task End Reason.*", "Job Result.Exception.*", "Stage Info.Failure Reason", "errorMessage", "exception"), BOTH, False,
        "texts of failures are scrubbed and shortened; Spark goes on with a stack trace after it has posted it; the values of "
        "accumulators of failed tasks can be anything and are not looked into"),
    Row(("TaskStart", "TaskGettingResult"), ("Task Info.*",), BOTH, False,
        "Spark goes on filling in a task's data after it has posted its start; both sides write what is there when they come to it"),
    Row(("StageSubmitted",), ("Stage Info.*",), BOTH, False, "the same, for a stage's data"),
    Row(("JobStart",), ("Stage Infos*",), BOTH, False, "the same, for a stage's data"),
    Row(("BlockUpdated",), WHOLE, (ONLY_TOPIC,), True, "with `spark.stoker.blockUpdates=true`: the event log has a setting of its own"),
    Row(("ExecutorMetricsUpdate",), WHOLE, (ONLY_TOPIC,), True,
        "with `spark.stoker.executorMetricsUpdates=true`: the event log has the driver's alone, and only with "
        "`spark.eventLog.logStageExecutorMetrics=true`"),
    Row(("ExecutorMetricsUpdate",), WHOLE, (ONLY_LOG,), False,
        "with `spark.eventLog.logStageExecutorMetrics=true` the event log has the driver's own; the listener sends none by default"),
    Row(("StageExecutorMetrics",), WHOLE, (ONLY_LOG,), True,
        "with `spark.eventLog.logStageExecutorMetrics=true`: made by the writer of the event log, never seen by a listener"),
    Row(("StokerListenerReport",), WHOLE, (ONLY_TOPIC,), False, "made by the listener: what it dropped, cut or slimmed, if it did"),
    Row(("SpeculativeTaskSubmitted", "UnschedulableTaskSet*"), WHOLE, (ONLY_TOPIC,), False, "Spark's event log leaves them out"),
)


# Of these lists slim mode has some elements only: of a job's stages the first, the last and its result; of RDDs one of each name.
SLIM_SOME = (("JobStart", "Stage I*"), ("StageSubmitted", "Stage Info.RDD Info[]*"), ("StageCompleted", "Stage Info.RDD Info[]*"))


def is_of_some(difference):
    return any(difference.event == event and difference.field.startswith(field.rstrip("*")) for event, field in SLIM_SOME)


def row_of(difference):
    def fits(value, patterns):
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
    return next((row for row in TABLE if difference.side in row.sides and fits(difference.event, row.events)
                 and fits(difference.field, row.fields)), None)


def page():
    lines = ["# The topic and the event log", "",
             "What the listener sends of a run in full mode is what Spark writes into its event log, event by event, as the same JSON, save for the",
             "following. `tests/listener/test_events.py` compares the two for every job of its suite and fails at any other difference.",
             "Compared as JSON: the order of keys, and of accumulators in a list, is not the same. Neither is the order of events that",
             "different threads of the driver post at the same moment.", "",
             "| Event | What | Where | Why |", "|---|---|---|---|"]
    for row in TABLE:
        events = ", ".join(f"`{name}`" for name in row.events)
        what = "the event" if row.fields == WHOLE else ", ".join(f"`{pattern}`" for pattern in row.fields)
        lines.append(f"| {events} | {what} | {', '.join(row.sides)} | {row.why} |")
    lines += ["", "`LogStart`, which never is on Spark's bus, is made by the listener: it carries Spark's version. In slim mode events have",
              "fewer fields, and fields that are there are as in full; of a job's stages only the first, the last and its result are",
              "there, and of RDDs one of each name. Names are without `SparkListener` and package.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
    sys.exit()

from cases import RealCase  # noqa: E402  # what follows needs the venv
from harness import VERSIONS  # noqa: E402
from plays import SUITE, of_suite  # noqa: E402


def found(name, mode, version):
    played = of_suite(name, mode, version)
    return fields.differences([one.event for one in played.sent], played.log)


class Events(RealCase):
    def test_the_page_is_the_table(self):
        self.assertEqual(page(), PAGE.read_text(), "print it anew: python3 -B tests/listener/test_events.py")

    def test_full(self):
        seen = collections.Counter()
        for version in VERSIONS:
            for name, mode in SUITE:
                if mode == "full":
                    seen.update(found(name, mode, version))
        for difference, times in sorted(seen.items()):
            print(f"       | {times:5} {difference.event} {difference.field or '(the event)'}: {difference.side}")
        self.assert_none("not in the table", [str(difference) for difference in seen if row_of(difference) is None])
        rows = {row_of(difference) for difference in seen}
        self.assert_none("rows that nothing shows", [f"{row.events}: {row.fields}" for row in TABLE if row.shown and row not in rows])

    def test_slim_holds_nothing_that_full_does_not(self):
        for version in VERSIONS:
            for name in (name for name, mode in SUITE if mode == "slim"):
                seen = found(name, "slim", version)
                self.assertTrue(any(d.side == ONLY_LOG and d.field for d in seen), "nothing was left out")
                self.assert_none(f"{name} on {version}", [str(d) for d in seen
                                                          if d.side != ONLY_LOG and row_of(d) is None and not is_of_some(d)])
