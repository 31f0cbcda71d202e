#!/bin/bash
# The commit that a build tells of: that of the checkout, written only when it has changed. version_test.sh CHECKOUT
set -euo pipefail
script=$1/cmake/version.cmake
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t GIT_CONFIG_GLOBAL=/dev/null

fail() {
    echo "$1"
    exit 1
}
ask() { cmake -D SOURCES="$work/tree" -D FILE="$work/version.cpp" -P "$script"; }
tells() { grep -qF "commit = \"$1\"" "$work/version.cpp"; }

# Inside of somebody else's repository.
git init -q "$work"
git -C "$work" commit -q --allow-empty -m other
mkdir "$work/tree"
ask
tells unknown || fail "sources that are no checkout: $(cat "$work/version.cpp")"

git init -q "$work/tree"
ask
tells unknown || fail "a checkout without a commit: $(cat "$work/version.cpp")"

git -C "$work/tree" commit -q --allow-empty -m first
ask
tells "$(git -C "$work/tree" rev-parse --short HEAD)" || fail "a commit: $(cat "$work/version.cpp")"
touch -d @1000000000 "$work/version.cpp"
ask
[[ $(stat -c %Y "$work/version.cpp") == 1000000000 ]] || fail 'the file is written though nothing has changed'

git -C "$work/tree" commit -q --allow-empty -m second
ask
tells "$(git -C "$work/tree" rev-parse --short HEAD)" || fail "another commit: $(cat "$work/version.cpp")"
