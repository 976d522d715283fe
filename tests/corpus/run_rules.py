#!/usr/bin/env python3
"""Runs the rules of payments, answers, enrollment and supply chain over the corpus and holds their totals against the raw text.
Usage: run_rules.py SHUNT CUTS [--list]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).

 1 every file of the set ends with status 0 or 1; files marked valid have no fault of structure above a warning
 2 sums and counts of the report equal those of this script, which shares nothing with the engine
 3 every journal balances, and what it posts to the side of the total is what the document asks for
 4 any cut of the input, and the compiled program, give the same bytes
"""
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from decimal import Decimal, InvalidOperation

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", ROOT.parent / "shared"))
BASE = r"00[45]010(?!X)"
# Files whose mark in INDEX.tsv does not hold for the rules, with what is wrong in them.
NOT_AS_MARKED = {
    "oopfactory-x12/ORD__856__Example3.txt": "a separator of two bytes",
    "oopfactory-x12/INS__277__5010__FromBogeyone.txt": "ends inside the set",
    "staedi/x12__empty997.edi": "its AK1 says no group",
    "linuxforhealth-x12/837_005010X223A3__out-of-network-repriced-claim.837i": "its CLM05 uses another component separator than its ISA16",
}
# Files that this script and the engine read differently, with why; all are marked invalid.
READ_OTHERWISE = {
    "edi-net/indice.Edi.Tests__Samples__x12.850.issue135.edi": "a DTM without terminator runs into the PO1 behind it; the engine says so and sets the order aside",
    "hipaa-attachments/test-x12-277-healthplan-to-availity.edi": "its STC stands outside of any level that holds one; the engine says so",
    "staedi/lit__EventSequenceTest_5.edi": "has two AK9; the engine says so",
}


def sets(data):
    """(set, version, segments) of the bytes; one that is cut off counts as far as it goes."""
    for part in re.split(rb"(?=ISA[^A-Za-z0-9 ]\d\d[^A-Za-z0-9 ])", data)[1:]:
        star = part[3:4]
        isa = part.split(star, 16)
        if len(isa) < 17:
            continue
        end, version, inside = isa[16][1:2], "", None
        for raw in part.split(end):
            segment = [e.decode("latin-1").replace("\r", "").replace("\n", "") for e in raw.split(star)]
            segment[0] = segment[0].strip()
            if segment[0] == "GS":
                version = segment[8].strip() if len(segment) > 8 else ""
            if segment[0] in ("ST", "GE", "IEA") and inside:
                yield inside
                inside = None
            if segment[0] == "ST" and len(segment) > 1:
                inside = (segment[1].strip(), segment[3].strip() if len(segment) > 3 and segment[3].strip() else version, [segment])
            elif inside:
                inside[2].append(segment)
                if segment[0] == "SE":
                    yield inside
                    inside = None
        if inside:
            yield inside


def value(segment, at):
    return segment[at].strip() if len(segment) > at else ""


def number(segment, at):
    """An amount as X12 writes it; nothing is zero. InvalidOperation for what is none."""
    text = value(segment, at)
    if text and not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", text):
        raise InvalidOperation(text)
    return Decimal(text or 0)


def total(name, at):
    return lambda segments: sum((number(s, at) for s in segments if s[0] == name), Decimal(0))


def beside_items(segments):
    """ADX of an entity, before its first open item."""
    found, beside = Decimal(0), False
    for s in segments:
        beside = s[0] == "ENT" or (beside and s[0] != "RMR")
        if s[0] == "ADX" and beside:
            found += number(s, 1)
    return found


def of_items(segments):
    found, item = Decimal(0), False
    for s in segments:
        item = value(s, 3) == "I" if s[0] == "HL" else item
        if s[0] == "SN1" and item:
            found += number(s, 2)
    return found


def cents(segments):
    return total("TDS", 1)(segments) / 100


def count(*names):
    return lambda segments: Decimal(sum(1 for s in segments if s[0] in names))


# rule: set -> (version, tally or None for records, how the raw text counts it)
CHECKS = {
    "claim_ar_inst": ("837", [(r"005010X223", "charged", total("CLM", 2))]),
    "premium_820": ("820", [(r"00(5010X218|4010X061)", "paid_total", total("BPR", 2)), (r"00(5010X218|4010X061)", "group_items+member_items", total("RMR", 4)),
                            (r"005010X218", "group_cuts+member_cuts", beside_items), (BASE, "payments", total("BPR", 2)),
                            (BASE, "items_total", total("RMR", 4)), (BASE, "cuts_total", beside_items)]),
    "order_850": ("850", [(BASE, "units_ordered", total("PO1", 2))]),
    "answer_855": ("855", [(BASE, "units_answered", total("ACK", 2))]),
    "ship_notice_856": ("856", [(BASE, "units_shipped", of_items)]),
    "invoice_810": ("810", [(BASE, "invoiced", cents)]),
    "coverage_834": ("834", [(r"005010X220", "record member", count("INS")), (r"005010X220", "record coverage", count("HD"))]),
    "claim_status": ("277 999 997", [(r"277 005010X21[24]|999 005010(X231|$)|997 (005010(X230|$)|004010)", "record status_event", count("STC", "AK2", "AK9"))]),
}


def run(shunt, rules, path, folder):
    records, faults, report, key = folder / "records", folder / "faults", folder / "report", folder / "key"
    for f in (records, faults, report):
        f.unlink(missing_ok=True)
    key.write_text("test key")
    done = subprocess.run([shunt, "run", "-q", rules, path, "-o", records, "--exceptions", faults, "--report", report, "-k", key], capture_output=True, text=True,
                          timeout=300, check=False)
    if done.returncode > 1:
        return done.returncode, [], [], {"stderr": done.stderr}
    read = lambda f: [json.loads(line) for line in f.read_text(errors="replace").splitlines()]
    return done.returncode, read(records), read(faults), json.loads(report.read_text())


def said(report, records, what):
    """What the run says of one check, or None where it says that it does not know."""
    if what.startswith("record "):
        # A TA1 stands in no set; its events are left out of the count.
        return Decimal(sum(1 for r in records if r["target"] == what[7:] and r["record"].get("subject") != "of_interchange"))
    found = Decimal(0)
    for tally in report["tallies"]:
        if tally["name"] in what.split("+"):
            if tally.get("unknown"):
                return None
            found += Decimal(tally["in"])
    return found


def unbalanced(record):
    sums = {}
    for line in record["record"].get("lines", ()):
        if "side" not in line:
            return None
        amount = Decimal(line["amount"])
        sums[line["currency"]] = sums.get(line["currency"], Decimal(0)) + (amount if line["side"] == "debit" else -amount)
    return {c: str(a) for c, a in sums.items() if a} or None


def main():
    shunt, cuts = sys.argv[1], sys.argv[2]
    index = SHARED / "corpus/x12/INDEX.tsv"
    if not index.exists():
        print(f"SKIPPED: no corpus at {SHARED}; set SHUNT_SHARED to run these tests", file=sys.stderr)
        return 77
    rows = list(csv.DictReader(index.open(), delimiter="\t"))
    bad, compared, files, unknown = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for rule, (wanted, checks) in CHECKS.items():
            rules, mine = ROOT / f"rules/x12/{rule}.map", []
            for row in rows:
                if not set(re.sub(r"x\d+", "", row["transaction_sets"]).split(",")) & set(wanted.split()):
                    continue
                path = index.parent / row["path"]
                mine.append(str(path))
                status, records, faults, report = run(shunt, rules, path, folder)
                if status > 1:
                    bad.append(f"{rule} {row['path']}: status {status} {report['stderr'][:200]}")
                    continue
                severe = sorted({f.get("cause", f["code"]) for f in faults if f["severity"] != "warning" and f["class"] in ("syntax", "structure", "limit", "internal")})
                if severe and row["validity"] == "valid" and row["path"] not in NOT_AS_MARKED:
                    bad.append(f"{rule} {row['path']}: marked valid, and {' '.join(severe)}")
                bad += [f"{rule} {row['path']}: journal differs by {unbalanced(r)}" for r in records if unbalanced(r)]
                whole = not any(f["severity"] != "warning" for f in faults)
                found = list(sets(path.read_bytes()))
                if "--list" in sys.argv:
                    print(rule, row["path"], row["validity"], status, sorted({f"{f['severity'][:4]} {f['code']} {f.get('cause', '')}".strip() for f in faults}))
                for version, what, raw in checks:
                    if what.startswith("record ") and not whole:
                        continue # units that were set aside give no records
                    try:
                        theirs = sum((raw(s) for which, v, s in found if which in wanted.split() and re.match(version, f"{which} {v}" if " " in version else v)), Decimal(0))
                    except InvalidOperation:
                        theirs = None
                    ours = said(report, records, what)
                    unknown += ours is None or theirs is None
                    compared += ours is not None
                    if ours is not None and ours != theirs and row["path"] not in READ_OTHERWISE:
                        bad.append(f"{rule} {row['path']}: {what} is {ours}, the text has {theirs}")
            done = subprocess.run([cuts, rules, *mine], capture_output=True, text=True, timeout=1200, check=False)
            if done.returncode:
                bad.append(f"{rule}: a cut gives something else: {done.stdout[-300:]}")
            files += len(mine)
    for line in bad[:60]:
        print(line)
    print(f"{files} files, {compared} sums and counts compared, {unknown} unknown on one side, {len(bad)} differ or fail")
    return 1 if bad or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
