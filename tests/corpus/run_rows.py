#!/usr/bin/env python3
"""Reads every CSV file of the corpus by rules made from its header, and holds each cell against Python's csv module.

Usage: run_rows.py SHUNT [--page]. Exit status 77 = skipped: no corpus ($SHUNT_SHARED or ../shared beside the checkout).
--page prints the counts as they stand in docs/conformance.md.

 1 the number of rows and columns is what INDEX.tsv says
 2 every row gives one record, but for those of another length than the header: those give a fault each
 3 every cell is what the csv module reads, empty cells absent
 4 the compiled program, and the input in pieces from a pipe, give the same bytes
"""
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", HERE.parents[2] / "shared"))
WIDTH = 100000


def rules_for(header, separator):
    quote = '  quote: ""\n' if separator == "|" else ""
    columns = "".join('  column c%d: text(%d)? "%s"\n' % (i, WIDTH, name.replace("\\", "\\\\").replace('"', '\\"')) for i, name in enumerate(header))
    fields = "".join(f"  c{i}: text({WIDTH})?\n" for i in range(len(header)))
    given = "".join(f" c{i}: r.c{i}" for i in range(len(header)))
    return (f'module corpus.rows version "1.0.0"\nsource file is CSV {{\n  separator: "{separator}"\n{quote}{columns}}}\n'
            f"target cells {{\n  nth: int\n{fields}  key nth\n  accepts phi none\n}}\n"
            f"map read from file into cells {{\n  for each r in rows {{ emit cells {{ nth: position(r){given} }} }}\n}}\n")


def read(shunt, rules, path, folder, piped=False):
    out, faults = folder / "records", folder / "faults"
    arguments = [shunt, "run", rules, "-" if piped else path, "-q", "-o", out, "--exceptions", faults]
    if piped:
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            data = path.read_bytes()
            for at in range(0, len(data), 4093):
                process.stdin.write(data[at:at + 4093])
                process.stdin.flush()
            process.stdin.close()
            status = process.wait()
    else:
        status = subprocess.run(arguments, capture_output=True, check=False).returncode
    return status, out.read_text(), faults.read_text()


def check(shunt, path, notes, folder):
    """What is wrong with one file; how many rows and cells it has, how many rows of another length; whether separators end its rows."""
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig")
    separator = "|" if "delim=|" in notes else ","
    quoting = csv.QUOTE_NONE if separator == "|" else csv.QUOTE_MINIMAL
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting) if row]
    header, rows = rows[0], rows[1:]
    faults = []
    lines = re.search(r"\blines=(\d+)", notes)
    if lines and int(lines.group(1)) != text.count("\n"):
        faults.append(f"INDEX says {lines.group(1)} line ends, the file has {text.count(chr(10))}")
    columns = re.search(r"\bcols=(\d+)", notes)
    if columns and int(columns.group(1)) != len(header):
        faults.append(f"INDEX says {columns.group(1)} columns, the header has {len(header)}")
    rules, program = folder / "rules.map", folder / "rules.mapc"
    rules.write_text(rules_for(header, separator))
    subprocess.run([shunt, "compile", rules, "-o", program], check=True)
    status, records, exceptions = read(shunt, rules, path, folder)
    ragged = [row for row in rows if len(row) < len(header) or any(row[len(header):])]
    longer = [row for row in rows if len(row) > len(header) and not any(row[len(header):])]
    wanted = ["CSV_CELLS"] * len(ragged) + ["CSV_TRAILING"] * bool(longer)
    codes = sorted(json.loads(line)["code"] for line in exceptions.splitlines())
    if codes != wanted or status != bool(ragged):
        faults.append(f"exit {status}: {codes[:5]}, wanted {wanted[:5]}")
    rows = [row[:len(header)] for row in rows if row not in ragged]
    if read(shunt, program, path, folder)[1:] != (records, exceptions):
        faults.append("the compiled program gives something else")
    strip = lambda lines: [re.sub(r'"program":"[0-9a-f]+"', "", line) for line in lines.splitlines()]
    if strip(read(shunt, rules, path, folder, piped=True)[1]) != strip(records):
        faults.append("pieces from a pipe give something else")
    got = [json.loads(line)["record"] for line in records.splitlines()]
    if len(got) != len(rows):
        faults.append(f"{len(got)} records of {len(rows)} rows")
    cells = 0
    for nth, (row, record) in enumerate(zip(rows, got), 1):
        wanted = {f"c{i}": cell for i, cell in enumerate(row) if cell}
        cells += len(row)
        record.pop("nth")
        if record != wanted:
            faults.append(f"row {nth} differs")
            break
    return faults, len(rows), cells, len(ragged), bool(longer)


def main():
    shunt = pathlib.Path(sys.argv[1]).resolve()
    index = SHARED / "corpus/csv/INDEX.tsv"
    if not index.exists():
        print(f"SKIPPED: no corpus at {SHARED / 'corpus/csv'}")
        return 77
    bad, counts = [], {}
    with tempfile.TemporaryDirectory() as name:
        for entry in csv.DictReader(index.open(), delimiter="\t"):
            path = SHARED / "corpus/csv" / entry["path"]
            if path.suffix == ".ndjson":
                continue
            faults, *numbers = check(shunt, path, entry["notes"], pathlib.Path(name))
            bad += [f"{entry['path']}: {fault}" for fault in faults]
            for key in (entry["path"].split("/")[0], "all"):
                counts[key] = [a + b for a, b in zip(counts.get(key, [0] * 5), [1, *numbers])]
    if "--page" in sys.argv:
        print("\n## CSV: real files\n\nEvery CSV file of the corpus is read by rules made from its header, all columns as texts; each cell is held against what Python's csv module reads,\n"
              "the number of line ends and columns against INDEX.tsv. No cell differs. Rows of another length than the header are CSV_CELLS, each of them, and\n"
              "the other reader gives them another length, too; further cells that are all empty are CSV_TRAILING, once a file.\n")
        print("| source | files | rows | cells | rows of another length | files whose rows end in separators |\n|---|---|---|---|---|---|")
        for source in sorted(counts, key=lambda key: (key == "all", key)):
            print(f"| {source} | " + " | ".join(str(number) for number in counts[source]) + " |")
    else:
        files, rows, cells, ragged, _ = counts["all"]
        print("\n".join(bad) or f"{rows} rows of {files} files, {cells} cells, {ragged} rows of another length: each as the csv module reads it")
    return 1 if bad else 0


sys.exit(main())
