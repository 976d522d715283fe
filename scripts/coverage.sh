#!/bin/sh
# Runs the tests of an instrumented build and prints the line coverage of engine, standards and dsl: coverage.sh BUILD
set -eu
build=$1
here=$(cd "$(dirname "$0")/.." && pwd)
find "$build" -name '*.gcda' -delete
(cd "$build" && ctest --output-on-failure -j"$(nproc)" >coverage-tests.log 2>&1) || { tail -n 40 "$build/coverage-tests.log"; exit 1; }
gcovr --root "$here" --filter "$here/engine/" --filter "$here/standards/" --filter "$here/dsl/" --exclude "$build/" --print-summary "$build"
