#!/usr/bin/env python3
"""Samples of the rules give the records that stand beside them, from the rules as from the program compiled of them.

Usage: run_samples.py SHUNT [--write]. rules/KIND/samples/NAME.SUFFIX is run by rules/KIND/NAME.map; what comes, without its meta, is
held against NAME.SUFFIX.expected.ndjson: first the records in their order, then the exceptions. Where a rule writes messages, what it writes is held against
NAME.SUFFIX.expected.edi, .hl7, .json, .jsonl or .xml byte by byte, and an X12 message must be valid at SNIP 2. --write writes these files anew.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OF_RECORD = ("target", "key", "correlate", "record")
OF_EXCEPTION = ("code", "cause", "severity", "scope", "offset", "length")


def answer(shunt, rules, sample, folder):
    out, faults, key = folder / "records", folder / "exceptions", folder / "key"
    key.write_text("a key for tests, of 32 bytes ....")
    done = subprocess.run([shunt, "run", rules, sample, "-q", "-o", out, "--exceptions", faults, "--token-key", key], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{sample.name}: exit {done.returncode}\n{done.stderr}")
    lines = []
    for path, keys in ((out, OF_RECORD), (faults, OF_EXCEPTION)):
        for line in path.read_text().splitlines():
            whole = json.loads(line)
            lines.append(json.dumps({key: whole[key] for key in keys if key in whole}, ensure_ascii=False))
    return "\n".join(lines) + "\n"


MESSAGE_ENDINGS = ("edi", "hl7", "json", "xml", "jsonl")


def message(shunt, rules, sample, folder):
    """What the rules write, byte by byte."""
    out = folder / "messages"
    done = subprocess.run([shunt, "run", rules, sample, "-q", "-o", out, "--received-at", "2025-03-03T08:00:00Z", "--control-number", "41"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{sample.name}: exit {done.returncode}\n{done.stderr}")
    return out.read_bytes()


def check_messages(shunt, write, bad):
    count = 0
    for expected in sorted(path for ending in MESSAGE_ENDINGS for path in ROOT.glob(f"rules/*/samples/*.expected.{ending}")):
        sample = expected.with_name(expected.name.rpartition(".expected.")[0])
        rules = expected.parents[1] / (sample.name.split(".")[0] + ".map")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            program = folder / "rules.mapc"
            subprocess.run([shunt, "compile", rules, "-o", program], check=True)
            got = message(shunt, rules, sample, folder)
            if message(shunt, program, sample, folder) != got:
                bad.append(f"{sample.name}: the compiled program gives something else")
            if expected.suffix == ".edi":
                valid = subprocess.run([shunt, "validate", "--snip", "2", folder / "messages"], capture_output=True, text=True, check=False)
                if valid.returncode != 0:
                    bad.append(f"{sample.name}: what is written is not valid\n{valid.stdout}")
        count += 1
        if write:
            expected.write_bytes(got)
        elif got != expected.read_bytes():
            bad.append(f"{sample.name}: came\n{got.decode(errors='replace')}\nand not what stands in {expected.name}")
    return count


def main():
    shunt, write = sys.argv[1], "--write" in sys.argv
    bad, count = [], 0
    for expected in sorted(ROOT.glob("rules/*/samples/*.expected.ndjson")):
        sample = expected.with_name(expected.name.removesuffix(".expected.ndjson"))
        rules = expected.parents[1] / (sample.name.split(".")[0] + ".map")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            program = folder / "rules.mapc"
            subprocess.run([shunt, "compile", rules, "-o", program], check=True)
            got = answer(shunt, rules, sample, folder)
            if answer(shunt, program, sample, folder) != got:
                bad.append(f"{sample.name}: the compiled program gives something else")
        count += 1
        if write:
            expected.write_text(got)
        elif got != expected.read_text():
            bad.append(f"{sample.name}: came\n{got}and not what stands in {expected.name}")
    count += check_messages(shunt, write, bad)
    print("\n".join(bad) or f"{count} samples give what is expected of them")
    return 1 if bad or not count else 0


sys.exit(main())
