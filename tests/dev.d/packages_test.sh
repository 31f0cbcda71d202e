#!/bin/bash
# ./dev where packages are missing: installs them as root or with sudo, and says what to install where it cannot.
# packages_test.sh CHECKOUT; sudo, dpkg-query and apt-get are scripts of this test.
set -euo pipefail
checkout=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/nosudo"
failures=0

fail() {
    printf '%s\n' "$@"
    failures=$((failures + 1))
}

# stub NAME: standard input is its script.
stub() {
    { printf '#!/bin/bash\n'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stub dpkg-query <<'END'
[[ ${!#} != here ]] || printf installed
END
stub apt-get <<'END'
printf 'apt-get %s\n' "$*" >>"$SAID_BY_STUBS"
END
# Without a password if SUDO=free, with one at the terminal if SUDO=asks, never if SUDO=refuses.
stub sudo <<'END'
case $1 in -n) quiet=yes; shift ;; esac
case $SUDO in
free) ;;
asks) [[ ${quiet:-} != yes ]] && : </dev/tty || { echo "sudo: a password is required" >&2; exit 1; } ;;
refuses) echo "you is not in the sudoers file" >&2; exit 1 ;;
esac
printf 'sudo %s\n' "$*" >>"$SAID_BY_STUBS"
exec "$@"
END

# The script itself, as user 1000 whoever runs this test, with no service policy on this machine.
sed -e 's/((EUID != 0))/((USER_ID != 0))/' -e "s#^policy=.*#policy=$work/policy-rc.d#" \
    "$checkout/dev.d/packages.sh" >"$work/packages.sh"
grep -q 'USER_ID' "$work/packages.sh" || fail 'packages.sh no longer asks who it is'
cat >"$work/run" <<'END'
#!/bin/bash
set -euo pipefail
root=/checkout
say() { printf '%s\n' "$*" >&2; }
foreground() { "$@"; }
. "$1/packages.sh"
shift
install_packages "$@"
END
chmod +x "$work/run"

# expect STATUS ID SUDO TERMINAL PACKAGE...; then what it said is in $work/said, what the stubs were told in $work/stubs.
expect() {
    local status=0 expected=$1 user=$2 sudo=$3 terminal=$4 path=$work/bin:$PATH
    shift 4
    : >"$work/stubs"
    # A session of its own has no terminal, until script(1) gives it one.
    local -a command=(setsid -w "$work/run" "$work" "$@")
    if [[ $terminal == yes ]]; then
        command=(script -qec "$(printf '%q ' "$work/run" "$work" "$@")" /dev/null)
    fi
    [[ $sudo != none ]] || { rm -f "$work/bin/sudo.off"; mv "$work/bin/sudo" "$work/bin/sudo.off"; path=$work/bin:$work/nosudo; }
    USER_ID=$user SUDO=$sudo SAID_BY_STUBS=$work/stubs PATH=$path timeout 20 "${command[@]}" \
        </dev/null >"$work/said" 2>&1 || status=$?
    [[ $sudo != none ]] || mv "$work/bin/sudo.off" "$work/bin/sudo"
    ((status == expected)) || fail "user $user, sudo $sudo, terminal $terminal: status $status instead of $expected: $(cat "$work/said")"
}
says_what_to_install() {
    grep -qF 'as root: apt-get install --no-install-recommends one two' "$work/said" || fail "$1: it says $(cat "$work/said")"
    ! grep -q '^apt-get' "$work/stubs" || fail "$1: it ran $(cat "$work/stubs")"
}
# Everything that the script calls, without sudo.
for program in bash timeout env rm mv cat tee chmod grep setsid printf; do
    ln -s "$(type -P "$program")" "$work/nosudo/$program"
done

expect 0 1000 asks no here
[[ ! -s $work/said ]] || fail "nothing is missing, but it says $(cat "$work/said")"

expect 69 1000 asks no one here two
says_what_to_install 'sudo asks, no terminal'
expect 69 1000 none no one here two
says_what_to_install 'no sudo'
if command -v script >/dev/null; then
    expect 69 1000 refuses yes one here two
    says_what_to_install 'sudo refuses'
    expect 0 1000 asks yes one here two
    grep -q '^sudo .*apt-get .* one two$' "$work/stubs" || fail "sudo asks at the terminal: it ran $(cat "$work/stubs")"
fi
expect 0 1000 free no one here two
grep -q '^sudo .*apt-get .* one two$' "$work/stubs" || fail "sudo is free: it ran $(cat "$work/stubs")"
[[ ! -e $work/policy-rc.d ]] || fail 'the service policy is still there'
expect 0 0 none no one here two
grep -q '^apt-get .* one two$' "$work/stubs" || fail "as root: it ran $(cat "$work/stubs")"
! grep -q sudo "$work/stubs" || fail 'root uses sudo'
((failures == 0)) || exit 1
