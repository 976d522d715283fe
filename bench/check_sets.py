#!/usr/bin/env python3
"""Generated claims and orders are the same on every run, and hold against their guides. Usage: check_sets.py GENSETS SHUNT"""
import json
import pathlib
import subprocess
import sys
import tempfile


def main():
    gensets, shunt = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("837", "850"):
            for options in (["-n", "1"], ["-n", "700", "-t", "90"], ["-b", "256k"], ["-b", "64k", "-s", "7"]):
                one, two = pathlib.Path(folder) / "one", pathlib.Path(folder) / "two"
                said = [subprocess.run([gensets, kind, *options, "-o", p], check=True, capture_output=True, text=True).stderr for p in (one, two)]
                assert said[0] == said[1] and one.read_bytes() == two.read_bytes(), options
                totals = dict(pair.split("=") for pair in said[0].split())
                assert int(totals["bytes"]) == one.stat().st_size, totals
                done = subprocess.run([shunt, "validate", "-j", "-s", "3", one], capture_output=True, text=True, check=False)
                summary = json.loads(done.stdout.splitlines()[-1])["summary"]
                assert done.returncode == 0 and summary["accepted"] == int(totals["transactions"]) and not summary["warnings"], done.stdout[:2000]
    print("ok: claims and orders are the same on every run, and accepted")


if __name__ == "__main__":
    main()
