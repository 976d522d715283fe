#!/usr/bin/env python3
"""The table of operators of docs/language.md against the compiler: what it lists compiles with the result that it names, what it does not list is refused.
Usage: check_operators.py SOURCE_FOLDER SHUNT"""
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

# Word of the table -> types that stand for it, and, of a result, the widest type of its kind. `days` is a literal, not a type.
TYPES = {
    "text": ["text(5)", "code", "account", "unit"], "number": ["int", "decimal(9, 2)", "percent"], "int": ["int"], "percent": ["percent"], "money": ["money(USD)"],
    "date": ["date"], "time": ["time"], "datetime": ["datetime"], "bool": ["bool"], "token": ["token"], "days": ["3 days"],
}
RESULTS = {"int": "int", "percent": "percent", "decimal": "decimal(38, 8)", "money": "money(USD, 6)", "date": "date", "bool": "bool"}
OPERATORS = ["+", "-", "*", "/", "=", "!=", "<", ">", "<=", ">=", "and", "or"]
AT_ONCE = 20  # the compiler stops telling there


def read_table(page):
    """(left type, operator, right type) -> result; the first row that has it says so."""
    part = page.split("check_operators.py -->\n", 1)[1].strip().split("\n\n", 1)[0]
    table = {}
    for line in part.split("\n")[2:]:
        left, operators, right, gives = [cell.strip() for cell in line.strip("|").split("|")]
        for a, op, b in itertools.product(TYPES[left], operators.split(), TYPES[right]):
            table.setdefault((a, op, b), gives)
    return table


def function(name, a, op, b, result):
    sides = ["3 days" if t == "3 days" else v for t, v in ((a, "a"), (b, "b"))]
    parameters = ", ".join(f"{v}: {t}" for t, v in ((a, "a"), (b, "b")) if t != "3 days")
    value = f"{sides[0]} {op} {sides[1]}"
    return f"function {name}({parameters}) -> {result} {{ return " + (f'round({value}, 2, "half_up")' if op == "/" else value) + " }"


def refused(shunt, lines):
    """Numbers of the lines, from 0, that have an error."""
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "probe.map"
        rules.write_text('module probe version "1" edition 1\n' + "\n".join(lines) + "\n")
        run = subprocess.run([shunt, "check", "--json", rules], capture_output=True, text=True)
    if run.returncode not in (0, 2):
        sys.exit(f"check_operators.py: `shunt check` ends with {run.returncode}: {run.stderr}")
    return {int(line) - 2: said for said, line in re.findall(r'"code": ?"(E\d+)".*?"line": ?(\d+)', run.stdout)}


def main():
    source, shunt = pathlib.Path(sys.argv[1]), sys.argv[2]
    table, faults = read_table((source / "docs/language.md").read_text()), []
    lines, cases = [], []
    for (a, op, b), gives in table.items():
        cases.append((a, op, b, gives))
        lines.append(function(f"f{len(lines)}", a, op, b, RESULTS[gives]))
    for at in range(0, len(lines), AT_ONCE):
        for line, code in refused(shunt, lines[at:at + AT_ONCE]).items():
            faults.append(f"the table lists it, the compiler says {code}: {lines[at + line]}")

    every = sorted({t for types in TYPES.values() for t in types})
    lines = [function(f"f{i}", a, op, b, "bool" if op not in "+-*/" else "int")
             for i, (a, op, b) in enumerate(itertools.product(every, OPERATORS, every)) if (a, op, b) not in table and not a == b == "3 days"]
    for at in range(0, len(lines), AT_ONCE):
        batch = lines[at:at + AT_ONCE]
        for line in set(range(len(batch))) - set(refused(shunt, batch)):
            faults.append(f"the table does not list it, the compiler takes it: {batch[line]}")
    print("\n".join(faults) or f"{len(cases)} pairs of types compile as the table says, {len(lines)} others are refused")
    return 1 if faults or len(cases) < 100 or len(lines) < 1000 else 0


sys.exit(main())
