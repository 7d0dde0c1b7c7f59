"""The statistics: pairs of runs, with and without advice, that were made one after the other. It must not call noise an effect."""

import statistics
from dataclasses import dataclass

LEAST = 0.05  # what changes less than that is no effect


@dataclass
class Spread:
    """Of several values."""

    median: float
    low: float
    high: float

    def inverse(self):
        """Of ratios: how many times as fast."""
        return Spread(1 / self.median, 1 / self.high, 1 / self.low)


def spread(values):
    """Median, least and most."""
    return Spread(statistics.median(values), min(values), max(values))


@dataclass
class Change:
    """What advice did to a job."""

    before: Spread        # seconds of the application
    after: Spread
    before_work: Spread   # of them, without Spark's start
    after_work: Spread
    before_cpu: Spread    # seconds of all its processes' processor time
    after_cpu: Spread
    ratio: Spread         # after / before, pair by pair
    work_ratio: Spread    # the same without Spark's start
    effect: str           # faster, slower or none

    def saved_s(self):
        """Seconds less, medians."""
        return self.before.median - self.after.median


def effect_of(ratios):
    """faster or slower only if every pair says so, and the middle one clearly."""
    middle = statistics.median(ratios)
    if max(ratios) < 1 and middle <= 1 - LEAST:
        return "faster"
    if min(ratios) > 1 and middle >= 1 + LEAST:
        return "slower"
    return "none"


def change(before, after):
    """Of runs in pairs, in their order."""
    pairs = list(zip(before, after, strict=True))
    ratios = [b.app_s / a.app_s for a, b in pairs]
    return Change(spread([r.app_s for r in before]), spread([r.app_s for r in after]), spread([r.work_s for r in before]),
                  spread([r.work_s for r in after]), spread([r.cpu_s for r in before]), spread([r.cpu_s for r in after]),
                  spread(ratios), spread([b.work_s / a.work_s for a, b in pairs]), effect_of(ratios))


@dataclass
class Total:
    """Of several jobs, each counted once by its medians."""

    before_s: float
    after_s: float
    before_cpu_s: float
    after_cpu_s: float
    throughput: float  # geometric mean of the jobs' own ratios, so that no long job outweighs the others
    before_work_s: float  # without Spark's start
    after_work_s: float
    work_throughput: float

    def saved(self):
        """Share of the time."""
        return 1 - self.after_s / self.before_s

    def work_saved(self):
        """Share of the time without Spark's start."""
        return 1 - self.after_work_s / self.before_work_s


def total(changes):
    """None if there are none."""
    if not changes:
        return None
    return Total(sum(c.before.median for c in changes), sum(c.after.median for c in changes),
                 sum(c.before_cpu.median for c in changes), sum(c.after_cpu.median for c in changes),
                 statistics.geometric_mean([1 / c.ratio.median for c in changes]),
                 sum(c.before_work.median for c in changes), sum(c.after_work.median for c in changes),
                 statistics.geometric_mean([1 / c.work_ratio.median for c in changes]))


def verdict_on(saving_s, measured_s):
    """What was promised at most against what was measured."""
    if measured_s <= 0:
        return "nothing came of it"
    if saving_s <= 0:
        return "not promised"
    if measured_s > 1.1 * saving_s:
        return f"more than promised, {measured_s / saving_s:.1f} times"
    return f"{100 * measured_s / saving_s:.0f} % of it"
