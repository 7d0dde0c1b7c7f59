"""What a job of the proof is: a program that is badly tuned in one known way, or in none, and which of the lines that Stoker prints it
has a place for. It must import nothing of Spark: the harness reads it, too."""

from dataclasses import dataclass, field

JOBS = {}
NO_AQE = {"spark.sql.adaptive.enabled": "false"}
NO_BROADCAST = {**NO_AQE, "spark.sql.autoBroadcastJoinThreshold": "-1"}

# Lines as `stoker advise` prints them: name -> the kinds of advice they come with, a pattern, and in it the number that is to be taken
# over. A job has a place for some; that a line was printed decides, never what the job would like.
SNIPPETS = {
    "broadcast": (("join",), r"big\.join\(F\.broadcast\(small\), \"key\"\)"),
    "salt_join": (("join",), r"big\.withColumn\(\"salt\", F\.expr\(\"pmod\(xxhash64\(id\), (\d+)\)\"\)\)"),
    "bucket_join": (("join",), r"F\.expr\(\"floor\(t / (\d+)\)\"\)"),
    "salt_sum": (("data_skew",), r"F\.expr\(\"pmod\(xxhash64\(id\), (\d+)\)\"\)\.alias\(\"salt\"\)"),
    "repartition": (("partitioning", "input", "memory"), r"df = .*\.repartition\((\d+)\)"),
    "no_coalesce": (("partitioning",), r"no coalesce in front of the work"),
    "compact": (("input",), r"\.load\(path\)\.repartition\((\d+)\)\.write"),
    "write_by_folder": (("input",), r"df\.repartition\(\"day\"\)\.write\.partitionBy\(\"day\"\)"),
    "connections": (("input",), r"spark\.read\.jdbc\([^)]*numPartitions=(\d+)"),
    "persist": (("caching", "input", "general", "partitioning", "memory"), r"\.(?:persist|cache)\("),
    "lean_shuffle": (("network_overhead",), r"no repartition or orderBy that nothing uses"),
    "combine": (("network_overhead", "data_skew"), r"rdd\.reduceByKey\(add\)"),
    "batches": (("python_udf",), r"f = F\.udf\(f, \"double\", useArrow=True\)"),
}


@dataclass
class Job:
    """A program, how it is started, and what it has a place for."""

    name: str
    run: object                 # run(spark, ctx) -> what it found: the same whatever advice it follows
    wrong: str                  # what is wrong with it; "": nothing
    rows: int                   # that it takes in, for its throughput
    master: str = "local[2]"
    conf: dict = field(default_factory=dict)
    prepare: object = None      # prepare(spark, folder): makes its input, once, in an application of its own
    answers: tuple = ()         # names of SNIPPETS
    short: bool = False         # one of the short form
    compact: object = None      # compact(spark, folder, files): what is to be done once by the line of that name


def job(rows, wrong="", **how):
    """Registers a program under its function's name."""
    def register(fn):
        assert fn.__name__ not in JOBS, fn.__name__
        assert all(name in SNIPPETS for name in how.get("answers", ())), fn.__name__
        JOBS[fn.__name__] = Job(name=fn.__name__, run=fn, wrong=wrong, rows=rows, **how)
        return fn
    return register


def load():
    """All jobs by name, the bad ones first."""
    import healthy  # noqa: F401  # pylint: disable=import-outside-toplevel,unused-import
    import jobs  # noqa: F401  # pylint: disable=import-outside-toplevel,unused-import
    return dict(sorted(JOBS.items(), key=lambda j: not j[1].wrong))
