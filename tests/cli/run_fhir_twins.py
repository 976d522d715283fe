#!/usr/bin/env python3
"""The same resources in JSON and in XML give the same targets, keys, correlations, records, exceptions and totals.

Usage: run_fhir_twins.py SHUNT. Each sample of rules/fhir is written as XML (one document a resource) and as JSON of another layout: properties
in reverse, `resourceType` last, on one line. What the rules make of the three is compared; only places in the input may differ."""
import json
import pathlib
import subprocess
import sys
import tempfile
from xml.sax.saxutils import quoteattr

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = {"meta", "input", "transaction", "unit", "offset", "length", "segment"}  # an XML file holds one resource, NDJSON several


class Number(str):
    """A number as it is written."""


def xml_of(name, value, out):
    if isinstance(value, list):
        for item in value:
            xml_of(name, item, out)
    elif isinstance(value, dict):
        kind = value.get("resourceType")
        out.append(f"<{name}>")
        if kind:
            out.append(f"<{kind}>")
        members(value, out)
        if kind:
            out.append(f"</{kind}>")
        out.append(f"</{name}>")
    else:
        text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        out.append(f"<{name} value={quoteattr(str(text))}/>")


def members(value, out):
    for key, item in value.items():
        if key != "resourceType":
            xml_of(key, item, out)


def document(resource):
    kind, out = resource["resourceType"], ['<?xml version="1.0" encoding="UTF-8"?>\n']
    out.append(f'<{kind} xmlns="http://hl7.org/fhir">')
    members(resource, out)
    out.append(f"</{kind}>\n")
    return "".join(out)


def json_text(value):
    """Reversed, with numbers as they were written."""
    if isinstance(value, dict):
        items = [(k, v) for k, v in reversed(list(value.items())) if k != "resourceType"]
        if "resourceType" in value:
            items.append(("resourceType", value["resourceType"]))
        return "{" + ",".join(json.dumps(k) + ":" + json_text(v) for k, v in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(v) for v in value) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value)


def without_places(value):
    if isinstance(value, dict):
        return {k: without_places(v) for k, v in value.items() if k not in PLACES}
    if isinstance(value, list):
        return [without_places(v) for v in value]
    return value


def answer(shunt, rules, inputs, folder):
    records, faults, report = folder / "records", folder / "faults", folder / "report"
    done = subprocess.run([shunt, "run", rules, *inputs, "-q", "-o", records, "-e", faults, "-r", report, "-k", folder / "key"],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{rules.name}: exit {done.returncode}\n{done.stderr}")
    lines = [[without_places(json.loads(line)) for line in path.read_text().splitlines()] for path in (records, faults)]
    return lines + [totals(json.loads(report.read_text()))]


def totals(report):
    return {k: v for k, v in report.items() if k not in ("program", "inputs", "token_key")}


def main():
    shunt, bad, count = sys.argv[1], [], 0
    for sample in sorted(p for p in (ROOT / "rules/fhir/samples").iterdir() if p.suffix in (".json", ".ndjson") and ".expected" not in p.name):
        text = sample.read_text()
        texts = text.splitlines() if sample.suffix == ".ndjson" else [text]
        resources = [json.loads(t, parse_float=Number, parse_int=Number) for t in texts]
        rules = sample.parents[1] / (sample.name.split(".")[0] + ".map")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "key").write_text("a key for tests, of 32 bytes ....")
            xml = []
            for i, resource in enumerate(resources):
                xml.append(folder / f"{i:03}.xml")
                xml[-1].write_text(document(resource))
            other = folder / "other.json"
            other.write_text("".join(json_text(r) + "\n" for r in resources))
            first = answer(shunt, rules, [sample], folder)
            if not first[0] or not first[2]:
                bad.append(f"{sample.name}: no records, or no totals")
            for what, inputs in (("XML", xml), ("JSON of another layout", [other])):
                second = answer(shunt, rules, inputs, folder)
                for part, a, b in zip(("records", "exceptions", "totals"), first, second):
                    if a != b:
                        bad.append(f"{sample.name} as {what}: other {part}\n{json.dumps(a, indent=1)}\n{json.dumps(b, indent=1)}")
        count += 1
    print("\n".join(bad) or f"{count} samples give the same in every form")
    return 1 if bad or count < 4 else 0


sys.exit(main())
