"""From what Stoker prints to what is changed: settings as they stand, and of the lines of code those that the job has a place for. It
must add nothing of its own and leave out nothing that can be applied."""

import json
import re
import subprocess
from dataclasses import dataclass, field

from registry import SNIPPETS


@dataclass
class Advice:
    """What Stoker said of a run, and what of it can be applied to the job."""

    kinds: list = field(default_factory=list)         # of advice, the dearest first
    settings: dict = field(default_factory=dict)      # of its set
    instead: dict = field(default_factory=dict)       # that would fit instead of what the run itself sets
    lines: dict = field(default_factory=dict)         # name of SNIPPETS -> the number in it, or True
    words: list = field(default_factory=list)         # kinds that came with nothing to apply
    saving_s: float = 0                               # that all of it promises at most
    applied_saving_s: float = 0                       # those of it that something of was applied

    def applies(self):
        """Whether anything is there to be changed."""
        return bool(self.settings or self.instead or self.lines)

    def conf(self, own):
        """The job's own settings with those that were advised."""
        return {**own, **self.settings, **self.instead}


def number_in(match):
    """The number that a line hands over; True if there is none in it."""
    return int(match.group(1)) if match.re.groups else True


def lines_of(job, piece):
    """The lines of one piece of advice that the job has a place for."""
    found = {}
    for name in job.answers:
        kinds, pattern = SNIPPETS[name]
        match = re.search(pattern, piece.get("code") or "")
        if match and piece["kind"] in kinds:
            found[name] = number_in(match)
    return found


def understand(job, said):
    """What `stoker advise --format json` said of a run of the job, a parsed object."""
    advice = Advice(settings=dict(said["settings"]))
    for piece in sorted(said["recommendations"], key=lambda r: -r["saving_s"]):
        lines = lines_of(job, piece)
        instead = {key: it["fits"] for key, it in piece.get("set_on_purpose", {}).items() if not it.get("by_program")}
        given = {key for key in piece["settings"] if key in advice.settings}
        advice.kinds.append(piece["kind"])
        advice.saving_s += piece["saving_s"]
        if lines or instead or given:
            advice.applied_saving_s += piece["saving_s"]
        else:
            advice.words.append(piece["kind"])
        for name, number in lines.items():
            advice.lines.setdefault(name, number)
        for key, value in instead.items():
            advice.instead.setdefault(key, value)
    return advice


def ask(stoker, job, log):
    """Lets Stoker judge a run: Advice, and the loud verdicts as text."""
    def call(*args):
        return json.loads(subprocess.run([stoker, *args, "--format", "json", log], check=True, capture_output=True, text=True).stdout)
    judged = call("analyze")
    loud = [b for b in judged["bottlenecks"] if b.get("severity") in ("moderate", "severe", "critical")]
    loud.sort(key=lambda b: -b["saving_s"])
    kinds = dict.fromkeys(b["kind"] + (f" ({b['cause']})" if b.get("cause") not in (None, "", "none") else "") for b in loud)
    return understand(job, call("advise")), list(kinds)


def ignored(advice, run):
    """Settings that were given to a run and do not stand in its log as they were given."""
    return sorted(key for key, value in {**advice.settings, **advice.instead}.items() if run.properties.get(key) != value)
