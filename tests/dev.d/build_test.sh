#!/bin/bash
# What ./dev build and ./dev test let CMake and ctest do, and what they make of it. build_test.sh CHECKOUT
# A copy of ./dev; cmake, ctest and dpkg-query are scripts of this test.
set -euo pipefail
checkout=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tree"
cp -r "$checkout/dev" "$checkout/dev.d" "$work/tree/"
failures=0

fail() {
    printf '%s\n' "$@"
    failures=$((failures + 1))
}
stub() {
    { printf '#!/bin/bash\n'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stub dpkg-query <<<'printf installed'
stub node <<<'echo v20.0.0'
stub cmake <<'END'
printf '%s\n' "$*" >>"$TOLD"
END
stub ctest <<'END'
[[ -z $LOG ]] || { mkdir -p build/dev/Testing/Temporary; printf '%s\n' "$LOG" >build/dev/Testing/Temporary/LastTest.log; }
printf 'ctest %s\n' "$*" >>"$TOLD"
exit "$CTEST_STATUS"
END

# expect STATUS ARGUMENT...
expect() {
    local status=0 expected=$1
    shift
    : >"$work/told"
    (cd "$work/tree" && HOME=$work TOLD=$work/told PATH=$work/bin:$PATH CI='' ENGRAM_PRESET='' ./dev "$@") \
        </dev/null >"$work/out" 2>"$work/said" || status=$?
    ((status == expected)) || fail "./dev $*: status $status instead of $expected: $(cat "$work/said")"
}
# builds PRESET TARGETS: the last call of cmake.
builds() {
    local told
    told=$(grep -e --build "$work/told" | sed 's/ -j [0-9]*//')
    [[ $told == "--build --preset $1${2:+ --target $2}" ]] || fail "built was: $told, not $1 $2"
}

expect 0 build
builds release programs
expect 0 build dev
builds dev programs
expect 0 build --all
builds release ''
expect 0 build asan --all
builds asan ''
expect 64 build --everything
[[ ! -s $work/told ]] || fail 'it builds whatever it is told'

export CTEST_STATUS=0 LOG=''
expect 0 test
builds dev ''
[[ $(tail -n 1 "$work/told") == 'ctest --preset dev -j 2 --output-on-failure' ]] || fail "ctest: $(cat "$work/told")"
CTEST_STATUS=8 LOG=$'1/2 Test: example_node\nskipped: the npm registry cannot be reached'
expect 8 test -R node
grep -qx 'dev: example_node was not run: the npm registry cannot be reached' "$work/said" || fail "it says: $(cat "$work/said")"
# The log of an earlier run says nothing about this one.
CTEST_STATUS=0 LOG=''
expect 0 test -N
! grep -q 'was not run' "$work/said" || fail "of an earlier run: $(cat "$work/said")"
((failures == 0)) || exit 1
