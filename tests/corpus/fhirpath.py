#!/usr/bin/env python3
"""The expressions of the FHIRPath suite that `shunt get` takes, through `shunt get`. Usage: fhirpath.py SHUNT. Status 77: no suite."""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

SHUNT = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUITE = pathlib.Path(os.environ.get("SHUNT_SHARED", ROOT.parent / "shared")) / "corpus/fhirpath"


def main():
    right = wrong = refused = 0
    for release in ("r4", "r5"):
        tests = SUITE / f"tests-fhir-{release}.xml"
        if not tests.exists():
            print("SKIPPED: no FHIRPath suite")
            return 77
        for test in xml.etree.ElementTree.parse(tests).iter("test"):
            expression = test.find("expression")
            source = SUITE / f"input-{release}" / (test.get("inputfile") or "-")
            if expression is None or not expression.text or expression.get("invalid") or not source.exists():
                continue
            outputs = test.findall("output")
            if any(output.get("type") in ("Quantity", "HumanName") for output in outputs):
                continue  # written in another form than JSON
            done = subprocess.run([SHUNT, "get", expression.text.strip(), str(source)], capture_output=True, text=True, timeout=60, check=False)
            if done.returncode == 2:
                refused += 1  # docs/paths.md says what is not there
                continue
            want = [(output.text or "").lstrip("@") for output in outputs]
            fine = done.returncode == 0 and done.stdout.splitlines() == want
            right += fine
            wrong += not fine
            if not fine:
                print(f"{release} {source.name} {expression.text}: expected {want}, got {done.stdout.splitlines()}")
    print(f"{right} expressions give what the suite says, {wrong} do not, {refused} are refused")
    return 1 if wrong or not right else 0


sys.exit(main())
