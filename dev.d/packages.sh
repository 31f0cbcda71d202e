# shellcheck shell=bash
# Part of ./dev: Debian packages that are missing, and their installation.

build_packages=(ca-certificates cmake ninja-build clang-19 lld-19 ccache g++ git pkg-config libboost1.81-dev libboost-json1.81-dev
    libboost-test1.81-dev libhiredis-dev libsqlite3-dev libssl-dev libtomlplusplus-dev libcli11-dev libspdlog-dev
    libsystemd-dev libutf8proc-dev libabsl-dev tzdata redis-server redis-tools)
test_packages=(systemd libclang-rt-19-dev llvm-19 python3 python3-redis openssl sqlite3)

has_node() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    ((${version%%.*} >= 18))
}

missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
    done
}

# A package's own Redis would be started on install; ours is private. The file is removed afterwards, and would
# remove itself if this script had no chance to.
policy=/usr/sbin/policy-rc.d
forbid_services() {
    [[ ! -e $policy ]] || return 0
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n# %s, process %s\n[ -d /proc/%s ] && exit 101\nrm -f "$0"\nexit 0\n' \
        "$root/dev" "$$" "$$" | "${as_root[@]}" tee "$policy" >/dev/null || return
    policy_made=yes
    "${as_root[@]}" chmod 755 "$policy"
}
allow_services() {
    [[ -n ${policy_made:-} ]] || return 0
    policy_made=
    "${as_root[@]}" rm -f "$policy"
}

# What an administrator has to do where this script cannot.
say_as_root() { say "dev: some packages are missing; as root: apt-get install --no-install-recommends $*"; }

# become_root: sets as_root to what runs a command as root. Fails where sudo is missing, or wants a password and there is
# no terminal to type it on (it reads /dev/tty, whatever standard input is).
become_root() {
    as_root=()
    ((EUID != 0)) || return 0
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { : </dev/tty; } 2>/dev/null || return 1
    as_root=(sudo)
}

apt_get() {
    foreground "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

# install_packages PACKAGE...: those that are missing. Status 69, with the reason said, if that cannot be.
install_packages() {
    local status=0
    local -a missing
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "dev: this is no Debian; needed are the equivalents of: $*"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    become_root || {
        say_as_root "${missing[@]}"
        return 69
    }
    say "dev: installing ${missing[*]}"
    # The first command as root: where sudo refuses, it has said why.
    forbid_services || {
        say_as_root "${missing[@]}"
        return 69
    }
    # Package lists that are missing or old show as a failure; then they are fetched and it is tried again.
    if ! apt_get --simulate install --no-install-recommends "${missing[@]}" &>/dev/null ||
        ! apt_get install --no-install-recommends "${missing[@]}"; then
        apt_get update && apt_get install --no-install-recommends "${missing[@]}" || status=69
    fi
    allow_services
    ((status == 0)) || say "dev: cannot install ${missing[*]}"
    return "$status"
}
