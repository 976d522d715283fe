#!/usr/bin/env python3
"""Writes docs/conformance.md from what run_corpus.py --list wrote. Usage: conformance.py LIST > docs/conformance.md"""
import collections
import pathlib
import sys

from run_corpus import NOT_AS_MARKED

# Of the two rules over an 837, the one that reads every variant says more about the file.
rows = [(path, which, validity, reason, codes) for path, which, rule, validity, reason, codes in
        (line.rstrip("\n").split("\t") for line in pathlib.Path(sys.argv[1]).read_text().splitlines()) if rule != "claim_ar.map"]
counts = collections.defaultdict(collections.Counter)
for path, which, validity, reason, codes in rows:
    counts[which, path.split("/")[0]][validity] += 1
kinds = ["valid", "envelope-ok", "fragment", "invalid"]
print("""# Conformance: real files

What the remittance rules, the claim rules (`rules/x12/`) and a rule that reads every 837 (`tests/corpus/claims.map`) say of real 835 and 837 files that nobody in this project wrote. `tests/corpus/run_corpus.py` runs them where
the corpus is present (`$SHUNT_SHARED`, or `../shared` beside the checkout), and holds them against independent scripts: sums of CLP03, CLP04
and BPR02 over the raw text, totals by account computed from the raw text and the CSV tables, hledger, every cut of the input. This page is made by

```sh no-run
python3 tests/corpus/run_corpus.py build/release/cli/shunt build/release/tests/shunt_cuts --list list.tsv
python3 tests/corpus/conformance.py list.tsv > docs/conformance.md
python3 tests/corpus/hl7.py build/release/tests/shunt_hl7_leaves --page >> docs/conformance.md
python3 tests/corpus/run_rows.py build/release/cli/shunt --page >> docs/conformance.md
python3 tests/corpus/run_fhir.py build/release/tests/shunt_fhir_lex build/release/tests/shunt_fhir_read --page >> docs/conformance.md
python3 tests/corpus/run_validate.py build/release/cli/shunt --page page.md; cat page.md >> docs/conformance.md
```

Files marked `valid` or `envelope-ok` run without a fault of structure above a warning, but for those listed under *not as marked*. `REQUIRED_MISSING` and
`VALUE_INVALID` are faults of values: where nobody judged the content (`envelope-ok`) they are what the content deserves.

## Files by set and source
""")
print("| set | source | " + " | ".join(kinds) + " |\n|---|---|" + "---|" * len(kinds))
for (which, source), c in sorted(counts.items()):
    print(f"| {which} | {source} | " + " | ".join(str(c[k] or "") for k in kinds) + " |")
for which in ("835", "837"):
    total = collections.Counter(r[2] for r in rows if r[1] == which)
    print(f"| {which} | all | " + " | ".join(str(total[k] or "") for k in kinds) + " |")
print("\n## Not as marked\n\n| file | what is wrong with it |\n|---|---|")
for path, why in sorted(NOT_AS_MARKED.items()):
    print(f"| {path} | {why} |")
print("\n## Files marked invalid or fragment: what they are said to have, and what we say\n\n| set | file | its source says | codes |\n|---|---|---|---|")
for path, which, validity, reason, codes in sorted(rows):
    if validity in ("invalid", "fragment"):
        print(f"| {which} | {path} | {reason.replace('|', '/')} | {codes or 'nothing: what is wrong is not read by these rules'} |")
