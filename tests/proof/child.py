"""One run of one job, inside spark-submit: child.py JOB LINES, where LINES is a JSON object of the lines to follow, by name. Or what
is done once beforehand: child.py JOB prepare|compact FOLDER [FILES]. Prints APP and RESULT."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Context:
    """What a job is given."""

    def __init__(self, lines):
        from pyspark.sql import functions
        self.F = functions
        self.data, self.out = os.environ["PROOF_DATA"], os.environ["PROOF_OUT"]
        self.lines = lines

    def told(self, name):
        """None: that line was not printed. Else the number in it, or True."""
        return self.lines.get(name)


def main():
    sys.path.insert(0, HERE)
    from pyspark.sql import SparkSession
    from registry import load
    job = load()[sys.argv[1]]
    spark = SparkSession.builder.appName(job.name).getOrCreate()
    if sys.argv[2] == "prepare":
        job.prepare(spark, sys.argv[3])
    elif sys.argv[2] == "compact":
        job.compact(spark, sys.argv[3], int(sys.argv[4]))
    else:
        print("APP", spark.sparkContext.applicationId, flush=True)
        print("RESULT", json.dumps(job.run(spark, Context(json.loads(sys.argv[2])))), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
