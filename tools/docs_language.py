#!/usr/bin/env python3
"""The tables of docs/language.md that are made from definitions: types (dsl/type.def), built-ins (dsl/builtin.def) and diagnostics (engine/base/status.def).

Usage: docs_language.py SOURCE_FOLDER          writes them into the page, each between `<!-- made from FILE -->` and `<!-- end -->`
       docs_language.py SOURCE_FOLDER --check  says whether the page is as it would be written
"""
import pathlib
import re
import sys

TEXT = r'"((?:[^"\\]|\\.)*)"'
TYPE = re.compile(r"^SHUNT_LANG_TYPE\(" + r",\s*".join([TEXT, r"(\w+)", TEXT, TEXT]) + r"\)$", re.M)
BUILTIN = re.compile(r"^SHUNT_LANG_BUILTIN\(" + r",\s*".join([r"(\w+)", *[TEXT] * 5]) + r"\)$", re.M)
STATUS = re.compile(r"^SHUNT_STATUS\(([EW]\d{4}), " + TEXT + r", (\w+), \w+, " + TEXT + r"\)$", re.M)


def read(source, name, entry, macro):
    """All entries of a .def file; one that is not understood stops the work."""
    text = (source / name).read_text()
    found = [tuple(part.replace('\\"', '"').replace("|", "\\|") for part in parts) for parts in entry.findall(text)]
    if len(found) != len(re.findall(rf"^{macro}", text, re.M)):
        sys.exit(f"{name} was not read whole")
    return found


def types(source):
    entries = read(source, "dsl/type.def", TYPE, r"SHUNT_LANG_TYPE\(")
    return ["| type | meaning |", "|---|---|", *(f"| `{written}` | {meaning} |" for _, _, written, meaning in entries)]


def builtins(source):
    entries = read(source, "dsl/builtin.def", BUILTIN, r"SHUNT_LANG_BUILTIN\(")
    return ["| built-in | gives | meaning |", "|---|---|---|",
            *(f"| `{signature}` | `{result}` | {meaning} |" for _, _, _, signature, result, meaning in entries)]


def diagnostics(source):
    entries = sorted(read(source, "engine/base/status.def", STATUS, r"SHUNT_STATUS\([EW]\d{4},"))
    return ["| code | says |", "|---|---|", *(f"| {code} | {meaning} |" for code, _, _, meaning in entries)]


MADE = {"dsl/type.def": types, "dsl/builtin.def": builtins, "engine/base/status.def": diagnostics}


def main():
    source = pathlib.Path(sys.argv[1])
    page = source / "docs/language.md"
    text = made = page.read_text()
    for name, table in MADE.items():
        block = re.compile(rf"(<!-- made from {re.escape(name)} -->\n\n).*?(\n\n<!-- end -->\n)", re.S)
        if len(block.findall(text)) != 1:
            sys.exit(f"docs/language.md has not one place for {name}")
        made = block.sub(lambda m, lines=table(source): m[1] + "\n".join(lines) + m[2], made)
    if sys.argv[2:] == ["--check"]:
        if made != text:
            print("docs/language.md is not as its definitions say: build the target docs_language")
            return 1
        print("the tables of docs/language.md are as their definitions say")
        return 0
    page.write_text(made)
    return 0


sys.exit(main())
