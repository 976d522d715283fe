#!/usr/bin/env python3
"""Runs the remittance and claim rules over the corpus of real files and holds what comes out against independent scripts.
Usage: run_corpus.py SHUNT CUTS [--list FILE]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).

 1 files marked valid or envelope-ok run without a fault of structure or syntax above a warning
 2 the report's sums of CLP03, CLP04 and BPR02 equal those of raw835.py
 3 every journal balances in hledger, and totals by account equal those of ledger835.py
 4 any cut of the input, and the .mapc, give the same bytes
 5 oddities that INDEX.tsv lists about envelopes and counts raise their code
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", ROOT.parent / "shared"))
# What INDEX.tsv calls an oddity -> the codes that say it. A code of the list is enough.
ODDITIES = {
    "SE01": ["X12_SE01"], "SE02": ["X12_SE02"], "GE01": ["X12_GE01"], "GE02": ["X12_GE02"], "IEA01": ["X12_IEA01"], "IEA02": ["X12_IEA02"],
    "no ISA": ["X12_NO_ISA"], "counted (ISA not 106 bytes)": ["X12_ISA_LENGTH", "X12_ISA16"], "junk before ISA:": ["X12_LEADING_TEXT"],
    "bad segment id": ["X12_SEGMENT_ID"], "empty segment id": ["X12_SEGMENT_ID"],
}
# Faults of values and usage: `envelope-ok` says that nobody judged the content.
CONTENT = ("VALUE_INVALID", "REQUIRED_MISSING")
# Files whose mark in INDEX.tsv does not hold, with what is wrong in them; docs/conformance.md lists them.
NOT_AS_MARKED = {
    "vgi-x12/data__multi_group.edi": "its 835 has no TRN at all",
    "vgi-x12/data__claim_837.837": "has neither HL nor LX; its SBR begins another subscriber of no claim",
    "vscode-edi-x12-support/docs__odd-separator.edi": "ends inside the set, without SE, GE and IEA",
}


def fail_list(name, items):
    print(f"{'ok' if not items else 'NOT OK'}: {name}" + (f": {len(items)}" if items else ""))
    for item in items[:40]:
        print("   ", item)
    return bool(items)


def run(shunt, rules, path, folder):
    records, faults, report = folder / "records", folder / "faults", folder / "report"
    for f in (records, faults, report):
        f.unlink(missing_ok=True)
    key = folder / "key"
    key.write_text("test key")
    done = subprocess.run([shunt, "run", rules, path, "-o", records, "--exceptions", faults, "--report", report, "-k", key], capture_output=True, text=True,
                          timeout=300, check=False)
    if done.returncode > 1:
        return done.returncode, [], [], {"stderr": done.stderr}
    read = lambda f: [json.loads(line) for line in f.read_text(errors="replace").splitlines()]
    return done.returncode, read(records), read(faults), json.loads(report.read_text())


def script(name, *args):
    return json.loads(subprocess.run([sys.executable, HERE / name, *args], capture_output=True, text=True, check=True).stdout)


def tally(report, name):
    found = [t for t in report["tallies"] if t["name"] == name]
    return sum(Decimal(t["in"]) for t in found)


def main():
    shunt, cuts = sys.argv[1], sys.argv[2]
    index = SHARED / "corpus/x12/INDEX.tsv"
    if not index.exists():
        print(f"SKIPPED: no corpus at {SHARED}; set SHUNT_SHARED to run these tests", file=sys.stderr)
        return 77
    rows = list(csv.DictReader(index.open(), delimiter="\t"))
    has = lambda row, s: s in row["transaction_sets"].replace(",", " ").split()
    wanted = [r for r in rows if has(r, "835") or has(r, "837")]
    paths = {r["path"]: str(index.parent / r["path"]) for r in wanted}
    remits = [r for r in wanted if has(r, "835")]
    rules = [("835", ROOT / "rules/x12/remit_gl.map"), ("837", ROOT / "rules/x12/claim_ar.map"), ("837", HERE / "claims.map")]
    raw = script("raw835.py", *[paths[r["path"]] for r in remits])
    ledger = script("ledger835.py", str(ROOT / "rules/x12/tables"), *[paths[r["path"]] for r in remits])
    broken, structure, sums, ledgers, unseen, journal, listed = [], [], [], [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for r in wanted:
            path = paths[r["path"]]
            for which, rule in rules:
                if not has(r, which):
                    continue
                status, records, faults, report = run(shunt, rule, path, folder)
                if status > 1:
                    broken.append(f"{r['path']}: status {status}: {report['stderr'][:200]}")
                    continue
                severe = sorted({f["cause"] if "cause" in f else f["code"] for f in faults
                                 if f["severity"] != "warning" and f["class"] in ("syntax", "structure", "limit", "internal")
                                 and not (r["validity"] == "envelope-ok" and f.get("cause") in CONTENT)})
                if severe and r["validity"] in ("valid", "envelope-ok") and r["path"] not in NOT_AS_MARKED:
                    structure.append(f"{r['path']} ({r['validity']}): {' '.join(severe)}")
                codes = {f.get("cause", f["code"]) for f in faults} | {f["code"] for f in faults}
                for odd in r["oddities_seen"].split(" | "):
                    for word, names in ODDITIES.items():
                        if (odd + " ").startswith(word + " ") and not codes & set(names) and not severe:
                            unseen.append(f"{r['path']}: {odd}: said {' '.join(sorted(codes)) or 'nothing'}")
                listed.append((r["path"], which, rule.name, r["validity"], r["validity_reason"], " ".join(sorted(codes))))
                if which == "835":
                    mine = {"charged": tally(report, "charged_total"), "paid": tally(report, "paid_total"), "payment": tally(report, "payment_total")}
                    theirs = {k: Decimal(v) for k, v in raw[path].items()}
                    if mine != theirs:
                        sums.append(f"{r['path']}: {({k: str(v) for k, v in mine.items()})} raw {({k: str(v) for k, v in theirs.items()})}")
                    totals = {}
                    for record in records:
                        if record["target"] != "gl":
                            continue
                        journal.append(json.dumps(record))
                        for line in record["record"]["lines"]:
                            cents = int(Decimal(line["amount"]) * 100)
                            totals[line["account"]] = totals.get(line["account"], 0) + (cents if line["side"] == "debit" else -cents)
                    totals = {a: c for a, c in totals.items() if c}
                    if totals != ledger[path]:
                        ledgers.append(f"{r['path']}: posted {totals}, expected {ledger[path]}")
    bad = fail_list("every file ends with status 0 or 1", broken)
    bad |= fail_list("valid files have no structural fault above a warning", structure)
    bad |= fail_list("envelope oddities are said", unseen)
    bad |= fail_list("sums of CLP03, CLP04 and BPR02 equal those of the raw text", sums)
    bad |= fail_list("totals by account equal those of the independent script", ledgers)
    text = subprocess.run([sys.executable, HERE / "to_hledger.py"], input="\n".join(journal), capture_output=True, text=True, check=True).stdout
    checked = subprocess.run(["hledger", "-f", "-", "check"], input=text, capture_output=True, text=True, check=False)
    bad |= fail_list(f"{len(journal)} journals balance in hledger", [checked.stderr] if checked.returncode else [])
    for which, rule in rules:
        files = [paths[r["path"]] for r in wanted if has(r, which)]
        done = subprocess.run([cuts, rule, *files], capture_output=True, text=True, timeout=1200, check=False)
        bad |= fail_list(f"any cut gives the same ({rule.name})", done.stdout.splitlines()[:-1] or ["failed"] if done.returncode else [])
    if "--list" in sys.argv:
        pathlib.Path(sys.argv[sys.argv.index("--list") + 1]).write_text("".join("\t".join(row) + "\n" for row in listed))
    print(f"{len(remits)} remittance files, {len(wanted) - len(remits)} others")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
