#!/bin/sh
# Measures a release build on one core over one generated 835: bench.sh BUILD [SIZE]. docs/performance.md says what the rows are.
# Fails only where something could not be run or gave a wrong result, never because of time.
# Environment: SHUNT_BENCH_CORE (default: the last core), SHUNT_BENCH_ROUNDS (9).
set -eu
build=$1
size=${2:-64m}
here=$(cd "$(dirname "$0")/.." && pwd)
rounds=${SHUNT_BENCH_ROUNDS:-9}
core=${SHUNT_BENCH_CORE:-$(($(nproc) - 1))}
work=$build/bench/work
input=$work/remittance-$size.edi
rules=$here/rules/x12/remit_gl.map
shunt=$build/cli/shunt
mkdir -p "$work"

"$build/bench/bench_gen835" -b "$size" -o "$input" 2>"$work/generated"
value() { tr ' ' '\n' <"$work/generated" | sed -n "s/^$1=//p"; }
bytes=$(value bytes)
claims=$(value claims)

alone() { taskset -c "$core" "$@"; }
metered() { alone "$build/bench/bench_meter" "$rounds" "$@" 2>"$work/meter.log" || { tail -n 5 "$work/meter.log" >&2; exit 1; }; }

# name|seconds (least)|seconds (median)|KiB: a row of the table for each
rows=$work/rows
alone "$build/bench/bench_floor" "$input" "$rounds" >"$work/floor"
awk -v bytes="$bytes" 'NR > 1 { name = $0; sub(/ +[0-9]+ +[0-9.]+ GB\/s.*/, "", name); s = bytes / $(NF - 5) / 1e9; printf "%s||%.9f|\n", name, s }' "$work/floor" >"$rows"
alone "$build/bench/bench_parts" "$input" "$rounds" |
    awk -v bytes="$bytes" '{ name = $0; sub(/ +[0-9]+ MB\/s$/, "", name); printf "%s||%.9f|\n", name, bytes / $(NF - 1) / 1e6 }' >>"$rows"
row() { printf '%s|%s\n' "$1" "$(echo "$2" | tr ' ' '|')" >>"$rows"; }
if [ -x "$shunt" ]; then
    "$shunt" run "$rules" "$input" -q -o "$work/records" --report "$work/report"
    posted=$(tr -d ' ' <"$work/report" | grep -o '"posted":[0-9]*' | head -n 1 | cut -d: -f2)
    [ "$posted" = "$claims" ] || { echo "bench.sh: $posted of $claims claims were posted" >&2; exit 1; }
    # The program written by hand must write what the map writes, down to the byte; what `meta` names is told to it.
    rule() { grep -m 1 "$1" "$work/records" | sed 's/.*"rule":"[^:"]*:\([0-9]*\)".*/\1/'; }
    hash=$(head -n 1 "$work/records" | sed 's/.*"program":"\([0-9a-f]*\)".*/\1/')
    meta=$hash:$(rule '"origin":"835 claim"'):$(rule '"target":"denial_work"'):$(rule '"origin":"835 PLB"')
    "$build/bench/bench_hand835" -r "$meta" "$input" 2>"$work/hand.log" | cmp - "$work/records" ||
        { echo "bench.sh: the program written by hand posts other than the map" >&2; exit 1; }
    rm -f "$work/records"
    measured=$(metered 0 "$build/bench/bench_hand835" -r "$meta" "$input")
    row "hand-written C" "$measured"
    measured=$(metered 0 "$build/bench/bench_hand835" "$input")
    row "the same, short records" "$measured"
    measured=$(metered 0 "$shunt" run "$rules" "$input" -q -o /dev/null)
    row "whole map" "$measured"
fi

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), core $core; $bytes bytes, $claims claims, $(value transactions) transactions; $rounds rounds"
awk -F'|' -v bytes="$bytes" -v claims="$claims" '
    { name[NR] = $1; least[NR] = $2; median[NR] = $3; peak[NR] = $4 }
    $1 == "floor" { floor = $3 }
    $1 == "hand-written C" { hand = $3 }
    END {
        printf "%-24s %10s %10s %12s %9s %9s %9s\n", "", "MB/s", "best MB/s", "claims/s", "of floor", "of hand C", "peak MB"
        for (i = 1; i <= NR; i++) {
            best = least[i] == "" ? "" : sprintf("%.0f", bytes / least[i] / 1e6)
            top = peak[i] == "" ? "" : sprintf("%.1f", peak[i] / 1024)
            printf "%-24s %10.0f %10s %12.0f %9.3f %9.2f %9s\n", name[i], bytes / median[i] / 1e6, best, claims / median[i], floor / median[i], hand / median[i], top
        }
    }' "$rows"
