#!/bin/bash
# logs.sh: prints every event log of the fixtures, one a line: recorded ones and hand-made shapes. Called by tests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
find tests/fixtures/logs -name events.jsonl.zst | sort
find tests/fixtures/shapes -mindepth 1 -maxdepth 1 | sort
