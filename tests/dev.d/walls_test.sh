#!/bin/bash
# What `./dev lint` says about the walls: nothing of this checkout, and every planted crossing with its place.
# walls_test.sh CHECKOUT
set -euo pipefail
checkout=$1
walls=$checkout/dev.d/walls
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    printf '%s\n' "$@"
    failures=$((failures + 1))
}

"$walls" "$checkout" >"$work/said" || fail "this checkout: $(cat "$work/said")"

mkdir "$work/tree"
for folder in base net redis queue http claude embedding recall store workers daemon ctl; do
    cp -r "$checkout/$folder" "$work/tree/"
done
: >"$work/expected"

# plant FILE LINE SENTENCE: adds the line to the file; walls must name the file and say the sentence of it.
plant() {
    mkdir -p "$work/tree/$(dirname "$1")"
    printf '%b\n' "$2" >>"$work/tree/$1"
    printf '%s\t%s\n' "$1" "$3" >>"$work/expected"
}
# crossing FROM TO: a new source in FROM that includes a header of TO.
crossing() { plant "$1/planted_${2//\//_}.cpp" "#include \"$2/planted.hpp\"" "$1 may not see $2"; }

crossing base net
crossing net redis
crossing redis queue
crossing redis http
crossing queue net # which it sees through the headers of redis only
crossing queue store
crossing http redis
crossing http http/client
crossing http/client redis
crossing claude net
crossing claude queue
crossing embedding claude
crossing recall store
crossing store store/sqlite
crossing store/sqlite recall
crossing store/sqlite queue
crossing workers workers/chat
crossing workers/chat redis
crossing workers/chat http/client
crossing workers/chat store/sqlite
crossing workers/chat workers/background
crossing workers/background workers/admin
crossing workers/admin workers/background
crossing workers/admin daemon
crossing ctl net
crossing ctl store
plant queue/planted.hpp '  #  include   <store/store.hpp>' 'queue may not see store'
plant queue/planted.cpp '#include "../store/store.hpp"' 'name the header from the top'
plant claude/planted.hpp '#include "claude/../queue/job.hpp"' 'name the header from the top'
plant daemon/planted.cpp '#include "base/planted/planted.hpp"' 'base/planted has no line in dev.d/walls'
plant store/sqlite/planted.hpp '#include <sqlite3.h>' '#include <sqlite3.h>'
mkdir "$work/tree/http/planted"
: >"$work/tree/http/planted/planted.cpp"
printf 'http/planted\thas no line in dev.d/walls\n' >>"$work/expected"
plant store/CMakeLists.txt 'engram_module(store # more\n  MAY_INCLUDE base queue\n  SOURCES a.cpp)' 'base queue'
plant http/client/CMakeLists.txt 'engram_module(http/client MAY_INCLUDE base http SOURCES a.cpp)' 'base http'

if "$walls" "$work/tree" >"$work/said"; then fail "the planted tree has no crossing"; fi
while IFS=$'\t' read -r file sentence; do
    grep -F -- "$file" "$work/said" | grep -qF -- "$sentence" || fail "not found: $file: $sentence"
done <"$work/expected"
# Nothing else: each line is one of those expected.
(($(wc -l <"$work/said") == $(wc -l <"$work/expected") + 1)) || fail "it says: $(cat "$work/said")"
((failures == 0)) || exit 1
