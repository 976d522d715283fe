#!/bin/sh
# Posts the sample remittance by the remittance rules and shows what came of it: demo.sh SHUNT
set -eu
shunt=$1
here=$(cd "$(dirname "$0")/.." && pwd)
rules=$here/rules/x12/remit_gl.map
sample=$here/rules/x12/samples/remittance.edi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
"$shunt" run "$rules" "$sample" -o "$work/records" --report "$work/report" 2>"$work/exceptions" || status=$?
[ "$status" -le 1 ] || { cat "$work/exceptions" >&2; exit "$status"; }

echo "== Journals (rules/x12/remit_gl.map over rules/x12/samples/remittance.edi) =="
grep '"target":"gl"' "$work/records" | awk -f "$here/scripts/journals.awk"
echo
echo "== Denials to work =="
grep '"target":"denial_work"' "$work/records" | sed 's/.*"record":{\(.*\)},"meta".*/\1/; s/"//g; s/,/  /g'
echo
echo "== Set aside (exit status $status) =="
cat "$work/exceptions"
echo
echo "== Control totals =="
cat "$work/report"
echo
paid=$("$shunt" get BPR02 "$sample")
aside=$("$shunt" get 2100.CLP04 "$sample" | sed -n 6p)
grep '"target":"gl"' "$work/records" | awk -v paid="$paid" -v aside="$aside" -f "$here/scripts/cash.awk"
