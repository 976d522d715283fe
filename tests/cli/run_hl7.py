#!/usr/bin/env python3
"""HL7 samples of the rules: whatever ends their segments and frames their messages, the same comes of them. Usage: run_hl7.py SHUNT"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHUNT = sys.argv[1]
FAULT = ("code", "cause", "severity", "scope", "transaction", "unit", "loop", "segment", "element", "component", "message")


def messages(data):
    """The segments of each message, frames and batches taken off."""
    found = []
    for line in data.replace(b"\x0b", b"").replace(b"\x1c", b"").split(b"\r"):
        if line.startswith(b"MSH"):
            found.append([])
        if line and not line.startswith((b"FHS", b"BHS", b"BTS", b"FTS")):
            found[-1].append(line)
    return found


def run(rules, data, *options):
    """(exit status, records without where they come from, exceptions likewise, totals)"""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "key").write_text("a key for tests, of 32 bytes ....")
        (folder / "input.hl7").write_bytes(data)
        done = subprocess.run([SHUNT, "run", rules, folder / "input.hl7", "-q", "-o", folder / "o", "--exceptions", folder / "e", "--report", folder / "r",
                               "--token-key", folder / "key", *options], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        records = [{k: v for k, v in json.loads(line).items() if k != "meta"} for line in (folder / "o").read_text().splitlines()]
        faults = [{k: v for k, v in json.loads(line).items() if k in FAULT} for line in (folder / "e").read_text().splitlines()]
        report = json.loads((folder / "r").read_text())
        return done.returncode, records, faults, report["units"], report["tallies"] if "tallies" in report else None


def forms(data):
    """The same messages as they come over the wire and out of editors."""
    whole = messages(data)
    for name, end in (("CR", b"\r"), ("LF", b"\n"), ("CRLF", b"\r\n")):
        yield name, b"".join(b"".join(segment + end for segment in message) for message in whole)
    yield "frames", b"".join(b"\x0b" + b"".join(segment + b"\r" for segment in message) + b"\x1c\r" for message in whole)
    yield "frames with LF", b"".join(b"\x0b" + b"\n".join(message) + b"\x1c\r" for message in whole)
    yield "batch", b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + b"".join(b"".join(s + b"\r" for s in message) for message in whole) + b"BTS|%d\rFTS|1\r" % len(whole)
    mixed = [b"\r", b"\n", b"\r\n"]
    yield "mixed", b"".join(b"".join(s + mixed[(i + j) % 3] for j, s in enumerate(message)) for i, message in enumerate(whole))


def main():
    count = 0
    for sample in sorted((ROOT / "rules/hl7/samples").glob("*.hl7")):
        rules = ROOT / "rules/hl7" / (sample.stem + ".map")
        first = None
        for name, data in forms(sample.read_bytes()):
            got = run(rules, data)
            assert got[1], f"{sample.name}: nothing came"
            first = first or got
            assert got == first, f"{sample.name} as {name}:\n{got}\nand not\n{first}"
            count += 1
        twice = run(rules, dict(forms(sample.read_bytes()))["CR"] * 2)
        assert twice[1] == first[1] and twice[3]["duplicate"] == first[3]["posted"], f"{sample.name}: what is sent again is no duplicate: {twice[3]}"
    print(f"{count} forms of the samples give the same")


main()
