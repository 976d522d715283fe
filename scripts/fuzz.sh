#!/bin/sh
# Runs every libFuzzer harness of a build for so many seconds each: fuzz.sh BUILD SECONDS [SEED]. Findings stay in BUILD/fuzz/findings.
# With a seed every run tries the same inputs, as far as it gets: what a change broke is told from what chance has found. Without one it explores.
set -eu
build=$1 seconds=$2 seed=${3:-0}
here=$(cd "$(dirname "$0")/.." && pwd)
found=0
for harness in "$build"/fuzz/fuzz_*; do
    if [ ! -x "$harness" ] || [ -d "$harness" ]; then continue; fi
    name=$(basename "$harness")
    entry=${name#fuzz_}
    mkdir -p "$build/fuzz/work/$entry" "$build/fuzz/findings"
    dictionary=""
    [ -f "$here/fuzz/$entry.dict" ] && dictionary="-dict=$here/fuzz/$entry.dict"
    echo "fuzzing $entry for $seconds s"
    # shellcheck disable=SC2086  # an optional option
    "$harness" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$build/fuzz/findings/$entry-" $dictionary \
        "$build/fuzz/work/$entry" "$here/fuzz/corpus/$entry" >"$build/fuzz/$entry.log" 2>&1 || { tail -n 40 "$build/fuzz/$entry.log"; found=1; }
    tail -n 1 "$build/fuzz/$entry.log"
done
exit $found
