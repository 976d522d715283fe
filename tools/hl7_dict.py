#!/usr/bin/env python3
"""Turns a folder of HL7 v2 facts (JSON) into the text dictionaries of standards/dict/hl7. Run once per change of the facts:

    tools/hl7_dict.py FACTS OUT

FACTS holds a folder for each version (segments.json, datatypes.json, messages.json), tables.json and phi.json; OUT is
standards/dict/hl7. The result is the source of the build from then on: see standards/dict/README.md.
"""
import json
import os
import re
import sys

VERSIONS = "2.1 2.2 2.3 2.3.1 2.4 2.5 2.5.1 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9".split()
LETTER = {"A": "name", "B": "address", "C": "date", "D": "contact", "E": "contact", "F": "contact", "G": "ssn",
          "H": "record_number", "I": "member_id", "J": "account_number", "K": "licence", "L": "vehicle", "M": "device",
          "N": "url", "O": "ip_address", "P": "biometric", "Q": "photo", "R": "identifier", "clin": "clinical",
          "free": "free_text", "fin": None, "prov": None, "dem": None, "none": None, "var": "free_text"}
# Numbers (NM) that are money; MO and CP always are.
MONEY = {("FT1", "amount"), ("FT1", "unit cost"), ("DG1", "outlier cost"), ("IN1", "policy deductible"), ("IN1", "policy limit - amount"),
         ("IN1", "room rate"), ("PV1", "contract amount"), ("PV1", "bad debt"), ("PV1", "current patient balance"),
         ("PV1", "total charges"), ("PV1", "total adjustments"), ("PV1", "total payments"), ("GP2", "pay rate")}
# Money that is finer than a cent.
FINE = re.compile(r"\bunit\b|\bprice\b|\brate\b|cost factor")
# Placeholders of the source where any segment may stand; what is not in a guide is passed over anyway.
NO_SEGMENT = {"ANYHL7SEGMENT", "Segment", "-", "Hxx"}
PASSIVE = {"NUL", "?", None}
WORDS = [("identifier", "id"), ("identification", "identification"), ("date/time", "date and time"), ("ph num", "phone number"),
         ("addtnl.", "additional"), ("indic.", "indicator")]


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def clean(name):
    name = name.replace("’", "'").replace("�", "'").replace("–", "-").replace('"', "'").replace("\\", "/").replace(" ' ", " - ")
    name = name.encode("ascii", "ignore").decode().lower()
    name = re.sub(r"\s+", " ", name).strip(" *+.")
    name = re.sub(r"^set id\b.*", "set id", name)
    name = re.sub(r"\s+-\s+(?=\w{3}$)", " - ", name)
    for old, new in WORDS:
        name = name.replace(old, new)
    name = re.sub(r"\s*\(.*\)$", "", name) if len(name) > 48 else name
    if len(name) > 60:
        name = name[:60].rsplit(" ", 1)[0]
    return name.strip(" -*+.,") or "-"


def runs(versions):
    """"2.3..2.5,2.9" of a set of versions."""
    out, i = [], 0
    numbers = sorted(VERSIONS.index(v) for v in versions)
    while i < len(numbers):
        j = i
        while j + 1 < len(numbers) and numbers[j + 1] == numbers[j] + 1:
            j += 1
        a, b = VERSIONS[numbers[i]], VERSIONS[numbers[j]]
        out.append(a if i == j else a + ".." + b)
        i = j + 1
    return ",".join(out)


def usage(u):
    if u == "R":  # not `(B) R`: what only backward compatibility requires, later senders leave out
        return "R"
    return "N" if u in ("X", "W") else "S"


class Lines:
    """Lines of definitions, each with the versions in which it holds, in the order of their sort keys."""

    def __init__(self):
        self.lines = {}

    def add(self, key, text, version):
        self.lines.setdefault((key, text), set()).add(version)

    def write(self, out, head):
        def first(item):
            (key, text), versions = item
            return key, min(VERSIONS.index(v) for v in versions), text
        for (key, text), versions in sorted(self.lines.items(), key=first):
            out.write("\t%s\t%s\n" % (runs(versions), text) if head is None else head(key, text, runs(versions)))


def member(m, container, tables):
    """POSITION TYPE USE REPEAT LENGTH TABLE KIND NAME"""
    name = clean(m["n"])
    kind = "-"
    money = m["t"] in ("MO", "CP") or (m["t"] == "NM" and any(container == s and name.startswith(w) or container == s and w in name
                                                             and w in ("amount", "unit cost") for s, w in MONEY))
    if money:
        kind = "amount=4" if FINE.search(name) and len(container) == 3 else "amount"
    if (container, m["p"]) == ("MO", 1):
        kind = "amount"
    table = m.get("tb")
    table = table if table in tables else None
    repeat = m.get("r", 1)
    type_ = m["t"] if m["t"] not in ("-", "varies", "Varies", "") else "ANY"
    type_ = "CE" if type_.startswith("CE_") else type_
    return "%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s" % (m["p"], type_, usage(m["u"]), "*" if repeat == 0 else repeat,
                                              min(int(m.get("l") or 0), 65535), table or "-", kind, name)


# The facts have a profile of OBX in the place of the segment: usage is that of the next version.
PROFILED = {("OBX", "2.7.1"): "2.8.1", ("OBX", "2.8"): "2.8.1"}


def write_members(path, word, items, tables, borrowed):
    names, members = {}, {}
    for (code, version), other in PROFILED.items() if word == "segment" else ():
        plain = {m["p"]: m["u"] for m in items[other][code]["f"]}
        for m in items[version][code]["f"]:
            m["u"] = plain.get(m["p"], m["u"])
    for version in VERSIONS:
        for code, item in items[version].items():
            for v in [version] + borrowed.get((version, code), []):
                names.setdefault(code, {})[v] = clean(item["n"])
                lines = members.setdefault(code, Lines())
                for m in item.get("f", item.get("c", [])):
                    lines.add(m["p"], member(m, code, tables), v)
    with open(path, "w", encoding="ascii") as out:
        out.write("hl7-%ss\t%s\n" % (word, "\t".join(VERSIONS)))
        for code in sorted(names):
            last = names[code][max(names[code], key=VERSIONS.index)]
            out.write("%s\t%s\t%s\t%s\n" % (word, code, runs(names[code]), last))
            members[code].write(out, None)


def segments_of(structure):
    for entry in structure:
        if isinstance(entry, dict):
            yield from segments_of(entry["c"])
        else:
            yield entry[0]


LIMIT = {(1, 1): "", (0, 1): "?", (0, 0): "*", (1, 0): "+"}


def notation(structure, name, known, taken):
    """PID PD1? NTE* INSURANCE*( IN1 IN2? ) ( OBR | RXO )"""
    out = []
    for entry in structure:
        if not isinstance(entry, dict):
            if entry[0] in NO_SEGMENT or entry[0] not in known:
                continue
            out.append(entry[0] + LIMIT[(min(entry[1], 1), entry[2])])
            continue
        group = entry["g"]
        for prefix in (name + "_", name.upper() + "_"):
            if group.startswith(prefix):
                group = group[len(prefix):]
        if group.startswith("choice-") or group == "CHOICE":
            group = ""
        if group:
            unique, n = group, 2
            while unique in taken:
                unique, n = "%s%d" % (re.sub(r"\d$", "", group), n), n + 1
            taken.add(unique)
            group = re.sub(r"[^A-Z0-9_]", "_", unique.upper())
        inner = notation(entry["c"], name, known, taken)
        if not inner:
            continue
        if not group and len(inner) == 1 and inner[0].startswith("("):
            out.append(inner[0])
            continue
        joined = (" | " if entry.get("alt") else " ").join(inner)
        out.append("%s%s( %s )" % (group, LIMIT[(min(entry["m"], 1), entry["x"])], joined))
    return out


def write_messages(path, messages, known, labels):
    structures, events, complete = Lines(), Lines(), set()
    for version in VERSIONS:
        for name, structure in messages[version]["structures"].items():
            text = " ".join(notation(structure, name, known[version], set()))
            if text:
                structures.add(name, text, version)
                complete.add((version, name))
        for event, e in messages[version]["events"].items():
            if e.get("s") in PASSIVE or (version, e["s"]) not in complete:
                continue
            kind, _, trigger = event.partition("^")
            if kind == "ACK":
                continue
            label = labels.get(trigger, "")
            events.add(event, "%s\t%s" % (e["s"], label or "-"), version)
    with open(path, "w", encoding="ascii") as out:
        out.write("hl7-messages\t%s\n" % "\t".join(VERSIONS))
        structures.write(out, lambda key, text, versions: "structure\t%s\t%s\t%s\n" % (key, versions, text))
        events.write(out, lambda key, text, versions: "event\t%s\t%s\t%s\n" % (key, versions, text))


def write_tables(path, tables):
    with open(path, "w", encoding="ascii") as out:
        out.write("hl7-tables\n")
        for number in sorted(tables):
            t = tables[number]
            values = {}
            closed = t["k"] == "HL7"
            for value, (label, _) in t["v"].items():
                # What describes values instead of being one leaves the table open.
                if not re.fullmatch(r"[!-~]{1,20}", value) or '"' in value or "\\" in value or "..." in value or "<" in value:
                    closed = False
                    continue
                values[value] = clean(label) if label else "-"
            if not values:
                continue
            out.write("table\t%s\t%s\t%s\n" % (number, "closed" if closed and len(values) > 1 else "open", clean(t["n"])))
            for value in sorted(values):
                out.write("\t%s\t%s\n" % (value, values[value] if values[value].strip() else "-"))


def write_phi(path, phi):
    with open(path, "w", encoding="ascii") as out:
        out.write("hl7-phi\n")
        for code in sorted(phi["segments"]):
            by_class = {}
            for position, (_, letters) in phi["segments"][code]["f"].items():
                classes = sorted({LETTER[letter.rstrip("?")] for letter in letters.split()} - {None})
                by_class.setdefault(",".join(classes) or "none", []).append(int(position))
            for classes in sorted(by_class, key=lambda c: min(by_class[c])):
                out.write("class\t%s\t%s\t%s\n" % (code, ",".join(map(str, sorted(by_class[classes]))), classes))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    facts, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    segments = {v: read_json(facts, v, "segments.json")["items"] for v in VERSIONS}
    types = {v: read_json(facts, v, "datatypes.json")["items"] for v in VERSIONS}
    messages = {v: read_json(facts, v, "messages.json") for v in VERSIONS}
    tables = read_json(facts, "tables.json")["items"]
    usable = {n: t for n, t in tables.items() if t["v"]}
    # Segments that a structure names and its version does not define: the nearest older definition, else the nearest newer.
    borrowed = {}
    known = {v: set(segments[v]) for v in VERSIONS}
    for i, v in enumerate(VERSIONS):
        for structure in messages[v]["structures"].values():
            for code in segments_of(structure):
                if code in known[v] or code in NO_SEGMENT:
                    continue
                for other in VERSIONS[:i][::-1] + VERSIONS[i + 1:]:
                    if code in segments[other]:
                        borrowed.setdefault((other, code), []).append(v)
                        known[v].add(code)
                        break
    labels = {}
    for value, (label, _) in tables["0003"]["v"].items():
        labels[value] = clean(re.sub(r"^[A-Z0-9/ ,\[\]]*(- +|: *)", "", label))
    write_tables(os.path.join(out, "tables.tsv"), usable)
    written = set()
    with open(os.path.join(out, "tables.tsv"), encoding="ascii") as f:
        written = {line.split("\t")[1] for line in f if line.startswith("table\t")}
    write_members(os.path.join(out, "segments.tsv"), "segment", segments, written, borrowed)
    write_members(os.path.join(out, "types.tsv"), "type", types, written, {})
    write_messages(os.path.join(out, "messages.tsv"), messages, known, labels)
    write_phi(os.path.join(out, "phi.tsv"), read_json(facts, "phi.json"))


main()
