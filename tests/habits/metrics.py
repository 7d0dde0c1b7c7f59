"""metrics: every row of metrics.def is counted somewhere and explained in docs/metrics.md; every limit that is told by name is
explained in docs/guarantees.md.

Called by tests/habits/run.sh."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    rows = re.findall(r'^METRIC\((\w+), \w+, "([^"]+)"', (ROOT / "include/base/metrics.def").read_text(), re.M)
    code = "\n".join(p.read_text() for p in [*(ROOT / "agent").rglob("*"), ROOT / "include/model/topics.def"]
                     if p.suffix in (".c", ".cpp", ".h", ".def"))
    page = (ROOT / "docs/metrics.md").read_text()
    bad = [f"METRIC_{name} is declared but never counted" for name, _ in rows if not re.search(rf"\bMETRIC_{name}\b", code)]
    bad += [f"{family} is missing in docs/metrics.md" for family in sorted({f for _, f in rows}) if family not in page]
    limits = re.findall(r'^LIMIT_WORD\(\d+, \w+, "(\w+)"\)', (ROOT / "include/model/words.def").read_text(), re.M)
    guarantees = (ROOT / "docs/guarantees.md").read_text()
    bad += [f"the limit {name} is missing in docs/guarantees.md" for name in limits if f"\n| `{name}` |" not in guarantees]
    bad += [] if limits else ["no limits in words.def"]
    print("\n".join(bad))
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
