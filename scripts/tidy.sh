#!/bin/sh
# clang-tidy over every source of the project by the compile commands of a build: tidy.sh BUILD. Generated sources are left out.
set -eu
build=$1
cd "$(dirname "$0")/.."
git ls-files 'api/*.c' 'cli/*.c' 'dsl/*.c' 'engine/*.c' 'grammar/*.c' 'standards/*.c' | grep -v -e '_avx' -e 'dict/gen' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet
echo "tidy: nothing found"
