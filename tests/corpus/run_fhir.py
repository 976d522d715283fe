#!/usr/bin/env python3
"""Holds the FHIR reader against real files and against the suites of JSON and XML.
Usage: run_fhir.py LEX READ [--page]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).

 1 JSONTestSuite: every y_ file is taken, every n_ refused; the lexical layer says the same for every cut
 2 W3C XML suite: every well-formed document without a DTD is taken, every other and every DTD refused
 3 files of the FHIR corpus that are marked valid give no fault above a warning; the same events for random cuts
 4 files that are no JSON, NDJSON or XML at all (as Python's json and expat see them) are refused with their place
--page prints the section of docs/conformance.md."""
import collections
import contextlib
import csv
import json
import os
import pathlib
import subprocess
import sys
import xml.parsers.expat

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", HERE.parent.parent.parent / "shared"))
# Well-formed for a parser that knows no namespaces; FHIR wants one that does.
NAMESPACES = {"xmlconf/oasis/p04pass1.xml", "xmlconf/oasis/p05pass1.xml"}
# `<!DOCTYPE` stands in a comment or a processing instruction; there is no DTD.
NO_DTD = {"xmlconf/oasis/p15pass1.xml", "xmlconf/oasis/p16pass1.xml", "xmlconf/oasis/p18pass1.xml"}


def tell(name, bad):
    print(f"{'ok' if not bad else 'NOT OK'}: {name}" + (f": {len(bad)}" if bad else ""))
    for line in bad[:40]:
        print("   ", line)
    return bool(bad)


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def in_parts(command, names, folder):
    lines, codes = [], set()
    for first in range(0, len(names), 200):
        done = subprocess.run([*command, *names[first:first + 200]], cwd=folder, capture_output=True, timeout=900, check=False)
        codes.add(done.returncode)
        lines += done.stdout.decode("utf-8", "replace").splitlines()
        if done.returncode not in (0, 1):
            lines.append("DIFFERS\tstopped: " + done.stderr.decode("utf-8", "replace")[-400:])
    return lines


def verdicts(lex, kind, folder, names):
    found, bad = {}, []
    for line in in_parts([lex, kind], names, folder):
        words = line.split(" ", 3)
        if line.startswith("DIFFERS"):
            bad.append(line)
        else:
            found[words[1]] = (words[0] == "ok", words[2] if len(words) > 2 else "")
    return found, bad


def json_suite(lex):
    folder = SHARED / "corpus/json-suite"
    index = rows(folder / "INDEX.tsv")
    found, bad = verdicts(lex, "json", folder, [row["path"] for row in index])
    count = collections.Counter()
    for row in index:
        taken = found.get(row["path"], (None, ""))[0]
        count[row["expect"], taken] += 1
        if taken is None or (row["expect"] != "either" and taken != (row["expect"] == "accept")):
            bad.append(f"{row['path']}: {row['expect']}, taken: {taken}")
    return tell(f"JSONTestSuite, {len(index)} files", bad), count


def xml_suite(lex):
    folder = SHARED / "corpus/xml-suite"
    index = rows(folder / "INDEX.tsv")
    found, bad = verdicts(lex, "xml", folder, [row["path"] for row in index])
    count = collections.Counter()
    for row in index:
        path, dtd = row["path"], row["has_doctype"] == "doctype" and row["path"] not in NO_DTD
        taken, code = found.get(path, (None, ""))
        wanted = False if dtd or row["type"] == "not-wf" or path in NAMESPACES else None if row["type"] == "error" else True
        count["DTD" if dtd else row["type"], taken] += 1
        if taken is None or (wanted is not None and taken != wanted) or (dtd and row["type"] != "not-wf" and code != "FHIR_DTD"):
            bad.append(f"{path}: {row['type']} {'DTD' if dtd else ''}, taken: {taken} {code}")
    return tell(f"W3C XML suite, {len(index)} files", bad), count


def is_json(text):
    def no_constant(_):
        raise ValueError("no JSON")
    json.loads(text, parse_constant=no_constant)


def well_formed(path, kind):
    """None: it is. A text: what is wrong, as others see it."""
    data = path.read_bytes()
    try:
        if kind == "xml" and not data.lstrip().startswith(b"{"): # one file is JSON under another name
            parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
            parser.Parse(data, True)
            return None
        text = data.decode("utf-8-sig")
        if kind == "ndjson":
            for line in text.split("\n"):
                if line.strip():
                    is_json(line)
        else:
            is_json(text)
        return None
    except (ValueError, RecursionError, xml.parsers.expat.ExpatError) as fault:
        return str(fault)


def resources(path, kind):
    """Is it made of resources? Lines of bare values are valid for others' tests of types, and none."""
    if kind == "xml":
        return True
    for line in path.read_text("utf-8-sig").split("\n") if kind == "ndjson" else [path.read_text("utf-8-sig")]:
        if line.strip() and not (isinstance(json.loads(line), dict) and "resourceType" in json.loads(line)):
            return False
    return True


def corpus(read, page):
    folder = SHARED / "corpus/fhir"
    index = [row for row in rows(folder / "INDEX.tsv") if (folder / row["path"]).exists()]
    found, bad = {}, []
    for line in in_parts([read, "--cuts", "2"], [row["path"] for row in index], folder):
        words = line.split("\t")
        if words[0] == "DIFFERS":
            bad.append(line)
        else:
            found[words[0]] = words[4].split(" ") if words[4] != "-" else []
    wrong, refused, values = [], [], []
    count = collections.defaultdict(collections.Counter)
    for row in index:
        path, kind = folder / row["path"], row["format"]
        codes = found.get(row["path"])
        if codes is None:
            wrong.append(f"{row['path']}: not read")
            continue
        # the plan of fhir_read asks resources of every type for the same names, which are objects in some and values in others
        errors = sorted({code[2:].split("@")[0] for code in codes if code.startswith("E:")} - {"FHIR_SHAPE"})
        warnings = sorted({code[2:].split("@")[0] for code in codes if code.startswith("W:")})
        fault = well_formed(path, kind)
        none = fault is None and not resources(path, kind)
        mark = "not well-formed" if fault else "no resource" if none else row["validity"]
        if none and row["validity"] == "valid":
            values.append((row["path"], " ".join(errors)))
        for code in errors or warnings or ["no fault"]:
            count[row["path"].split("/")[0], mark][code] += 1
        if fault and not errors:
            refused.append(f"{row['path']}: {fault}")
        if row["validity"] == "valid" and errors and not none:
            wrong.append(f"{row['path']}: {' '.join(codes)}")
    failed = tell("random cuts give the same events", bad)
    failed |= tell(f"files marked valid, of {len(index)}, give no fault above a warning", wrong)
    failed |= tell("files that are not well-formed are refused", refused)
    page.append("\nFiles by source, what their index says of them, and the faults they give (a file with several codes counts for each; *no resource*: well-formed, and")
    page.append("some value of it is no resource; *not well-formed*: neither for Python's json nor for expat).\n\n| source | marked | faults |\n|---|---|---|")
    for (source, mark), codes in sorted(count.items()):
        page.append(f"| {source} | {mark} | {', '.join(f'{code} {number}' for code, number in sorted(codes.items()))} |")
    page.append("\nMarked valid, and still refused: their lines are values of one data type for tests of another validator (`null`, strings, References), no resources.\n")
    page.append("| file | code |\n|---|---|")
    page += [f"| {name} | {codes} |" for name, codes in values]
    return failed


def main():
    if not (SHARED / "corpus/fhir").is_dir():
        print("SKIPPED: no corpus of real files; set SHUNT_SHARED")
        return 77
    lex, read = (os.path.abspath(name) for name in sys.argv[1:3])
    page = []
    with contextlib.redirect_stdout(sys.stderr if "--page" in sys.argv else sys.stdout):
        failed, counted = json_suite(lex)
        more, counted_xml = xml_suite(lex)
        failed |= more | corpus(read, page)
    if "--page" in sys.argv:
        print("\n# Conformance: FHIR\n\nWhat the FHIR reader says of real files with a plan that wants something of every part (`tests/corpus/fhir_read.c`), and its lexical layers of the suites of")
        print("JSON and XML (`fhir_lex.c`). Made by `tests/corpus/run_fhir.py` with `--page`; the same script without it is a test.\n\n## Suites")
        for name, counts in (("JSONTestSuite", counted), ("W3C XML suite", counted_xml)):
            print(f"\n| {name} | taken | refused |\n|---|---|---|")
            for kind in sorted({kind for kind, _ in counts}):
                print(f"| {kind} | {counts[kind, True]} | {counts[kind, False]} |")
        print("\nOf XML, `invalid` (well-formed, against a DTD that is not there) includes two that only a parser without namespaces takes (`oasis/p04pass1`, `p05pass1`: colons anywhere in names); FHIR")
        print("wants one with. `oasis/p15pass1`, `p16pass1` and `p18pass1` hold the word DOCTYPE in a comment or CDATA only, and are taken. `either` of JSON is refused where a number, string or nesting")
        print("is no FHIR (lone surrogates, bytes that are not UTF-8, 500 levels), and taken where it is only large.\n\n## Files")
        print("\n".join(page))
    return 1 if failed else 0


sys.exit(main())
