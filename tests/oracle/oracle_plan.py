"""SQL plans for the oracle: which accumulator ids mean scan time, scanned rows and file sizes.

Used by oracle_state.py. An id once named keeps its meaning although later plans drop the node:
the values arrived while the node existed. It must never follow names found elsewhere (the names in
TaskEnd are not unique); ids are joined to plans only.
"""

from oracle_log import identifier, table, text

LOCAL_SCANS = ("ExistingRDD", "OneRowRelation")
ROW_METRICS = ("number of output rows", "output rows")
NS_PER_UNIT = {"timing": 1_000_000, "nsTiming": 1}


def is_scan(node_name):
    """True for a plan node that reads a source."""
    word = node_name.split(" ")[0].split("[")[0]
    scan = word.endswith("Scan") or ("Scan" in word and word.endswith("Transformer"))
    return scan and "InMemory" not in word


def is_local(node_name):
    """True for a scan of rows that no source holds."""
    words = node_name.split() + ["", ""]
    unnamed = words[:2] == ["Scan", ""]  # an RDD of objects
    return unnamed or "LocalTableScan" in words[0] or words[1].startswith(LOCAL_SCANS)


def makes_rows(node_name):
    """True for a node whose rows are made, not read."""
    word = node_name.split(" ")[0]
    return word.endswith("Range") or word == "RangeExecTransformer"


def is_own_size(name, metric_type):
    """True for a metric by which a source tells a size of its own, beside Spark's of files."""
    if "TotalDataFileSize" in metric_type or name.startswith("total data file size"):
        return True
    return name == "bytes_scanned"


class PlanIds:
    """The accumulator ids of all plans of a run that the rules need."""

    def __init__(self):
        self.scan_time = {}  # id -> nanoseconds per unit
        self.scan_rows = set()  # of any scan
        self.source_rows = set()  # of those, of scans that read a source
        self.sized_rows = set()  # of those, of sources that tell a size
        self.file_size = set()
        self.source_size = set()
        self.unsized = False  # rows that nobody tells a size of are read or made somewhere

    def add_scan(self, node):
        """Which of its ids count rows of a source, and whether it tells a size."""
        name = text(node.get("nodeName"))
        if is_local(name) or not (is_scan(name) or makes_rows(name)):
            return
        rows, sized = set(), False
        metrics = node.get("metrics")
        for entry in metrics if isinstance(metrics, list) else ():
            entry = table(entry)
            accumulator = identifier(entry.get("accumulatorId"))
            metric_name = text(entry.get("name"))
            if accumulator is None:
                continue
            if metric_name in ROW_METRICS:
                rows.add(accumulator)
            elif is_own_size(metric_name, text(entry.get("metricType"))):
                sized = True
                if is_scan(name):
                    self.source_size.add(accumulator)
            elif metric_name == "size of files read":
                sized = True
        self.unsized = self.unsized or (bool(rows) and not sized)
        if is_scan(name):
            rows -= self.scan_rows  # an id keeps what it was named first
            self.source_rows |= rows
            self.sized_rows |= rows if sized else set()

    def add_metrics(self, metrics, node_name):
        """Take a `metrics` list; node_name is None where no node is known."""
        for entry in metrics if isinstance(metrics, list) else ():
            entry = table(entry)
            accumulator = identifier(entry.get("accumulatorId"))
            if accumulator is None:
                continue
            name = text(entry.get("name"))
            if name == "scan time" and entry.get("metricType") in NS_PER_UNIT:
                self.scan_time[accumulator] = NS_PER_UNIT[entry["metricType"]]
            elif name == "size of files read":
                self.file_size.add(accumulator)
            elif name in ROW_METRICS and node_name is not None and is_scan(node_name):
                self.scan_rows.add(accumulator)

    def add_plan(self, root):
        """Take a sparkPlanInfo tree of any depth."""
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if not isinstance(node, dict):
                continue
            self.add_scan(node)
            self.add_metrics(node.get("metrics"), text(node.get("nodeName")))
            children = node.get("children")
            waiting.extend(children if isinstance(children, list) else ())
