#!/bin/bash
# What needs npm is left out where its registry cannot be reached, for whatever reason, and only there; `./dev test` says
# so. npm_test.sh CHECKOUT
set -euo pipefail
checkout=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    printf '%s\n' "$@"
    failures=$((failures + 1))
}

# Answers as it is told; npm's real words for the same fault differ from version to version.
mkdir "$work/bin" "$work/folder"
cat >"$work/bin/npm" <<'END'
#!/bin/sh
echo "npm $1: $WORDS"
case $1 in
ci) exit "$CI_STATUS" ;;
view) exit "$VIEW_STATUS" ;;
esac
exit 64
END
chmod +x "$work/bin/npm"
cp "$checkout/docs/examples/package-lock.json" "$work/folder/"

# expect STATUS CI_STATUS VIEW_STATUS WORDS
expect() {
    local status=0
    PATH=$work/bin:$PATH CI_STATUS=$2 VIEW_STATUS=$3 WORDS=$4 \
        "$checkout/tests/support/npm_ci.sh" "$work/folder" >"$work/said" || status=$?
    ((status == $1)) || fail "'$4': status $status instead of $1: $(cat "$work/said")"
}

expect 0 0 1 ''
for words in ENOTFOUND 'code SELF_SIGNED_CERT_IN_CHAIN' "Unexpected token '<' in JSON" 'code EPROTO' \
    'Exit handler never called!' 'code E407'; do
    expect 77 1 1 "$words"
    [[ $(head -n 1 "$work/said") == 'skipped: the npm registry cannot be reached' ]] || fail "$words: it says $(cat "$work/said")"
    expect 1 1 0 "$words"
done

# The sentences behind ctest's own list.
cat >"$work/LastTest.log" <<'END'
1/3 Testing: example_node
1/3 Test: example_node
Output:
----------------------------------------------------------
skipped: the npm registry cannot be reached
npm ci: ENOTFOUND
<end of output>
2/3 Test: recall
Output:
nothing was skipped: all ran
3/3 Test: systemd_units
skipped: systemd-analyze is not installed
END
cat >"$work/expected" <<'END'
dev: example_node was not run: the npm registry cannot be reached
dev: systemd_units was not run: systemd-analyze is not installed
END
# shellcheck source=/dev/null
. "$checkout/dev.d/build.sh"
tell_skipped "$work/LastTest.log" 2>"$work/said"
diff "$work/expected" "$work/said" || fail 'the reasons are not told'
tell_skipped "$work/no such file" || fail 'without a log it fails'
((failures == 0)) || exit 1
