#!/usr/bin/env python3
"""Holds what the HL7 reader sees in real files against their index, two other parsers and the unit tables of other engines.

Usage: hl7.py HL7_LEAVES [--page]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).
--page prints the section of docs/conformance.md.

 1 nothing crashes on any file of the folder, whatever it holds, and events are the same for every cut (HL7_LEAVES aborts else)
 2 a file marked valid has no fault above a warning, but for those listed here with the reason
 3 a file without a header that can be read is refused, with its place
 4 leaf values are those of _oracle/ for at least 99 % of its messages on which its parsers agree; the others are listed with the reason
 5 the tables of _unit/: escape sequences, dates, character sets; each difference is listed with the reason
"""
import collections
import hashlib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", HERE.parents[2] / "shared"))
CORPUS = SHARED / "corpus/hl7"

# Marked valid, but an error here: name -> why. The index looks at the structure only.
REFUSED = "MSH-18 is %s: sets that are not supported are refused by name"
NOT_AS_MARKED = {
    "cosyte-hl7/unknown-charset.hl7": REFUSED % "`ISO IR 999`",
    "hapi/MessageQueryTest_L147.hl7": REFUSED % "`x~y`",
    "hapi/MessageQueryTest_L23.hl7": REFUSED % "`x~y`",
    "nhapi/LegacyPipeParserV24Tests_L315.hl7": REFUSED % "`8859`",
}
# Leaves differ from those of the oracle: name, or its beginning and `*` -> why.
NO_SEPARATOR = "letters, digits and control characters of MSH-2 separate there; here they do not (HL7_MSH2)"
LEAVES = {
    "cdc-phdi/test_harmonization_L286.hl7": NO_SEPARATOR,
    "hapi/ExtendedMinLowerLayerProtocolTest_L116.hl7": "a broken character in MSH-2: its first byte is the repetition separator there, here `~` is",
    "hl7types/test_encoding_characters_L16.hl7": "MSH-2 is `~\\&`: taken by position there, by what the signs usually mean here",
    "lfh-fhir-converter/sample_*": "MSH-2 is `^~\\\\&`: a second backslash separates subcomponents there, here `&` does",
    "nhapi/EncodingCharactersTests_L211.hl7": NO_SEPARATOR,
    "nhapi/id_*": NO_SEPARATOR,
    "nhapi/ioor1.hl7": NO_SEPARATOR,
    "nhapi/regex1.hl7": "MSH-2 names a sign twice: both uses stand there, here the usual one stands in",
    "nhapi/sys*": NO_SEPARATOR,
    "node-hl7/hl7.build.test_L162.hl7": "no message but a line of prose that begins with `MSH.3`: refused",
}

def rows(path):
    lines = (CORPUS / path).read_text(encoding="utf-8").split("\n")
    head = None
    for line in lines:
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if head is None:
            head = cells
        else:
            yield dict(zip(head, cells + [""] * len(head)))


class Seen:
    def __init__(self):
        self.faults, self.messages, self.leaves = [], [], []


def look(tool, paths):
    """What the tool prints of each file."""
    seen = {}
    for first in range(0, len(paths), 200):
        some = paths[first:first + 200]
        run = subprocess.run([tool, *some], cwd=CORPUS, capture_output=True)
        if run.returncode:
            sys.exit("%s: exit %d\n%s" % (" ".join(some[:3]), run.returncode, run.stderr.decode("utf-8", "replace")[-2000:]))
        current = None
        for line in run.stdout.split(b"\n"):
            if line.startswith(b"= "):
                current.leaves.append(line[2:])
            elif line.startswith(b"file "):
                current = seen.setdefault(line[5:].decode(), Seen())
            elif line.startswith(b"fault "):
                code, severity, at = line[6:].decode().split(" ")
                current.faults.append((code, severity, int(at)))
            elif line.startswith(b"message "):
                current.messages.append(line[8:].decode("utf-8", "replace"))
            elif line and current.leaves:
                current.leaves[-1] += b"\n" + line
    return seen


def digest(leaves):
    """As the oracle: bytes taken as latin-1."""
    text = "".join(leaf.decode("latin-1") + "\n" for leaf in leaves)
    return {hashlib.sha256(text.encode("utf-8")).hexdigest(), hashlib.sha256(text.encode("latin-1")).hexdigest()}


def plain(text):
    """The C-style escapes of the unit tables."""
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text):
            out.append({"n": "\n", "r": "\r", "t": "\t"}.get(text[i + 1], text[i + 1]))
            i += 2
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def ask(tool, option, lines):
    run = subprocess.run([tool, option], input="".join(line + "\n" for line in lines).encode(), capture_output=True, check=True)
    return run.stdout.decode().split("\n")[:len(lines)]


def check_escapes(tool):
    cases = []
    for row in rows("_unit/escapes.tsv"):
        if row["op"] == "encode":  # of writers
            continue
        separators = "|^~\\&"
        if row["remark"].startswith("delimiters "):
            separators = plain(row["remark"].split(" ")[1])
        cases.append((row, separators))
    asked = ["%s %s" % (separators.encode().hex(), plain(row["input"]).encode().hex()) for row, separators in cases]
    for (row, _), got in zip(cases, ask(tool, "--escapes", asked)):
        yield "escapes.tsv", plain(row["input"]), plain(row["expected"]), bytes.fromhex(got).decode("utf-8", "replace")


def check_moments(tool):
    cases = []
    for row in rows("_unit/datetime-hapi-setget.tsv"):
        if row["type"] in ("TS", "DT") and row["set"].strip('" '):  # TM is text here; nothing and "" are no values
            cases.append(("datetime-hapi-setget.tsv", row["set"], row["get_or_error"] == "!error" and "invalid"))
    for row in rows("_unit/datetime-misc.tsv"):
        wanted = row["expected"]
        if wanted.endswith("T00:00:00") and len(row["hl7"]) == 8:
            wanted = wanted[:10]  # a day, which that engine has no word for
        wanted = "invalid" if wanted.startswith("invalid") else wanted if wanted[:2] in ("19", "20") and "Z" not in wanted else False
        cases.append(("datetime-misc.tsv", row["hl7"], wanted))
    for row in rows("_unit/datetime-to-iso-lfh.tsv"):
        if row["function"] != "formatToDate" and not row["zone"]:
            cases.append(("datetime-to-iso-lfh.tsv", row["hl7"], row["expected"]))
        else:  # a zone, or a date of less: that it can be read
            cases.append(("datetime-to-iso-lfh.tsv", row["hl7"], False))
    for (table, text, wanted), got in zip(cases, ask(tool, "--moments", [text for _, text, _ in cases])):
        if wanted is False:
            yield table, text, "valid", "invalid" if got == "invalid" else "valid"
        else:
            same = got == wanted or (wanted != "invalid" and got != "invalid" and same_moment(got, wanted))
            yield table, text, wanted, wanted if same else got


def same_moment(a, b):
    """The same time of day, offset included; trailing zeros of the fraction say nothing."""
    import re
    def parts(text):
        m = re.fullmatch(r"(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", text)
        return m.group(1), (m.group(2) or "").rstrip("0"), m.group(3)
    return parts(a) == parts(b)


SUPPORTED = {"us-ascii": "ascii", "utf-8": "utf-8", **{"iso-8859-%d" % n: "8859/%d" % n for n in [*range(1, 10), 15]}}


def check_sets(tool):
    cases = list(rows("_unit/charset-names.tsv"))
    for row, got in zip(cases, ask(tool, "--sets", [row["msh18"] for row in cases])):
        wanted = SUPPORTED.get(row["encoding"], "refused")
        if row["msh18"] == "ISO IR6":
            wanted = "ascii"  # the registration number of ASCII; the platform of the source does not know it
        yield "charset-names.tsv", row["msh18"], wanted, got


def listed(table, name):
    for key, why in table.items():
        if name == key or (key.endswith("*") and name.startswith(key[:-1])):
            return why
    return None


def page(kinds, codes, agreed, wrong, units):
    print("""## HL7 v2: real messages

Real HL7 messages that nobody in this project wrote, most of them test messages of other engines. `tests/corpus/hl7.py` reads each whole and cut at many places (the same events),
counts faults, and compares every leaf (field, repetition, component, subcomponent) with what two other parsers, python-hl7 and @medplum/core, read where these two agree. The tables are made by

```sh no-run
python3 tests/corpus/hl7.py build/release/tests/shunt_hl7_leaves --page
```

*Faulty*: at least one fault of severity error, most often because MSH-9 is missing or a line is no segment. Index marks: *valid* fits the structure of its version, *invalid* is what its source calls bad or
what has no usable header.

| source | valid | of these faulty | unknown | of these faulty | invalid | of these faulty |
|---|---|---|---|---|---|---|""")
    total = collections.Counter()
    for source, c in sorted(kinds.items()):
        print("| %s | %s |" % (source, " | ".join(str(n or "") for kind in ("valid", "unknown", "invalid") for n in (c[kind, True] + c[kind, False], c[kind, True]))))
        total.update(c)
    print("| all | %s |" % " | ".join(str(n or "") for kind in ("valid", "unknown", "invalid") for n in (total[kind, True] + total[kind, False], total[kind, True])))
    print("\nMarked valid, and faulty here:\n\n| file | why |\n|---|---|")
    for name, why in sorted(NOT_AS_MARKED.items()):
        print("| %s | %s |" % (name, why))
    print("\n| code | files |\n|---|---|")
    for code, count in codes.most_common():
        print("| %s | %d |" % (code, count))
    print("\n**Leaves.** The two other parsers agree on %d messages; on %d of them (%.2f %%) all leaves are the same here. The others:\n\n| file | why |\n|---|---|"
          % (len(agreed), len(agreed) - len(wrong), 100 * (len(agreed) - len(wrong)) / len(agreed)))
    for name in wrong:
        print("| %s | %s |" % (name, listed(LEAVES, name)))
    print("\n**Unit tables** of other engines (escape sequences read, dates, names of character sets):\n\n| table | cases | the same |\n|---|---|---|")
    for table, c in sorted(units.items()):
        print("| %s | %d | %d |" % (table, c[True] + c[False], c[True]))
    print("\nNames of character sets count as the same where a set that is not supported is refused by name.")


def main():
    tool = sys.argv[1]
    if not (CORPUS / "INDEX.tsv").exists():
        print("SKIPPED: no corpus of HL7 at", CORPUS)
        return 77
    index = list(rows("INDEX.tsv"))
    names = [row["path"] for row in index]
    others = sorted(str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*") if path.is_file())
    seen = look(str(pathlib.Path(tool).resolve()), names + sorted(set(others) - set(names)))
    faults, kinds = [], collections.defaultdict(collections.Counter)
    codes = collections.Counter()
    for row in index:
        name, got = row["path"], seen[row["path"]]
        errors = sorted({code for code, severity, _ in got.faults if severity == "error"})
        kinds[name.split("/")[0]][row["valid"], bool(errors)] += 1
        codes.update({code for code, _, _ in got.faults})
        why = listed(NOT_AS_MARKED, name)
        if row["valid"] == "valid" and errors and not why:
            faults.append("%s is marked valid: %s" % (name, " ".join(errors)))
        if why and not errors:
            faults.append("%s is listed as not as marked, and is read without an error" % name)

    agreed = [row for row in rows("_oracle/leaves.tsv") if row["agree"] == "yes"]
    wrong = []
    for row in agreed:
        if row["path"] in seen and row["sha256_of_leaf_lines"] not in digest(seen[row["path"]].leaves):
            wrong.append(row["path"])
    unexplained = [name for name in wrong if not listed(LEAVES, name)]
    faults += ["%s: other leaves than the oracle" % name for name in unexplained]
    if len(agreed) - len(wrong) < 0.99 * len(agreed):
        faults.append("less than 99 % of the oracle's messages agree")
    for row in index:
        if row["valid"] == "invalid" and not seen[row["path"]].faults and "structure misfit" not in row["notes"]:
            faults.append("%s is marked invalid, and nothing is said about it" % row["path"])
    for name, got in seen.items():
        if not got.leaves and not got.faults:
            faults.append("%s holds nothing, and is not refused" % name)
    units = collections.defaultdict(collections.Counter)
    path = str(pathlib.Path(tool).resolve())
    for table, text, wanted, got in [*check_escapes(path), *check_moments(path), *check_sets(path)]:
        units[table][wanted == got] += 1
        if wanted != got:
            faults.append("%s: `%s` is %r, wanted %r" % (table, text, got, wanted))
    if "--page" in sys.argv:
        page(kinds, codes, agreed, wrong, units)
    else:
        print("%d messages and %d other files; oracle: %d of %d messages agree; unit tables: %s" % (len(index), len(seen) - len(index), len(agreed) - len(wrong), len(agreed), ", ".join(
            "%s %d of %d" % (table, c[True], c[True] + c[False]) for table, c in sorted(units.items()))))
        print("\n".join(faults) or "all as expected")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
