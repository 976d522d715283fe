#!/bin/sh
# How long the compiler takes over a rule file of 2,000 lines, with the start of the command: bench_compile.sh BUILD [LINES].
# Fails only where it could not be compiled, never because of time. Environment: SHUNT_BENCH_CORE (the last core), SHUNT_BENCH_ROUNDS (9).
set -eu
build=$1
lines=${2:-2000}
here=$(cd "$(dirname "$0")/.." && pwd)
core=${SHUNT_BENCH_CORE:-$(($(nproc) - 1))}
work=$build/bench/work
mkdir -p "$work"
python3 "$here/bench/gen_rules.py" "$lines" >"$work/rules.map"
[ "$(wc -l <"$work/rules.map")" -eq "$lines" ] || { echo "bench_compile.sh: not $lines lines" >&2; exit 1; }
"$build/cli/shunt" check "$work/rules.map" >"$work/check.log" || { cat "$work/check.log" >&2; exit 1; }
taskset -c "$core" "$build/bench/bench_meter" "${SHUNT_BENCH_ROUNDS:-9}" 0 "$build/cli/shunt" check "$work/rules.map" 2>"$work/meter.log" |
    awk -v lines="$lines" '{ printf "compile %d lines: %.1f ms (best %.1f ms), %.1f MB; to stay under 50 ms\n", lines, $2 * 1000, $1 * 1000, $3 / 1024 }'
