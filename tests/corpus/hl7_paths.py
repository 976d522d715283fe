#!/usr/bin/env python3
"""The path assertions of the HL7 corpus through `shunt get`. Usage: hl7_paths.py SHUNT. Status 77: there is no corpus."""
import csv
import os
import pathlib
import re
import subprocess
import sys

SHUNT = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path(os.environ.get("SHUNT_SHARED", ROOT.parent / "shared")) / "corpus/hl7"
ENDING = ".expected.paths.tsv"


def plain(text):
    """The tables write a backslash as two, and line ends as in C."""
    return re.sub(r"\\(.)", lambda m: {"r": "\r", "n": "\n", "t": "\t"}.get(m[1], m[1]), text)


def get(path, message, raw):
    done = subprocess.run([SHUNT, "get", *(["--raw"] if raw else []), path, str(message)], capture_output=True, timeout=60, check=False)
    if done.returncode > 1:
        return None, done.stderr.decode(errors="replace").strip()
    return done.stdout.removesuffix(b"\n"), ""


def main():
    tables = sorted(CORPUS.glob("*/*" + ENDING))
    if not tables:
        print("SKIPPED: no HL7 corpus with path assertions")
        return 77
    right = wrong = 0
    for table in tables:
        message = table.with_name(table.name.removesuffix(ENDING))
        with table.open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
                want = b"" if row["match"] == "absent/empty" else plain(row["expected"]).encode()
                got, why = get(row["canonical"], message, row["match"] == "raw")
                fine = got is not None and got.split(b"\n")[0] == want  # of several messages the first is meant
                right += fine
                if fine:
                    continue
                wrong += 1
                print(f"{message.parent.name}/{message.name} {row['canonical']}: expected {want!r}, got {got!r} {why} ({row['match']})")
    total = right + wrong
    print(f"{right} of {total} path assertions hold")
    return 1 if wrong else 0


sys.exit(main())
