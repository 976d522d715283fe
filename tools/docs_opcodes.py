#!/usr/bin/env python3
"""docs/opcodes.md from engine/vm/opcodes.def and builtin.def.

Usage: docs_opcodes.py SOURCE_FOLDER          writes the page
       docs_opcodes.py SOURCE_FOLDER --check  says whether the page is as it would be written
"""
import pathlib
import re
import sys

OP = re.compile(r'^SHUNT_OP\((\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*"((?:[^"\\]|\\.)*)"\)$')
BUILTIN = re.compile(r'^SHUNT_BUILTIN\((\w+),\s*"(\w*)",\s*"(\w)",\s*"((?:[^"\\]|\\.)*)"\)$')
SECTION = re.compile(r"^/\* ---- (.+) ---- \*/$")
KINDS = {"b": "bool", "i": "int", "d": "decimal", "t": "text", "y": "date", "m": "moment", "r": "row"}

HEAD = """# Instructions of the VM

Made from `engine/vm/opcodes.def` and `engine/vm/builtin.def` by `cmake --build BUILD --target docs_opcodes`; edit those.
`shunt disasm` prints them with the names of what their operands stand for.

"""


def prose(text):
    """The comment at the head of a .def file, as a code block: it is laid out by hand."""
    comment = text[text.index("/*") + 2:text.index("*/")]
    lines = [re.sub(r"^ \* ?", "", line).rstrip() for line in comment.splitlines()]
    return "\n".join(lines[1:])


def cell(text):
    return text.replace('\\"', '"').replace("|", "\\|")


def opcodes(text):
    out, count = [], 0
    for line in text.splitlines():
        if section := SECTION.match(line):
            title = section.group(1)
            out += ["", f"## {title[0].upper()}{title[1:]}", "", "| instruction | a | b | c | effect |", "|---|---|---|---|---|"]
        elif op := OP.match(line):
            name, *operands, effect = op.groups()
            shown = ["" if kind == "NONE" else kind for kind in operands]
            out.append(f"| `{name}` | {shown[0]} | {shown[1]} | {shown[2]} | {cell(effect)} |")
            count += 1
    if count != len(re.findall(r"^SHUNT_OP\(", text, re.M)):
        sys.exit("opcodes.def was not read whole")
    return "\n".join(out)


def builtins(text):
    out, count = ["| built-in | arguments | result | effect |", "|---|---|---|---|"], 0
    for line in text.splitlines():
        if entry := BUILTIN.match(line):
            name, arguments, result, effect = entry.groups()
            out.append(f"| `{name}` | {', '.join(KINDS[letter] for letter in arguments)} | {KINDS[result]} | {cell(effect)} |")
            count += 1
    if count != len(re.findall(r"^SHUNT_BUILTIN\(", text, re.M)):
        sys.exit("builtin.def was not read whole")
    return "\n".join(out)


def main():
    source = pathlib.Path(sys.argv[1])
    ops = (source / "engine/vm/opcodes.def").read_text()
    made = (HEAD + "```text\n" + prose(ops) + "\n```\n" + opcodes(ops) + "\n\n## Built-in functions\n\n"
            + builtins((source / "engine/vm/builtin.def").read_text()) + "\n")
    page = source / "docs/opcodes.md"
    if sys.argv[2:] == ["--check"]:
        if not page.exists() or page.read_text() != made:
            print("docs/opcodes.md is not as opcodes.def and builtin.def say: build the target docs_opcodes")
            return 1
        print("docs/opcodes.md is as opcodes.def and builtin.def say")
        return 0
    page.write_text(made)
    return 0


sys.exit(main())
