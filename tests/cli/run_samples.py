#!/usr/bin/env python3
"""Samples of the rules give the records that stand beside them, from the rules as from the program compiled of them.

Usage: run_samples.py SHUNT [--write]. rules/KIND/samples/NAME.SUFFIX is run by rules/KIND/NAME.map; what comes, without its meta, is
held against NAME.SUFFIX.expected.ndjson: first the records in their order, then the exceptions. --write writes these files anew.
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
    print("\n".join(bad) or f"{count} samples give what is expected of them")
    return 1 if bad or not count else 0


sys.exit(main())
