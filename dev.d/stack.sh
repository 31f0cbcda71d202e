# shellcheck shell=bash
# Part of ./dev: the private stack of chat, up and down.
#
# Redis, the simulator if no other endpoint is given, and engramd; described by files in $state/run:
#   NAME.pid    "PID START BOOT" of a process we started: a number used again by another process does not match
#   signature   what the stack was made from; another one means that it must be made anew
#   up          it shall stay when nobody uses it
# Whoever uses the stack holds a shared lock on run/users (descriptor 8); whoever changes it holds an exclusive
# one on run/lock (9). A `./dev chat` that was killed leaves the stack behind: the next one takes it over.

bin=$root/build/release/bin
run=$state/run
logs=$state/log

identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The name in parentheses may hold blanks; the start time is the 20th field after it.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $1 $stat
    [[ $2 != Z ]] || return 1
    printf '%s %s %s\n' "$1" "${21}" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
}

pid_of() {
    local line pid
    line=$(cat "$run/$1.pid" 2>/dev/null) || return 1
    pid=${line%% *}
    [[ $pid =~ ^[0-9]+$ && $(identity "$pid") == "$line" ]] || return 1
    printf '%s\n' "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

# start NAME FOLDER COMMAND...: in a session of its own, so that Ctrl-C reaches only the conversation.
start() {
    local name=$1 folder=$2 signalled=
    shift 2
    # A signal between the start and the note of it would leave a process that nobody knows of.
    trap 'signalled=130' INT
    trap 'signalled=143' TERM
    trap 'signalled=129' HUP
    (cd "$folder" && exec setsid "$@") </dev/null >"$logs/$name.log" 2>&1 8>&- 9>&- &
    local pid=$!
    disown "$pid"
    identity "$pid" >"$run/$name.pid" || true
    end_on_signals
    [[ -z $signalled ]] || exit "$signalled"
}

# stop NAME SECONDS
stop() {
    local pid deadline=$((SECONDS + $2))
    if pid=$(pid_of "$1"); then
        kill -TERM "$pid" 2>/dev/null || true
        while is_running "$1"; do
            if ((SECONDS >= deadline)); then
                say "dev: $1 does not end; killing it"
                kill -KILL "$pid" 2>/dev/null || true
                deadline=$((SECONDS + 5))
            fi
            sleep 0.02
        done
    fi
    rm -f "$run/$1.pid"
}

# until_ready NAME SECONDS COMMAND...: waits for the command to succeed while the process lives.
until_ready() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        is_running "$name" || die 70 "$name ended at once; its log $logs/$name.log ends with:
$(tail -n 15 "$logs/$name.log")"
        ((SECONDS < deadline)) || die 70 "$name is not ready in time; its log $logs/$name.log ends with:
$(tail -n 15 "$logs/$name.log")"
        sleep 0.05
    done
}

redis() { redis-cli -s "$socket" "$@" 2>/dev/null </dev/null 8>&- 9>&-; }
redis_answers() { [[ $(redis PING) == PONG ]]; }
daemon_answers() { redis ZRANGE engram:instances 0 -1 | grep -qF -- "$1"; }

# The path of a Unix socket has at most 107 bytes.
choose_socket() {
    socket=$run/redis.sock
    (($(printf %s "$socket" | wc -c) > 100)) || return 0
    local folder
    folder=/tmp/engram-$(printf %s "$state" | sha256sum | cut -c 1-16)
    mkdir -m 700 "$folder" 2>/dev/null || [[ -O $folder && ! -L $folder ]] || die 73 "$folder belongs to somebody else"
    socket=$folder/redis.sock
}

# As the daemon and engramctl want it: percent-encoded.
redis_url() {
    local LC_ALL=C encoded='' i c code
    for ((i = 0; i < ${#socket}; ++i)); do
        c=${socket:i:1}
        case $c in
        [A-Za-z0-9/._~-]) encoded+=$c ;;
        *)
            printf -v code %d "'$c"
            encoded+=$(printf '%%%02X' "$((code & 255))")
            ;;
        esac
    done
    printf 'unix://%s\n' "$encoded"
}

uses_simulator() { [[ -z ${ANTHROPIC_API_KEY:-} && -z ${ENGRAMD_CLAUDE_BASE_URL:-} ]]; }

signature() {
    {
        stat -c '%n %Y %s' "$bin/engramd" "$bin/claude-simulator"
        printf '%s\n' "${ANTHROPIC_API_KEY:-}"
        env | grep '^ENGRAMD_' | sort || true
    } | sha256sum
}

start_stack() {
    local name
    local -a program=("$bin/engramd") settings=(--set "redis.url=$(redis_url)" --set redis.prefix=engram
        --set "store.path=$state/engram.db" --set queue.drain_ms=5000)
    signature >"$run/signature"
    LC_ALL=C start redis "$state/redis" redis-server --port 0 --unixsocket "$socket" --unixsocketperm 700 \
        --appendonly yes --save '' --dir . --daemonize no
    until_ready redis 30 redis_answers
    if uses_simulator; then
        rm -f "$run/simulator.port"
        start simulator "$run" "$bin/claude-simulator" --listen 127.0.0.1:0 --port-file simulator.port
        until_ready simulator 10 test -s "$run/simulator.port"
        settings+=(--set "claude.base_url=http://127.0.0.1:$(cat "$run/simulator.port")")
        # Any key does; the simulator wants one as the API does.
        program=(env ANTHROPIC_API_KEY=simulator "$bin/engramd")
    fi
    # A name of its own: an instance that was killed is listed until its lease ends.
    name=dev-$$-$RANDOM
    start engramd "$state" "${program[@]}" "${settings[@]}" --set "instance.name=$name"
    until_ready engramd 30 daemon_answers "$name"
}

stop_stack() {
    stop engramd 20
    stop simulator 5
    stop redis 20
    rm -f "$run/signature" "$run/simulator.port"
}

stack_is_whole() {
    is_running redis && is_running engramd && redis_answers && { ! uses_simulator || is_running simulator; }
}

stack_fits() { stack_is_whole && [[ $(signature) == "$(cat "$run/signature" 2>/dev/null)" ]]; }

# Finds or makes the stack, and holds on to it until leave_stack.
enter_stack() {
    local alone=no
    (umask 077 && mkdir -p "$run" "$logs" "$state/redis") || die 73 "cannot make $state"
    choose_socket
    exec 9>"$run/lock" 8>"$run/users"
    flock 9
    if flock -n 8; then alone=yes; fi
    flock -s 8
    using_stack=yes
    if ! stack_fits; then
        [[ $alone == yes ]] || die 75 "a ./dev chat with another build, key or settings runs here: end it first"
        if [[ -e $run/up ]] && stack_is_whole; then
            die 75 "./dev up runs here with another build, key or settings: ./dev down first"
        fi
        # After a crash or a reboot nothing is left of what was to stay up.
        is_running redis || is_running engramd || rm -f "$run/up"
        stop_stack
        start_stack
    fi
    flock -u 9
}

# Lets go of the stack and stops it if nobody else needs it.
leave_stack() {
    using_stack=
    flock -u 8
    flock 9
    if [[ ! -e $run/up ]] && flock -n 8; then stop_stack; fi
    exec 8>&- 9>&-
}

announce() {
    say "engram keeps its state in $state"
    if uses_simulator; then
        say "no ANTHROPIC_API_KEY: answers come from the built-in Claude simulator, not from Claude"
    fi
}

prepare_stack() {
    install_packages "${build_packages[@]}"
    say "dev: building (nothing to do if it is built)"
    build release engramd engramctl claude-simulator
}
