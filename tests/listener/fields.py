"""A run's events on the topic against its event log, event by event and field by field: what only one side has, and where both
have it and differ. Knows nothing of what should be: that is the table of test_events.py.
"""

import collections

# Objects of the user's names: all keys are one field, so that a property does not become a row.
MAPS = {"Properties", "Spark Properties", "System Properties", "Hadoop Properties", "JVM Information", "Classpath Entries",
        "Metrics Properties", "modifiedConfigs", "Attributes", "Log Urls", "metadata", "Task Resource Requests",
        "Executor Resource Requests", "durationMs", "customMetrics", "eventTime", "observedMetrics"}
# What tells one event from the others of its type. Those of the same identity are taken in their order.
IDENTITY = (("Stage ID",), ("Stage Attempt ID",), ("Task Info", "Task ID"), ("Stage Info", "Stage ID"),
            ("Stage Info", "Stage Attempt ID"), ("Job ID",), ("executionId",), ("RDD ID",), ("Executor ID",),
            ("Block Manager ID", "Executor ID"), ("Resource Profile Id",), ("runId",), ("progress", "runId"), ("progress", "batchId"))
# Ids of what stands in lists, whose order means nothing then: Spark keeps most of them in maps.
LIST_IDS = ("ID", "accumulatorId", "RDD ID", "Stage ID")
ONLY_TOPIC, ONLY_LOG, DIFFERS, EMPTIED = "only on the topic", "only in the log", "differs", "empty on the topic"

Difference = collections.namedtuple("Difference", "event field side")  # field "": the event itself


def differences(topic, log):
    """Counter of Difference -> how many events of two lists show it."""
    found = collections.Counter()
    sides = [_by_identity(topic), _by_identity(log)]
    for identity in sorted(set(sides[0]) | set(sides[1]), key=repr):
        here, there = sides[0][identity], sides[1][identity]
        name = identity[0]
        for a, b in zip(here, there):
            found.update({Difference(name, *place) for place in _places(a, b, "")})
        found[Difference(name, "", ONLY_TOPIC)] += max(0, len(here) - len(there))
        found[Difference(name, "", ONLY_LOG)] += max(0, len(there) - len(here))
    return +found


def short(name):
    """An event's name without package and SparkListener."""
    return name.rsplit(".", 1)[-1].rsplit("$", 1)[-1].removeprefix("SparkListener") or name


def _by_identity(events):
    found = collections.defaultdict(list)
    for event in events:
        found[short(event["Event"]), *(_at(event, path) for path in IDENTITY)].append(event)
    return found


def _at(event, path):
    for key in path:
        event = event.get(key) if isinstance(event, dict) else None
    return event if not isinstance(event, (dict, list)) else None


def _places(topic, log, path):
    """(field, side) of each place where two values differ."""
    if topic == log:
        return
    if isinstance(topic, dict) and isinstance(log, dict):
        for key in sorted(set(topic) | set(log)):
            # A plan is a tree: its nodes are one field, however deep.
            inner = f"{path}.{key}".replace("children[].children[]", "children[]") if path else key
            if path.rsplit(".", 1)[-1].removesuffix("[]") in MAPS:
                inner = path + ".*"
            if key not in log:
                yield inner, ONLY_TOPIC
            elif key not in topic:
                yield inner, ONLY_LOG
            else:
                yield from _places(topic[key], log[key], inner)
    elif isinstance(topic, list) and isinstance(log, list):
        pairs = list(_paired(topic, log))
        for a, b in pairs:
            yield from _places(a, b, path + "[]")
        if len(topic) > len(pairs):
            yield path + "[]", ONLY_TOPIC
        if len(log) > len(pairs):
            yield path + "[]", ONLY_LOG
    else:
        yield path, EMPTIED if topic == "" and isinstance(log, str) else DIFFERS


def _paired(topic, log):
    """Elements of two lists that are about the same thing: by their id if they have one, else by their place."""
    for key in LIST_IDS:
        by_id = [{item[key]: item for item in items if isinstance(item, dict) and key in item} for items in (topic, log)]
        if topic and log and len(by_id[0]) == len(topic) and len(by_id[1]) == len(log):
            return [(by_id[0][id_], by_id[1][id_]) for id_ in by_id[0] if id_ in by_id[1]]
    return zip(topic, log)
