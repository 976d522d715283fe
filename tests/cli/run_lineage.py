#!/usr/bin/env python3
"""Lineage holds what it promises (docs/lineage.md). Usage: run_lineage.py SHUNT

For every sample of rules/, and for rules that check nothing:
  1. a run with lineage writes the same records as one without;
  2. every field of every record has lineage, with the value that stands in the record;
  3. an element that is named stands in the input at its offset, whole; where a field is a plain copy, its bytes are the value;
  4. an element that a field does not name can be changed without changing the field; one that it copies can not;
  5. the key of a row that a classed value has found is not shown.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHUNT = str(pathlib.Path(sys.argv[1]).resolve())
CHANGES = 35  # of each sample
CASES = ROOT / "tests/cases/lineage"
# Elements that say what something is, not what it holds: changed, another segment or loop would be read.
OF_STRUCTURE = {"NM1": {1, 2, 8}, "N1": {1, 3}, "REF": {1}, "DTM": {1}, "DTP": {1, 2}, "AMT": {1}, "QTY": {1}, "LX": {1}, "PER": {1, 3, 5, 7}, "TRN": {1}, "ENT": {2}, "HL": {1, 2, 3}}
ENVELOPE = {"ISA", "GS", "ST", "SE", "GE", "IEA", "MSH", "FHS", "BHS", "BTS", "FTS"}


def run(rules, sample, folder, *more):
    records, lineage, key = folder / "records", folder / "lineage", folder / "key"
    key.write_text("a key for tests, of 32 bytes ....")
    done = subprocess.run([SHUNT, "run", rules, sample, "-q", "-o", records, "-e", folder / "faults", "--token-key", key, *more], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), f"{sample}: status {done.returncode}\n{done.stderr}"
    return records, lineage


def traced(rules, sample, folder, more):
    records, lineage = run(rules, sample, folder, "--lineage", folder / "lineage", *more)
    return [json.loads(line) for line in records.read_text().splitlines()], [json.loads(line) for line in lineage.read_text().splitlines()]


def flat(prefix, value):
    """Fields of a record as lineage names them; currencies are no fields but part of a type."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "currency" and not name.endswith("_currency"):
                yield from flat(f"{prefix}.{name}" if prefix else name, inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from flat(f"{prefix}[{i}]", inner)
    else:
        yield prefix, {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else str(value)


def members(entry):
    return [(o["offset"], o["length"]) for o in entry["from"] + entry["because"] if "length" in o]


def depends(record):
    """Field -> (value, elements that it depends on, those that it is computed from)."""
    whole = {e for o in [record] for e in [(x["offset"], x["length"]) for x in o["because"] if "length" in x]}
    lines = {e["field"]: set(members(e)) for e in record["fields"] if re.fullmatch(r"lines\[\d+\]", e["field"])}
    for e in record["fields"]:
        if e["field"] in lines:
            continue  # the heading of a line: its parts follow
        around = lines.get(e["field"].split(".")[0], set())
        plain = {(o["offset"], o["length"]) for o in e["from"] if "length" in o}
        yield e["field"], e["value"], set(members(e)) | around | whole, plain, e


def plain_value(raw):
    """Spellings of one value: as it stands, as a date, as an amount, without escapes of quotes."""
    text = raw.decode("utf-8", "replace")
    found = {text, text.strip(), text.strip('"'), text.replace('""', '"').strip('"')}
    if re.fullmatch(r"\d{8}", text):
        found.add(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    if re.fullmatch(r"\d{6}", text):
        found.add(f"20{text[:2]}-{text[2:4]}-{text[4:6]}")
    if re.fullmatch(r"-?\d*\.?\d*", text) and re.search(r"\d", text):
        number = float(text)
        found |= {f"{number:.2f}", f"{-number:.2f}", f"{abs(number):.2f}", f"{number / 100:.2f}", str(int(number)), f"{number:.4f}", f"{number:.3f}"}
    return found


def elements_x12(data):
    separator, terminator, component = data[3:4], data[105:106], data[104:105]
    at = 0
    for segment in data.split(terminator):
        parts = segment.split(separator)
        name, offset = parts[0].strip().decode(), at + len(parts[0]) + 1
        for number, part in enumerate(parts[1:], 1):
            inner = offset
            for place, piece in enumerate(part.split(component)):
                if (name, place) != ("HI", 0) and name not in ENVELOPE and number not in OF_STRUCTURE.get(name, ()) and piece.strip() and not (name == "SVC" and number == 1):
                    yield inner, len(piece)
                inner += len(piece) + 1
            offset += len(part) + 1
        at += len(segment) + 1


def elements_hl7(data):
    at = 0
    for segment in re.split(rb"(\r\n|\r|\n)", data):
        framed = segment.startswith(b"\x0b")
        name, offset = segment[framed:framed + 3].decode("latin-1"), at + framed + 4
        for part in segment.split(b"|")[1:]:
            inner = offset
            for piece in re.split(rb"[~^&]", part):
                if name not in ENVELOPE and piece and b"\\" not in piece and piece != b'""':
                    yield inner, len(piece)
                inner += len(piece) + 1
            offset += len(part) + 1
        at += len(segment)


def elements_json(data):
    for match in re.finditer(rb'"(\w+)"\s*:\s*("(?:[^"\\])*"|-?\d[\d.]*)', data):
        if match[1] in (b"resourceType", b"reference", b"id", b"fullUrl", b"type"):
            continue
        quoted = match[2].startswith(b'"')
        yield match.start(2) + quoted, len(match[2]) - 2 * quoted


def elements_rows(data):
    at = 0
    for number, line in enumerate(data.splitlines(keepends=True)):
        offset = at
        for piece in line.rstrip(b"\r\n").split(b","):
            if number and piece.strip() and b'"' not in piece and offset > at:
                yield offset, len(piece)
            offset += len(piece) + 1
        at += len(line)


def elements(sample, data):
    kind = sample.suffix
    if kind == ".edi":
        return list(elements_x12(data))
    if kind == ".hl7":
        return list(elements_hl7(data))
    if kind in (".json", ".ndjson"):
        return list(elements_json(data))
    return list(elements_rows(data)) if kind == ".csv" else []


def changed(data, element, taken):
    """The same with one byte of an element turned into another of its sort; None where there is none to turn."""
    offset, length = element
    for i in range(offset + length - 1, offset - 1, -1):
        c = data[i]
        if chr(c).isdigit() and c < 128:
            others = b"123456789" if length > 1 and i == offset else b"0123456789"
        elif chr(c).isalpha() and c < 128:
            others = b"ABCDEFGHJK" if chr(c).isupper() else b"abcdefghjk"
        else:
            continue
        for other in others[c % len(others):] + others:
            new = data[:i] + bytes([other]) + data[i + 1:]
            if other != c and new[offset:offset + length] not in taken:
                return new
    return None


class Faults(list):
    def __call__(self, text):
        if len(self) < 20:
            self.append(text)


def placed(lineage):
    """Records by transaction, unit, target and their place among those."""
    found = {}
    for of in lineage:
        place = of["transaction"], of.get("unit", 0), of["target"]
        found[*place, sum(k[:3] == place for k in found)] = of
    return found


def check_fields(name, records, lineage, data, fault):
    assert len(lineage) == len(records), f"{name}: {len(records)} records, {len(lineage)} with lineage"
    for record, of in zip(records, lineage):
        told = {e["field"]: e for e in of["fields"]}
        if "record" in record:  # else an `encode` shapes it
            wanted = dict(flat("", record["record"]))
            wanted |= {f"key[{i}]": part for i, part in enumerate(record["key"])} if any(f.startswith("key[") for f in told) else {}
            for field, value in wanted.items():
                if field not in told:
                    fault(f"{name}: record {of['record']} has no lineage for {field}")
                elif told[field]["value"] != value:
                    fault(f"{name}: record {of['record']}: {field} is {value}, lineage says {told[field]['value']}")
        if not of["complete"]:
            fault(f"{name}: record {of['record']} is incomplete")
        for e in of["fields"]:
            for o in e["from"]:
                if "length" in o and o["offset"] + o["length"] > len(data):
                    fault(f"{name}: {e['field']} names bytes beyond the input")

def is_copy(entry, data):
    """A field made of one element whose bytes are its value."""
    plain = [o for o in entry["from"] if "length" in o]
    if len(plain) != 1 or len(entry["from"]) != 1 or not entry["value"]:
        return None
    offset, length = plain[0]["offset"], plain[0]["length"]
    return (offset, length) if entry["value"] in plain_value(data[offset:offset + length]) else None


def check_sample(rules, sample, more, fault, few):
    name, data = f"{rules.name} {sample.name}", sample.read_bytes()
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where)
        base, lineage = traced(rules, sample, folder, more)
        quiet = run(rules, sample, folder, *more)[0].read_bytes()
        traced(rules, sample, folder, more)
        if (folder / "records").read_bytes() != quiet:
            fault(f"{name}: records differ with and without lineage")
        check_fields(name, base, lineage, data, fault)
        known = placed(lineage)
        everything = elements(sample, data)
        named = sorted({e for of in lineage for f in depends(of) for e in f[2]})
        whole = set(everything)
        for offset, length in named:
            if whole and sample.suffix == ".edi" and (offset, length) not in whole and data[offset - 1:offset] not in (data[3:4], data[104:105]):
                fault(f"{name}: {offset}+{length} is no whole element: {data[offset - 8:offset + length + 8]}")
        copies = [(e, of["record"], entry["field"]) for of in lineage for *_, entry in depends(of) for e in [is_copy(entry, data)] if e]
        pool = sorted(set(everything) | set(named))
        taken = {data[o:o + n] for o, n in pool}
        pool = pool[:: max(1, len(pool) // few)]
        compared = altered = 0
        for element in pool:
            new = changed(data, element, taken)
            if new is None:
                continue
            other = folder / sample.name
            other.write_bytes(new)
            _, after = traced(rules, other, folder, more)
            found = placed(after)
            same = found.keys() == known.keys()  # else a unit was left out, and what counts units or adds them up may differ
            for place, of in known.items():
                if place not in found or sum(k[:3] == place[:3] for k in found) != sum(k[:3] == place[:3] for k in known):
                    continue
                now = {e["field"]: e["value"] for e in found[place]["fields"]}
                for field, value, on, _, entry in depends(of):
                    if element not in on:
                        if not same and (not of.get("unit") or any("length" in o and not of["offset"] <= o["offset"] < of["offset"] + of["length"] and o.get("loops") for o in entry["from"])):
                            continue
                        compared += 1
                        if now.get(field) != value:
                            fault(f"{name}: {data[element[0]:sum(element)]} at {element} became {new[element[0]:sum(element)]}, and {field} of record {of['record']}, "
                                  f"which does not name it, {now.get(field)} instead of {value}")
                    elif is_copy(entry, data) == element:
                        altered += 1
                        if now.get(field) == value:
                            fault(f"{name}: {field} of record {of['record']} copies {element} and did not change with it")
        return len(base), len(named), len(copies), compared, altered


def check_hidden(fault):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        records, lineage = run(CASES / "hidden.map", CASES / "hidden.csv", folder, "--lineage", folder / "lineage")
        rows = [o for line in lineage.read_text().splitlines() for f in json.loads(line)["fields"] for o in f["from"] if "table" in o]
        if {(o["table"], *o["key"]) for o in rows} != {("people", "[masked]", "2025-01-01"), ("groups", "[masked]"), ("groups", "none")}:
            fault(f"rows found by a name: {rows}")
        if "SECRET" in records.read_text() + lineage.read_text() or '"payer":"ACME"' not in records.read_text():
            fault("rows found by a name are shown, or were not found")


def main():
    fault, totals = Faults(), [0] * 5
    remittance = ROOT / "rules/x12/samples/remittance.edi"
    cases = [(ROOT / "rules/x12/remit_gl.map", remittance, (), CHANGES)]
    cases += [(p.parents[1] / (p.name.split(".")[0] + ".map"), p.with_name(p.name.removesuffix(".expected.ndjson")), (), CHANGES)
              for p in sorted(ROOT.glob("rules/*/samples/*.expected.ndjson")) if p.name != "remittance.edi.expected.ndjson"]
    cases.append((CASES / "plain.map", CASES / "plain.csv", ("--table", f"rates={CASES / 'rates.csv'}"), 1000))
    for rules, sample, more, few in cases:
        counts = check_sample(rules, sample, more, fault, few)
        print(f"{sample.name}: {counts[0]} records, {counts[1]} elements named, {counts[2]} plain copies; {counts[3]} fields looked at after a change, {counts[4]} of them copies")
        totals = [a + b for a, b in zip(totals, counts)]
    check_hidden(fault)
    if totals[2] < 100 or totals[3] < 5000 or totals[4] < 50:
        fault(f"too little was looked at: {totals}")
    print("\n".join(fault) or "lineage names what fields are made of")
    return 1 if fault else 0


sys.exit(main())
