#!/bin/sh
# Checks that need no build: layout of the code, arrows between folders, words that have no place in the project.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files '*.c' '*.h')
# shellcheck disable=SC2086  # a list of files
clang-format --dry-run --Werror $files
python3 scripts/arrows.py
if git grep -nIE '/(work|root|home)/[a-z]' -- ':!scripts/lint.sh' ':!CONTRIBUTING.md'; then
    echo "paths of a machine stand in the lines above" >&2
    exit 1
fi
echo "lint: layout, arrows and words are fine"
