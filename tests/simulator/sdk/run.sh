#!/bin/sh
# The official npm SDK against the simulator.
# usage: run.sh SIMULATOR FOLDER     FOLDER: where the packages go, outside the source tree
# Ends with 77, which ctest reports as skipped, where Node >= 18, npm or the package registry is missing.
set -eu
simulator=$1
folder=$2
source=$(cd "$(dirname "$0")" && pwd)

skip() {
    echo "skipped: $1"
    exit 77
}

command -v node >/dev/null 2>&1 || skip "node is not installed; the SDK needs Node >= 18"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node is version $(node --version); the SDK needs Node >= 18"
command -v npm >/dev/null 2>&1 || skip "npm is not installed"

mkdir -p "$folder"
cd "$folder"
if ! cmp -s "$source/package-lock.json" installed-lock.json || ! [ -d node_modules/@anthropic-ai/sdk ]; then
    rm -f installed-lock.json
    cp "$source/package.json" "$source/package-lock.json" .
    "$source/../../support/npm_ci.sh" . || exit
    cp "$source/package-lock.json" installed-lock.json
fi
cp "$source/conformance.mjs" .
exec node conformance.mjs "$simulator"
