"""Where the time and the cores of a run went: the opening conditions of driver_bound and idle_executors.

Used by oracle_state.py, which gathers, and oracle_rules.py, which asks. Every interval is kept and the union is
taken by sorting, so it must never be shown to be like the agent's, which keeps a few gaps.
"""

START_UP_MS = 30_000
WORTH_A_WORD_MS = 20_000
CORE_HOUR_MS = 3_600_000
ANY = "any"  # the rules here do not say


class Intervals:
    """What is known of a run's time and cores."""

    def __init__(self):
        self.work = []  # (from, to) of stages and tasks that ended
        self.jobs = {}  # open: id -> start
        self.last_job_end = 0
        self.first_executor = 0
        self.cores = {}  # alive: executor -> (cores, since)
        self.core_ms = 0  # of those that went
        self.used_ms = 0
        self.endless = False  # an event of a stream or a server: what sort of run it is, is not said here

    def add(self, start, end):
        if 0 < start < end:
            self.work.append((start, end))

    def executor_added(self, executor, cores, time):
        self.first_executor = self.first_executor or time
        if executor != "driver" and executor not in self.cores:
            self.cores[executor] = (max(1, cores), time)

    def executor_removed(self, executor, time):
        cores, since = self.cores.pop(executor, (0, 0))
        self.core_ms += cores * (time - since)

    def job_ended(self, job, time):
        start = self.jobs.pop(job, 0)
        if 0 < start < time:
            self.last_job_end = max(self.last_job_end, time)

    def held_ms(self, end):
        return self.core_ms + sum(cores * (end - since) for cores, since in self.cores.values())


def union(intervals):
    """The intervals without overlap, in order."""
    result = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def open_stages(run, totals):
    """Intervals of stages that did not end: until now, or until the last job ended."""
    for stage in run.stages.values():
        start = stage.submitted or stage.first_launch
        if stage.completed or not start:
            continue
        waits = run.time.jobs or run.time.last_job_end <= start
        end = totals.ended if waits else max(run.time.last_job_end, stage.last_finish)
        if start < end:
            yield (start, end)


def driver_bound(run, totals):
    work = union(run.time.work + list(open_stages(run, totals)))
    if run.time.endless:
        return ANY
    if not work or not totals.timed or totals.duration_ms == 0:
        return None
    jobs = set(run.outcome.jobs)
    if jobs and 10 * len(jobs) < 9 * (max(jobs) - min(jobs) + 1):
        return None
    ready = max(totals.started + START_UP_MS, run.time.first_executor)
    ready = min(ready, max(work[0][0], totals.started), totals.ended)
    busy = sum(max(0, min(end, totals.ended) - max(start, totals.started)) for start, end in work)
    alone = totals.ended - ready - busy
    return 2 * alone > totals.duration_ms and alone >= WORTH_A_WORD_MS


def idle_executors(run, totals):
    held = run.time.held_ms(totals.ended)
    idle = held - run.time.used_ms * run.slots.cpus(0)
    return 2 * idle > held and idle >= CORE_HOUR_MS
