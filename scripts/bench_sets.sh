#!/bin/sh
# Measures reading and validating claims (837) and orders (850) beside the structural floor, on one core: bench_sets.sh BUILD [SIZE].
# Fails only where something could not be run or is not accepted, never because of time. Environment as bench.sh.
set -eu
build=$1
size=${2:-32m}
rounds=${SHUNT_BENCH_ROUNDS:-9}
core=${SHUNT_BENCH_CORE:-$(($(nproc) - 1))}
work=$build/bench/work
mkdir -p "$work"
for guide in "837 005010X222A1" "850 004010"; do
    set -- $guide
    input=$work/$1-$size.edi
    "$build/bench/bench_gensets" "$1" -b "$size" -o "$input" 2>"$work/generated"
    if [ -x "$build/cli/shunt" ]; then
        "$build/cli/shunt" validate --snip 3 "$input" >"$work/validated" || { tail -n 5 "$work/validated" >&2; exit 1; }
    fi
    echo "$1 $2, core $core, $(cat "$work/generated"), $rounds rounds"
    taskset -c "$core" "$build/bench/bench_floor" "$input" "$rounds" "$1" "$2" |
        awk 'NR > 1 { name = $0; sub(/ +[0-9]+ +[0-9.]+ GB\/s.*/, "", name); s = $(NF - 5); if (NR == 2) floor = s; printf "  %-24s %8.0f MB/s %8.3f of the floor\n", name, s * 1000, s / floor }'
done
