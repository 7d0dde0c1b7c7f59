# tries.sh: what this folder's deps.sh and that of tests/listener share. Sourced by them alone.

fail() {
    echo "deps.sh: $*" >&2
    exit 1
}

# Tries a command three times: a registry may hiccup. The last failure's output is shown.
try() { # WHAT COMMAND...
    local what=$1 said i
    shift
    for i in 1 2 3; do
        if said=$("$@" 2>&1); then
            return 0
        fi
        [ "$i" = 3 ] || sleep $((i * 2))
    done
    tail -n 20 <<<"$said" >&2
    fail "$what failed three times: $*"
}
