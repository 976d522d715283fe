#!/usr/bin/env python3
"""Runs `shunt validate` over every X12 file of the corpus. Usage: run_validate.py SHUNT [--page FILE] [--answers]. Exit status 77 = skipped: no corpus.

 1 every file ends with status 0 or 1
 2 files marked valid have no error at the SNIP types that their source tests, nor at types 1 and 2, but for those of validate_valid.tsv, each with
   the codes found and with why
 3 what INDEX.tsv measured of an envelope is found; files that it marks invalid for another reason have the codes of validate_invalid.tsv
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
# What the tests of a source look at, where it is less than a guide: splitting of envelopes (edi-debatcher), schemas of its own (staedi), a
# tolerant reading into rows or objects, without any requirement of a guide (cosyte-x12, vgi-x12).
READ_ONLY = ("edi-debatcher/", "staedi/", "cosyte-x12/", "vgi-x12/")
ODDITIES = {"SE01": "X12_SE01", "SE02": "X12_SE02", "GE01": "X12_GE01", "GE02": "X12_GE02", "IEA01": "X12_IEA01", "IEA02": "X12_IEA02",
            "no ISA": "X12_NO_ISA", "no IEA": ("X12_TRUNCATED", "X12_NO_IEA"), "counted (ISA": "X12_ISA_LENGTH", "junk": "X12_LEADING_TEXT",
            "ISA16": "X12_ISA16", "bad segment id": ("X12_SEGMENT_ID", "X12_STRAY"), "empty segment id": "X12_SEGMENT_ID", "SE without": "X12_MISPLACED"}
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


def table(name):
    with open(pathlib.Path(__file__).with_name(name), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def kind_of(answer):
    if answer.suffix != ".json":
        return answer.suffix[1:]
    code = json.loads(answer.read_text()).get("error_code", "error texts")
    return "TA1 code" if code.startswith("TA1") else "code of a 999" if "_" in code else code


def main():
    shunt, page = sys.argv[1], None
    checked = {p for p, _, _ in table("validate_invalid.tsv")}
    if "--page" in sys.argv:
        page = open(sys.argv[sys.argv.index("--page") + 1], "w", encoding="utf-8")
    index = SHARED / "corpus/x12/INDEX.tsv"
    if not index.exists():
        print(f"SKIPPED: no corpus at {SHARED}; set SHUNT_SHARED to run these tests", file=sys.stderr)
        return 77
    why = {p: (set(codes.split()), text) for p, codes, text in table("validate_valid.tsv")}
    reasons = {p: ([] if codes == "-" else codes.split(), text) for p, codes, text in table("validate_invalid.tsv")}
    broken, refused, explained, further, unseen, silent, differ = [], [], [], [], [], [], []
    counts = collections.defaultdict(collections.Counter)
    kinds_of_answers = collections.Counter()
    answers = agreed = 0
    rows = [] if "--answers" in sys.argv else csv.DictReader(index.open(), delimiter="\t")
    for row in rows:
        file, path, validity = row["path"], index.parent / row["path"], row["validity"]
        low = "278" in row["transaction_sets"] or "X224" in row["version"] or file.startswith(READ_ONLY)
        status, found = validate(shunt, path, "--snip", "3")
        if status > 1:
            broken.append(f"{file}: status {status}")
            continue

        def errors(snip):
            return {f["code"] for f in found if f.get("severity") == "error" and f["snip"] <= snip}
        own, codes = errors(1 if low else 2), {f.get("code") for f in found}
        counts[file.split("/")[0]][validity + (" with errors" if own else " without")] += 1
        if validity == "valid" and (own or errors(2)):
            listed, text = why.pop(file, (None, None))
            if listed != errors(2):
                refused.append(f"{file}: {sorted(errors(2))}, listed {sorted(listed) if listed else 'nowhere'}")
            (explained if own else further).append((file, " ".join(sorted(own or errors(2))), text))
        for odd in row["oddities_seen"].split(" | "):
            # Terminators that stand at the head of the next line are read as such; INDEX takes them for a part of the id.
            if odd.startswith("bad segment id '~") or ("bad segment id" in odd and "X12_ISA16" in codes):
                continue
            for word, wanted in ODDITIES.items():
                if (odd + " ").startswith(word + ("" if "(" in word else " ")) and not codes & set([wanted] if isinstance(wanted, str) else wanted) and \
                        not codes & {"X12_NO_ISA", "X12_ENVELOPE", "X12_TRUNCATED", "X12_DELIMITERS", "X12_DELIMITER_WIDE", "X12_NO_SE", "X12_SEGMENT_ID", "X12_NO_GE"}:
                    unseen.append(f"{file}: {odd}: {sorted(c for c in codes if c)}")
        wanted_codes, reason = reasons.pop(file, ([], row["validity_reason"]))
        if validity == "invalid" and not own:
            silent.append((file, " ".join(sorted(c for c in codes if c)) or "-", reason))
        for wanted in wanted_codes:
            if wanted not in codes:
                unseen.append(f"{file}: {wanted} is not among {sorted(c for c in codes if c)}")
        if validity == "invalid" and not row["validity_reason"].startswith("measured") and row["expectations"] == "-" and file not in checked:
            unseen.append(f"{file}: {row['validity_reason']}: validate_invalid.tsv does not say with which codes")
    if "--answers" not in sys.argv:
        refused += [f"{p}: listed, and is accepted or gone" for p in why]
        unseen += [f"{p}: listed, and is gone" for p in reasons]
    for answer in sorted(index.parent.glob("*/*.expected.*")):
        path = answer.parent / answer.name[:answer.name.index(".expected.")]
        agrees, what = expected(shunt, path, answer)
        if agrees is None:
            continue
        answers += 1
        agreed += agrees
        kinds_of_answers[kind_of(answer)] += 1
        if not agrees or (what and answer.suffix != ".json"):
            differ.append((path.name, what, WHY.get(path.name)))
    enough = answers and agreed * 100 >= answers * 95 and all(text for _, _, text in differ)
    if page:
        print("## Validation\n\n`tests/corpus/run_validate.py` runs `shunt validate` over every file of the corpus, at SNIP types 1 and 2; at type 1 what its source only splits or "
              "reads (edi-debatcher; staedi, by schemas of its own; cosyte-x12 and vgi-x12, which read tolerantly and require nothing of a guide), sets of no known guide, 278 and 837D. "
              "`with errors` means refused, `without` accepted.\n", file=page)
        kinds = ["valid without", "valid with errors", "envelope-ok without", "envelope-ok with errors", "fragment without", "fragment with errors",
                 "invalid without", "invalid with errors"]
        print("| source | " + " | ".join(kinds) + " |\n|---|" + "---|" * len(kinds), file=page)
        for source, c in sorted(counts.items()):
            print(f"| {source} | " + " | ".join(str(c[k] or "") for k in kinds) + " |", file=page)
        print("| all | " + " | ".join(str(sum(c[k] for c in counts.values())) for k in kinds) + " |", file=page)
        print("\n### Files marked valid in which an error is found, and why it is one\n\nAt the types of their source. `facts` are those of the public sources in "
              "`standards/dict/README.md`; R is required there, N not used, M mandatory in the standard.\n\n| file | findings | why |\n|---|---|---|", file=page)
        for path, codes, text in explained:
            print(f"| {path} | {codes} | {text} |", file=page)
        print("\nAccepted at the types of their source; what type 2 would find in them:\n\n| file | findings | why |\n|---|---|---|", file=page)
        for path, codes, text in further:
            print(f"| {path} | {codes} | {text} |", file=page)
        print(f"\n### Files marked invalid that are accepted\n\nThe codes of `tests/corpus/validate_invalid.tsv`, of what INDEX measured, and of the expected answers below are found in every other "
              f"file marked invalid. These {len(silent)} have no error of the types that their source tests:\n\n| file | found | why |\n|---|---|---|", file=page)
        for path, codes, text in silent:
            print(f"| {path} | {codes} | {text} |", file=page)
        kinds = ", ".join(f"{n} {k}" for k, n in sorted(kinds_of_answers.items()))
        print(f"\n### Expected acknowledgements and error codes\n\n{answers} files have a 997, 999, TA1 or error codes beside them ({kinds}); {agreed} agree in every code. Those that do not, and those that are told more than is expected:\n\n"
              "| file | difference | why |\n|---|---|---|", file=page)
        for name, what, text in differ:
            print(f"| {name} | {what} | {text} |".replace("\n", " "), file=page)
        page.close()
    bad = False
    for name, items in (("every file ends with status 0 or 1", broken), ("files marked valid are accepted", refused), ("files marked invalid are found so for that reason", unseen)):
        print(f"{'ok' if not items else 'NOT OK'}: {name}" + (f": {len(items)}" if items else ""))
        for item in items[:40]:
            print("   ", item)
        bad = bad or bool(items)
    print(f"{'ok' if enough else 'NOT OK'}: {agreed} of {answers} expected answers agree in every code, {len(explained)} files marked valid are refused and explained, {len(silent)} marked invalid are accepted")
    for item in differ:
        print("   ", item)
    return 1 if bad or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
