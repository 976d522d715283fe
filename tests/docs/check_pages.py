#!/usr/bin/env python3
"""Every code of status.def has a section on its page, and every section a code. Usage: check_pages.py SOURCE_FOLDER

docs/diagnostics.md: `## E0101 ...` for each E and W code, each of which an example raises (--list says which). docs/exceptions.md: `## CODE meaning` for all others but OK, the meaning as in
status.def. docs/x12.md, docs/hl7.md, docs/csv.md and docs/fhir.md: their tables of codes hold each X12_, HL7_, CSV_ and FHIR_ code once, with its severity.
"""
import pathlib
import re
import sys

ENTRY = re.compile(r'^SHUNT_STATUS\((\w+), "([^"]+)", (\w+), (\w+), "((?:[^"\\]|\\.)*)"\)$', re.M)


def sections(page):
    """Code -> rest of the heading; a code twice is told."""
    found, faults = {}, []
    for heading in re.findall(r"^## (.+)$", page.read_text(), re.M):
        code, _, rest = heading.partition(" ")
        if code in found:
            faults.append(f"{page.name}: two sections for {code}")
        found[code] = rest.strip()
    return found, faults


def compare(name, wanted, found):
    return ([f"{name}: no section for {code}" for code in sorted(wanted - found)]
            + [f"{name}: section {code} is no code of status.def" for code in sorted(found - wanted)])


def limits(source, codes):
    """docs/limits.md: the number of each row is that of the code, and each code that it names is one."""
    faults, seen = [], 0
    for line in (source / "docs/limits.md").read_text().split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or len(cells) != 5 or cells[0] == "what":
            continue
        faults += [f"limits.md: {code} is no code" for code in re.findall(r"\b(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|E\d{4})\b", cells[3]) if code not in codes]
        place = re.fullmatch(r"`([^`]+)` (\w+)", cells[4])
        if not place:
            faults += [f"limits.md: {cells[4]} is no place"] if cells[4] else []
            continue
        seen += 1
        number, unit = re.match(r"(?:as its `max` says, at most )?([\d,]+)(?: (KiB|MiB))?", cells[1]).groups()
        stated = int(number.replace(",", "")) * {None: 1, "KiB": 1 << 10, "MiB": 1 << 20}[unit]
        found = re.search(r"\b" + place[2] + r" = ([\d<* ]+)", (source / place[1]).read_text())
        if not found or eval(found[1]) != stated:  # digits, blanks, * and << alone
            faults.append(f"limits.md: {cells[0]}: {place[2]} is {found and found[1].strip()}, not {cells[1]}")
    return faults + ([] if seen > 25 else ["limits.md was not read whole"])


def main():
    source = pathlib.Path(sys.argv[1])
    text = (source / "engine/base/status.def").read_text()
    codes = {code: (severity, meaning.replace('\\"', '"')) for _, code, severity, _, meaning in ENTRY.findall(text)}
    if len(codes) != len(re.findall(r"^SHUNT_STATUS\(", text, re.M)) or len(codes) < 100:
        print("status.def was not read whole")
        return 1
    of_rules = {code for code in codes if re.fullmatch(r"[EW]\d{4}", code)}
    faults = []

    found, more = sections(source / "docs/exceptions.md")
    faults += more + compare("exceptions.md", set(codes) - of_rules - {"OK"}, set(found))
    faults += [f"exceptions.md: {code} is `{codes[code][1]}` in status.def" for code, rest in found.items() if code in codes and rest != codes[code][1]]

    found, more = sections(source / "docs/diagnostics.md")
    faults += more + compare("diagnostics.md", of_rules, set(found))

    # Each code of the rules is raised by an example, which the tests of the compiler run: of its section, or of the cases.
    raised = {}
    for page in [source / "docs/diagnostics.md", *sorted((source / "tests/cases").glob("*.md")), *sorted((source / "docs").glob("*.md")),
                 source / "tests/unit/test_table_csv.c", source / "tests/cli/run_cli.py"]:  # what is told of files of tables
        for code in re.findall(r"(?:^|\"|\\n)(?:error|warning)\[([EW]\d{4})\]: ", page.read_text(), re.M):
            raised.setdefault(code, page.name)
    faults += [f"{code}: no example raises it" for code in sorted(of_rules - set(raised))]

    # What a validation finds has a page of its own, several codes in a row.
    finds = {code for block in text.split("what a validation finds */")[1:] for _, code, *_ in ENTRY.findall(block.partition("/*")[0])}
    table = re.findall(r"^\| ([A-Z0-9]+_.*?) \|", (source / "docs/validate.md").read_text(), re.M)
    faults += [f"validate.md: no row for {code}" for code in sorted(finds - {code for row in table for code in re.findall(r"[A-Z0-9]+_\w+", row)})]

    for page, prefix in (("x12.md", "X12_"), ("hl7.md", "HL7_"), ("csv.md", "CSV_"), ("fhir.md", "FHIR_")):
        rows = re.findall(r"^\| (" + prefix + r"\w+) \| (\w+) \|", (source / "docs" / page).read_text(), re.M)
        faults += compare(page, {code for code in codes if code.startswith(prefix)} - finds, {code for code, _ in rows})
        faults += [f"{page}: {code} stands twice" for code in {code for code, _ in rows} if [c for c, _ in rows].count(code) > 1]
        faults += [f"{page}: {code} is {codes[code][0].lower()} in status.def" for code, severity in rows
                   if code in codes and severity.upper() != codes[code][0]]

    faults += limits(source, codes)
    if "--list" in sys.argv:
        print("\n".join(f"{code}  {raised.get(code, '-'):24} {codes[code][1]}" for code in sorted(of_rules)))
    print("\n".join(faults) or f"{len(codes)} codes have their sections, {len(of_rules)} of them an example that raises them")
    return 1 if faults else 0


sys.exit(main())
