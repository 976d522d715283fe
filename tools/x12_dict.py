#!/usr/bin/env python3
"""Turns a folder of X12 facts (JSON) into the text dictionaries of standards/dict/. Run once per change of the facts:

    tools/x12_dict.py FACTS OUT [SET ...]

FACTS holds segments.json, phi.json, transactions/ and codes/; OUT is standards/dict. SET names files of transactions/ without
".json" ("835-005010X221A1", "004010/837P-004010X098A1"); "all" takes every one. Names come from x12_names.tsv beside this
script, which is ours and written by hand. The result is the source of the build from then on: see standards/dict/README.md.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASES = ("005010", "004010")
CORE = ["835-005010X221A1", "837P-005010X222A1", "837I-005010X223A2", "837D-005010X224A2", "004010/835-004010X091A1",
        "004010/837P-004010X098A1", "004010/837I-004010X096A1", "004010/837D-004010X097A1"]
# Which code list names the values of a data element, and is offered where a guide gives no list of its own.
ELEMENT_LIST = {"1034": "carc", "1033": "cas_group", "1029": "clp02_status", "1032": "claim_filing_indicator",
                "1325": "claim_frequency", "426": "plb_reason", "305": "bpr01_handling", "478": "bpr03_sign",
                "591": "bpr04_method", "812": "bpr05_format", "98": "entity_id", "128": "reference_qualifier",
                "374": "date_qualifier", "522": "amount_qualifier", "673": "quantity_qualifier", "235": "product_qualifier",
                "1270": "code_list_qualifier"}
# Lists of qualifiers are made from the names of the nodes they tell apart, and from the words of the facts.
QUALIFIERS = {"entity_id": ("NM1", "N1"), "reference_qualifier": ("REF",), "date_qualifier": ("DTP", "DTM"),
              "amount_qualifier": ("AMT",), "quantity_qualifier": ("QTY",), "product_qualifier": ("SVC01_1",),
              "code_list_qualifier": ("HI", "LQ")}
# The same list under the name that the trees use.
SET_NAME = {"pos": "place_of_service", "remark_code": "rarc", "claim_status_cat": "claim_status_category"}
LETTER = {"A": "name", "B": "address", "C": "date", "D": "contact", "E": "contact", "F": "contact", "G": "ssn",
          "H": "record_number", "I": "member_id", "J": "account_number", "K": "licence", "L": "vehicle", "M": "device",
          "N": "url", "O": "ip_address", "P": "biometric", "Q": "photo", "R": "identifier", "clin": "clinical",
          "free": "free_text", "fin": "none", "prov": "none", "dem": "none", "none": "none"}
# Types that the source of the facts has wrong: file data, and money with two decimals that are not written.
TYPE = {"785": "B", "74": "N2", "360": "N2", "362": "N2", "389": "N2", "1051": "N2"}
# Usage that is stricter here than in the facts: (guide, segment, element).
REQUIRED_HERE = {("835-004010X091A1", "CLP", "07")}
# Elements that the layouts of the facts call mandatory because one guide requires them: (release, segment) -> what the standard says.
USE = {("004010", "TD1"): {1: "O", 2: "X"}, ("004010", "TD3"): {1: "X"}, ("004010", "TD4"): {1: "O", 2: "X", 3: "X", 4: "X", 5: "O"},
       ("004010", "TD5"): {2: "X", 3: "X"}, ("004010", "W06"): {2: "O", 3: "O"}, ("004010", "W20"): {1: "O"},
       ("004010", "SVC"): {3: "O"}, ("004010", "INC"): {4: "O"}, ("004010", "DN2"): {2: "O"}, ("005010", "BGN"): {8: "O"}}
# Sets of the standard to which the facts give the lists of one guide's appendix: (file, segment, element).
UNLISTED = {("997-004010", "AK1", "01"), ("997-004010", "AK2", "01")}
# Lists of which the facts hold every value that the owner has given out.
COMPLETE = {"place_of_service"}
# Segments that one release of the facts lacks although a guide of that release uses them.
BORROWED = {("004010", "FRM"): "005010"}


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


class Names:
    """x12_names.tsv: element NUMBER KIND NAME; segment ID NAME; composite ID NAME; at PLACE NAME; node SEG VALUES NAME;
    place SET/LOOP/SEG/VALUE(S) NAME; loop SET LOOP NAME; guide FILE NAME."""

    def __init__(self, path):
        self.table = {k: {} for k in ("element", "segment", "composite", "at", "node", "place", "loop", "guide", "kind")}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                word, *rest = line.split("\t")
                if word not in self.table or len(rest) < 2:
                    sys.exit("%s:%d: not understood" % (path, number))
                if word == "element":
                    self.table["element"][rest[0]] = rest[2]
                    self.table["kind"][rest[0]] = rest[1]
                elif word == "node":
                    for value in rest[1].split(","):
                        self.table["node"][rest[0] + " " + value] = rest[2]
                elif word == "loop":
                    self.table["loop"][rest[0] + " " + rest[1]] = rest[2]
                else:
                    self.table[word][rest[0]] = rest[1]
        self.missing = {}
        self.used = set()

    def get(self, kind, key, fallback):
        if key in self.table[kind]:
            self.used.add((kind, key))
            return self.table[kind][key]
        if fallback is None:
            return None
        self.missing[(kind, key)] = fallback
        return fallback


def clean(text):
    return re.sub(r"\s+", " ", text.replace("\t", " ")).strip()


def join(values):
    return ",".join(v for v in dict.fromkeys(v.strip() for v in values) if v)


def label(text):
    """A label of the facts as a name: "line: rendering provider" -> "line rendering provider"."""
    text = re.sub(r"\s*\([^)]*\)", "", text)
    for theirs, ours in (("place where service was given", "service facility"), ("place of service", "service facility"),
                         ("payer the claim goes to", "payer"), ("purchased-service", "purchased service")):
        text = text.replace(theirs, ours)
    return clean(text.replace("other payer: ", "other payer's ").replace(": ", " "))


def write(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write("\n".join(lines) + "\n")


# -- shared files ----------------------------------------------------------------------------------------------------

def write_elements(segments, names, out):
    seen = {}
    for release in RELEASES:
        for part, key in (("segments", "elements"), ("composites", "components")):
            for layout in segments[release][part].values():
                for e in layout[key]:
                    if e["type"] != "composite":
                        entry = seen.setdefault(e["ref"], {"type": TYPE.get(e["ref"], e["type"])})
                        entry[release] = "%d-%d" % (e["min"], min(e["max"], 65535))
    lines = ["# Data elements. kind: amount (money; amount=4 has four decimals of its own), a digit = decimals of the value,",
             "# period = read by the date format qualifier before it, - = what the type says. list: its code list.",
             "elements\t" + "\t".join(RELEASES), "# number\ttype\tkind\t" + "\t".join(RELEASES) + "\tlist\tname"]
    for ref in sorted(seen, key=lambda r: (len(r), r)):
        entry = seen[ref]
        kind = names.get("kind", ref, "-")
        if kind == "-" and entry["type"] == "R":
            kind = "6"
        lines.append("\t".join([ref, entry["type"], kind] + [entry.get(r, "-") for r in RELEASES] +
                               [ELEMENT_LIST.get(ref, "-"), names.get("element", ref, "element " + ref)]))
    write(os.path.join(out, "elements.tsv"), lines)


def write_layouts(segments, names, out):
    for release in RELEASES:
        lines = ["# Segments and composites of release %s: position, data element, M mandatory, O optional," % release,
                 "# X relational; name (- = that of the element); repeat=n. syntax: P both or none, R at least one,",
                 "# E not both, C if the first then the others, L if the first then one of the others; by two-digit positions.",
                 "layout\t" + release]
        for part, key, word in (("segments", "elements", "segment"), ("composites", "components", "composite")):
            for name in sorted(segments[release][part]):
                layout = segments[release][part][name]
                lines.append("\t".join([word, name, names.get(word, name, word + " " + name)]))
                # What a note makes conditional is not mandatory, whatever the older source says of it.
                conditional = {int(p) for n in layout.get("syntax", []) if n[0] in "PRE" for p in re.findall("..", n[1:])}
                for e in layout[key]:
                    place = "%s%02d" % (name, e["pos"])
                    use = "X" if e["use"] == "M" and e["pos"] in conditional else e["use"]
                    use = USE.get((release, name), {}).get(e["pos"], use)
                    line = ["", "%02d" % e["pos"], e["ref"], use, names.get("at", place, None) or "-"]
                    if e.get("repeat"):
                        line.append("repeat=%s" % (e["repeat"] if e["repeat"] != ">1" else 255))
                    lines.append("\t".join(line))
                # Some notes of the older release name elements that only the newer one has.
                notes = [n for n in layout.get("syntax", []) if all(int(p) <= len(layout[key]) for p in re.findall("..", n[1:]))]
                if notes:
                    lines.append("\t".join(["", "syntax"] + notes))
        write(os.path.join(out, "segments-%s.tsv" % release), lines)


def write_lists(facts, names, out):
    lists = {}

    def add(name, about, values, complete=False):
        entry = lists.setdefault(name, {"about": about, "complete": complete, "values": {}})
        for value, text in values.items():
            if text or value not in entry["values"]:
                entry["values"][value] = text

    for file in sorted(os.listdir(os.path.join(facts, "codes"))):
        data = read_json(facts, "codes", file)
        if file in ("codesets.json", "acknowledgement.json", "835_qualifiers.json", "revenue_code_ranges.json"):
            continue
        texts = {v: clean(d if isinstance(d, str) else d["d"]) for v, d in data["codes"].items()}
        add(data["list_id"], data["about"], texts, data.get("complete", False))
        for extra in ("also_seen_in_004010",):
            add(data["list_id"], "", {v: "" for v in data.get(extra, [])})
    words = read_json(facts, "codes", "835_qualifiers.json")["lists"]
    for name, segs in QUALIFIERS.items():
        for key, values in words.items():
            if key.split("_")[0] in segs or key in segs:
                add(name, name.replace("_", " ") + ", as far as named here", {v: clean(t) for v, t in values.items()})
        for key, text in names.table["node"].items():
            if key.split(" ")[0] in segs:
                add(name, name.replace("_", " ") + ", as far as named here", {key.split(" ")[1]: text})
    for name, values in read_json(facts, "codes", "codesets.json")["sets"].items():
        if name == "currency":  # currencies.tsv is newer
            continue
        add(SET_NAME.get(name, name), name.replace("_", " "), {v: "" for v in values})
    for name, entry in sorted(lists.items()):
        about = clean(entry["about"]).split(":")[0]
        lines = ["list\t%s\t%s\t%s" % (name, "complete" if entry["complete"] or name in COMPLETE else "working", about)]
        lines += ["%s\t%s" % (v, t or "-") for v, t in sorted(entry["values"].items())]
        write(os.path.join(out, "codes", name + ".tsv"), lines)


# -- PHI ---------------------------------------------------------------------------------------------------------------

def phi_classes(text):
    words = [LETTER[w.rstrip("?")] for w in text.split()]
    words = list(dict.fromkeys(w for w in words if w != "none")) or ["none"]
    return ",".join(words)


def write_phi(facts, out):
    data = read_json(facts, "phi.json")
    parties = {}
    lines = []

    def line(word, segment, positions, classes, conditions, note=None):
        text = "\t".join([word, segment, positions, classes] + conditions)
        lines.append(text + ("\t# " + clean(note) if note else ""))

    for e in data["entries"]:
        positions = e["e"].replace("?", "")
        segment, classes, when, note = e["s"], e["c"], dict(e.get("w", {})), e.get("n")
        conditions = []
        if segment == "NM1":
            kind = {"prov": "provider", "none": "payer", "B": "place"}.get(classes, "person")
            if classes == "A" and "04" not in positions:
                kind = "employer"
            known = parties.setdefault(kind, [])
            known += [c for c in dict.fromkeys(when.pop("01")) if c not in known]
            conditions = ["party=" + (kind + ",other" if kind == "person" else kind)]
        elif segment == "PLB" and positions == "03":
            # The reference may be the patient's number, the reason code never is; all six pairs are alike.
            positions, classes = "03-2,05-2,07-2,09-2,11-2,13-2", "J"
        elif segment in ("N2", "N3", "N4") or (segment == "DMG"):
            # The party of the loop decides; the plain lines of the facts hold for all parties that are no provider or payer.
            if classes == "prov":
                continue
            conditions = ["party!=provider,payer"]
            when.pop("after", None)
        elif segment == "PER":
            if classes == "D E F":
                when = {}
                line("class", segment, positions, phi_classes(classes), ["party=person,employer,place"], note)
                conditions = ["01!=IC,CX,BL", "party!=provider,payer"]
            elif classes == "A":
                line("class", segment, positions, phi_classes(classes), ["party=person,employer,place"], note)
            elif classes == "prov":
                continue
        elif segment == "CLM" and positions == "05":
            # The place of service is clinical; component 3 only says whether the claim is new.
            positions, note = "05-1,05-2", "where the service was given"
        elif segment == "TRN" and positions == "02":
            conditions = ["set!=835,820"]
        elif when == {"01": []}:
            continue
        for at, codes in when.items():
            conditions.append("%s=%s" % (at, ",".join(dict.fromkeys(codes))))
        line("class", segment, positions, phi_classes(classes), conditions, note)
    # Our own additions, on the safe side; see README.md.
    parties["person"].append("AO")
    parties["provider"] += ["LI", "TL"]
    line("class", "CTX", "01-2", "account_number,identifier,member_id,name", [], "the reference of the patient event: CLM01, TRN02, PATIENT NAME NM109")
    line("class", "ENT", "04", "ssn,identifier", ["02=2J"], "an individual by the qualifier in 03")
    line("class", "DTM", "02", "none", ["01=405"], "production date")
    line("class", "REF", "02", "none", ["01=D3"], "pharmacy number")
    line("unknown", "NM1", "09", "identifier", ["08", "party=person,other"])
    line("unknown", "REF", "02", "identifier", ["01", "party!=provider,payer"])
    line("unknown", "DTP", "03", "date", ["01"])
    line("unknown", "DTM", "02", "date", ["01"])
    head = ["# PHI classes of elements; README.md says how lines combine. First the sets that are classified, then who is",
            "# who by NM101 or N101.",
            "phi\t" + ",".join(sorted({re.sub("[A-Z]$", "", s) if s[0].isdigit() else s for s in data["transactions"]}))]
    head += ["party\t%s\t%s" % (kind, ",".join(codes)) for kind, codes in parties.items()]
    write(os.path.join(out, "phi.tsv"), head + lines)


# -- guides ------------------------------------------------------------------------------------------------------------

# Levels of a ship notice, and which may stand under which: the standard has one loop HL for all, HL03 says what it is.
SHIP_LEVELS = {"shipment": ("S", "OTPI"), "order": ("O", "TPI"), "tare": ("T", "POI"), "pack": ("P", "OI"), "item": ("I", "")}


def ship_levels(loop, above, code):
    """The loop HL of a ship notice as one loop for each level, those below inside; no level stands in itself."""
    name = next(n for n, (c, _) in SHIP_LEVELS.items() if c == code)
    nested = {"loop": name, "use": "S", "repeat": ">1", "pos": loop["pos"], "label": name, "body": []}
    for node in loop["body"]:
        nested["body"].append(dict(node, key={"03": [code]}) if node.get("seg") == "HL" else node)
    last = max(n["pos"] for n in loop["body"])
    for below in SHIP_LEVELS[name][1]:
        if below not in above:
            nested["body"].append(dict(ship_levels(loop, above + code, below), pos=last + 10))
    return nested


# Request and response that share set and version: one tree that takes both, since nothing before BHT tells them apart.
TWINS = {"004010/278-request-004010X094A1": ("004010/278-response-004010X094A1", "278-004010X094A1")}


def either(a, b):
    """A usage that two guides have: required where both require it, not used where neither uses it."""
    return a if a == b else "S"


def most(a, b):
    return ">1" if ">1" in (a, b) else max(int(a), int(b))


def both_elements(a, b):
    """Element lines that take what either list takes; a list that is not there takes all of the layout."""
    if not a or not b:
        return None
    found = {}
    for mine, other in ((a, b), (b, a)):
        others = {e["at"]: e for e in other}
        for e in mine:
            o = others.get(e["at"], {"use": "N"})
            if e["at"] in found:
                continue
            one = dict(e, use=either(e["use"], o["use"]))
            if o["use"] != "N" and e["use"] != "N":
                for part in ("codes", "comp", "codeset", "maxlen"):
                    if part not in e or part not in o:
                        one.pop(part, None)
                if "codes" in one:
                    one["codes"] = sorted(set(e["codes"]) | set(o["codes"]))
                if "comp" in one:
                    one["comp"] = both_elements(e["comp"], o["comp"])
            elif e["use"] == "N":
                one = dict(o, use="S") if o["use"] != "N" else one
            found[e["at"]] = one
    return [found[at] for at in sorted(found, key=int)]


def shared(a, b):
    """How many qualifiers two nodes of one id share; -1: they are not the same."""
    if a.get("loop") != b.get("loop") or a.get("seg") != b.get("seg"):
        return -1
    mine, other = a.get("key"), b.get("key")
    if "loop" in a or (not mine and not other):
        return 0
    if not mine or not other or mine.keys() != other.keys():
        return -1
    return sum(len(set(mine[k]) & set(other[k])) for k in mine) or -1


def merged(a, b):
    """One body that takes what either takes, in the order of the places."""
    left, found = list(b), []
    for node in a:
        twin = max(left, key=lambda n: shared(node, n), default=None)
        if twin is None or shared(node, twin) < 0:
            found.append(dict(node, use="S" if node["use"] == "R" else node["use"]))
            continue
        left.remove(twin)
        one = dict(node, use=either(node["use"], twin["use"]), pos=min(node["pos"], twin["pos"]))
        if "loop" in node:
            one.update(repeat=most(node["repeat"], twin["repeat"]), body=merged(node["body"], twin["body"]))
        else:
            one.update(max=most(node["max"], twin["max"]), elements=both_elements(node.get("elements"), twin.get("elements")))
            if node.get("key"):
                one["key"] = {k: sorted(set(v) | set(twin["key"][k])) for k, v in node["key"].items()}
        found.append(one)
    found += [dict(node, use="S" if node["use"] == "R" else node["use"]) for node in left]
    if found[0].get("seg") != "ST":  # a set numbers its areas anew
        found.sort(key=lambda n: n["pos"])
    return found


def service_levels(tree):
    """The service levels of a subscriber without dependent are those of a dependent as well."""
    for node in tree:
        if "loop" not in node:
            continue
        below = {n.get("loop"): n for n in node["body"] if "loop" in n}
        if node["loop"] == "2000C" and "2000D" in below:
            level = next(n for n in below["2000D"]["body"] if n.get("loop") == "2000E")
            if "2000E" in below:
                below["2000E"]["body"] = merged(below["2000E"]["body"], level["body"])
        service_levels(node["body"])


def plain_ids(body):
    """A loop of a base set is called by the segment that starts it: the numbers behind it say nothing."""
    for node in body:
        if "loop" in node:
            node["loop"] = re.sub(r"\.\d+$", "", node["loop"])
            plain_ids(node["body"])


class Guide:
    def __init__(self, facts, name, segments, names):
        self.tree = read_json(facts, "transactions", name + ".json")
        if name in TWINS:
            self.tree["body"] = merged(self.tree["body"], read_json(facts, "transactions", TWINS[name][0] + ".json")["body"])
            service_levels(self.tree["body"])
        plain_ids(self.tree["body"])
        if name.startswith("base/856-"):
            at = next(i for i, n in enumerate(self.tree["body"]) if n.get("loop") == "HL")
            self.tree["body"][at]["use"] = "S"
            self.tree["body"][at:at] = [dict(ship_levels(self.tree["body"][at], "", code), pos=self.tree["body"][at]["pos"])
                                        for code in "SOTP"]
        self.name = TWINS[name][1] if name in TWINS else name.split("/")[-1]
        self.release = self.tree["release"] if self.tree["release"] in RELEASES else "005010"
        self.segments, self.names, self.lines = segments, names, []

    def layout(self, seg):
        return self.segments[self.release]["segments"][seg]["elements"]

    def node_name(self, loop, node, key, first):
        seg, values = node["seg"], key[1] if key else []
        for value in [join(values), values[0]] if values else ["-"]:
            found = self.names.get("place", "%s/%s/%s/%s" % (self.tree["set"], loop, seg, value), None)
            if found:
                return found, len(values) == 1
        found = [self.names.get("node", seg + " " + v, None) for v in values]
        if values and all(found) and len(set(found)) == 1:
            return found[0], len(values) == 1
        # In the loop of a party, further numbers and the specialty are that party's.
        if first["seg"] in ("NM1", "N1") and seg in ("REF", "PRV"):
            party = self.node_name(loop, first, self.key(first, [first]), first)[0]
            if seg == "PRV":
                return party + " specialty", False
            return party + (" tax id" if set(values) <= {"EI", "SY", "TJ"} else " further id"), False
        if len(values) == 1:
            self.names.missing[("node", seg + " " + values[0])] = "%s %s" % (self.tree["set"], loop)
        return self.names.get("segment", seg, "segment " + seg), False

    def key(self, node, siblings):
        """The element that tells this node from its siblings: of several, the first whose values do not overlap with theirs."""
        keys = sorted((node.get("key") or {}).items())
        for at, values in keys:
            others = [s["key"].get(at, []) for s in siblings if s is not node and s.get("seg") == node["seg"] and s.get("key")]
            if not any(set(values) & set(o) for o in others):
                return at, values
        return keys[0] if keys else None

    def attributes(self, e):
        words = []
        if e.get("codes"):
            words.append("in=" + join(e["codes"]))
        elif e.get("codeset"):
            words.append("list=" + SET_NAME.get(e["codeset"], e["codeset"]))
        if e.get("maxlen"):
            words.append("max=%d" % e["maxlen"])
        if e.get("repeat"):
            words.append("repeat=%s" % (255 if e["repeat"] == ">1" else e["repeat"]))
        return words

    def element_lines(self, indent, seg, node, value_name):
        pending = []

        def flush():
            if pending:
                span = pending[0] if len(pending) == 1 else pending[0] + ".." + pending[-1]
                self.lines.append("\t".join([indent + span, "N"]))
                pending.clear()

        layout = {e["pos"]: e for e in self.layout(seg)}
        reasons = None
        for e in sorted(node["elements"], key=lambda x: int(x["at"])):
            if int(e["at"]) not in layout:
                sys.exit("%s: %s%s is not in the layout" % (self.name, seg, e["at"]))
            if e["use"] == "N":
                pending.append(e["at"])
                continue
            flush()
            words = [] if (self.name, seg, e["at"]) in UNLISTED else self.attributes(e)
            if value_name and e["at"] == {"DTP": "03"}.get(seg, "02") and seg in ("REF", "DTP", "DTM", "AMT", "QTY"):
                words.append("name=" + value_name)
            if seg == "LQ" and e["at"] == "02" and not words:
                words.append("list=rarc")
            use = "R" if (self.name, seg, e["at"]) in REQUIRED_HERE else e["use"]
            self.lines.append("\t".join([indent + e["at"], use] + words))
            ref = layout[int(e["at"])]["ref"]
            known = {c["pos"] for c in self.segments[self.release]["composites"].get(ref, {}).get("components", [])}
            listed = e.get("comp") or []
            # A source of the dental guide forgets the code itself, between its qualifier and what is not used.
            if ref == "C022" and listed and not any(int(c["at"]) == 2 for c in listed):
                listed = sorted(listed + [{"at": "02", "use": "R"}], key=lambda c: int(c["at"]))
            for c in listed:
                if int(c["at"]) not in known:
                    if c["use"] != "N":
                        sys.exit("%s: %s%s-%s is not in the layout" % (self.name, seg, e["at"], c["at"]))
                    continue
                # The five further reason codes of a PLB are the first one again; the source lists them once.
                if seg == "PLB" and int(c["at"]) == 1:
                    reasons = c.get("codes") or reasons
                    c = dict(c, codes=reasons)
                # A facility code is a type of bill where its qualifier says A; the source names only the other list.
                if ref == "C023" and int(c["at"]) == 1 and not c.get("codeset") and e["comp"][1].get("codes") == ["A"]:
                    c = dict(c, codeset="type_of_bill")
                self.lines.append("\t".join([indent + e["at"] + "-" + str(int(c["at"])), c["use"]] + self.attributes(c)))
        flush()

    def body(self, loop, body, depth):
        indent = "\t" * depth
        last = area = 0
        for node in body:
            # Header, detail and summary number their places anew; ours go on, an area starts at the next 10000.
            if node["pos"] + area < last:
                area = (last // 10000 + 1) * 10000
            last = min(node["pos"] + area, 65000)  # one source puts a trailer at 99999
            if "loop" in node:
                first = node["body"][0]
                name = self.names.get("loop", self.tree["set"] + " " + node["loop"], None)
                if not name and node.get("label"):
                    name = label(node["label"])
                if not name:
                    name = self.node_name(node["loop"], first, self.key(first, node["body"]), first)[0]
                    prefix = {"2330": "other payer's ", "2420": "line "}.get(node["loop"][:4], "")
                    if not name.startswith(prefix) and node["loop"] not in ("2330A", "2330B", "2330C"):
                        name = prefix + name
                self.lines.append(indent + "\t".join(["loop", node["loop"], node["use"], limit(node["repeat"]), str(last), name]))
                self.body(node["loop"], node["body"], depth + 1)
                continue
            key = self.key(node, body)
            name, single = self.node_name(loop, node, key, body[0])
            where = re.sub(r"-0?(\d+)$", r"-\1", key[0]) + "=" + join(key[1]) if key else "-"
            words = ["segment", node["seg"], node["use"], limit(node["max"]), str(last), where, name]
            self.lines.append(indent + "\t".join(words))
            if node.get("elements"):
                self.element_lines(indent + "\t", node["seg"], node, name if single else None)

    def write(self, out, classified):
        tree = self.tree
        version = tree["guide"]
        if not version[0].isdigit():  # TA1 has no guide
            version = self.release
        match = re.match(r"^(\d{6}X\d{3})[A-Z]\d$", version)
        family = {"997-005010": "005010X230"}.get(self.name, match[1] if match else version)
        is_guide = "X" in version or tree["set"] in ("997", "999") or tree["set"].startswith("TA1")
        health = is_guide and tree["set"][:3] in classified
        self.lines = ["\t".join(["guide", "X12", tree["set"].split(" ")[0], version, family, self.release,
                                 tree.get("gs01") or "-", "health" if health else "trade",
                                 self.names.get("guide", self.name, "transaction set " + tree["set"])])]
        body = tree["body"]
        if self.name == "TA1":  # one segment of the interchange, whatever stands around it; a loop, so that rules can go over it
            node = next(n for n in body if n.get("seg") == "TA1")
            body = [{"loop": "TA1", "use": "S", "repeat": ">1", "pos": node["pos"], "body": [dict(node, use="R", max=1, pos=10)]}]
        self.body("", body, 0)
        write(os.path.join(out, "guides", self.name + ".tsv"), self.lines)


def limit(value):
    return ">1" if value == ">1" or int(value) > 65535 else str(value)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    facts, out, wanted = sys.argv[1], sys.argv[2], sys.argv[3:] or CORE
    if wanted == ["all"]:
        root = os.path.join(facts, "transactions")
        wanted = sorted(os.path.relpath(os.path.join(d, f), root)[:-5] for d, _, files in os.walk(root) for f in files
                        if f.endswith(".json") and f != "DISAGREEMENTS.json")
    names = Names(os.path.join(HERE, "x12_names.tsv"))
    segments = read_json(facts, "segments.json")
    for (release, seg), source in BORROWED.items():
        segments[release]["segments"].setdefault(seg, segments[source]["segments"][seg])
    write_elements(segments, names, out)
    write_layouts(segments, names, out)
    write_lists(facts, names, out)
    write_phi(facts, out)
    classified = {s[:3] for s in read_json(facts, "phi.json")["transactions"]}
    second = {twin for twin, _ in TWINS.values()}
    for name in (n for n in wanted if n not in second):
        Guide(facts, name, segments, names).write(out, classified)
    for kind in ("segment", "composite", "at", "node", "place", "loop", "element"):
        for key in sorted(set(names.table[kind]) - {k for n, k in names.used if n == kind}):
            print("never used: %s\t%s" % (kind, key), file=sys.stderr)
    for (kind, key), fallback in sorted(names.missing.items()):
        if kind != "kind":
            print("no name: %s\t%s\t(%s)" % (kind, key, fallback), file=sys.stderr)


if __name__ == "__main__":
    main()
