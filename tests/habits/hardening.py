#!/usr/bin/env python3
"""hardening: the service is locked up as far as what it does allows. Called by tests/habits/run.sh and, on a unit file with
lines missing, by tests/mutants/run.py.

    hardening.py [UNIT]

Asks systemd's own list (systemd-analyze security): whatever it would still have closed must stand below, with the reason."""
import json
import subprocess
import sys

OPEN = {  # json_field of the list -> why
    "PrivateNetwork": "it talks to Kafka and Alertmanager",
    "RestrictAddressFamilies_AF_INET_INET6": "the same",
    "RestrictAddressFamilies_AF_UNIX": "the resolver, and journald",
    "IPAddressDeny": "where the brokers are, only the user knows",
    "DeviceAllow": "ProtectClock still lets the clock be read",
    "RootDirectoryOrRootImage": "it reads /etc and the certificates of the system",
}


def main():
    unit = sys.argv[1] if len(sys.argv) > 1 else "deploy/systemd/stoker.service"
    listed = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--json=short", "--no-pager", unit],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = json.loads(listed)
    found = [row for row in rows if row["set"] is False and float(row["exposure"] or 0) > 0 and row["json_field"] not in OPEN]
    for row in found:
        print(f"FAIL {row['name']}: {row['description']}")
    closed = sum(1 for row in rows if row["set"])
    print(f"{closed} of {len(rows)} closed, {len(OPEN)} open for a reason")
    return 1 if found or closed < 60 else 0


if __name__ == "__main__":
    sys.exit(main())
