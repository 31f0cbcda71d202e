#!/bin/sh
# Installs what FOLDER/package-lock.json names into FOLDER/node_modules: npm_ci.sh FOLDER
# Ends with 77, which ctest reports as skipped, if that fails and the registry cannot be asked for anything.
set -eu
cd "$1"
# A registry that takes connections and says nothing must not hold up a test until its own time is over.
if timeout -k 5 110 npm ci --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-timeout=20000 \
    </dev/null >npm.log 2>&1; then
    exit 0
fi
# Not by the words of the failure, of which there are many: does it answer a question that it can always answer, out of
# no cache?
name=$(sed -n 's|^    "node_modules/\([^"]*\)": {$|\1|p' package-lock.json | head -n 1)
if timeout -k 5 30 npm view "$name" name --cache "$PWD/npm-empty" --fetch-retries=0 --fetch-timeout=20000 </dev/null >>npm.log 2>&1; then
    echo "npm ci failed, though the registry answers:"
    cat npm.log
    exit 1
fi
rm -rf npm-empty
echo "skipped: the npm registry cannot be reached"
cat npm.log
exit 77
