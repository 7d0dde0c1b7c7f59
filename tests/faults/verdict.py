"""What must hold after a run, as named checks I1 to I8: each gives the lines that are wrong, none if it
holds. The truth is an uninterrupted run of the same agent on the same input.

Used by play.py; pure functions over what kafka_look.py read, so that they can be tested on made-up
records (test_verdict.py). Must never be lenient about a single byte.
"""

import collections

from records import Codec

POSITION_KEY = b"#pos"
SHOWN = 8
STAGE_1 = ("runs", "bottlenecks", "recommendations")  # the last one but for what became of them
_codec = Codec()


def decoded(seen):
    """The record, or None with a reason."""
    try:
        return _codec.decode(seen.value)[1], None
    except Exception as error:  # pylint: disable=broad-except  # whatever fastavro raises
        return None, f"{type(error).__name__}: {error}"


def is_outcome(seen):
    """What became of a recommendation, which is stage 2's word. A release without the field has it in the text alone."""
    record, _ = decoded(seen)
    return bool(record and (record.get("outcome") or record.get("action", "").startswith(("Applied: ", "Withdrawn: "))))


def _where(seen):
    return f"{seen.topic} {seen.partition}@{seen.offset}"


def sequences(records):
    """(key, run id) -> its values in order; records of different runs may interleave as they like,
    those of one run may not be in two partitions."""
    found, places, wrong = collections.defaultdict(list), collections.defaultdict(set), []
    for seen in records:
        record, error = decoded(seen)
        if error:
            wrong.append(f"{_where(seen)}: {error}")
            continue
        found[seen.key, record["run_id"]].append(seen.value)
        places[seen.key, record["run_id"]].add(seen.partition)
    wrong += [f"{key}: in partitions {sorted(where)}" for key, where in places.items() if len(where) > 1]
    return found, wrong


def _value_words(value):
    record, error = decoded(type("V", (), {"value": value}))
    if error:
        return f"{len(value)} bytes ({error})"
    return ", ".join(f"{name} {record[name]}" for name in ("id", "kind", "state", "status", "revision")
                     if name in record)


def compare_sequences(topic, truth, found):
    """Lines for each key whose values differ, at the first place where they do."""
    lines = []
    for key in sorted(set(truth) | set(found), key=str):
        a, b = truth.get(key, []), found.get(key, [])
        if a == b:
            continue
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        more = collections.Counter(b) - collections.Counter(a)
        less = collections.Counter(a) - collections.Counter(b)
        words = f"{topic} {key}: {len(b)} records, {len(a)} wanted, {sum(less.values())} missing, " \
                f"{sum(more.values())} too many; first difference at {at}: "
        words += f"has [{_value_words(b[at])}]" if at < len(b) else "ends"
        words += f", wanted [{_value_words(a[at])}]" if at < len(a) else ", wanted nothing more"
        lines.append(words)
    return lines


def dead_letters(records, events_topic, strangers=()):
    """(partition, offset) -> list of (key, value, reason) of letters about the events topic; lines about
    any other: of the runs topic only what strangers wrote, (topic, partition, offset), is unreadable, and
    each has its letter."""
    found, wrong, about = collections.defaultdict(list), [], collections.Counter()
    for seen in records:
        headers = dict(seen.headers)
        source = headers.get("stoker.source.topic", b"").decode()
        whole = (source, int(headers.get("stoker.source.partition", -1)), int(headers.get("stoker.source.offset", -1)))
        if whole in strangers:
            about[whole] += 1
            continue
        if source != events_topic:
            wrong.append(f"{_where(seen)}: a dead letter from {source!r}: {headers}")
            continue
        place = (int(headers["stoker.source.partition"]), int(headers["stoker.source.offset"]))
        found[place].append((seen.key, seen.value, headers.get("stoker.error.reason")))
    wrong += [f"{place}: {about[place]} letters" for place in sorted(strangers) if about[place] != 1]
    return found, wrong


def _by_letter(letters):
    """The same without where they lay: letter -> one entry for each."""
    found = collections.defaultdict(list)
    for same_place in letters.values():
        for letter in same_place:
            found[letter].append(letter)
    return found


def i1_outputs(truth, found, strangers=(), anew=False):
    """Stage 1 says what it says uninterrupted. Both: Look objects (play.py). anew: the input was made anew
    meanwhile, so where dead letters lay says nothing."""
    lines = []
    for name in STAGE_1:
        want, _ = sequences(seen for seen in truth.of(name) if not is_outcome(seen))
        have, wrong = sequences(seen for seen in found.of(name)
                                if (seen.topic, seen.partition, seen.offset) not in strangers and not is_outcome(seen))
        lines += wrong + compare_sequences(name, want, have)
    want, _ = dead_letters(truth.of("dlq"), truth.topics["events"])
    have, wrong = dead_letters(found.of("dlq"), found.topics["events"], strangers)
    lines += wrong
    if anew:
        want, have = _by_letter(want), _by_letter(have)
    lines += [f"dlq: {place}: {len(have.get(place, []))} letters, {len(want.get(place, []))} wanted"
              for place in sorted(set(want) | set(have), key=str) if want.get(place) != have.get(place)]
    if not any(want.values()) or not truth.of("bottlenecks"):
        lines.append("the truth itself is empty")
    return lines


def i2_downstream(during, final, compacted=()):
    """Who read along saw exactly what is there in the end. Both: (topic, partition) -> records. Of a
    topic that is compacted meanwhile, only what is left; and both must say the same."""
    lines = []
    for part in sorted(set(during) | set(final)):
        a, b = during.get(part, []), final.get(part, [])
        if part[0] in compacted:
            if replayed(a) != replayed(b):
                lines.append(f"{part}: what is left says something else than what was seen")
            left = {seen.offset for seen in b}
            a = [seen for seen in a if seen.offset in left]
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            lines.append(f"{part}: saw {len(a)} records, {len(b)} are there; first difference at {at}: saw "
                         f"{_where(a[at]) if at < len(a) else 'no more'}, "
                         f"there is {_where(b[at]) if at < len(b) else 'no more'}")
    return lines


def i3_windows(truth, found):
    """Stage 2 says what it says uninterrupted about the same recorded runs topic."""
    tables = []
    for look in (truth, found):
        table = collections.defaultdict(list)
        for seen in look.of("windows"):
            table[seen.key, "windows"].append(seen.value)
        for seen in look.of("recommendations"):
            if is_outcome(seen):
                table[seen.key, "outcomes"].append(seen.value)
        tables.append(table)
    lines = compare_sequences("stage 2", *tables)
    if not truth.of("windows"):
        lines.append("no window was published at all")
    return lines


def replayed(records):
    """(partition, key) -> newest value of a changelog; what was deleted is not there."""
    table = {}
    for seen in records:
        table.pop((seen.partition, seen.key), None)
        if seen.value is not None:
            table[seen.partition, seen.key] = seen.value
    return table


def i4_state(topic, truth, found):
    """The changelog says what the uninterrupted one says; positions are I5's."""
    want, have = replayed(truth.of(topic)), replayed(found.of(topic))
    lines = []
    for place in sorted(set(want) | set(have)):
        if place[1] != POSITION_KEY and want.get(place) != have.get(place):
            a, b = want.get(place), have.get(place)
            lines.append(f"{topic} {place}: " + ("only in the uninterrupted run" if b is None else
                                                 "not in the uninterrupted run" if a is None else
                                                 f"{len(b)} bytes {b[:40].hex()}, "
                                                 f"wanted {len(a)} bytes {a[:40].hex()}"))
    if not want:
        lines.append(f"{topic}: the truth itself is empty")
    return lines


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return value, at


def position(value):
    """{offset, time_ms, ticks, shift} of a #pos value: a version byte, then numbered fields, these zigzag numbers."""
    names, found, at = {1: "offset", 2: "time_ms", 3: "ticks", 4: "shift"}, {}, 1
    if not value or value[0] != 1:
        raise ValueError(f"a position of version {value[:1].hex()}")
    while at < len(value):
        number, at = _varint(value, at)
        length, at = _varint(value, at)
        raw, end = _varint(value, at) if number in names else (0, at + length)
        if end != at + length or end > len(value):
            raise ValueError(f"field {number} of a position is damaged")
        found[names.get(number, number)] = (raw >> 1) ^ -(raw & 1)
        at = end
    return {name: found.get(name, 0) for name in names.values()}


def i5_positions(found, positions, ends, ticks=False):
    """The group's offset is the state's and the input's end. positions, ends: (topic, partition) ->
    offset; in the runs topic, the end is after the last record that counts, markers may follow."""
    lines = []
    last = {(seen.topic, seen.partition): seen.offset + 1 for seen in found.of("runs")}
    for input_name, state in (("events", "state_applications"), ("runs", "state_pipelines")):
        topic, exact = found.topics[input_name], input_name == "events"
        kept = {partition: value for (partition, key), value in replayed(found.of(state)).items()
                if key == POSITION_KEY}
        for part in sorted(p for p in ends if p[0] == topic):
            at, end = positions.get(part), ends[part]
            least = end if exact else last.get(part, 0)
            if not least <= (at or 0) <= end:
                lines.append(f"{part}: the group is at {at}, the end is {least}")
            if at is None and part[1] not in kept:
                continue
            try:
                pos = position(kept.get(part[1], b""))
            except (ValueError, IndexError) as error:
                lines.append(f"{part}: {POSITION_KEY.decode()} in {state}: {error}")
                continue
            if pos["offset"] != at:
                lines.append(f"{part}: the group is at {at}, its state at {pos['offset']}")
            if pos["ticks"] and not ticks:
                lines.append(f"{part}: {pos['ticks']} ticks, though they are off")
    return lines


def i7_logs(agents):
    """No agent said that state and position disagree, none was stopped by a sanitizer."""
    bad = ("state_mismatch", "AddressSanitizer", "LeakSanitizer", "runtime error:", "require failed")
    return [f"{agent.name}: {line[:300]}" for agent in agents for line in agent.log().splitlines()
            if any(word in line for word in bad)]


def i8_exits(codes):
    """SIGTERM ends every agent with 0."""
    return [f"{name}: exit code {code}" for name, code in codes.items() if code != 0]


def _repeated(found):
    """(topic's name, id, revision) -> where it comes again, or after a later one."""
    again = {}
    for name in STAGE_1:
        newest = {}
        for seen in found.of(name):
            record, error = decoded(seen)
            if error:
                continue  # told by I1
            identity = record.get("id", record["run_id"])
            if record["revision"] <= newest.get(identity, -1):
                again[name, identity, record["revision"]] = f"{_where(seen)}, newest before: {newest[identity]}"
            newest[identity] = max(record["revision"], newest.get(identity, -1))
    return again


def repeats(found, truth=None):
    """No (id, revision) twice anywhere, revisions rise; but for what the uninterrupted run repeats, too: events
    that come after a run was let go begin it anew, with faults or without."""
    known = _repeated(truth) if truth else {}
    return [f"{where}: {name} {identity} revision {revision} comes again"
            for (name, identity, revision), where in _repeated(found).items()
            if (name, identity, revision) not in known]


def shown(lines):
    """At most a handful of them."""
    return lines[:SHOWN] + ([f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])
