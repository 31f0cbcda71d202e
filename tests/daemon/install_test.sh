#!/bin/bash
# cmake --install puts everything in its place, below another prefix and below DESTDIR, and keeps a configuration.
# shellcheck disable=SC2016  # the variables in single quotes are those of the units
set -euo pipefail
build=$1
if [[ ! -x $build/bin/engramd || ! -x $build/bin/engramctl || ! -x $build/bin/claude-simulator ]]; then
    echo "engramd, engramctl and claude-simulator are not built"
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1"
    exit 1
}
must_have() {
    [[ -e $1 ]] || fail "missing: ${1#"$work"}"
}

cmake --install "$build" --prefix "$work/opt" >"$work/log" || { cat "$work/log"; exit 1; }
for file in sbin/engramd bin/engramctl etc/engramd/engramd.toml lib/systemd/system/engramd.service \
    lib/systemd/system/engramd@.service lib/sysusers.d/engramd.conf lib/tmpfiles.d/engramd.conf \
    share/man/man8/engramd.8 share/man/man1/engramctl.1 share/doc/engram/configuration.md \
    bin/claude-simulator share/doc/engram/claude-simulator.md share/bash-completion/completions/engramctl \
    share/doc/engram/engram.acl share/doc/engram/CHANGELOG.md; do
    must_have "$work/opt/$file"
done
for unit in engramd.service engramd@.service; do
    for line in "ExecStart=$work/opt/sbin/engramd \$ENGRAM_OPTIONS" \
        "Environment=\"ENGRAM_OPTIONS=--config $work/opt/etc/engramd/engramd.toml\""; do
        grep -qxF "$line" "$work/opt/lib/systemd/system/$unit" || fail "$unit does not start what was installed: $line"
    done
done
"$work/opt/sbin/engramd" --config "$work/opt/etc/engramd/engramd.toml" --check-config >/dev/null ||
    fail "the installed daemon refuses the installed configuration"

# What `systemctl reload` runs first: it fails on a file that cannot be read, and says where.
checks=$(sed -n 's/^ExecReload=//p' "$work/opt/lib/systemd/system/engramd.service" | head -n 1)
export ENGRAM_OPTIONS
installed="--config $work/opt/etc/engramd/engramd.toml"
ENGRAM_OPTIONS=$installed
eval "$checks" || fail "a reload of the installed configuration fails"
# It looks at what a drop-in names, in place of what is installed.
printf '[redis]\nurl = mine\n' >"$work/mine.toml"
ENGRAM_OPTIONS="--config $work/mine.toml"
if said=$(eval "$checks" 2>&1); then fail "a reload of a broken file of a drop-in is allowed"; fi
[[ $said == *mine.toml:2:* ]] || fail "a reload of a broken file of a drop-in says: $said"
ENGRAM_OPTIONS=$installed
# systemd keeps the credentials of a service from what else it runs for it.
mkdir -p "$work/credentials/anthropic_api_key"
CREDENTIALS_DIRECTORY=$work/credentials eval "export CREDENTIALS_DIRECTORY; $checks" ||
    fail "a reload fails for a key that only the daemon may read"
unset CREDENTIALS_DIRECTORY
cp "$work/opt/etc/engramd/engramd.toml" "$work/good"
printf '[redis]\nurl = redis://127.0.0.1\n' >"$work/opt/etc/engramd/engramd.toml"
if said=$(eval "$checks" 2>&1); then fail "a reload of a broken configuration is allowed"; fi
[[ $said == *engramd.toml:2:* ]] || fail "a reload of a broken configuration says: $said"
mv "$work/good" "$work/opt/etc/engramd/engramd.toml"

echo '# mine' >"$work/opt/etc/engramd/engramd.toml"
cmake --install "$build" --prefix "$work/opt" >/dev/null
grep -qxF '# mine' "$work/opt/etc/engramd/engramd.toml" || fail "a configuration was overwritten"

DESTDIR=$work/stage cmake --install "$build" --prefix /usr >/dev/null
must_have "$work/stage/usr/sbin/engramd"
must_have "$work/stage/etc/engramd/engramd.toml"
grep -qxF 'ExecStart=/usr/sbin/engramd $ENGRAM_OPTIONS' "$work/stage/usr/lib/systemd/system/engramd.service" ||
    fail "the packaged unit does not start /usr/sbin/engramd"
