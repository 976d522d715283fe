#!/usr/bin/env python3
"""Structure bombs (tests/support/bombs.py) end as they should: nothing crashes or stops, the code that is due is said, memory stays below
64 MiB, control totals balance, and what is listed is bounded. Time is not looked at: scripts/bombs.py shows how it grows.
Usage: run_bombs.py SHUNT [--whole] [NAME...]: a part of the bytes, or all of them."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import bombs  # noqa: E402

MIB = 64
LISTED = 1000  # docs/limits.md: warnings of one code in one input
PART, SMALL = 5, 20  # of the bytes: for `run`, for other verbs, where not all are wanted
LIMITS = {"X12_SEGMENT_LENGTH", "X12_ELEMENTS", "HL7_SEGMENT_LENGTH", "FHIR_VALUE_BYTES", "FHIR_LIMIT", "CSV_ROW_LONG", "LIMIT_UNIT_BYTES"}


def judge_run(bench, bomb, done):
    report = json.loads((bench.folder / "report").read_text())
    codes = set(report["exceptions"])
    warnings, lost, before, wide = {}, 0, None, False
    with open(bench.folder / "faults", "rb") as lines:
        for line in lines:
            fault = json.loads(line)
            codes.add(fault["code"])
            codes.add(fault.get("cause"))
            if fault["severity"] == "warning" and not fault.get("unit"):
                warnings[fault["code"]] = warnings.get(fault["code"], 0) + 1
            elif fault["severity"] in ("reject", "quarantine") and fault["scope"] == "unit":
                unit = (fault["transaction"], fault["unit"])  # those of one unit stand together
                lost += unit != before
                before = unit
            wide = wide or fault["severity"] != "warning" and fault["scope"] != "unit"
            assert "offset" in fault, fault
    assert report["balanced"], "control totals"
    assert not bomb.codes or codes & set(bomb.codes), f"none of {bomb.codes}, but {sorted(filter(None, codes))}"
    assert max(warnings.values(), default=0) <= LISTED, warnings
    if any(report["exceptions"].get(code, 0) > count for code, count in warnings.items() if count == LISTED):
        assert "FAULTS_MORE" in codes
    # What decides about a unit is listed, however many there are.
    assert wide or lost == report["units"]["rejected"] + report["units"]["quarantined"], f"{lost} lost units are listed"
    assert (done.status == 1) == (sum(report["severities"].values()) > report["severities"]["warning"]), "status"


def judge(bench, bomb, verb, name):
    done = bench.measure(bomb, verb, name)
    # 2: a column that the rows do not have, an input that no standard is
    assert done.status in ((0, 1, 2) if verb in ("get", "whole") else (0, 1)), f"status {done.status}: {done.said}"
    assert done.mib < MIB, f"{done.mib:.0f} MiB"
    if verb == "run":
        judge_run(bench, bomb, done)


def main():
    wrong = 0
    whole = "--whole" in sys.argv
    names = [name for name in sys.argv[2:] if name != "--whole"]
    with tempfile.TemporaryDirectory() as name:
        bench = bombs.Bench(sys.argv[1], pathlib.Path(name))
        for bomb in bombs.BOMBS:
            if names and bomb.name not in names:
                continue
            bench.write(bomb, bomb.count // (1 if whole or LIMITS & set(bomb.codes) else PART), "large")
            bench.write(bomb, bomb.count // (1 if whole else SMALL), "small")
            for verb in bench.verbs(bomb):
                try:
                    judge(bench, bomb, verb, "large" if verb == "run" else "small")
                except AssertionError as error:
                    print(f"{bomb.name}, {verb}: {error}", flush=True)
                    wrong += 1
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
