"""Task slots for the oracle: which executors a stage's resource profile may use, how many of its tasks
run at once on each, and since when.

Used by oracle_state.py. Keeps every executor with the time it lived, so that slots are counted by hand:
sum over executors of tasks at once x the part of the stage's time that it was there.
"""

from oracle_log import identifier, metric, table, text

CORES = ("cores", "memory", "memoryOverhead", "offHeap", "pyspark.memory")


def amount(request):
    """The Amount of a resource request, 0 if there is none."""
    value = table(request).get("Amount")
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return value if good else 0


class Needs:
    """What a task of a profile needs, and what its executors are asked to have."""

    def __init__(self, event=None):
        event = table(event)
        of_executor = table(event.get("Executor Resource Requests"))
        of_task = table(event.get("Task Resource Requests"))
        self.tasks_only = event != {} and not of_executor
        self.cpus = int(amount(of_task.get("cpus")))
        self.task = {name: amount(of_task[name]) for name in of_task if name != "cpus"}
        self.executor = {n: int(amount(of_executor[n])) for n in of_executor if n not in CORES}

    def note_property(self, key, value):
        """spark.task.resource.gpu.amount and its like."""
        for start, kept in (("spark.task.resource.", self.task),
                            ("spark.executor.resource.", self.executor)):
            if key.startswith(start) and key.endswith(".amount"):
                try:
                    kept[key[len(start):-len(".amount")]] = float(value)
                except ValueError:
                    continue


class Executor:
    """One executor: what it has, and when it lived."""

    def __init__(self, event, now):
        info = table(event.get("Executor Info"))
        self.cores = metric(info.get("Total Cores"))
        self.profile = identifier(info.get("Resource Profile Id")) or 0
        self.has = {}
        for name, resource in table(info.get("Resources")).items():
            addresses = table(resource).get("addresses")
            self.has[name] = len(addresses) if isinstance(addresses, list) else 0
        self.since, self.until = now, None
        self.name = text(event.get("Executor ID"))


class Slots:
    """Executors and profiles of a run."""

    def __init__(self):
        self.alive = {}
        self.gone = []
        self.untold = set()  # known by their tasks alone
        self.profiles = {}
        self.properties = Needs()
        self.task_cpus = 1
        self.dynamic = False

    def environment(self, properties):
        self.task_cpus = metric(properties.get("spark.task.cpus")) or self.task_cpus
        if "spark.dynamicAllocation.enabled" in properties:
            self.dynamic = properties["spark.dynamicAllocation.enabled"] == "true"
        for key, value in properties.items():
            self.properties.note_property(key, text(value))

    def profile_added(self, event):
        self.profiles.setdefault(identifier(event.get("Resource Profile Id")) or 0, Needs(event))

    def executor_added(self, event, now):
        name = text(event.get("Executor ID"))
        if name and name not in self.alive:
            self.alive[name] = Executor(event, now)
            self.untold.discard(name)

    def executor_removed(self, event, now):
        executor = self.alive.pop(text(event.get("Executor ID")), None)
        if executor is not None:
            executor.until = now
            self.gone.append(executor)

    def task_of(self, name):
        if name and name not in self.alive and not any(executor.name == name for executor in self.gone):
            self.untold.add(name)

    def all_told(self):
        return not self.untold

    def needs(self, profile):
        told = self.profiles.get(profile)
        if told is None or (profile == 0 and not told.task):
            return self.properties
        return told

    def cpus(self, profile):
        told = self.profiles.get(profile)
        return told.cpus if told is not None and told.cpus >= 1 else self.task_cpus

    def may_use(self, profile, executor):
        told = self.profiles.get(profile)
        shares = told is not None and told.tasks_only and not self.dynamic
        return executor.profile == profile or (shares and executor.profile == 0)

    def at_once(self, profile, executor):
        """Tasks of the profile that run at once on the executor."""
        if executor.cores < 1 or not self.may_use(profile, executor):
            return 0
        most = executor.cores // self.cpus(profile)
        needs = self.needs(profile)
        for name, need in needs.task.items():
            has = executor.has.get(name) or self.needs(executor.profile).executor.get(name)
            has = int(has or needs.executor.get(name, 0))
            if need > 0 and has > 0:
                parts = int(1 / need) if need < 1 else 1
                most = min(most, has * parts // max(1, -int(-need // 1)))
        return max(1, most) if executor.profile == profile else most

    def live(self, profile):
        return sum(self.at_once(profile, executor) for executor in self.alive.values())

    def slot_ms(self, profile, start, end):
        """Tasks at once x ms, over all executors that lived between the two times."""
        total = 0
        for executor in list(self.alive.values()) + self.gone:
            until = end if executor.until is None else min(end, executor.until)
            there = max(0, until - max(start, executor.since))
            total += there * self.at_once(profile, executor)
        return total


def wall_run_ms(run_ms, duration_ms, cpus, version):
    """From 4.1 run time is told times the cores of a task: brought back where it exceeds the task."""
    multiplied = run_ms > duration_ms and (version == (0, 0) or version >= (4, 1))
    return run_ms // cpus if multiplied else run_ms

