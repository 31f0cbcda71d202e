#!/bin/bash
# The input that ends a corpus run is left beside the program, and nothing in the folder that it was run from.
# failure_file_test.sh PROGRAM: one that aborts at its first input.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$work/program
cp "$1" "$program"
mkdir "$work/corpus" "$work/checkout"
printf 'the input' >"$work/corpus/seed"

fail() {
    printf '%s\n' "$@"
    exit 1
}

cd "$work/checkout"
if "$program" "$work/corpus" 2>"$work/said"; then fail "it did not abort"; fi
left=$(ls -A)
[[ -z $left ]] || fail "left where it was run: $left"
grep -qxF "the input that ended it is in $program.failure" "$work/said" || fail "it said:" "$(cat "$work/said")"
cmp "$work/corpus/seed" "$program.failure" || fail "another input was left"
