#!/usr/bin/env python3
"""A message that is written and read again is the same message: every file of the corpus through the reader, the writer that the rules use, and the
reader again. Usage: rewrite.py REWRITE [--list]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).

Of FHIR, each resource in JSON is written as JSON and as XML. Compared are segments, repetitions, components, subcomponents, values without their escapes, loops and faults. Not compared: padding of the ISA, empty
parts at an end, line ends. --list names the files that have no form, with the reason."""
import collections
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", HERE.parents[2] / "shared"))
KINDS = {"x12": ("x12", 0.5), "hl7": ("hl7", 0.5), "fhir": ("fhir", 0.5)}  # folder, share of the files that must have been written


def main():
    if not (SHARED / "corpus").is_dir():
        print(f"SKIPPED: no corpus at {SHARED}: set SHUNT_SHARED")
        return 77
    bad = 0
    for kind, (folder, least) in KINDS.items():
        files = sorted(str(p) for p in (SHARED / "corpus" / folder).rglob("*") if p.is_file() and p.stat().st_size < 20_000_000 and not p.name.endswith((".tsv", ".md", ".py")) and ".expected." not in p.name and (kind != "fhir" or p.suffix == ".json"))
        done = subprocess.run([sys.argv[1], kind, *files], capture_output=True, timeout=800, check=False)
        lines = done.stdout.decode(errors="replace").split("\n")
        if done.returncode:
            print(f"NOT OK: {kind}: the tool ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
            return 1
        count = collections.Counter(line.split(" ")[0] for line in lines if line[:5] in ("same ", "none ", "diffe"))
        for at, line in enumerate(lines):
            if line.startswith("differs "):
                print(line, *(text[:300] for text in lines[at + 1:at + 3]), sep="\n")
            elif line.startswith("none ") and "--list" in sys.argv:
                print(line)
        enough = count["same"] >= least * len(files)
        bad += count["differs"] > 0 or not enough
        print(f"{'NOT OK' if count['differs'] or not enough else 'ok'}: {kind}: {count['same']} files are the same when written and read again, {count['none']} have no form, {count['differs']} differ")
    return 1 if bad else 0


sys.exit(main())
