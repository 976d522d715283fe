#!/usr/bin/env python3
"""The program written by hand posts what the rules post: the same keys, the same lines. Usage: check_dft.py GEN HAND SHUNT"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEY = "a key of the bench"


def plain(line):
    """Key and record, the lines of a journal in any order, without what only the rules say."""
    record = json.loads(line)["record"]
    record["lines"] = sorted(json.dumps({k: v for k, v in entry.items() if k != "drawer"}, sort_keys=True) for entry in record["lines"])
    return json.loads(line)["key"], record


def main():
    gen, hand, shunt = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "key").write_text(KEY)
        for options in (["-b", "400k"], ["-b", "50k", "-s", "7"]):
            subprocess.run([gen, "dft", *options, "-o", folder / "in"], check=True, stderr=subprocess.DEVNULL)
            by_hand = subprocess.run([hand, folder / "in", KEY], check=True, capture_output=True, text=True).stdout.splitlines()
            subprocess.run([shunt, "run", ROOT / "rules/hl7/dft_charges.map", folder / "in", "-q", "-k", folder / "key", "-o", folder / "out"], check=True)
            by_rules = (folder / "out").read_text().splitlines()
            assert len(by_hand) == len(by_rules) > 100, (len(by_hand), len(by_rules))
            for a, b in zip(by_hand, by_rules):
                assert plain(a) == plain(b), f"{a}\n{b}"
    print("the same journals by hand and by rules")


main()
