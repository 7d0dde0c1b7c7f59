"""amplify LOG TARGET_BYTES OUT: a long event log made of a real one, with fresh ids.

The part of the log between its first job and its end is written again and again; each repetition gets job, stage,
task, SQL execution and accumulator ids of its own and later times, so nothing counts as a repeat. Lines are edited as
text: their layout stays Spark's. Called by tests/bench/run.sh."""
import re
import subprocess
import sys

ID_KEYS = [b"Job ID", b"Stage ID", b"Task ID", b"executionId", b"accumulatorId", b"ID"]
TIME_KEYS = [b"Timestamp", b"Submission Time", b"Completion Time", b"Launch Time", b"Finish Time", b"Getting Result Time", b"time"]
FIELD = re.compile(rb'"(' + b"|".join(re.escape(k) for k in ID_KEYS + TIME_KEYS) + rb')":(\d+)')
LISTS = re.compile(rb'"(Stage IDs|Parent IDs)":\[([\d,]*)\]')
EXECUTION = re.compile(rb'"spark.sql.execution.id":"(\d+)"')
ONCE = (b"LogStart", b"ApplicationStart", b"EnvironmentUpdate", b"ExecutorAdded", b"BlockManagerAdded", b"ResourceProfileAdded")


def read(path):
    if path.endswith((".zst", ".zstd")):
        return subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return open(path, "rb").read().splitlines()


def main():
    source, target, out = sys.argv[1], int(float(sys.argv[2])), sys.argv[3]
    head, body, tail = [], [], []
    for line in read(source):
        if b"ApplicationEnd" in line[:60]:
            tail.append(line)
        elif any(name in line[:80] for name in ONCE) or b"ExecutorRemoved" in line[:60]:
            head.append(line) if b"Removed" not in line[:60] else tail.insert(0, line)
        else:
            body.append(line)
    id_step = 1 + max((int(v) for line in body for k, v in FIELD.findall(line) if k in ID_KEYS), default=0)
    times = [int(v) for line in body for k, v in FIELD.findall(line) if k in TIME_KEYS and len(v) == 13]
    time_step = max(times) - min(times) + 1000
    size = sum(map(len, body)) + len(body)
    repeats = max(1, round(target / size))

    with open(out, "wb", buffering=1 << 20) as f:
        f.writelines(line + b"\n" for line in head)
        for r in range(repeats):
            def field(m):
                value = int(m[2])
                if m[1] in TIME_KEYS:
                    value += r * time_step if len(m[2]) == 13 else 0
                else:
                    value += r * id_step
                return b'"%s":%d' % (m[1], value)

            def ids(m):
                return b'"%s":[%s]' % (m[1], b",".join(b"%d" % (int(v) + r * id_step) for v in m[2].split(b",") if v))

            for line in body:
                if r:
                    line = FIELD.sub(field, line)
                    if b"IDs" in line:
                        line = EXECUTION.sub(lambda m: b'"spark.sql.execution.id":"%d"' % (int(m[1]) + r * id_step), LISTS.sub(ids, line))
                f.write(line + b"\n")
        for line in tail:
            f.write(re.sub(rb'"Timestamp":(\d+)', lambda m: b'"Timestamp":%d' % (int(m[1]) + (repeats - 1) * time_step), line) + b"\n")
    print(f"{out}: {repeats} repetitions of {len(body)} events", file=sys.stderr)


if __name__ == "__main__":
    main()
