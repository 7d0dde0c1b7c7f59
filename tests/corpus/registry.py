"""What a workload is: a program, its configuration, and what was put into it on purpose."""

from dataclasses import dataclass, field

WORKLOADS = {}

KINDS = ("data_skew slow_host costly_records memory_spill gc_pressure executor_oom shuffle_overhead io_read_slow io_small_files "
         "unsplittable_input contention too_many_tasks too_few_partitions low_parallelism failed_stage task_retries executor_lost "
         "broadcastable_join cartesian nested_loop exploding_join driver_bound idle_executors python_udf speculation_waste "
         "streaming_lag pipeline_failure none").split()


@dataclass
class Inject:
    """One bottleneck by construction. `step` is the job group that carries it, `where` picks its stages ("run": none of them, it is
    the run's)."""

    kind: str
    step: str = None
    where: str = "longest"
    detail: dict = field(default_factory=dict)
    check: dict = field(default_factory=dict)  # number of the stage -> least value (or (low, high)) that must be met

    def __post_init__(self):
        assert self.kind in KINDS, self.kind


@dataclass
class Workload:
    """A program to be recorded."""

    name: str
    app: str                    # the application's name in the log; says nothing about the label
    spark: str                  # a version that deps.sh sets up
    run: object                 # run(spark, ctx)
    injected: list
    mode: str = "local[2]"      # or "standalone"
    conf: dict = field(default_factory=dict)
    prepare: object = None      # prepare(spark, ctx): makes the input, in an application that is not recorded
    may_also: tuple = ()        # true side effects: neither required of a detector nor counted as false alarms
    note: str = ""
    fails: bool = False         # the application is meant to end failed
    outcome: str = "succeeded"  # how the run ended
    plan: str = ""              # text that some physical plan must contain
    slow_host: float = 0        # standalone: the second worker's share of time it may run (0: all)
    jars: tuple = ()            # Maven coordinates
    app_check: object = None    # extra check(app) -> bool


def workload(name, **kw):
    """Registers a program under a name; a failing one is not succeeded unless it says how it ended."""
    def register(fn):
        more = {"outcome": "failed"} if kw.get("fails") and "outcome" not in kw else {}
        assert name not in WORKLOADS, name
        WORKLOADS[name] = Workload(name=name, run=fn, **{**more, **kw})
        return fn
    return register


def healthy(**detail):
    """Nothing was put in."""
    return [Inject("none", detail=detail)]
