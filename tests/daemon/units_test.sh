#!/bin/bash
# The systemd units are sound and confined. Skipped (77) where there is no systemd-analyze.
# shellcheck disable=SC2016  # the variables in single quotes are those of the units
set -euo pipefail
root=$1
if ! command -v systemd-analyze >/dev/null; then
    echo "skipped: systemd-analyze is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for unit in engramd.service engramd@.service; do
    # The instance 1 of the template; a program that exists, since engramd is not installed here.
    file=$work/${unit/@/@1}
    sed 's#^ExecStart=/usr/sbin/engramd#ExecStart=/bin/true#' "$root/systemd/$unit" >"$file"
    grep -qxF 'ExecStart=/bin/true $ENGRAM_OPTIONS' "$file" || { echo "$unit: its ExecStart is not /usr/sbin/engramd with its options"; status=1; }
    # A warning (an unknown key, say) is a line on standard error with status 0.
    said=$(systemd-analyze verify --man=no "$file" 2>&1) || status=1
    said=$(grep -F "$work" <<<"$said" || true)
    if [[ -n $said ]]; then
        echo "$unit: $said"
        status=1
    fi
    systemd-analyze security --offline=true --no-pager --threshold=20 "$file" >"$work/security" 2>&1 || {
        echo "$unit: exposed more than it should be"
        tail -n 3 "$work/security"
        status=1
    }
done
# A missing file of a credential must not keep the unit from starting: each has a default.
for unit in engramd.service engramd@.service; do
    loaded=$(sed -n 's/^LoadCredential=\([a-z_]*\):.*/\1/p' "$root/systemd/$unit")
    defaults=$(sed -n 's/^SetCredential=\([a-z_]*\):\\n$/\1/p' "$root/systemd/$unit")
    if [[ -z $loaded || $loaded != "$defaults" ]]; then
        echo "$unit: it loads the credentials" "${loaded//$'\n'/ }" "but has defaults for" "${defaults//$'\n'/ }"
        status=1
    fi
    # The configuration is checked before the daemon is told to read it.
    mapfile -t reload < <(grep '^ExecReload=' "$root/systemd/$unit")
    if [[ ${#reload[@]} != 2 || ${reload[0]} != *' --check-config '*' $ENGRAM_OPTIONS' || ${reload[1]} != *' -HUP '* ]]; then
        echo "$unit: it does not check the configuration and then reload: ${reload[*]}"
        status=1
    fi
    # What cannot get better by trying again: arguments, the database, file descriptors, the configuration.
    grep -qxF 'RestartPreventExitStatus=64 65 71 78' "$root/systemd/$unit" ||
        { echo "$unit: it is tried again for ever"; status=1; }
    # What is lacking at the start may come later than the ten tries that systemd allows by default.
    grep -qxF 'StartLimitIntervalSec=0' "$root/systemd/$unit" || { echo "$unit: systemd gives up"; status=1; }
done
drain_ms=$(sed -n 's/^#drain_ms = //p' "$root/etc/engramd.toml")
for unit in engramd.service engramd@.service; do
    stop=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' "$root/systemd/$unit")
    if ((stop * 1000 <= drain_ms)); then
        echo "$unit: TimeoutStopSec ($stop s) is not above queue.drain_ms ($drain_ms)"
        status=1
    fi
done
exit $status
