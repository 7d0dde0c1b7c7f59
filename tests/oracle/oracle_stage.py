"""The oracle's stage attempt: sums over its task ends.

Used by oracle_state.py, which decides which events count. Sums only, no judgement, exact integers;
it must never keep anything per task.
"""

from oracle_log import identifier, metric, table

KILLED = ("TaskKilled", "TaskCommitDenied")


LOST = ("another attempt succeeded", "Stage finished")


def lost(reason, why):
    """Whether a task was killed because another attempt of it won; before 2.2 no reason is told."""
    return reason == "TaskKilled" and (not why or any(words in why for words in LOST))


def task_class(reason, info):
    """success, failed or killed; the Reason decides, flags only where there is none."""
    if reason:
        return "success" if reason == "Success" else "killed" if reason in KILLED else "failed"
    if info.get("Failed") is True:
        return "failed"
    return "killed" if info.get("Killed") is True else "success"


class Stage:
    """One stage attempt. Fields without a remark are sums over successful tasks."""

    def __init__(self):
        self.listed = False  # has a stage event or a counted TaskEnd
        self.completed = False
        self.failure = ""
        self.submit_time = [0, 0]  # from StageSubmitted, from StageCompleted
        self.tasks_expected = [0, 0]  # likewise
        self.profile = 0
        self.slots_from = None  # time of its first task event
        self.slots = 0  # task slots since, weighted by how long each was there
        self.running = 0  # tasks now
        self.running_most = 0  # at once, but for the moment in which a slot is handed over
        self.last_launch = 0
        self.first_launch = 0
        self.last_finish = 0
        self.ends = 0  # every counted TaskEnd
        self.ends_with_metrics = 0
        self.tasks = 0
        self.tasks_failed = 0
        self.sum_ms = 0
        self.max_ms = 0
        self.memory_spilled = 0  # every TaskEnd with metrics
        self.disk_spilled = 0  # every TaskEnd with metrics
        self.shuffle_read = 0
        self.shuffle_read_records = 0
        self.shuffle_write = 0
        self.input_bytes = 0
        self.input_records = 0
        self.output_bytes = 0
        self.output_records = 0
        self.run_ms = 0
        self.cpu_ns = 0
        self.gc_ms = 0
        self.readers = 0  # successful tasks with input bytes that tell their CPU time
        self.read_ns = 0  # these tasks: time neither on CPU nor otherwise explained
        self.read_cpu_ns = 0  # these tasks
        self.scan_ns = None  # these tasks: reported scan time, None if nobody reported
        self.measured = 0  # successful tasks with metrics
        self.delay_ms = 0  # these tasks
        self.originals_lost = 0  # killed because a copy of theirs succeeded
        self.copies_lost_ms = 0  # speculative copies, killed because another attempt succeeded

    @property
    def submitted(self):
        return self.submit_time[0] or self.submit_time[1]

    @property
    def number_of_tasks(self):
        return self.tasks_expected[0] or self.tasks_expected[1]

    def use_profile(self, profile, submitted):
        """Its slots are those of this resource profile."""
        profile = 0 if profile is None and submitted else profile
        if profile is not None and profile != self.profile:
            self.profile, self.slots_from = profile, None

    def task_ended(self, finish, slots):
        """A slot's next task may be launched up to 50 ms before the end of the one before; never more than there are cores for."""
        handover = max(0, finish - self.last_launch) < 50
        there = slots.live(self.profile) if slots.all_told() else 0
        self.running_most = max(self.running_most, min(self.running - handover, there or self.running))
        self.running = max(0, self.running - 1)

    def count_slots(self, slots, now):
        """A task event of it: the slots it could use from the first of them until now."""
        if self.completed and self.slots:
            return
        self.slots_from = now if self.slots_from is None else self.slots_from
        if now > self.slots_from:
            time = now - self.slots_from
            usable = 2 * slots.slot_ms(self.profile, self.slots_from, now) + time
            self.slots = usable // (2 * time)
        else:
            self.slots = slots.live(self.profile)
        self.slots = max(1, self.slots, self.running_most)
        if self.number_of_tasks > 0:
            self.slots = min(self.slots, self.number_of_tasks)

    def add_end(self, reason, why, info, metrics):
        """A TaskEnd that counts; True if a successful one that read input, None if no success."""
        self.listed = True
        self.ends += 1
        measured = isinstance(metrics, dict)
        metrics = table(metrics)
        if measured:
            self.ends_with_metrics += 1
            self.memory_spilled += metric(metrics.get("Memory Bytes Spilled"))
            self.disk_spilled += metric(metrics.get("Disk Bytes Spilled"))
        outcome = task_class(reason, info)
        if outcome == "failed":
            self.tasks_failed += 1
        if lost(reason, why) and info.get("Speculative") is True:
            launch, finish = metric(info.get("Launch Time")), metric(info.get("Finish Time"))
            self.copies_lost_ms += max(0, finish - launch)
        elif lost(reason, why):
            self.originals_lost += 1
        if outcome != "success":
            return None
        return self.add_success(info, metrics, measured)

    def add_success(self, info, metrics, measured):
        """A successful task: volumes, times, delay."""
        finish = metric(info.get("Finish Time"))
        duration = max(0, finish - metric(info.get("Launch Time")))
        self.tasks += 1
        self.sum_ms += duration
        self.max_ms = max(self.max_ms, duration)
        run = metric(metrics.get("Executor Run Time"))
        cpu = metric(metrics.get("Executor CPU Time"))
        gc = metric(metrics.get("JVM GC Time"))
        read = table(metrics.get("Shuffle Read Metrics"))
        write = table(metrics.get("Shuffle Write Metrics"))
        source = table(metrics.get("Input Metrics"))
        sink = table(metrics.get("Output Metrics"))
        self.run_ms += run
        self.cpu_ns += cpu
        self.gc_ms += gc
        self.shuffle_read += metric(read.get("Remote Bytes Read"))
        self.shuffle_read += metric(read.get("Local Bytes Read"))
        self.shuffle_read_records += metric(read.get("Total Records Read"))
        self.shuffle_write += metric(write.get("Shuffle Bytes Written"))
        self.input_bytes += metric(source.get("Bytes Read"))
        self.input_records += metric(source.get("Records Read"))
        self.output_bytes += metric(sink.get("Bytes Written"))
        self.output_records += metric(sink.get("Records Written"))
        if measured:
            getting = metric(info.get("Getting Result Time"))
            known = run + metric(metrics.get("Executor Deserialize Time"))
            known += metric(metrics.get("Result Serialization Time"))
            known += max(0, finish - getting) if getting > 0 else 0
            self.measured += 1
            self.delay_ms += max(0, duration - known)
        told = identifier(metrics.get("Executor CPU Time")) is not None
        reader = told and metric(source.get("Bytes Read")) > 0
        if reader:
            explained = cpu + metric(write.get("Shuffle Write Time"))
            explained += (gc + metric(read.get("Fetch Wait Time"))) * 1_000_000
            self.readers += 1
            self.read_cpu_ns += cpu
            self.read_ns += max(0, run * 1_000_000 - explained)
        return reader
