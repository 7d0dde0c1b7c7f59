"""SQL plans for the oracle: which accumulator ids mean scan time, scanned rows and file sizes.

Used by oracle_state.py. An id once named keeps its meaning although later plans drop the node:
the values arrived while the node existed. It must never follow names found elsewhere (the names in
TaskEnd are not unique); ids are joined to plans only.
"""

from oracle_log import identifier, table, text

SCAN_PREFIXES = (
    "Scan ",
    "BatchScan",
    "GpuScan",
    "GpuBatchScan",
    "PhotonScan",
    "FileScan",
    "MicroBatchScan",
)
ROW_METRICS = ("number of output rows", "output rows")
NS_PER_UNIT = {"timing": 1_000_000, "nsTiming": 1}


def is_scan(node_name):
    """True for a plan node that reads a source."""
    return node_name.startswith(SCAN_PREFIXES) or node_name == "LocalTableScan"


class PlanIds:
    """The accumulator ids of all plans of a run that the rules need."""

    def __init__(self):
        self.scan_time = {}  # id -> nanoseconds per unit
        self.scan_rows = set()
        self.file_size = set()

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
            self.add_metrics(node.get("metrics"), text(node.get("nodeName")))
            children = node.get("children")
            waiting.extend(children if isinstance(children, list) else ())
