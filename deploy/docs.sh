#!/bin/bash
# docs.sh [BINARY [FOLDER]]: prints the generated pages from the program into FOLDER (default: this project). Called by
# `make docs`, and by tests/commands/cli.sh with another folder to see whether the committed pages are up to date.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "${1:-$root/build/release/stoker}")
folder=${2:-$root}
mkdir -p "$folder/docs/completion" "$folder/config"
page() { # FILE WORDS...: written whole or not at all
  local file=$folder/$1; shift
  env -i "$binary" "$@" >"$file.new"
  mv "$file.new" "$file"
}
page docs/configuration.md config doc
page config/stoker.yaml config sample
page docs/stoker.1 man
page docs/metrics.md man metrics
page docs/state.md state --schema
page docs/completion/stoker.bash completion bash
page docs/completion/_stoker completion zsh
