"""How a run ended, for the oracle: everything that began and ended is kept, and judged when all is read.

Used by oracle_state.py (which hands the events over) and oracle_rules.py. It decides from whole lists what the agent
decides event by event: no failure is ever taken back here, each is asked at the end whether something made up for it.
"""

import re

from oracle_log import identifier, metric, table, text

CUT = 1000  # of an error no more is read
SENTENCE = re.compile(
    r"\s*(?:org\.apache\.spark\.[\w.$]*Exception: )?(?:\[[\w.$]+\] )?"
    r"(?:Job (\d+) cancelled(?:\s+|(?=[^\w])|$)|Stage cancelled )(because SparkContext was shut down)?", re.A
)
ABORT = re.compile(
    r"\s*(?:org\.apache\.spark\.[\w.$]*Exception: )?(?:\[[\w.$]+\] )?Job aborted due to stage failure", re.A
)
INTERRUPTION = r"java\.(?:lang\.InterruptedException|io\.InterruptedIOException|nio\.channels\.ClosedByInterruptException)"
WRAPPER = (
    r"(?:java\.io\.UncheckedIOException|java\.util\.concurrent\.ExecutionException|"
    r"(?:com\.google\.common|org\.sparkproject\.guava)\.util\.concurrent\.UncheckedExecutionException)"
)
STOPPED = re.compile(rf"\s*(?:{WRAPPER}(?:: |(?:(?!Caused by: ).)*Caused by: ))?{INTERRUPTION}(?![\w.$])", re.A | re.S)
JSON_CLASS = re.compile(r'\s*\{.*?"errorClass"\s*:\s*"([^"]*)"', re.S)
JSON_MEMBER = r'"%s"\s*:\s*"((?:[^"\\]|\\.)*)'
SERVER_NAME = re.compile(
    r"Thrift JDBC/ODBC Server|Spark Connect server|Spark shell|PySparkShell|SparkR|Databricks Shell|"
    r"livy-session-\d+|SparkSQL::.*|Zeppelin.*", re.S | re.A
)
SERVER_EVENT = re.compile(r"(?:.*\.)?SparkListener(?:ThriftServer|Connect)")
QUERY_EVENT = "org.apache.spark.sql.streaming.StreamingQueryListener$QueryTerminatedEvent"


def sentence(message):
    """error, cancelled or shut, by the message's beginning alone."""
    found = SENTENCE.match(message)
    if found and found.group(2):
        return "shut"
    return "cancelled" if found and found.group(1) else "error"


def unwrapped(message):
    """(class, message) of what Spark 3.4 writes as JSON; no class for any other text."""
    found = JSON_CLASS.match(message)
    if not found or not found.group(1):
        return "", message
    inside = {name: re.search(JSON_MEMBER % name, message, re.S) for name in ("message", "reason")}
    name = "reason" if found.group(1) == "SPARK_JOB_CANCELLED" else "message"
    return found.group(1), inside[name].group(1) if inside[name] else ""


def ending(message, stream=False, run=""):
    """well, error, cancelled or shut."""
    message = message[:CUT]
    if not message:
        return "well"
    name, inner = unwrapped(message)
    if name == "SPARK_JOB_CANCELLED":
        return "shut" if inner.startswith("because SparkContext was shut down") else "cancelled"
    plain = name in ("", "LEGACY", "org.apache.spark.SparkException")
    found = sentence(inner) if plain else "error"
    if stream and found == "error" and not ABORT.match(inner):
        whole = f"{name}: {inner}" if name else message
        group = re.search(r"job group ([\w-]*)", message, re.A)
        named = run and group and group.group(1) == run and "cancelled" in message.lower()
        return "cancelled" if STOPPED.match(whole) or named else "error"
    return found


class Work:
    """A job or an execution, from its beginning to its end."""

    def __init__(self, number, execution, family, marks):
        self.number = number  # of its like, in the order of their beginnings
        self.execution = execution
        self.family = family
        self.marks = {mark for mark in marks if mark}
        self.begun = 0
        self.begun_at = 0  # place of its beginning
        self.stages = ()
        self.stream = False
        self.run = ""
        self.ended = None  # (place, time, ending, said)
        self.hint = ""


class Failure:
    def __init__(self, kind, work, time, place, newest, jobs):
        self.kind, self.work, self.time, self.place = kind, work, time, place
        self.newest, self.jobs = newest, jobs


class Outcome:
    """All that began and ended."""

    def __init__(self):
        self.place = 0
        self.newest = -1
        self.jobs = {}
        self.executions = {}
        self.failures = []
        self.queries_well = []  # (place, query)
        self.server = False
        self.stage_cut = False
        self.finished = set()
        self.stage_names = {}

    def apply(self, name, event):
        self.place += 1
        if SERVER_EVENT.match(name):
            self.server = True
        kind = name.rsplit(".", 1)[-1]
        info = table(event.get("Stage Info"))
        if identifier(info.get("Stage ID")) is not None and not identifier(info.get("Stage Attempt ID")):
            self.stage_names[identifier(info["Stage ID"])] = text(info.get("Stage Name"))
        handler = {
            "SparkListenerJobStart": self.job_start, "SparkListenerJobEnd": self.job_end,
            "SparkListenerSQLExecutionStart": self.sql_start, "SparkListenerSQLExecutionEnd": self.sql_end,
            "SparkListenerStageCompleted": self.stage_end,
        }.get(kind)
        if name == QUERY_EVENT:
            handler = self.query_end
        if handler is not None:
            handler(event)

    def fail(self, kind, work, time):
        self.failures.append(Failure(kind, work, time, self.place, self.newest, len(self.jobs)))

    def job_start(self, event):
        job = identifier(event.get("Job ID"))
        if job is None or job in self.jobs:
            return
        given = table(event.get("Properties"))
        number = {key: identifier(given.get(f"spark.sql.execution.{key}")) for key in ("id", "root.id")}
        infos = [table(info) for info in event.get("Stage Infos") or () if isinstance(info, dict)]
        names = {identifier(info.get("Stage ID")): text(info.get("Stage Name")) for info in infos}
        names.pop(None, None)
        ids = set(names) | {identifier(stage) for stage in event.get("Stage IDs") or ()} - {None}
        query = text(given.get("sql.streaming.queryId"))
        site = query or text(given.get("callSite.short")) or (names[max(names)] if names else "")
        work = Work(len(self.jobs) + 1, number["id"], number["root.id"],
                    (text(given.get("spark.job.description")), site))
        work.stages = tuple(sorted(ids))
        work.stream = bool(query)
        execution = self.executions.get(work.execution)
        if execution is not None and execution.ended is None:
            if work.stream and not execution.stream:
                execution.stream, execution.run = True, text(given.get("spark.jobGroup.id"))
                execution.marks.add(query)
            execution.marks = execution.marks or work.marks
            work.marks, work.family = execution.marks, execution.family
        self.jobs[job] = work

    def job_end(self, event):
        job = identifier(event.get("Job ID"))
        if job is None or job in self.finished:
            return
        self.finished.add(job)
        result = table(event.get("Job Result"))
        work = self.jobs.get(job) or Work(0, None, None, ())
        how = "well"
        if result.get("Result") == "JobFailed":
            how = ending(text(table(result.get("Exception")).get("Message"))[:512])
            how = "error" if how == "well" else how
        if not work.marks and work.stages and work.stages[-1] in self.stage_names:
            work.marks = {self.stage_names[work.stages[-1]]} - {""}
        work.ended = (self.place, metric(event.get("Completion Time")), how, True)
        if how in ("error", "shut"):
            self.fail("job" if how == "error" else "shut", work, work.ended[1])

    def sql_start(self, event):
        number = identifier(event.get("executionId"))
        if number is None or number in self.executions:
            return
        self.newest = max(self.newest, number)
        root = identifier(event.get("rootExecutionId"))
        described = text(event.get("description"))
        lines = dict(line.split(" = ", 1) for line in described.split("\n") if " = " in line)
        stream = "id" in lines and "runId" in lines
        work = Work(number, number, number if root is None else root,
                    (described, lines["id"] if stream else text(event.get("details"))))
        work.begun, work.begun_at = metric(event.get("time")), self.place
        work.stream, work.run = stream, lines.get("runId", "") if stream else ""
        self.executions[number] = work

    def sql_end(self, event):
        number = identifier(event.get("executionId"))
        work = self.executions.get(number) or Work(number, number, number, ())
        if work.ended is not None:
            return
        if number is not None:
            self.executions[number] = work
            self.newest = max(self.newest, number)
        message = event.get("errorMessage")
        how = ending(text(message), work.stream, work.run)
        work.ended = (self.place, metric(event.get("time")), how, isinstance(message, str))
        if how in ("error", "shut"):
            self.fail("execution" if how == "error" else "shut", work, work.ended[1])

    def stage_end(self, event):
        info = table(event.get("Stage Info"))
        stage, reason = identifier(info.get("Stage ID")), text(info.get("Failure Reason"))
        how = ending(reason[:512])
        self.stage_cut = self.stage_cut or how == "shut"
        for job, work in self.jobs.items():
            if work.ended is not None or not work.stages or stage is None:
                continue
            if how == "well" and work.stages[-1] == stage:
                work.hint = work.hint or "done"
            if how == "error" and ABORT.match(reason) and work.stages[0] <= stage <= work.stages[-1]:
                work.hint = "aborted"
            if how == "cancelled" and SENTENCE.match(reason).group(1) == str(job):
                work.hint = "cancelled"

    def query_end(self, event):
        query = text(event.get("id"))
        how = ending(text(event.get("exception"))[:512])
        if how == "well":
            self.queries_well.append((self.place, query))
        else:
            self.fail("query" if how == "error" else "shut", Work(0, None, None, ("", query)), 0)

    def own(self, failure, execution):
        number = execution.number
        return number is not None and number in (failure.work.execution, failure.work.family)

    def ended_well(self, execution):
        """It said so; or, as it says nothing before 3.4, each of its jobs that failed was done again."""
        if execution.ended is None or execution.ended[2] != "well":
            return False
        if execution.ended[3]:
            return True
        jobs = [job.ended for job in self.jobs.values()
                if job.ended and job.execution == execution.number and job.ended[0] < execution.ended[0]]
        if execution.begun_at and jobs and max(jobs)[2] != "well":
            return False
        return not any(
            self.own(failure, execution) and failure.place < execution.ended[0]
            and not self.done_again(failure, execution.ended[0])
            for failure in self.failures
        )

    def done_again(self, failure, before):
        """A later job did what the failed job was to do."""
        return failure.kind == "job" and any(
            job.ended and job.ended[2] == "well" and job.ended[0] < before and job.number > failure.jobs
            and (job.execution == failure.work.execution if job.execution is not None
                 else bool(job.marks & failure.work.marks))
            for job in self.jobs.values()
        )

    def made_up(self, failure):
        kind = failure.kind
        for execution in self.executions.values():
            if not self.ended_well(execution):
                continue
            said = execution.ended[3] or failure.place < execution.ended[0]
            if self.own(failure, execution) and said:
                return True
            if execution.begun and failure.time:
                later = execution.begun >= failure.time and execution.ended[0] > failure.place
            else:
                later = execution.number > failure.newest and execution.ended[0] > failure.place
            again = kind == "execution" or bool(execution.marks & failure.work.marks)
            if kind != "shut" and later and again:
                return True
        if kind != "shut" and any(place > failure.place and query and query in failure.work.marks
                                  for place, query in self.queries_well):
            return True
        return self.done_again(failure, self.place + 1)

    def standing(self):
        """The failures that stand; one of an execution whose job failed, or was cut off, is that job's."""
        for failure in self.failures:
            others = [other for other in self.failures if other is not failure and failure.kind == "execution"
                      and self.own(other, failure.work)]
            told = any(other.kind == "job" or (other.kind == "shut" and other.place < failure.place)
                       for other in others)
            if not told and not self.made_up(failure):
                yield failure

    def undone(self, job):
        """An open job whose work was not done either."""
        execution = self.executions.get(job.execution)
        over = execution is not None and execution.ended is not None
        if over and execution.ended[2:] == ("well", True):
            return False
        return job.hint not in ("cancelled", "aborted") and not (
            job.hint == "done" and (job.execution is None or over))

    def word(self, run_ended, name):
        """failed, killed, or neither: ""; and whether it is a server."""
        server = self.server or bool(SERVER_NAME.fullmatch(name))
        standing = list(self.standing())
        still = [job for number, job in self.jobs.items() if number not in self.finished]
        failed = any(failure.kind != "shut" for failure in standing)
        failed = failed or any(job.hint == "aborted" for job in still)
        if failed and not server:
            return "failed", server
        cut = any(failure.kind == "shut" for failure in standing)
        cut = cut or (run_ended and any(self.undone(job) for job in still))
        return ("killed" if cut or (self.stage_cut and not self.jobs) else ""), server
