#!/usr/bin/env python3
"""Maps that read the records of others. Usage: run_chain.py SHUNT

Rules of one map, and the same as a chain of maps, post the same; units are those of the map that reads the message, and they add up; lineage of what the second
map writes names the bytes, the line of the first map and its own.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES, SAMPLE = ROOT / "rules/canonical/remit_835.map", ROOT / "rules/canonical/samples/remit_835.edi"

HEAD = """module t.one version "1.0.0"
source era is X12 835 "005010X221A1" { currency: USD }
codes { RULE "a value could not be read" queue "q"  BIG "too large" queue "q"  ODD "odd" }
target gl is journal { date: date  column reason: text(5)?  accepts phi account_number, identifier }
target work { claim: text(38)  nth: int  left: money(USD)  key claim, nth  accepts phi account_number, identifier }
target total { trace: text(50)  paid: money(USD)  key trace }
"""
POST = """
    journal gl {
      key CLAIM, NTH
      date: DAY
      negatives: flip
      debit "1015" PAID
      debit "4500" CHARGE - PAID when CHARGE != PAID
      credit "1200" CHARGE
    }
    warn ODD "{PAID}" when PAID = 70.00 USD
    quarantine BIG "{CHARGE}" when CHARGE = 500.00 USD
    add PAID to paid
"""
LEFT = """ emit work { claim: CLAIM  nth: NTH  left: CHARGE - PAID } """


def named(text, **names):
    for name, value in names.items():
        text = text.replace(name, value)
    return text


OF_MESSAGE = {"CLAIM": "CLP01", "NTH": "nth", "DAY": "BPR16", "PAID": "CLP04", "CHARGE": "CLP03"}
OF_RECORD = {"CLAIM": "p.claim", "NTH": "p.nth", "DAY": "p.day", "PAID": "p.paid", "CHARGE": "p.charge"}
ONE = HEAD + """map post from era into gl, work, total {
  correlate by TRN02
  on error quarantine RULE
  tally paid: money(USD)
  for each c in 2100 {
    let nth = occurrence(CLP01)
""" + named(POST, **OF_MESSAGE) + "    if abs(CLP03) > 80.00 USD {" + named(LEFT, **OF_MESSAGE) + """}
  }
  at end { emit total { trace: TRN02  paid: paid } }
}
"""
CHAIN = HEAD + """target payment { claim: text(38)  nth: int  day: date  paid: money(USD)  charge: money(USD)  accepts phi account_number, identifier }
target rest { claim: text(38)  nth: int  charge: money(USD)  paid: money(USD)  accepts phi account_number, identifier }
target ended { trace: text(50)  paid: money(USD) }
map leave from rest into work { for each p in rest where abs(p.charge) > 80.00 USD {""" + named(LEFT, **OF_RECORD) + """} }
map post from payment into gl, rest, ended {
  tally paid: money(USD)
  for each p in payment {
""" + named(POST, **OF_RECORD) + """
    emit rest { claim: p.claim  nth: p.nth  charge: p.charge  paid: p.paid }
  }
  at end { emit ended { trace: "EFT0002"  paid: paid } }
}
map sum_up from ended into total { for each d in ended { emit total { trace: d.trace  paid: d.paid } } }
map take from era into payment {
  correlate by TRN02
  on error quarantine RULE
  for each c in 2100 { emit payment { claim: CLP01  nth: occurrence(CLP01)  day: BPR16  paid: CLP04  charge: CLP03 } }
}
"""


def run(shunt, folder, rules, sample=SAMPLE):
    out, faults, report = folder / "records", folder / "exceptions", folder / "report"
    done = subprocess.run([shunt, "run", rules, sample, "-q", "-o", out, "--exceptions", faults, "--report", report], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"exit {done.returncode}\n{done.stderr}")
    records = [{k: v for k, v in json.loads(line).items() if k != "meta"} for line in out.read_text().splitlines()]
    raised = [{k: v for k, v in json.loads(line).items() if k in ("code", "severity", "scope", "text", "offset", "length", "unit")} for line in faults.read_text().splitlines()]
    return records, raised, json.loads(report.read_text())


def same_as_one(shunt, folder, faults):
    answers = []
    for name, text in (("one", ONE), ("chain", CHAIN)):
        rules = folder / f"{name}.map"
        rules.write_text(text)
        answers.append(run(shunt, folder, rules))
        program = folder / f"{name}.mapc"
        subprocess.run([shunt, "compile", rules, "-o", program], check=True)
        if run(shunt, folder, program)[:2] != answers[-1][:2]:
            faults.append(f"{name}: the compiled program gives something else")
    (records, raised, report), (chained, also, totals) = answers
    if records != chained:
        faults.append("one map and a chain of maps post differently:\n" + "\n".join(json.dumps(r) for r in records) + "\n---\n" + "\n".join(json.dumps(r) for r in chained))
    if [r["code"] for r in raised] != [r["code"] for r in also] or not raised:
        faults.append(f"one map and a chain of maps raise differently: {raised} {also}")
    claims = SAMPLE.read_text().count("CLP*")
    for what in (report, totals):
        units = what["units"]
        if units["in"] != claims or units["in"] != sum(units[k] for k in ("posted", "duplicate", "skipped", "rejected", "quarantined")) or not units["quarantined"]:
            faults.append(f"{claims} claims, and units are {units}")
    return len(records)


def lineage(shunt, faults):
    data, seen = SAMPLE.read_bytes(), 0
    done = subprocess.run([shunt, "lineage", RULES, SAMPLE, "-q", "--json"], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        if record["target"] != "gl":
            continue
        for field in record["fields"]:
            origins = field["from"]
            if field["rule"]["file"] != "payments.map":
                faults.append(f"{field['field']} of record {record['record']} was given in {field['rule']}")
            if field["field"].endswith(".amount") and field["value"]:
                lines = {o["rule"]["line"] for o in origins if "record" in o and o["rule"]["file"] == "remit_835.map"}
                values = [data[o["offset"]:o["offset"] + o["length"]].decode() for o in origins if "length" in o]
                if not lines or not values:
                    faults.append(f"{field['field']} of record {record['record']}: {origins}")
                elif len(values) == 1 and abs(float(values[0])) != float(field["value"]):
                    faults.append(f"{field['field']} of record {record['record']} is {field['value']}, and comes from {values}")
                seen += 1
    return seen


def main():
    shunt, faults = sys.argv[1], []
    with tempfile.TemporaryDirectory() as name:
        records = same_as_one(shunt, pathlib.Path(name), faults)
    seen = lineage(shunt, faults)
    if records < 5 or seen < 8:
        faults.append(f"too little was looked at: {records} records, {seen} amounts")
    print("\n".join(faults) or f"{records} records are the same, {seen} amounts name both maps")
    return 1 if faults else 0


sys.exit(main())
