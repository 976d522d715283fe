#!/usr/bin/env python3
"""Generated files balance at every level and are the same on every run. Usage: check_gen.py GEN835 HAND835"""
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "corpus"))
from raw835 import sets  # noqa: E402

RUNS = (["-n", "1"], ["-n", "2500", "-t", "400"], ["-n", "1500", "-t", "0", "-s", "7"], ["-n", "300", "-t", "1"], ["-b", "512k"])


def amount(segment, index):
    return Decimal(segment[index]) if len(segment) > index and segment[index] else Decimal(0)


def cuts(segments):
    return sum((amount(s, i) for s in segments if s[0] == "CAS" for i in range(3, len(s), 3)), Decimal(0))


def patient(segments):
    return cuts([s for s in segments if s[:2] == ["CAS", "PR"]])


def split(segments, head):
    """What stands before the first `head`, then what begins with each."""
    parts = [[]]
    for s in segments:
        if s[0] == head:
            parts.append([])
        parts[-1].append(s)
    return parts[0], parts[1:]


def check_set(segments):
    assert int(segments[-1][1]) == len(segments), "SE01"
    head, claims = split([s for s in segments if s[0] not in ("PLB", "SE")], "CLP")
    paid = Decimal(0)
    for claim in claims:
        top, lines = split(claim, "SVC")
        clp = claim[0]
        for line in lines:
            assert amount(line[0], 3) == amount(line[0], 2) - cuts(line), line[0]
        assert len(lines) == 3 and sum(amount(line[0], 2) for line in lines) == amount(clp, 3), clp
        assert amount(clp, 4) == amount(clp, 3) - cuts(claim), clp
        if clp[2] != "22":
            assert amount(clp, 5) == patient(claim), clp
        else:
            assert amount(clp, 3) < 0 and clp[5] == "", clp
        paid += amount(clp, 4)
    provider = [amount(s, i) for s in segments if s[0] == "PLB" for i in range(4, len(s), 2)]
    assert all(provider), "PLB of nothing"
    pay = next(s for s in head if s[0] == "BPR")
    assert amount(pay, 2) == paid - sum(provider) >= 0, pay
    return len(claims)


def main():
    generator, by_hand = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for options in RUNS:
            path = pathlib.Path(folder) / "made.edi"
            said = subprocess.run([generator, *options, "-o", path], check=True, stderr=subprocess.PIPE, text=True).stderr
            totals = dict(pair.split("=") for pair in said.split())
            data = path.read_bytes()
            assert data == subprocess.run([generator, *options], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout, "not the same twice"
            counts = [check_set(s) for s in sets(data)]
            assert len(counts) == int(totals["transactions"]) and sum(counts) == int(totals["claims"]), (options, totals)
            assert len(data) == int(totals["bytes"]) and data.count(b"~") == int(totals["segments"]), (options, totals)
            if options[0] == "-b":
                assert 512 << 10 <= len(data) < (512 << 10) + 8192, len(data)
            done = subprocess.run([by_hand, path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
            assert f"claims={totals['claims']} " in done and "bad=0" in done, done
    print(f"{len(RUNS)} files balance")


main()
