#!/bin/bash
# What bash offers behind engramctl: completion_test.sh ENGRAMCTL COMPLETION
set -euo pipefail
program=$1
# shellcheck source=etc/engramctl.bash
. "$2"
failures=0

# offers EXPECTED WORD...: the words typed so far, the last one unfinished.
offers() {
    local expected=$1
    shift
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _engramctl
    if [[ ${COMPREPLY[*]} != "$expected" ]]; then
        echo "behind '${*:1:$#-1}', '${*: -1}' is completed to '${COMPREPLY[*]}', not '$expected'"
        failures=$((failures + 1))
    fi
}

offers 'queue' que
offers 'status' queue sta
offers 'list search history add edit delete restore' memory ''
offers 'retry' --redis redis://127.0.0.1:1 dead re
offers 'retry' dead --prefix queue re # a value that is called like a command
offers '' dead --prefix q
offers '' chat --user ''
offers '' chat cha
offers '--prefix' chat --pre # the options of engramctl itself work behind a command
offers '--reason' dead list --rea
offers '--raw' dead show --ra
offers '' dead list --ra
offers '--redis-ca-file' --redis-c
offers '--help' memory add --he
offers 'backup' back
offers 'salvage' sal
offers '--database' restore --da
offers '--config' restore --conf
exit $((failures > 0))
