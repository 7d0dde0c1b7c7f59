"""Scenarios about what must be told once whatever dies: alerts at a real Alertmanager, and silent runs
that only the clock can end.

A scenario is a function (seed) -> Play that has finished; its first line says what it is. Listed in
run.py.
"""

import collections
import time

from kafka_look import read_all
from logs import TIME, Log
from parts import Alertmanager, WebhookRecorder
from play import Look, Play
from processes import PartError, wait_until
from verdict import POSITION_KEY, decoded, i7_logs, i8_exits, position, repeats
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
    return collections.Counter((alert["labels"]["alertname"], alert["labels"]["pipeline"])
                               for alert in hook.alerts(status=status))


def _kill_while(play, agent, times):
    """Kills it that often, each time some time after it is at work again."""
    for _ in range(times):
        play.kill_and_restart(agent)
        agent.wait_ready()
        time.sleep(play.random.uniform(0.0, 1.5))


def _feed_dead(play, agent, log, deaths=4):
    """The log comes while nobody is there; then the agent dies again and again between a commit and
    what it would tell of it."""
    agent.kill()
    play.ground.feeder(_only(play.seed, [log])).at_once(1.0)
    for _ in range(deaths):
        agent.launch("commit.done:1")
        try:
            wait_until("its death", lambda: not agent.running(), 5, 0.02)
        except PartError:
            agent.kill()  # nothing was left to commit
    agent.start()


def _as_often(what, heard, times):
    return [f"{alert} {what} {count} times, not {times}" for alert, count in heard.items() if count != times]


def alert_survives(seed):
    """An alert that fires while the agent is killed, or the Alertmanager, neither resolves nor doubles;
    it resolves when its cause goes."""
    begun = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())  # all events are older
    hook = WebhookRecorder()
    manager = Alertmanager("faults-am", hook.url).start()
    bad = Log.fixture("failed_stage")
    worse = bad.copy("app-bad-too", "another", later_ms=5 * MINUTE_MS)
    play = Play("alert-survives", seed, workload=_only(seed, [bad]),
                alertmanager__urls=[manager.url], alertmanager__resend_interval="3s")
    play.clean_up += [hook.stop, manager.kill_if_running]
    agent = play.begin(feed_s=1)
    play.feeder.end()
    failures = [("PipelineFailure", bad.app_name), ("PipelineFailure", "another")]
    wait_until("the alert", lambda: _heard(hook, "firing")[failures[0]], 30, 0.1)
    _kill_while(play, agent, 3)
    _feed_dead(play, agent, worse)
    wait_until("the other alert", lambda: _heard(hook, "firing")[failures[1]], 30, 0.1)
    time.sleep(4)  # a resend
    play.check("alerts", _as_often("fired", _heard(hook, "firing"), 1))
    manager.kill()
    time.sleep(play.random.uniform(0.5, 2))
    manager.start()  # without memory: it is told, and tells, again
    wait_until("both alerts at the new Alertmanager",
               lambda: all(_heard(hook, "firing")[failure] == 2 for failure in failures), 20, 0.1)
    _kill_while(play, agent, 1)
    play.check("alerts", _as_often("fired", _heard(hook, "firing"), 2) +
               [f"resolved: {alert}" for alert in _heard(hook, "resolved")])
    for log in (bad, worse):
        name = log.app_name if log is bad else "another"
        _feed_dead(play, agent, Log.fixture("ok_groupby").copy(
            f"app-good-{name}", name, later_ms=60 * MINUTE_MS), 3)
    wait_until("the end of the alerts", lambda: all(_heard(hook, "resolved")[failure] for failure in failures),
               30, 0.1)
    time.sleep(4)
    play.check("alerts", _as_often("resolved", _heard(hook, "resolved"), 1) +
               _as_often("fired", _heard(hook, "firing"), 2))
    play.check("alerts", [f"{alert['labels']['alertname']} ran out, nobody told its end"
                          for alert in hook.alerts(status="resolved") if alert["endsAt"][:19] > begun])
    play.notes.append(f"{len(_heard(hook, 'firing'))} alerts")
    _end_well(play)
    return play


def _end_well(play):
    play.codes |= play.ground.stop()
    play.check("I7", i7_logs(play.ground.agents))
    play.check("I8", i8_exits(play.codes))
    play.check("repeats", repeats(Look(play.ground)))


TICK_MS, SILENCE_S = 1000, 5  # a partition is idle after so long without a message
LAST_MS = 57_000  # so far after the silent ones the neighbour ends: the rest of the minute is ticks


def _silent_and_neighbour():
    """Runs without an end, and one whose events move time on until a few ticks are missing."""
    logs = [Log.fixture("ok_groupby").copy(f"application_1_{i:04d}", f"silent-{name}")
            for i, name in enumerate(("a", "b", "c", "d"))]
    for log in logs:
        log.lines = log.lines[:-3]
    other = Log.fixture("ok_join")
    shift_ms = _last_ms(logs[0]) + LAST_MS - _last_ms(other)
    return logs, other.copy("application_1_9999", "neighbour", later_ms=shift_ms)


def _last_ms(log):
    return max(int(t) for line in log.lines for t in TIME.findall(line))


def ticks(seed):
    """F14: silent runs of an idle partition get lost, each once, though the agent is killed meanwhile."""
    logs, other = _silent_and_neighbour()
    play = Play("ticks", seed, workload=_only(seed, [*logs, other]), agent__tick=f"{TICK_MS}ms",
                limits__idle="1m", limits__grace="1m")
    agent = play.begin(feed_s=1)
    play.feeder.end()
    topic, begun = play.ground.topics["runs"], time.monotonic()
    while time.monotonic() - begun < 60 and len(_lost(play, topic)) < len(logs):
        agent.wait_ready()
        time.sleep(SILENCE_S + play.random.uniform(0.5, 2))  # one tick or two in each life
        play.kill_and_restart(agent)
    agent.wait_ready()
    time.sleep(SILENCE_S + 3)
    lost = _lost(play, topic)
    play.check("F14", [] if len(lost) == len(logs) else [f"{len(lost)} of {len(logs)} silent runs are lost"])
    play.check("F14", [f"{run} was lost {count} times" for run, count in lost.items() if count != 1])
    _end_well(play)
    play.check("F14", _positions(play))
    return play


def _positions(play):
    """Every tick is in a position once, and time never goes back."""
    wrong, most = [], 0
    state = play.ground.topics["state_applications"]
    for part, records in read_all(play.ground.bootstrap, [state]).records.items():
        found = [position(seen.value) for seen in records if seen.key == POSITION_KEY]
        for before, after in zip(found, found[1:]):
            wrong += [f"{part}: {name} goes from {before[name]} to {after[name]}"
                      for name in before if after[name] < before[name]]
            steps = after["ticks"] - before["ticks"]
            if after["offset"] == before["offset"] and after["time_ms"] - before["time_ms"] != steps * TICK_MS:
                wrong.append(f"{part}: {steps} ticks moved time from {before['time_ms']} to {after['time_ms']}")
        most = max([most, *(at["ticks"] for at in found)])
    play.notes.append(f"{most} ticks")
    return wrong + ([] if most else ["no tick is in any position"])


def _lost(play, topic):
    found = collections.Counter()
    for seen in read_all(play.ground.bootstrap, [topic]).of(topic):
        record, _ = decoded(seen)
        if record["status"] == "lost":
            found[record["app_id"]] += 1
    return found


SCENARIOS = {"alert-survives": alert_survives, "ticks": ticks}
