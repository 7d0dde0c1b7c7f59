"""Scenarios about what must be told once whatever dies: alerts at a real Alertmanager, and silent runs
that only the clock can end.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import collections
import time

from kafka_look import read_all
from logs import Log
from parts import Alertmanager, WebhookRecorder
from play import Play
from processes import PartError, wait_until
from verdict import decoded
from workload import Record, Workload

MINUTE_MS = 60_000


def _only(seed, logs):
    """A workload of just these logs, one after the other."""
    workload = Workload(seed, applications=0, junk=0)
    now_ms = int(time.time() * 1000)
    workload.records = [Record(0, log.app_id.encode(), line, now_ms) for log in logs for line in log.lines]
    workload.runs = [(log.app_id, log.attempt) for log in logs]
    return workload


def _heard(hook, status):
    return collections.Counter(alert["labels"]["alertname"] for alert in hook.alerts(status=status))


def _kill_while(play, agent, times):
    for _ in range(times):
        play.kill_and_restart(agent)
        time.sleep(play.random.uniform(0.3, 3))


def alert_survives(seed):
    """An alert fires while the agent is killed, the Alertmanager too: it neither resolves nor doubles,
    and resolves when its cause goes."""
    hook = WebhookRecorder()
    manager = Alertmanager("faults-am", hook.url).start()
    bad = Log.fixture("failed_stage")
    good = Log.fixture("ok_groupby").copy("app-good-again", bad.app_name, later_ms=60 * MINUTE_MS)
    play = Play("alert-survives", seed, workload=_only(seed, [bad]),
                alertmanager__urls=[manager.url], alertmanager__resend_interval="1s")
    play.clean_up += [hook.stop, manager.kill_if_running]
    agent = play.begin(feed_s=1)
    play.feeder.end()
    wait_until("the alert", lambda: _heard(hook, "firing")["PipelineFailure"], 30, 0.1)
    fired = _heard(hook, "firing")
    _kill_while(play, agent, 4)
    manager.kill()
    time.sleep(play.random.uniform(0.5, 2))
    manager.start()
    _kill_while(play, agent, 2)
    agent.kill()
    time.sleep(6)  # no agent for longer than a resend
    play.check("alerts", [f"resolved: {name}" for name in _heard(hook, "resolved")])
    again = _heard(hook, "firing")
    play.check("alerts", [f"{name} was told {again[name]} times" for name in again if again[name] > fired[name]])
    sender = play.ground.feeder(_only(seed, [good]))
    sender.at_once(1.0)  # the cause goes while nobody is there
    for step in ("commit.done:1", "commit.done:2", "commit.done:3"):  # dies between commit and telling
        agent.launch(step)
        try:
            wait_until("its death", lambda: not agent.running(), 8)
        except PartError:
            agent.kill()
    agent.start()
    wait_until("the end of the alert", lambda: _heard(hook, "resolved")["PipelineFailure"], 30, 0.1)
    time.sleep(3)
    told = _heard(hook, "resolved")
    play.check("alerts", [f"{name} resolved {n} times" for name, n in told.items() if n != 1])
    play.notes.append(f"{sum(fired.values())} alerts fired")
    play.codes |= play.ground.stop()
    play.check("I8", [f"{name}: exit code {code}" for name, code in play.codes.items() if code])
    return play


def ticks(seed):
    """F14: silent runs of an idle partition get lost, each once, though the agent is killed meanwhile."""
    logs = [Log.fixture("ok_groupby").copy(f"application_1_{i:04d}", f"silent-{i}") for i in range(4)]
    for log in logs:
        log.lines = log.lines[:-3]  # no end
    play = Play("ticks", seed, workload=_only(seed, logs), agent__tick="1s", limits__idle="1m",
                limits__grace="1m")
    # A tick moves time by a second; so that a minute passes soon, the last event of another run does most.
    last_ms = max(int(t) for t in _times(logs[0].lines))
    other = Log.fixture("ok_join").copy("application_1_9999", "neighbour", later_ms=0)
    shift_ms = last_ms + 55_000 - max(int(t) for t in _times(other.lines))
    other = Log.fixture("ok_join").copy("application_1_9999", "neighbour", later_ms=shift_ms)
    play.workload.records += [Record(0, other.app_id.encode(), line, int(time.time() * 1000))
                              for line in other.lines]
    agent = play.begin(feed_s=1)
    play.feeder.end()
    topic = play.ground.topics["runs"]
    begun, lost = time.monotonic(), collections.Counter()
    while time.monotonic() - begun < 75 and len(lost) < len(logs):
        time.sleep(play.random.uniform(7, 9))  # ticks begin after 5 s of silence
        play.kill_and_restart(agent)
        lost = _lost(play, topic)
    time.sleep(8)
    lost = _lost(play, topic)
    play.check("F14", [f"{len(lost)} of {len(logs)} silent runs are lost"] if len(lost) < len(logs) else [])
    play.check("F14", [f"{run} was lost {count} times" for run, count in lost.items() if count != 1])
    play.codes |= play.ground.stop()
    return play


def _times(lines):
    from logs import TIME  # noqa: PLC0415

    return [t for line in lines for t in TIME.findall(line)]


def _lost(play, topic):
    found = collections.Counter()
    for seen in read_all(play.ground.bootstrap, [topic]).of(topic):
        record, _ = decoded(seen)
        if record["status"] == "lost":
            found[record["app_id"]] += 1
    return found


SCENARIOS = {"alert-survives": alert_survives, "ticks": ticks}
