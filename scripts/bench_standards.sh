#!/bin/sh
# Measures a release build on one core over generated HL7, FHIR and CSV: bench_standards.sh BUILD [SIZE]. docs/performance.md says what the
# rows are. Fails only where something could not be run or gave a wrong result, never because of time.
# Environment: SHUNT_BENCH_CORE (default: the last core), SHUNT_BENCH_ROUNDS (9).
set -eu
build=$1
size=${2:-64m}
here=$(cd "$(dirname "$0")/.." && pwd)
rounds=${SHUNT_BENCH_ROUNDS:-9}
core=${SHUNT_BENCH_CORE:-$(($(nproc) - 1))}
work=$build/bench/work
shunt=$build/cli/shunt
mkdir -p "$work"
printf 'a key of the bench' >"$work/key"

alone() { taskset -c "$core" "$@"; }
metered() { alone "$build/bench/bench_meter" "$rounds" "$@" 2>"$work/meter.log" || { tail -n 5 "$work/meter.log" >&2; exit 1; }; }
value() { tr ' ' '\n' <"$work/generated" | sed -n "s/^$1=//p"; }
row() { printf '%s|%s\n' "$1" "$(echo "$2" | tr ' ' '|')" >>"$work/rows"; }

# kind and the rules that post it
measure() {
    kind=$1 rules=$here/$2 title=$3
    input=$work/$kind-$size
    "$build/bench/bench_gen" "$kind" -b "$size" -o "$input" 2>"$work/generated"
    bytes=$(value bytes) units=$(value units)
    "$shunt" compile "$rules" -o "$work/rules.mapc"
    : >"$work/rows"
    alone "$build/bench/bench_read" "$kind" "$input" "$work/rules.mapc" "$rounds" >"$work/read"
    awk -v bytes="$bytes" 'NR > 1 { name = $0; sub(/ +[0-9]+ +[0-9]+ MB\/s.*/, "", name); printf "%s||%.9f|\n", name, bytes / $(NF - 5) / 1e6 }' "$work/read" >>"$work/rows"
    if [ "$kind" = dft ]; then row "hand-written C" "$(metered 0 "$build/bench/bench_hand_dft" "$input" 'a key of the bench')"; fi
    "$shunt" run "$rules" "$input" -k "$work/key" -q -o "$work/records" --report "$work/report"
    posted=$(tr -d ' ' <"$work/report" | grep -o '"posted":[0-9]*' | head -n 1 | cut -d: -f2)
    [ "$posted" = "$units" ] || { echo "bench_standards.sh: $posted of $units units of $kind were posted" >&2; exit 1; }
    rm -f "$work/records"
    row "whole map" "$(metered 0 "$shunt" run "$rules" "$input" -k "$work/key" -q -o /dev/null)"
    echo
    echo "$title: $bytes bytes, $units units; $2"
    awk -F'|' -v bytes="$bytes" -v units="$units" '
        { name[NR] = $1; least[NR] = $2; median[NR] = $3; peak[NR] = $4 }
        $1 == "hand-written C" { hand = $3 }
        END {
            printf "%-24s %10s %10s %12s %9s %9s %9s\n", "", "MB/s", "best MB/s", "units/s", "of first", "of hand C", "peak MB"
            for (i = 1; i <= NR; i++) {
                best = least[i] == "" ? "" : sprintf("%.0f", bytes / least[i] / 1e6)
                top = peak[i] == "" ? "" : sprintf("%.1f", peak[i] / 1024)
                of_hand = hand == "" ? "" : sprintf("%.2f", hand / median[i])
                printf "%-24s %10.0f %10s %12.0f %9.3f %9s %9s\n", name[i], bytes / median[i] / 1e6, best, units / median[i], median[1] / median[i], of_hand, top
            }
        }' "$work/rows"
    rm -f "$input"
}

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), core $core; $rounds rounds"
measure dft rules/hl7/dft_charges.map "HL7 v2 batch"
measure ndjson rules/fhir/eob_adjudication.map "FHIR, a resource a line"
measure bundle bench/bundle.map "FHIR Bundle, JSON"
measure xml bench/bundle.map "FHIR Bundle, XML"
measure csv bench/deposits.map "CSV"
