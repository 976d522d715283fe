#!/usr/bin/env python3
"""Runs `shunt validate` over every X12 file of the corpus. Usage: run_validate.py SHUNT [--page FILE] [--answers]. Exit status 77 = skipped: no corpus.

 1 every file ends with status 0 or 1
 2 files marked valid have no error at the SNIP types that their source tests, but for those of DISAGREE, each with its reason
 3 envelope oddities that INDEX.tsv lists are findings
 4 of the files with a 997, 999, TA1 or error codes beside them at least 95 of 100 are answered with every code that is expected
--page writes the section of docs/conformance.md about it; --answers looks at 4 alone.
"""
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = pathlib.Path(os.environ.get("SHUNT_SHARED", ROOT.parent / "shared"))
# What the tests of a source look at, where it is less than a guide: splitting of envelopes, reading of segments.
SPLIT_ONLY = ("edi-debatcher/", "staedi/")
DISAGREE = [
    (r"cosyte-x12/.*837i", "CLM05-1 has three digits, CLM06 is sent, BBR without its date, no CL1"),
    (r"cosyte-x12/.*270-minimal", "no NM108 and NM109 of payer and provider"),
    (r"cosyte-x12/.*271-aaa", "AAA behind HL without the NM1 that it is of"),
    (r"cosyte-x12/.*availity-repetition", "a body cut down to ST and SE"),
    (r"cosyte-x12/.*(golden__277|277-canonical)\.edi", "STC01-3 PR and STC03, which the guide does not use"),
    (r"cosyte-x12/.*277ca", "segments of a 277 in a 277CA: STC02 a date at 2200B, NM1 and DTP at the claim"),
    (r"cosyte-x12/.*820", "RMR03, ADX03 and ADX04, which the guide does not use; no ST03"),
    (r"cosyte-x12/.*835", "N1*PE without N103 and N104"),
    (r"edi-debatcher/.*810", "dates of the year 4"),
    (r"edi-debatcher/.*", "HL numbers used twice in one set; segments that the guide does not have there"),
    (r"imsweb-x12-parser/277", "a date of the year 1001"),
    (r"linuxforhealth-x12/834", "DTP*358, which the guide does not have at the member"),
    (r"linuxforhealth-x12/83[57]_.*(payment|demo\.cob\.2nd|demo\.example|out-of-network)", "components apart by another character than ISA16; CLM06 is sent"),
    (r"linuxforhealth-x12/837_004010", "no CLM06 and CLM18 (pyx12 rejects such files), or elements that the guide does not use"),
    (r"linuxforhealth-x12/.*example3", "loop 2320 without its payer 2330B"),
    (r"linuxforhealth-x12/.*two-claims", "CLM06, which the guide does not use"),
    (r"linuxforhealth-x12/demo.835", "no PER*BL; TS309 and TS311, which the guide does not use"),
    (r"staedi/.*header-ref-only", "a REF of the header that the guide does not have, behind a BHT alone"),
    (r"vgi-x12/", "cut down by hand: required segments, HL and ST03 are missing, NM1 before TRN"),
]
ODDITIES = {"SE01": "X12_SE01", "SE02": "X12_SE02", "GE01": "X12_GE01", "GE02": "X12_GE02", "IEA01": "X12_IEA01", "IEA02": "X12_IEA02",
            "no ISA": "X12_NO_ISA", "no IEA": ("X12_TRUNCATED", "X12_NO_IEA")}
# Error codes of edi-debatcher's tests -> what answers them: (segment of the answer, code).
DEBATCHER = {
    "TA1_ERROR_COMPONENT_SEPARATOR": ("TA105", "027"), "AK9_999_ERROR_GE01": ("AK905", "5"), "AK9_999_ERROR_GS01": ("AK905", "1"),
    "AK9_999_ERROR_GS06": ("AK905", "4"), "AK9_999_ERROR_GS08": ("AK905", "2"), "TA1_ERROR_IEA_MISSING": ("TA105", "023"),
    "TA1_ERROR_IEA01": ("TA105", "021"), "TA1_ERROR_ISA07": ("TA105", "007"), "TA1_ERROR_ISA08": ("TA105", "008"),
    "TA1_ERROR_ISA11": ("TA105", "016"), "TA1_ERROR_ISA12": ("TA105", "003"), "TA1_ERROR_ISA13": ("TA105", "018"),
    "TA1_ERROR_ISA13_DUP": ("TA105", "025"), "TA1_ERROR_ISA14": ("TA105", "019"), "TA1_ERROR_ISA15": ("TA105", "020"),
    "TA1_ERROR_ISAEnd": ("TA105", "023"), "TA1_ERROR_ISA06": ("TA105", "006"), "IK5_999_ERROR_SE01": ("K502", "4"),
    "IK5_999_ERROR_ST01": ("K502", "1"), "IK5_999_ERROR_ST02": ("K502", "3"), "IK5_999_ERROR_ST03": ("K502", "19"),
    "TA1_ERROR_GS_MISSING": ("TA105", "024"), "AK9_999_ERROR_GE_MISSING": ("AK905", "3"), "IK5_999_ERROR_SE": ("K502", "2"),
}
# Texts of imsweb's tests -> code and loop of the finding.
IMSWEB = [(r"Error getting separators", "X12_ISA_LENGTH", None), (r"matching segment format in loop (\w+)", ("X12_UNKNOWN_SEGMENT", "X12_SEGMENT_ID"), 1),
          (r"(\w+) in loop (\w+) is required but not found", ("X12_SEGMENT_MISSING", "X12_LOOP_MISSING"), 2),
          (r"^(\w+) is required but not found in", "X12_LOOP_MISSING", 1), (r"in loop (\w+) appears too many", "X12_SEGMENT_TOO_OFTEN", 1),
          (r"in loop (\w+) is not in the correct position", "X12_ORDER", 1)]
WHY = {
    "bad_header_looping.txt": "pyx12 says 1 (unknown id) of each segment of a loop that comes too late; here its first one is 7 (out of order), the second loop 4 (too often)",
    "fail_no_IEA.txt": "all expected codes are there; pyx12 leaves out REF, NM1*41 and NM1*40, which are missing as well",
    "files__validations__InvalidISA11.txt": "`&` is a separator like another; that the receiver wants `^` is its own set-up",
}


def segments(text):
    """The codes of an acknowledgement, without control numbers and dates of its own."""
    found = []
    for segment in re.split(r"~\s*", text):
        e = [x.strip() for x in segment.strip().split("*")]
        if e[0] in ("AK2", "AK9", "AK5", "IK5"):
            found.append("*".join(e[:3] if e[0] == "AK2" else e))
        elif e[0] in ("AK3", "IK3"):
            found.append("*".join([e[0], e[1], e[2], e[4] if len(e) > 4 else ""]))
        elif e[0] in ("AK4", "IK4"):
            found.append("*".join(e))
        elif e[0] == "TA1":
            found.append("*".join(["TA1"] + e[4:6]))
    return sorted(found)


def validate(shunt, path, *options):
    done = subprocess.run([shunt, "validate", "-j", *options, path], capture_output=True, timeout=120, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def expected(shunt, path, answer):
    """(agrees, what differs) of one file with what is expected beside it."""
    name = answer.name
    if name.endswith(".csv"):
        return None, ""
    if name.endswith((".997", ".999")):
        with tempfile.NamedTemporaryFile(suffix=".edi") as out:
            subprocess.run([shunt, "validate", "--snip", "1,2,5", "--ack", out.name, path], capture_output=True, timeout=120, check=False)
            theirs, ours = segments(answer.read_text()), segments(pathlib.Path(out.name).read_text(errors="replace"))
        # What is said beyond the expected codes is listed, and must be explained as well.
        return all(x in ours for x in theirs), "" if theirs == ours else f"expected {[x for x in theirs if x not in ours]}, answered {[x for x in ours if x not in theirs]}"
    data = json.loads(answer.read_text())
    if "error_code" in data:
        _, found = validate(shunt, path, "--snip", "1", "--sender", data["configured_sender"], "--receiver", data["configured_receiver"])
        where, code = DEBATCHER[data["error_code"]]
        return any(f.get("answer", "").endswith(where) and f.get("answer_code") == code for f in found), data["error_code"]
    if "errors" in data:
        _, found = validate(shunt, path, "--snip", "2")
        missed = []
        for text in data["errors"]:
            for pattern, codes, group in IMSWEB:
                match = re.search(pattern, text)
                if match:
                    codes = (codes,) if isinstance(codes, str) else codes
                    if not any(f.get("code") in codes and (group is None or f.get("loop") == match[group]) for f in found):
                        missed.append(text)
                    break
            else:
                missed.append(text)
        return not missed, str(missed)
    return None, ""


def main():
    shunt, page = sys.argv[1], None
    if "--page" in sys.argv:
        page = open(sys.argv[sys.argv.index("--page") + 1], "w", encoding="utf-8")
    index = SHARED / "corpus/x12/INDEX.tsv"
    if not index.exists():
        print(f"SKIPPED: no corpus at {SHARED}; set SHUNT_SHARED to run these tests", file=sys.stderr)
        return 77
    broken, refused, explained, unseen, differ, counts = [], [], [], [], [], collections.defaultdict(collections.Counter)
    answers = agreed = 0
    rows = [] if "--answers" in sys.argv else csv.DictReader(index.open(), delimiter="\t")
    for row in rows:
        path = index.parent / row["path"]
        sets = row["transaction_sets"]
        low = "278" in sets or "X224" in row["version"] or row["path"].startswith(SPLIT_ONLY)
        status, found = validate(shunt, path, "--snip", "1" if low else "2")
        if status > 1:
            broken.append(f"{row['path']}: status {status}")
            continue
        errors = sorted({f["code"] for f in found if f.get("severity") == "error"})
        counts[row["path"].split("/")[0]][row["validity"] + (" with errors" if errors else " without")] += 1
        if row["validity"] == "valid" and errors:
            why = next((w for pattern, w in DISAGREE if re.match(pattern, row["path"])), None)
            (explained if why else refused).append((row["path"], " ".join(errors), why))
        codes = {f.get("code") for f in found}
        for odd in row["oddities_seen"].split(" | "):
            for word, wanted in ODDITIES.items():
                if (odd + " ").startswith(word + " ") and not codes & set([wanted] if isinstance(wanted, str) else wanted) and \
                        not codes & {"X12_NO_ISA", "X12_ENVELOPE", "X12_TRUNCATED", "X12_DELIMITERS", "X12_DELIMITER_WIDE", "X12_NO_SE", "X12_SEGMENT_ID", "X12_NO_GE"}:
                    unseen.append(f"{row['path']}: {odd}: {sorted(c for c in codes if c)}")
    for answer in sorted(index.parent.glob("*/*.expected.*")):
        path = answer.parent / answer.name[:answer.name.index(".expected.")]
        agrees, what = expected(shunt, path, answer)
        if agrees is None:
            continue
        answers += 1
        agreed += agrees
        if not agrees or (what and answer.suffix != ".json"):
            differ.append((path.name, what, WHY.get(path.name)))
    enough = answers and agreed * 100 >= answers * 95 and all(why for _, _, why in differ)
    if page:
        print("## Validation\n\n`tests/corpus/run_validate.py` runs `shunt validate` over every file of the corpus, at SNIP types 1 and 2; at type 1 what its source only splits or "
              "reads (edi-debatcher, staedi), sets of no known guide, 278 and 837D.\n", file=page)
        kinds = ["valid without", "valid with errors", "envelope-ok without", "envelope-ok with errors", "fragment without", "fragment with errors",
                 "invalid without", "invalid with errors"]
        print("| source | " + " | ".join(kinds) + " |\n|---|" + "---|" * len(kinds), file=page)
        for source, c in sorted(counts.items()):
            print(f"| {source} | " + " | ".join(str(c[k] or "") for k in kinds) + " |", file=page)
        print("| all | " + " | ".join(str(sum(c[k] for c in counts.values())) for k in kinds) + " |", file=page)
        print("\n### Files marked valid in which an error is found, and why it is one\n\n| file | findings | why |\n|---|---|---|", file=page)
        for path, codes, why in explained:
            print(f"| {path} | {codes} | {why} |", file=page)
        print(f"\n### Expected acknowledgements and error codes\n\n{answers} files have a 997, 999, TA1 or error codes beside them; {agreed} agree in every code. Those that do not, and those that are told more than is expected:\n\n"
              "| file | difference | why |\n|---|---|---|", file=page)
        for name, what, why in differ:
            print(f"| {name} | {what} | {why} |".replace("\n", " "), file=page)
        page.close()
    bad = False
    for name, items in (("every file ends with status 0 or 1", broken), ("files marked valid are accepted", refused), ("envelope oddities are found", unseen)):
        print(f"{'ok' if not items else 'NOT OK'}: {name}" + (f": {len(items)}" if items else ""))
        for item in items[:40]:
            print("   ", item)
        bad = bad or bool(items)
    print(f"{'ok' if enough else 'NOT OK'}: {agreed} of {answers} expected answers agree in every code, {len(explained)} files marked valid are explained")
    for item in differ:
        print("   ", item)
    return 1 if bad or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
