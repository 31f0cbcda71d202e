# shellcheck shell=bash
# Completion of engramctl(1). Commands and options are asked of the program itself, so they are those of its version.

# _engramctl_known PROGRAM [COMMAND...]: what may follow, one a line: "command NAME", "flag --NAME" or "valued --NAME".
_engramctl_known() {
    "$@" --help 2>/dev/null | awk '
        /^Subcommands:/ { commands = 1 }
        commands && /^  [a-z]/ { print "command", $1 }
        !commands && /^  (-[A-Za-z],)?--[a-z]/ {
            sub(/^-[A-Za-z],/, "", $1)
            print ($2 ~ /^[A-Z]+([:=].*)?$/ ? "valued" : "flag"), $1
        }'
}

_engramctl() {
    local program=${COMP_WORDS[0]/#\~/$HOME} current=${COMP_WORDS[COMP_CWORD]} word previous='' everywhere known
    local -a path=()
    everywhere=$(_engramctl_known "$program")
    known=$everywhere
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        # A value is no command, whatever it is called.
        if [[ $'\n'$everywhere$'\n'$known$'\n' == *$'\n'"valued $previous"$'\n'* ]]; then
            previous=
            continue
        fi
        previous=$word
        if [[ $'\n'$known$'\n' == *$'\n'"command $word"$'\n'* ]]; then
            path+=("$word")
            known=$(_engramctl_known "$program" "${path[@]}")
        fi
    done
    COMPREPLY=()
    # Where nothing is offered, as for a value, bash offers files.
    [[ $'\n'$everywhere$'\n'$known$'\n' != *$'\n'"valued $previous"$'\n'* ]] || return 0
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^[a-z]* \(-\)/\1/p' <<<"$everywhere"$'\n'"$known" | sort -u)" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^command //p' <<<"$known")" -- "$current")
    fi
}
complete -o default -F _engramctl engramctl
