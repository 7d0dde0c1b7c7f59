"""measure LOG OUT.md NAME=COMMAND...: runs each command on the log in turn, several rounds, and prints what it cost.

{} in a command stands for the log. The minimum over the rounds counts: other work on the machine only ever adds. CPU is
user + system of the whole process with its children. The first command is the yardstick of the last column. Called by
tests/bench/run.sh."""
import os
import resource
import subprocess
import sys
import time

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def run(command):
    started = time.monotonic()
    process = subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed with {process.returncode}: {command}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    log, out = sys.argv[1], sys.argv[2]
    commands = [a.split("=", 1) for a in sys.argv[3:]]
    size, events = os.path.getsize(log), int(subprocess.check_output(["wc", "-l", log]).split()[0])
    subprocess.run(["cat", log], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    best = {}
    for _ in range(ROUNDS):
        for name, command in commands:
            wall, cpu, rss = run("exec " + command.replace("{}", log))
            old = best.get(name, (1e9, 1e9, 0))
            best[name] = (min(old[0], wall), min(old[1], cpu), max(old[2], rss))
    floor = best[commands[0][0]][1]
    lines = [f"{os.path.basename(log)}: {size / 1e6:.0f} MB, {events} events, best of {ROUNDS} rounds", "",
             "| reader | CPU s | CPU s/GB | MB per CPU s | events per CPU s | wall s | peak RSS MiB | speed against the first |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for name, _ in commands:
        wall, cpu, rss = best[name]
        lines.append(f"| {name} | {cpu:.3f} | {cpu / size * 1e9:.3f} | {size / 1e6 / cpu:.0f} | {events / cpu:.0f} | {wall:.3f} | {rss:.1f} | {floor / cpu:.2f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    with open(out, "a") as f:
        f.write(text + "\n")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


if __name__ == "__main__":
    main()
