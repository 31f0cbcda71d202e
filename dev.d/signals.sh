# shellcheck shell=bash
# Part of ./dev: how it runs commands, and ends with everything that it started.

# Runs a command so that a signal to this script is acted on at once, not after the command's end.
child=
foreground() {
    local status=0
    "$@" <&0 8>&- 9>&- &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

# end_child SECONDS. Polls: in a trap, `wait` can wait for other children than the one it is given.
end_child() {
    local deadline=$((SECONDS + $1))
    kill -TERM "$child" 2>/dev/null || return 0
    while identity "$child" >/dev/null; do
        ((SECONDS < deadline)) || kill -KILL "$child" 2>/dev/null || true
        sleep 0.02
    done
}

clean_up() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [[ -n $child ]]; then end_child 10; fi
    allow_services
    if [[ -n ${using_stack:-} ]]; then leave_stack || true; fi
    exit "$status"
}
trap clean_up EXIT
end_on_signals() {
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}
end_on_signals
