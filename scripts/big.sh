#!/bin/sh
# An 835 of 1 GiB in one set and in many: memory stays below 64 MiB, records are those that the totals say; and rules that reject the whole
# transaction at its end leave nothing behind. The same bytes of HL7, FHIR (a resource a line, one Bundle as JSON and as XML) and CSV, through
# a pipe. Usage: big.sh BUILD [SIZE], as bench.sh takes it: bytes, or with k, m, g
set -eu
build=$1
bytes=${2:-1g}
case $bytes in
*k) bytes=$((${bytes%k} << 10)) ;;
*m) bytes=$((${bytes%m} << 20)) ;;
*g) bytes=$((${bytes%g} << 30)) ;;
esac
here=$(cd "$(dirname "$0")/.." && pwd)
shunt=$build/cli/shunt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Peak resident memory in KiB of a command, its output to $work/out; the status goes to $work/status.
peak() {
    /usr/bin/env python3 - "$work" "$@" <<'P'
import resource, subprocess, sys
work, command = sys.argv[1], sys.argv[2:]
with open(work + "/out", "wb") as out, open(work + "/input", "rb") as given:
    status = subprocess.run(command, stdin=given, stdout=out, check=False).returncode
open(work + "/status", "w").write(str(status))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
P
}

judge() {
    printf '%s: peak %s KiB, status %s, %s records\n' "$1" "$2" "$(cat "$work/status")" "$(wc -l <"$work/out")"
    [ "$2" -lt 65536 ] || { echo "more than 64 MiB"; exit 1; }
}

for claims in 0 500; do
    if [ $claims -eq 0 ]; then "$build/bench/bench_gen835" -b "$bytes" -t 0 -o "$work/input"; kind="one set"
    else "$build/bench/bench_gen835" -b "$bytes" -t $claims -o "$work/input"; kind="sets of $claims claims"; fi
    judge "$kind" "$(peak "$shunt" run "$here/rules/x12/remit_gl.map" - -q --report "$work/report")"
    tr -d ' \n' <"$work/report" | grep -o '"units":{[^}]*}'
done

# The same rules, but the payment never foots: nothing may be left.
mkdir -p "$work/rules/x12"
cp -r "$here/rules/lib" "$work/rules/lib"
cp -r "$here/rules/x12/tables" "$work/rules/x12/tables"
sed 's/check payment = paid_total - taken$/check payment = paid_total - taken + 0.01 USD/' "$here/rules/x12/remit_gl.map" >"$work/rules/x12/never.map"
cmp -s "$here/rules/x12/remit_gl.map" "$work/rules/x12/never.map" && { echo "the rules were not changed"; exit 1; }
"$build/bench/bench_gen835" -b "$bytes" -t 0 -o "$work/input"
judge "undone at its end" "$(peak "$shunt" run "$work/rules/x12/never.map" - -q --report "$work/report")"
tr -d ' \n' <"$work/report" | grep -o '"units":{[^}]*}'
[ ! -s "$work/out" ] || { echo "records of an undone transaction were written"; exit 1; }

# The other standards, made while they are read: nothing but what waits for a commit touches the disk.
piped() {
    /usr/bin/env python3 - "$work" "$build/bench/bench_gen" "$1" "${3:-$bytes}" "$shunt" run "$here/$2" - -q -k "$work/key" -o /dev/null --report "$work/report" <<'P'
import re, resource, subprocess, sys
work, gen, kind, size, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]
with open(work + "/made", "wb") as made:
    source = subprocess.Popen([gen, kind, "-b", size], stdout=subprocess.PIPE, stderr=made)
    status = subprocess.run(command, stdin=source.stdout, check=False).returncode
    source.stdout.close()
    source.wait()
units = int(re.search(r"units=(\d+)", open(work + "/made").read()).group(1))
posted = int(re.search(r'"posted": *(\d+)', open(work + "/report").read()).group(1))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{kind} from a pipe: peak {peak} KiB, status {status}, {posted} of {units} units posted")
sys.exit(status != 0 or posted != units or peak >= 65536)
P
}
printf 'a key' >"$work/key"

# Claims in one set: each, and the set, has its trace in the 277CA at the end of the input.
"$build/bench/bench_gensets" 837 -b "$bytes" -t 100000000 -o "$work/input" 2>/dev/null
judge "claims with their 277CA" "$(peak "$shunt" run "$here/rules/x12/claim_ar.map" - -q -k "$work/key" -o /dev/null --ack "$work/answers")"
claims=$(tr '~' '\n' <"$work/input" | grep -c '^CLM\*')
answered=$(tr '~' '\n' <"$work/answers" | grep -c '^TRN\*2\*')
[ "$answered" -eq $((claims + 1)) ] || { echo "$answered of $claims claims are answered"; exit 1; }
rm -f "$work/answers"

piped dft rules/hl7/dft_charges.map
piped ndjson rules/fhir/eob_adjudication.map
piped bundle bench/bundle.map
piped xml bench/bundle.map
# Rows are short: a quarter of the bytes is four million rows of a GiB, with eight million keys in one transaction, 10 bits each in memory.
piped csv bench/deposits.map $((bytes / 4))
