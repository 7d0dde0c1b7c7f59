"""many_tasks TASKS OUT: an event log of one stage with so many tasks, made of one real task end. Called by
tests/bench/run.sh to see that memory does not grow with tasks."""
import re
import subprocess
import sys

LOG = "tests/fixtures/logs/too_many_tasks/events.jsonl.zst"


def main():
    tasks, out = int(sys.argv[1]), sys.argv[2]
    lines = subprocess.run(["zstd", "-dc", LOG], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    head = [l for l in lines if any(n in l[:60] for n in (b"LogStart", b"ApplicationStart", b"ExecutorAdded"))]
    end = next(l for l in lines if b"TaskEnd" in l[:40])
    stop = next(l for l in lines if b"ApplicationEnd" in l[:60])
    first = re.search(rb'"Launch Time":(\d+)', end)
    with open(out, "wb", buffering=1 << 20) as f:
        f.writelines(l + b"\n" for l in head)
        for i in range(tasks):
            line = re.sub(rb'"Task ID":\d+', b'"Task ID":%d' % i, end, 1)
            line = line.replace(first[0], b'"Launch Time":%d' % (int(first[1]) + i % 1000), 1)
            f.write(line + b"\n")
        f.write(stop + b"\n")


if __name__ == "__main__":
    main()
