"""settings: every row of agent/config/settings.c is read by a command, so that no setting is accepted and does nothing.

Called by tests/habits/run.sh. Rows that come from other tables (topics, thresholds of detectors) are read by walks over those."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^\s+(?:TEXT|SECRET|LIST|MAP|BOOL|CHOICE|INT|TIME|SIZE)\(\s*"([a-z_.]+)"', re.M)
KEY = re.compile(r'"((?:[a-z_]+\.)*[a-z_]+)"')
# A choice of one, refused or taken when it is parsed.
NOT_READ = {"avro.framing"}


def main():
    rows = set(ROW.findall((ROOT / "agent/config/settings.c").read_text()))
    read = {key for p in (ROOT / "agent/commands").glob("*.c") for key in KEY.findall(p.read_text())}
    bad = [f"{key}: a setting that nothing in agent/commands reads" for key in sorted(rows - read - NOT_READ)]
    bad += [f"{key}: is read now" for key in sorted(NOT_READ & read)]
    print("\n".join(bad))
    return 1 if bad or len(rows) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
