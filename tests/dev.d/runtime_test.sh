#!/bin/bash
# The README names every package that holds a library of the installed programs, so that a machine which only runs them
# has what it needs. runtime_test.sh CHECKOUT FOLDER (where the programs are)
set -euo pipefail
checkout=$1
bin=$2
if ! command -v dpkg-query >/dev/null; then
    echo "skipped: this is no Debian"
    exit 77
fi
named=$("$checkout/tests/system-vm/readme" packages "$checkout/README.md")
[[ $named == *libssl3* ]] || { echo "README.md has no list of packages for a machine that only runs engram"; exit 1; }
status=0
for program in engramd engramctl claude-simulator; do
    # Those that it names itself; what these need in turn are dependencies of their packages.
    mapfile -t libraries < <(readelf -d "$bin/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
    ((${#libraries[@]} > 3)) || { echo "$program: its libraries cannot be read"; exit 1; }
    for library in "${libraries[@]}"; do
        path=$(ldd "$bin/$program" | sed -n "s#^[[:space:]]*$library => \\(/[^ ]*\\) .*#\\1#p")
        path=$(readlink -f "$path")
        package=$(dpkg-query -S "$path" 2>/dev/null | cut -d: -f1) ||
            package=$(dpkg-query -S "${path#/usr}" 2>/dev/null | cut -d: -f1) || { echo "$library: no package has $path"; exit 1; }
        # Each Debian has the C library, and libgcc-s1 comes with libstdc++6.
        [[ $package != libc6 && $package != libgcc-s1 ]] || continue
        grep -qxF -- "$package" <<<"$named" || { echo "$program needs $package ($library), which README.md does not name"; status=1; }
    done
done
exit $status
