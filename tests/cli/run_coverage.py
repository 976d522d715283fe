#!/usr/bin/env python3
"""The tests of rules/ reach and notice what they should. Usage: run_coverage.py SHUNT

Of all decision rows and arms 95 % are reached; of the mutants of the remittance map fewer than 5 % survive.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    shunt, faults = sys.argv[1], []
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "coverage.json"
        subprocess.run([shunt, "test", ROOT / "rules", "--coverage", "json", "-o", out], check=True, stdout=subprocess.DEVNULL)
        seen = json.loads(out.read_text())
    reached = sum(seen["all"][kind]["reached"] for kind in ("rows", "arms"))
    count = sum(seen["all"][kind]["all"] for kind in ("rows", "arms"))
    print(f"{reached} of {count} rows and arms are reached")
    for file in seen["files"]:
        for place in file["places"]:
            if place["kind"] in ("row", "arm") and not place["tests"]:
                print(f"  {file['file']}:{place['line']}: {place['kind']}")
    if count < 50 or reached < 0.95 * count:
        faults.append("fewer than 95 % of decision rows and arms")
    done = subprocess.run([shunt, "mutate", "--json", ROOT / "rules/x12/remit_gl.map"], capture_output=True, text=True, check=False)
    mutants = [json.loads(line) for line in done.stdout.splitlines()]
    alive = [m for m in mutants if m["fate"] == "survived"]
    print(f"{len(alive)} of {len(mutants)} mutants of the remittance map survive")
    for m in alive:
        print(f"  {m['file']}:{m['line']}:{m['column']}: {m['change']}")
    if done.returncode not in (0, 1) or len(mutants) < 50 or len(alive) >= 0.05 * len(mutants):
        faults.append("5 % of the mutants or more")
    print("\n".join(faults) or "reached and noticed")
    return 1 if faults else 0


sys.exit(main())
