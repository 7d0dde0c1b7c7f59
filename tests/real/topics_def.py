"""The topics the agent works with, as include/model/topics.def has them: setting's name -> use."""

import re

from processes import ROOT, PartError

ROW = re.compile(r'^TOPIC\(\w+,\s*"(\w+)",\s*"[^"]+",\s*TOPIC_(\w+),', re.M)
USE_OF = dict(ROW.findall((ROOT / "include/model/topics.def").read_text()))


def topics_of(*uses):
    """Names in the order of their rows."""
    return tuple(name for name, use in USE_OF.items() if use in uses)


INPUTS = topics_of("INPUT")
RECORDS = topics_of("LINK", "OUTPUT")
OUTPUTS = topics_of("LINK", "OUTPUT", "DEAD_LETTERS")
STATES = topics_of("STATE")
TOPICS = tuple(USE_OF)
if not (INPUTS and RECORDS and STATES) or len(OUTPUTS) != len(RECORDS) + 1:
    raise PartError(f"topics.def is read wrongly: {USE_OF}")
