"""The oracle's state: a run as plain sums, built by applying events in order.

Used by oracle.py. One method per event type; sums only, no judgement (that is oracle_rules.py).
It must stay simple enough to be checked by eye: exact integers, no caps, no sketches.
"""

import re

from oracle_log import identifier, integer, metric, table, text
from oracle_outcome import Outcome
from oracle_plan import PlanIds
from oracle_slots import Slots, wall_run_ms
from oracle_stage import Stage
from oracle_time import Intervals

SQL = "org.apache.spark.sql.execution.ui."
TOP_TIMES = ("Timestamp", "time", "Submission Time", "Completion Time")
STAGE_TIMES = ("Submission Time", "Completion Time")
TASK_TIMES = ("Launch Time", "Getting Result Time", "Finish Time")
ENDLESS = ("StreamingQueryListener$", "ThriftServer", "SparkListenerConnect")
SERVER = re.compile(r"(Spark |PySpark|Databricks )[Ss]hell|SparkR$|SparkSQL::|Zeppelin|livy-|.*[Ss]erver$")
VERSION = re.compile(r"([0-9]+)\.([0-9]+)")


class Run:
    """One application attempt."""

    def __init__(self):
        self.identity = None  # (app id, attempt, start), once ApplicationStart was seen
        self.named = ("", "")  # (app id, attempt) as a property told them before that
        self.start_time = 0
        self.end_time = 0
        self.ended = False
        self.exit_code = None
        self.first_time = 0
        self.last_time = 0
        self.version = (0, 0)
        self.slots = Slots()
        self.started_tasks = set()
        self.stages = {}  # (stage, attempt) -> Stage
        self.ended_tasks = set()
        self.plans = PlanIds()
        self.driver_values = {}  # accumulator id -> last driver value
        self.scan_rows = 0
        self.task_source_bytes = 0  # sizes that tasks told of native sources
        self.uncounted_rows = 0  # rows that successes read which counted no input bytes
        self.sized_rows = 0  # of these, rows of sources that tell a size
        self.silent_rows = 0  # of these, rows that the scan alone counted
        self.time = Intervals()
        self.outcome = Outcome()
        self.name = ""

    def apply(self, event):
        """Apply one event. False if it lacks what its type cannot be without."""
        self.time.endless = self.time.endless or any(word in event["Event"] for word in ENDLESS)
        handler = HANDLERS.get(event["Event"])
        if handler is not None and handler(self, event) is False:
            return False
        self.note_times(event, TOP_TIMES)
        self.outcome.apply(event["Event"], event)
        return True

    def note_times(self, holder, keys):
        for key in keys:
            time = metric(holder.get(key))
            if time > 0:
                self.first_time = min(self.first_time, time) if self.first_time else time
                self.last_time = max(self.last_time, time)

    def log_start(self, event):
        match = VERSION.match(text(event.get("Spark Version")))
        if match:
            self.version = (int(match.group(1)), int(match.group(2)))

    def application_start(self, event):
        self.identity = start_identity(event)
        self.start_time = metric(event.get("Timestamp"))
        self.time.endless |= bool(SERVER.match(text(event.get("App Name"))))
        self.name = text(event.get("App Name"))

    def application_end(self, event):
        self.ended = True
        self.end_time = metric(event.get("Timestamp")) or self.end_time
        code = integer(event.get("ExitCode"))
        self.exit_code = code if code is not None else self.exit_code

    def note_identity(self, properties):
        """Of a log that has no ApplicationStart, or one that says no id, a property may tell."""
        properties = table(properties)
        app_id = text(properties.get("spark.app.id"))
        if app_id and not self.named[0] and not (self.identity and self.identity[0]):
            self.named = (app_id, text(properties.get("spark.app.attempt.id")))

    def environment(self, event):
        self.name = self.name or text(table(event.get("Spark Properties")).get("spark.app.name"))
        self.note_identity(event.get("Spark Properties"))
        self.slots.environment(table(event.get("Spark Properties")))

    def resource_profile(self, event):
        self.slots.profile_added(event)

    def executor_added(self, event):
        self.note_times(event, TOP_TIMES)
        self.slots.executor_added(event, self.last_time)
        executor = text(event.get("Executor ID"))
        if executor:
            cores = metric(table(event.get("Executor Info")).get("Total Cores"))
            self.time.executor_added(executor, cores, metric(event.get("Timestamp")))

    def executor_removed(self, event):
        self.note_times(event, TOP_TIMES)
        self.slots.executor_removed(event, self.last_time)
        self.time.executor_removed(text(event.get("Executor ID")), metric(event.get("Timestamp")))

    def job_start(self, event):
        if identifier(event.get("Job ID")) is None:
            return False
        self.note_identity(event.get("Properties"))
        job = identifier(event.get("Job ID"))
        if job not in self.outcome.jobs:
            self.time.jobs[job] = metric(event.get("Submission Time"))
        return True

    def job_end(self, event):
        job = identifier(event.get("Job ID"))
        if job is None:
            return False
        self.time.job_ended(job, metric(event.get("Completion Time")))
        return True

    def stage_event(self, event, which):
        info = event.get("Stage Info")
        if not isinstance(info, dict) or identifier(info.get("Stage ID")) is None:
            return None
        stage = self.stage_of(info)
        stage.listed = True
        stage.use_profile(identifier(info.get("Resource Profile Id")), which == 0)
        time = metric(info.get("Submission Time"))
        stage.submit_time[which] = stage.submit_time[which] or time
        expected = metric(info.get("Number of Tasks"))
        stage.tasks_expected[which] = stage.tasks_expected[which] or expected
        self.note_times(info, STAGE_TIMES)
        return stage

    def stage_submitted(self, event):
        if self.stage_event(event, 0) is None:
            return False
        self.note_identity(event.get("Properties"))
        return True

    def stage_completed(self, event):
        stage = self.stage_event(event, 1)
        if stage is None:
            return False
        info = event["Stage Info"]
        if not stage.completed:
            start = stage.submitted or stage.first_launch
            self.time.add(start, metric(info.get("Completion Time")))
        stage.completed = True
        stage.failure = text(info.get("Failure Reason")) or stage.failure
        return True

    def stage_of(self, holder):
        """The stage attempt that an event names, created where it is new."""
        key = (identifier(holder.get("Stage ID")), identifier(holder.get("Stage Attempt ID")) or 0)
        return self.stages.setdefault(key, Stage())

    def task_event(self, event):
        """What TaskStart and TaskEnd share; the stage, or None if the event is unusable."""
        info = event.get("Task Info")
        if not isinstance(info, dict) or identifier(event.get("Stage ID")) is None:
            return None
        return self.stage_of(event)

    def task_seen(self, stage, info):
        """A task event that counts: first launch, and the slots since the first of them."""
        launch = metric(info.get("Launch Time"))
        if launch > 0:
            stage.first_launch = min(stage.first_launch, launch) if stage.first_launch else launch
        self.note_times(info, TASK_TIMES)
        stage.count_slots(self.slots, self.last_time)

    def task_start(self, event):
        stage = self.task_event(event)
        if stage is None:
            return False
        info = event["Task Info"]
        task = identifier(info.get("Task ID"))
        if task not in self.started_tasks and task not in self.ended_tasks:
            stage.running += 1
            stage.last_launch = max(stage.last_launch, metric(info.get("Launch Time")))
            self.started_tasks.update(() if task is None else (task,))
        self.task_seen(stage, info)
        return True

    def task_end(self, event):
        stage = self.task_event(event)
        if stage is None:
            return False
        info = event["Task Info"]
        ended = table(event.get("Task End Reason"))
        reason, why = text(ended.get("Reason")), text(ended.get("Kill Reason"))
        if reason == "Resubmitted":
            self.note_times(info, TASK_TIMES)
            return True
        task = identifier(info.get("Task ID"))
        if task is not None and task in self.ended_tasks:
            return True
        self.ended_tasks.update(() if task is None else (task,))
        stage.last_launch = max(stage.last_launch, metric(info.get("Launch Time")))
        if task is None or task in self.started_tasks:
            self.slots.task_of(text(info.get("Executor ID")))
            stage.task_ended(metric(info.get("Finish Time")), self.slots)
        self.task_seen(stage, info)
        launch, finish = metric(info.get("Launch Time")), metric(info.get("Finish Time"))
        stage.last_finish = max(stage.last_finish, finish)
        self.time.add(launch, finish)
        self.time.used_ms += max(0, finish - launch)
        reader = stage.add_end(reason, why, info, self.metrics_of(stage, info, event))
        if reader is not None:
            scanned = self.add_accumulables(stage, info.get("Accumulables"), reader)
            if not reader:
                self.add_uncounted(table(event.get("Task Metrics")), *scanned)
        return True

    def add_uncounted(self, metrics, source, sized):
        """A success without input bytes: its rows, by the task or by the scans in it."""
        records = metric(table(metrics.get("Input Metrics")).get("Records Read"))
        self.uncounted_rows += max(records, source)
        self.sized_rows += sized
        self.silent_rows += 0 if records else source

    def metrics_of(self, stage, info, event):
        """The Task Metrics, with the run time as wall time."""
        metrics = event.get("Task Metrics")
        if not isinstance(metrics, dict):
            return metrics
        duration = max(0, metric(info.get("Finish Time")) - metric(info.get("Launch Time")))
        run = metric(metrics.get("Executor Run Time"))
        cpus = self.slots.cpus(stage.profile)
        return dict(metrics, **{
            "Executor Run Time": wall_run_ms(run, duration, cpus, self.version)})

    def add_accumulables(self, stage, accumulables, reader):
        """Adds a success's SQL metrics; its rows of sources, and of those that tell a size."""
        source = sized = 0
        for entry in accumulables if isinstance(accumulables, list) else ():
            entry = table(entry)
            accumulator = identifier(entry.get("ID"))
            if entry.get("Metadata") != "sql" or integer(entry.get("Update")) is None:
                continue
            update = metric(entry["Update"])
            if accumulator in self.plans.scan_rows:
                self.scan_rows += update
            if accumulator in self.plans.source_rows:
                source += update
            if accumulator in self.plans.sized_rows:
                sized += update
            if accumulator in self.plans.source_size:
                self.task_source_bytes += update
            if reader and accumulator in self.plans.scan_time:
                unit_ns = self.plans.scan_time[accumulator]
                stage.scan_ns = (stage.scan_ns or 0) + update * unit_ns
        return source, sized

    def plan(self, event):
        self.plans.add_plan(event.get("sparkPlanInfo"))

    def plan_metrics(self, event):
        self.plans.add_metrics(event.get("sqlPlanMetrics"), None)

    def driver_updates(self, event):
        updates = event.get("accumUpdates")
        for pair in updates if isinstance(updates, list) else ():
            if isinstance(pair, list) and len(pair) == 2 and identifier(pair[0]) is not None:
                self.driver_values[identifier(pair[0])] = metric(pair[1])


def start_identity(event):
    """What makes an ApplicationStart a new run: id, attempt, start time."""
    ids = (text(event.get("App ID")), text(event.get("App Attempt ID")))
    return ids + (metric(event.get("Timestamp")),)


HANDLERS = {
    "SparkListenerLogStart": Run.log_start,
    "DBCEventLoggingListenerMetadata": Run.log_start,
    "SparkListenerApplicationStart": Run.application_start,
    "SparkListenerApplicationEnd": Run.application_end,
    "SparkListenerEnvironmentUpdate": Run.environment,
    "SparkListenerResourceProfileAdded": Run.resource_profile,
    "SparkListenerExecutorAdded": Run.executor_added,
    "SparkListenerExecutorRemoved": Run.executor_removed,
    "SparkListenerJobStart": Run.job_start,
    "SparkListenerJobEnd": Run.job_end,
    "SparkListenerStageSubmitted": Run.stage_submitted,
    "SparkListenerStageCompleted": Run.stage_completed,
    "SparkListenerTaskStart": Run.task_start,
    "SparkListenerTaskEnd": Run.task_end,
    SQL + "SparkListenerSQLExecutionStart": Run.plan,
    SQL + "SparkListenerSQLAdaptiveExecutionUpdate": Run.plan,
    SQL + "SparkListenerSQLAdaptiveSQLMetricUpdates": Run.plan_metrics,
    SQL + "SparkListenerDriverAccumUpdates": Run.driver_updates,
}
