#!/bin/bash
# docs.sh [BINARY [FOLDER]]: prints the generated pages from the program into FOLDER (default: this project). Called by
# `make docs`, and by tests/commands/cli.sh with another folder to see whether the committed pages are up to date.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "${1:-$root/build/release/stoker}")
folder=${2:-$root}
listener=deploy/spark-listener/src/main/resources/io/stoker/spark
mkdir -p "$folder/docs/completion" "$folder/config" "$folder/$listener"
page() { # FILE WORDS...: written whole or not at all
  local file=$folder/$1; shift
  env -i "$binary" "$@" >"$file.new"
  mv "$file.new" "$file"
}
tables() { # FILE: what stands between "<!-- printed by: stoker WORDS -->" and "<!-- end -->" is printed anew
  local line words between=
  while IFS= read -r line; do
    case $line in
      '<!-- printed by: stoker '*) words=${line#'<!-- printed by: stoker '}; echo "$line"
        # shellcheck disable=SC2086 # several words
        env -i "$binary" ${words%' -->'}; between=1 ;;
      '<!-- end -->') between=; echo "$line" ;;
      *) [ -n "$between" ] || echo "$line" ;;
    esac
  done <"$root/$1" >"$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
}
page docs/configuration.md config doc
tables docs/rules.md
page config/stoker.yaml config sample
page docs/stoker.1 man
page docs/metrics.md man metrics
page docs/state.md state --schema
page $listener/events.txt man events
page docs/completion/stoker.bash completion bash
page docs/completion/_stoker completion zsh
python3 "$root/tests/habits/schemas.py" --doc >"$folder/docs/records.md.new"
mv "$folder/docs/records.md.new" "$folder/docs/records.md"
