# shellcheck shell=bash
# Part of ./dev: the build, and the tests of what was built.

# build PRESET [TARGET...]: nothing on standard output, which belongs to the conversation.
build() {
    local preset=$1 target
    local -a targets=() options=()
    shift
    for target in "$@"; do targets+=(--target "$target"); done
    [[ ${CI:-} != true ]] || options+=(-DENGRAM_WERROR=ON)
    cd "$root"
    mkdir -p build
    # What one checkout or preset has compiled serves the others.
    export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    if [[ ! -e build/$preset/build.ninja || ${#options[@]} -gt 0 ]]; then
        foreground flock -o build/.dev-lock cmake --preset "$preset" "${options[@]}" </dev/null >&2
    fi
    foreground flock -o build/.dev-lock cmake --build --preset "$preset" -j "$cores" "${targets[@]}" </dev/null >&2
}

# build_programs [--all] [PRESET]
build_programs() {
    local argument preset=release
    local -a targets=(programs)
    for argument in "$@"; do
        case $argument in
        --all) targets=() ;;
        -*) die 64 "./dev build knows no $argument" ;;
        *) preset=$argument ;;
        esac
    done
    install_packages "${build_packages[@]}"
    build "$preset" "${targets[@]}"
}

# tell_skipped LOG: why tests were left out, by what they wrote; ctest itself says only which.
tell_skipped() {
    [[ -e $1 ]] || return 0
    awk '/^[0-9]+\/[0-9]+ Test: / { name = $3 }
        /^skipped: / { print "dev: " name " was not run: " substr($0, 10) }' "$1" >&2
}

run_tests() {
    local preset=$1 status=0
    local -a packages=("${build_packages[@]}" "${test_packages[@]}")
    shift
    install_packages "${packages[@]}"
    # For two tests alone, which are left out when they cannot run.
    has_node || install_packages nodejs npm || say "dev: going on without Node"
    build "$preset"
    export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/lib/llvm-19/bin/llvm-symbolizer}
    export TSAN_OPTIONS=${TSAN_OPTIONS:-external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
    local log=$root/build/$preset/Testing/Temporary/LastTest.log
    rm -f "$log"
    foreground ctest --preset "$preset" -j 2 --output-on-failure "$@" || status=$?
    tell_skipped "$log"
    return "$status"
}
