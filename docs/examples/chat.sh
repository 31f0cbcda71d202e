#!/bin/sh
# A conversation with engram, by redis-cli alone: one message a line.
#
#   printf '%s\n' 'My name is Ada.' 'What is my name?' | ./chat.sh [USER [SESSION]]
#
# ENGRAM_REDIS_URL says where Redis is: redis://127.0.0.1:6379. A program in earnest uses a JSON library; the
# sed below is enough for a terminal.
set -u
url=${ENGRAM_REDIS_URL:-redis://127.0.0.1:6379}
user=${1:-$(id -un)}
session=${2:-}

# A text as a JSON string, without what no terminal should send. A line break cannot be in it.
quoted() {
    printf '"%s"' "$(printf %s "$1" | tr -d '\000-\010\013-\037\177' |
        sed 's/\\/\\\\/g; s/"/\\"/g; s/	/\\t/g')"
}

# The text of field $2 in the reply $1. Inside a JSON string a quotation mark has a backslash, so that
# `"name":"` is found only where a field begins.
field() {
    printf '%s\n' "$1" | sed -n 's/.*"'"$2"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p'
}
shown() { printf '%b\n' "$(printf %s "$1" | sed 's/\\"/"/g; s/\\\//\//g')"; }

number=0
while IFS= read -r message; do
    number=$((number + 1))
    # The same id again would be the same job again, which is answered without a second effect.
    id="sh-$(date +%s)-$$-$number"
    job='{"id":"'$id'","user_id":'$(quoted "$user")',"message":'$(quoted "$message")
    [ -z "$session" ] || job=$job',"session_id":'$(quoted "$session")
    # -x takes the last argument from the pipe, so that no message shows in a list of processes.
    printf '%s}' "$job" | redis-cli -u "$url" -e -x LPUSH engram:jobs >/dev/null || exit 69

    reply=$(redis-cli -u "$url" -e BLPOP "engram:reply:$id" 600 </dev/null) || exit 69
    reply=$(printf '%s\n' "$reply" | sed 1d) # the first line is the key
    case $reply in
    *'"status":"ok"'*)
        session=$(field "$reply" session_id)
        shown "$(field "$reply" reply)"
        ;;
    *'"status":"error"'*)
        echo "engram: $(field "$reply" type): $(shown "$(field "$reply" message)")" >&2
        exit 1
        ;;
    *)
        echo "engram: no reply in 600 s; is engramd running?" >&2
        exit 75
        ;;
    esac
done
