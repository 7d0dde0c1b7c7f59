"""What was measured, as Markdown and JSON. It must show what did nothing and what hurt as plainly as what helped."""

import dataclasses
import json

import measure


def with_spread(s, digits=1):
    """12.3 (11.9-12.8), or one value alone."""
    one = f"{s.median:.{digits}f}"
    return one if s.low == s.high else f"{one} ({s.low:.{digits}f}-{s.high:.{digits}f})"


def changed(outcome):
    """What was applied, in a few words."""
    a = outcome.advice
    parts = [f"`{key.removeprefix('spark.')}={value}`" for key, value in {**a.settings, **a.instead}.items()]
    parts += [f"line `{name}`" + (f" {number}" if number is not True else "") for name, number in a.lines.items()]
    return ", ".join(parts) or "nothing"


def line(outcome):
    """How a job went, while others are still to come."""
    runs, c = outcome.runs, outcome.change
    went = outcome.why or (f"{c.before.median:.1f} s -> {c.after.median:.1f} s" if c else f"{runs[0][1].app_s:.1f} s")
    return f"{outcome.job.name}: {went}; found {', '.join(outcome.found) or 'nothing'}; applied {changed(outcome)}"


def row(cells):
    """Of a table."""
    return "| " + " | ".join(cells) + " |"


def measured_table(outcomes):
    """What it came to, a row a job."""
    lines = [row(["job", "before, s", "after, s", "rows/s", "core-seconds", "times as fast", "without Spark's start, s", "times as fast",
                  "effect"]), "|---|--:|--:|--:|--:|--:|--:|--:|---|"]
    for o in outcomes:
        c = o.change
        if c is None:
            lines.append(row([f"`{o.job.name}`", *[""] * 7, o.why.split(":")[0] or "nothing to apply"]))
            continue
        rate = f"{o.job.rows / c.before.median:,.0f} -> {o.job.rows / c.after.median:,.0f}"
        lines.append(row([f"`{o.job.name}`", with_spread(c.before), with_spread(c.after), rate,
                          f"{c.before_cpu.median:.0f} -> {c.after_cpu.median:.0f}", with_spread(c.ratio.inverse(), 2),
                          f"{c.before_work.median:.1f} -> {c.after_work.median:.1f}", with_spread(c.work_ratio.inverse(), 2), c.effect]))
    return lines


def advice_table(outcomes):
    """What was found and applied, and what it promised."""
    lines = [row(["job", "what is wrong", "found", "applied", "only words", "promised at most, s", "measured, s", ""]),
             "|---|---|---|---|---|--:|--:|---|"]
    for o in outcomes:
        saved = f"{o.change.saved_s():.1f}" if o.change else ""
        kept = measure.verdict_on(o.advice.applied_saving_s, o.change.saved_s()) if o.change else ""
        once = f"; once beforehand: {o.once_s:.0f} s" if o.once_s else ""
        lines.append(row([f"`{o.job.name}`", o.job.wrong or "nothing", ", ".join(o.found) or "nothing", changed(o) + once,
                          ", ".join(o.advice.words), f"{o.advice.applied_saving_s:.1f}", saved, kept]))
    return lines


def total_line(what, outcomes):
    """One sentence on several jobs."""
    t = measure.total([o.change for o in outcomes if o.change])
    if t is None:
        return f"{what}: nothing was measured."
    effects = [o.change.effect for o in outcomes if o.change]
    return (f"{what}: {t.before_s:.0f} s -> {t.after_s:.0f} s, {100 * t.saved():.0f} % of the time saved, {t.throughput:.2f} times the "
            f"throughput (geometric mean), {t.before_cpu_s:.0f} -> {t.after_cpu_s:.0f} core-seconds; without Spark's start "
            f"{t.before_work_s:.0f} s -> {t.after_work_s:.0f} s, {100 * t.work_saved():.0f} % of the time saved, {t.work_throughput:.2f} "
            f"times the throughput; {effects.count('faster')} faster, "
            f"{effects.count('none')} without effect, {effects.count('slower')} slower, of {len(outcomes)}.")


def markdown(bad, healthy, how):
    """All of it."""
    return "\n".join([how, "", total_line("Bad jobs", bad), "", *measured_table(bad), "", *advice_table(bad), "",
                      total_line("Healthy jobs of which something was advised", healthy), "",
                      *measured_table(healthy), "", *advice_table(healthy), ""])


def as_json(outcomes, how):
    """The same for programs, with every single run."""
    def one(o):
        return {"job": o.job.name, "wrong": o.job.wrong, "rows": o.job.rows, "own": o.job.conf, "why": o.why, "found": o.found,
                "once_s": o.once_s, "advice": dataclasses.asdict(o.advice),
                "change": dataclasses.asdict(o.change) if o.change else None,
                "runs": [{"advised": advised, "app_s": r.app_s, "wall_s": round(r.wall_s, 3), "cpu_s": round(r.cpu_s, 2),
                          "others": round(r.others, 2), "good": r.good} for advised, r in o.runs]}
    t = measure.total([o.change for o in outcomes if o.change and o.job.wrong])
    return json.dumps({"how": how, "total": dataclasses.asdict(t) if t else None, "jobs": [one(o) for o in outcomes]}, indent=1)
