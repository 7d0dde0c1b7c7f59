#!/bin/bash
# tidy.sh: clang-tidy with the short list in .clang-tidy; any finding fails. With CI set it looks at every C file of the agent,
# else at those that are made of something that differs from main, or from the last commit on main itself. Called by
# tests/habits/run.sh; needs build/dev for its compile commands, and built, for what a file is made of.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/dev/compile_commands.json ] || { echo "tidy: build/dev is not configured"; exit 1; }

changed() { # files that differ from what was looked at before: the nearest commit of main, not counting this one
  local ref base nearest='' most=1000000 ahead
  for ref in origin/main main HEAD~1; do
    base=$(git merge-base HEAD "$ref" 2>/dev/null) || continue
    ahead=$(git rev-list --count "$base..HEAD")
    if [ "$ahead" -gt 0 ] && [ "$ahead" -lt "$most" ]; then nearest=$base most=$ahead; fi
  done
  git diff --name-only --diff-filter=d "${nearest:-$(git hash-object -t tree /dev/null)}"
  git ls-files --others --exclude-standard
}

made_of() { # FILE...: the agent's C files that the compiler read one of them for
  ninja -C build/dev -t deps | python3 -c '
import os, sys
root, wanted = os.getcwd(), {os.path.abspath(name) for name in sys.argv[1:]}
for block in sys.stdin.read().split("\n\n"):
    files = [os.path.normpath(os.path.join("build/dev", line.strip())) for line in block.split("\n")[1:]]
    if any(os.path.abspath(name) in wanted for name in files):
        print(os.path.relpath(files[0], root))' "$@"
}

mapfile -t files < <(git ls-files -co --exclude-standard 'agent/*.c')
if [ -z "${CI:-}" ]; then
  mapfile -t different < <(changed)
  if [[ ! " ${different[*]} " =~ " .clang-tidy "|" CMakeLists.txt "|" tests/habits/tidy.sh " ]]; then
    [ -n "$(made_of agent/main.c)" ] || { echo "tidy: build/dev is not built"; exit 1; }
    # Those that differ themselves, too: a new one is in no build yet.
    mapfile -t files < <(comm -12 <(printf '%s\n' "${files[@]}" | sort) \
      <({ printf '%s\n' "${different[@]}"; made_of "${different[@]}"; } | sort -u))
  fi
fi
echo "tidy: ${#files[@]} files"
[ ${#files[@]} -gt 0 ] || exit 0
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/dev --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option
