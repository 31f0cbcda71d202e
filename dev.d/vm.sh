# shellcheck shell=bash
# Part of ./dev: the tests of a booted machine (tests/system-vm).

vm_packages=(qemu-system-x86 mmdebstrap e2fsprogs)

# ENGRAM_PRESET: what is installed in the machine; the README builds "release".
vm() {
    local preset=${ENGRAM_PRESET:-release}
    ((EUID == 0)) || die 77 "./dev vm makes the disk of a machine as root: sudo ./dev vm"
    install_packages "${build_packages[@]}" "${vm_packages[@]}"
    build "$preset" programs
    foreground "$root/tests/system-vm/make-image" "$preset"
    foreground "$root/tests/system-vm/run" "$@"
}
