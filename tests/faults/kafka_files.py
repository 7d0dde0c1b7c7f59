"""Looking into the files of a broker: whether it wrote the marker of every transaction.

Used by the scenario that kills a single node: killed between "prepare" and the markers of a transaction, it
may forget some of them (seen on 4.3.1), after an abort as well as after a commit. Then what was aborted
becomes visible with that producer's next transaction, and no client can do anything about it. Understands
no more of a segment than the heads of its record batches.
"""

import struct

HEAD = struct.Struct(">qiibiHiqqqhii")  # of a record batch, magic 2
TRANSACTIONAL, CONTROL = 0x10, 0x20


def batches(segment):
    """(offset, producer id, epoch, is a marker) of the transactional batches in a segment."""
    data, at = segment.read_bytes(), 0
    while at + HEAD.size <= len(data):
        offset, length, _, magic, _, attributes, _, _, _, producer, epoch, _, _ = HEAD.unpack_from(data, at)
        if length <= 0 or magic != 2:  # preallocated, or cut off
            return
        if attributes & TRANSACTIONAL:
            yield offset, producer, epoch, bool(attributes & CONTROL)
        at += 12 + length


def forgotten_markers(data_dir, topics):
    """Lines for each partition in which a producer began anew (its epoch rose, for which all markers must be
    written first) while a transaction of its earlier epoch was open."""
    lines = []
    for folder in sorted(data_dir.iterdir()):
        if folder.name.rpartition("-")[0] not in topics:
            continue
        begun = {}  # producer id -> (epoch, offset) of its open transaction
        for segment in sorted(folder.glob("*.log")):
            for offset, producer, epoch, marker in batches(segment):
                if marker:
                    begun.pop(producer, None)
                    continue
                before, since = begun.setdefault(producer, (epoch, offset))
                if before < epoch:
                    lines.append(f"{folder.name}: producer {producer} wrote with epoch {epoch} at {offset}, no marker "
                                 f"ended what it began with epoch {before} at {since}")
                    begun[producer] = epoch, offset
    return lines
