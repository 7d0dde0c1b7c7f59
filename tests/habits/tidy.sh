#!/bin/bash
# tidy.sh: clang-tidy over every C file of the agent with the short list in .clang-tidy; any finding fails. Called by
# tests/habits/run.sh; needs build/dev for its compile commands.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/dev/compile_commands.json ] || { echo "tidy: build/dev is not configured"; exit 1; }
git ls-files 'agent/*.c' | xargs -P 2 -n 8 clang-tidy-14 -p build/dev --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option
