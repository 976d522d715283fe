#!/usr/bin/env python3
"""Runs `shunt validate` over every HL7 v2 and FHIR file of the corpus. Usage: run_validate_messages.py SHUNT [--page FILE] [--files FILE]

 1 every file ends with status 0 or 1
 2 HL7: what INDEX.tsv says of the structure of a message (fit, misfit) is found, but for STRUCTURE; FHIR: files marked valid have no error, but for VALID
 3 files marked invalid have an error, but for INVALID (HL7) and what only profiles, terminologies and invariants tell (FHIR, counted)
 4 of what tests of other engines expect of an answer or an error (EXPECTED) at least 95 of 100 agree
--page writes the section of docs/conformance.md, --files the page with each HL7 file marked valid in which an error is found.
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
ORDER = {"HL7_SEGMENT_MISSING", "HL7_GROUP_MISSING", "HL7_SEQUENCE", "HL7_SEGMENT_TOO_OFTEN", "HL7_GROUP_TOO_OFTEN", "HL7_SEGMENT_UNEXPECTED"}
# INDEX.tsv and the findings about the structure differ.
STRUCTURE = [
    (r"amida/sample5|cdc-ti/001_T[NX]|ruby-hl7/.*", "lines that are no segments: HL7_SEGMENT_ID, level 1"),
    (r"cosyte-hl7/segment-case", "`pid` is read as PID: HL7_SEGMENT_CASE"),
    (r"hl7apy/test_parser_L(55|62)", "the event RSP^K22 has the structure RSP_K22, which the message fits; INDEX took MSH-9.3, another one"),
]
INVALID = [(r"cdc-dex/test_resources_genV1", "the message behind `junkjunkjunk` is a good one")]
VALID = [
    (r"google-fhir/", "values of one data type a line, no resources"),
    (r"fhir-test-cases/validator__(params-ws|unicode-problem)", "control characters in a string, which the standard forbids; the Java validator lets them pass"),
    (r"gematik-.*03_POST_ChargeItem_Request", "base64 that ends in `...`"),
    (r"hl7-r4-examples-npm/Library-zika", "`urn:oid:X.Y.Z`"),
    (r"hl7-r4-examples-npm/Questionnaire-qs1", "items without linkId"),
]
# What tests of the sources expect: the finding (code, path), or a path of the answer and its value, or one of the message itself.
EXPECTED = [
    ("hl7-rust/validate_L487.hl7", "finding", "HL7_SEQUENCE", "MSA"), ("hl7-rust/validate_L508.hl7", "finding", "HL7_TOO_MANY_FIELDS", "MSA-9"),
    ("hl7-rust/validate_L520.hl7", "finding", "HL7_DATE", "MSH-7.1"), ("hl7-rust/validate_L520.hl7", "finding", "HL7_NUMBER", "MSA-4"),
    ("hl7-rust/validate_L564.hl7", "finding", "HL7_VERSION_ID", "MSH-12"), ("hl7-rust/validate_L572.hl7", "finding", "HL7_FIELD_MISSING", "MSH-10"),
    ("pacs-bridge/hl7_test_L1010.hl7", "finding", "HL7_SEGMENT_MISSING", "ORC"), ("pacs-bridge/hl7_test_L1035.hl7", "finding", "HL7_FIELD_MISSING", "ORC-1"),
    ("pacs-bridge/hl7_test_L1060.hl7", "finding", "HL7_CODE", "MSA-1"), ("pacs-bridge/hl7_test_L937.hl7", "finding", "HL7_SEGMENT_MISSING", "EVN"),
    ("pacs-bridge/hl7_test_L962.hl7", "finding", "HL7_FIELD_MISSING", "PID-3"), ("balneario/profile_test_L901.hl7", "finding", "HL7_CODE", "MSA-1"),
    ("balneario/structural_test_L273.hl7", "finding", "HL7_SEGMENT_MISSING", "OBR"), ("balneario/structural_test_L294.hl7", "no error"),
    ("hapi/MessageValidatorTest_L90.hl7", "finding", "HL7_FIELD_UNUSED", "PID-13.1"),
    ("cdc-reportstream/Hl7SerializerIntegrationTests_L592.hl7", "finding", "HL7_DATE", "PID-29.1"),
    ("nhapi/LegacyPipeParserV23Tests_L541.hl7", "finding", "HL7_FIELD_MISSING", "OBX-2"),
    ("cosyte-hl7/builder-ack.test_L542.hl7", "answer", "MSA-2", "ID^H^Q"), ("cosyte-hl7/builder-ack.test_L555.hl7", "answer", "MSA-2", "ID\\H\\a&b"),
    ("cosyte-mllp/auto-ack.test_L730.hl7", "answer", "MSA-1", "AE"),
    ("efferent/AckNackTests_L100.hl7", "answer", "MSH-3", "LIS"), ("efferent/AckNackTests_L100.hl7", "answer", "MSH-5", "SCA"),
    ("efferent/AckNackTests_L100.hl7", "answer", "MSH-9.1", "ACK"), ("efferent/AckNackTests_L100.hl7", "answer", "MSA-2", ""),
    ("hapi/NewPipeParserTest_L420.hl7", "answer of syntax", "MSA-1", "AA"), ("hapi/NewPipeParserTest_L420.hl7", "answer", "MSH-12", "2.3"),
    ("hl7-rust/ack_L281.hl7", "answer", "MSH-12", "2.3"), ("hl7-rust/builder_L324.hl7", "answer", "MSH-12", "2.3"),
    ("hl7-rust/integration_L115.hl7", "answer", "MSA-2", None),
    ("node-hl7/hl7.server.parser.test_L34.hl7", "answer", "MSH-9.1", "ACK"), ("node-hl7/hl7.server.parser.test_L34.hl7", "answer of syntax", "MSA-1", "AA"),
    ("cosyte-mllp/ack-mode-matrix.test_L329.hl7", "message", "MSA-1", "CR"), ("cosyte-mllp/ack-mode-read.test_L259.hl7", "message", "MSA-1.1", "CA"),
    ("cosyte-mllp/ack-mode-read.test_L268.hl7", "message", "MSA-1", "CA"), ("cosyte-mllp/ack-mode-read.test_L273.hl7", "message", "MSA-2", "M1"),
    ("nhapi/PipeParserTests_L563.hl7", "message", "MSA-2", "9299381"), ("cosyte-hl7/builder-ack.test_L306.hl7", "message", "MSA-1", "AA"),
    ("cosyte-hl7/builder-ack.test_L318.hl7", "message", "ERR-3.1", "101"), ("cosyte-hl7/builder-ack.test_L318.hl7", "message", "ERR-4", "E"),
    ("cosyte-hl7/builder-ack.test_L352.hl7", "message", "MSA-1", "ZZ"), ("cosyte-hl7/builder-ack.test_L370.hl7", "message", "ERR-3.1", "500"),
    ("hl7-rust/integration_L49.hl7", "no error"),
    ("efferent/AckNackTests_L81.hl7", "answer", "MSH-2", "^~&"),
]
# Expectations that the set-up of the receiver decides, not message and standard.
OF_SETUP = {
    "bugs-go-hl7/end2end_test_L211.hl7": "AR, since the listener of the test was set to another version",
    "balneario/ltw_test_L172.hl7": "PV1 is required by the profile of IHE, not by the structure",
    "cosyte-mllp/ack-mode-matrix.test_L215.hl7": "AE, since the test server does not take batches",
    "cosyte-mllp/ack-mode-matrix.test_L236.hl7": "AE, since the test server takes one message a frame",
    "cosyte-mllp/ack-delimiters.test_L98.hl7": "the answer to another message of the test",
    "rethinkhealth/ack.test_L241.hl7": "what a middleware of the test answers", "rethinkhealth/compose.test_L59.hl7": "what a middleware of the test answers",
    "rethinkhealth/middlewares.test_L95.hl7": "what a middleware of the test answers", "rethinkhealth/middlewares.test_L217.hl7": "what a middleware of the test answers",
    "rethinkhealth/mllp.bench_L39.hl7": "what a middleware of the test answers",
}
WHY = {"hl7-rust/integration_L49.hl7": "PID-5 is required in 2.5 and not there; that engine does not ask for fields",
       "efferent/AckNackTests_L81.hl7": "MSH-2 `^~&` has no escape character and no subcomponents; the answer has the usual four"}


def validate(shunt, path, *options):
    done = subprocess.run([shunt, "validate", "-j", *options, path], capture_output=True, timeout=300, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def validate_all(shunt, paths, *options):
    """The same of many files: path -> (status, findings), a few dozen a process."""
    answers = {}
    for at in range(0, len(paths), 50):
        some = [str(p) for p in paths[at:at + 50]]
        done = subprocess.run([shunt, "validate", "-j", *options, *some], capture_output=True, timeout=900, check=False)
        if done.returncode > 1:
            answers.update({p: validate(shunt, p, *options) for p in some})
            continue
        found = {p: [] for p in some}
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            one = json.loads(line)
            found[one["file"]].append(one)
        answers.update({p: (int(any(f.get("summary", {}).get("errors") for f in items)), items) for p, items in found.items()})
    return answers


def listed(table, path):
    return next((why for pattern, why in table if re.match(pattern, path)), None)


def field(text, path):
    """The value at SEG-F[.C] of the first such segment of an answer."""
    segment, _, rest = path.partition("-")
    number, _, component = rest.partition(".")
    for line in text.split("\r"):
        if line.startswith(segment):
            fields = line.split(line[3] if segment == "MSH" else text[3])
            at = int(number) - (segment == "MSH")
            value = fields[at] if at < len(fields) else ""
            parts = value.split(text[4])
            return parts[int(component) - 1] if component and int(component) <= len(parts) else "" if component else value
    return None


def meets(shunt, folder, item):
    path, kind = folder / item[0], item[1]
    if kind in ("finding", "no error"):
        _, found = validate(shunt, path)
        if kind == "no error":
            return not any(f.get("severity") == "error" for f in found)
        return any(f.get("code") == item[2] and f.get("path") == item[3] for f in found)
    if kind == "message":
        done = subprocess.run([shunt, "get", item[2], path], capture_output=True, timeout=60, check=False)
        return item[3] in done.stdout.decode("utf-8", "replace").splitlines()
    with tempfile.NamedTemporaryFile() as out:
        level = ["--snip", "1"] if kind == "answer of syntax" else []
        subprocess.run([shunt, "validate", *level, "--ack", out.name, path], capture_output=True, timeout=60, check=False)
        text = pathlib.Path(out.name).read_bytes().decode("utf-8", "replace")
    value = field(text, item[2])
    wanted = item[3]
    if wanted is None:  # MSH-10 of the message
        wanted = field(path.read_bytes().decode("utf-8", "replace").replace("\n", "\r"), "MSH-10")
    return value == wanted


def places(found):
    seen = []
    for f in found:
        if f.get("severity") == "error":
            word = f["code"].removeprefix("HL7_") + " " + re.sub(r"\[\d+\]", "", f.get("path", "-"))
            if word not in seen:
                seen.append(word)
    return seen


def hl7(shunt, faults):
    folder = SHARED / "corpus/hl7"
    counts, explained, by_place = collections.Counter(), [], collections.Counter()
    rows = [row for row in csv.DictReader((folder / "INDEX.tsv").open(), delimiter="\t") if (folder / row["path"]).exists()]
    answers = validate_all(shunt, [folder / row["path"] for row in rows])
    for row in rows:
        status, found = answers[str(folder / row["path"])]
        if status > 1:
            faults["status"].append(f"{row['path']}: {status}")
            continue
        counts[row["valid"] + (" with errors" if status else " without")] += 1
        codes = {f.get("code") for f in found}
        fits = "structure fit" in row["notes"]
        if (fits or "structure misfit" in row["notes"]) and fits == bool(codes & ORDER):
            why = listed(STRUCTURE, row["path"])
            counts["structure explained" if why else "structure differs"] += 1
            if not why:
                faults["structure"].append(f"{row['path']}: {row['notes'][-60:]}: {sorted(codes & ORDER)}")
        elif fits or "structure misfit" in row["notes"]:
            counts["structure agrees"] += 1
        if row["valid"] == "valid" and status:
            explained.append((row["path"], row["version"], places(found)))
            by_place.update(set(places(found)))
        if row["valid"] == "invalid" and not status and not listed(INVALID, row["path"]):
            faults["invalid"].append(f"{row['path']}: {row['notes'][:120]}")
    return counts, explained, by_place


def fhir(shunt, faults):
    folder = SHARED / "corpus/fhir"
    counts, explained, silent = collections.defaultdict(collections.Counter), [], collections.Counter()
    rows = [row for row in csv.DictReader((folder / "INDEX.tsv").open(), delimiter="\t") if (folder / row["path"]).exists()]
    answers = {}
    for version in ("R4", "R5"):
        answers.update(validate_all(shunt, [folder / row["path"] for row in rows if row["fhir_version"] == version], "--fhir", version))
    for row in rows:
        source = row["path"].split("/")[0]
        if row["fhir_version"] not in ("R4", "R5"):
            counts[source]["of another version"] += 1
            continue
        status, found = answers[str(folder / row["path"])]
        if status > 1:
            faults["status"].append(f"{row['path']}: {status}")
            continue
        counts[source][row["validity"] + (" with errors" if status else " without")] += 1
        if row["validity"] == "valid" and status:
            why = listed(VALID, row["path"])
            explained.append((row["path"], sorted({f["code"] for f in found if f.get("severity") == "error"}), why))
            if not why:
                faults["valid"].append(f"{row['path']}: {explained[-1][1]}")
        if row["validity"] == "invalid" and not status:
            module = re.search(r"module=(\w+)", row["notes"])
            silent[module[1] if module else source] += 1
    return counts, explained, silent


def main():
    shunt = str(pathlib.Path(sys.argv[1]).resolve())
    if not (SHARED / "corpus/hl7/INDEX.tsv").exists():
        print(f"SKIPPED: no corpus at {SHARED}; set SHUNT_SHARED to run these tests", file=sys.stderr)
        return 77
    faults = collections.defaultdict(list)
    counts, refused, by_place = hl7(shunt, faults)
    types, rejected, silent = fhir(shunt, faults)
    checks = [(item, meets(shunt, SHARED / "corpus/hl7", item)) for item in EXPECTED if (SHARED / "corpus/hl7" / item[0]).exists()]
    agreed = sum(good for _, good in checks)
    files = {item[0] for item, _ in checks}
    differ = [item for item, good in checks if not good]
    if not checks or agreed * 100 < len(checks) * 95 or any(item[0] not in WHY for item in differ):
        faults["expected"] += [str(item) for item in differ]
    kinds = ["valid without", "valid with errors", "unknown without", "unknown with errors", "invalid without", "invalid with errors"]
    if "--page" in sys.argv:
        with open(sys.argv[sys.argv.index("--page") + 1], "w", encoding="utf-8") as page:
            print("## Validation of HL7 v2 and FHIR\n\n`tests/corpus/run_validate_messages.py` runs `shunt validate` over every file, at all levels.\n\n### HL7 v2\n", file=page)
            print("`valid` in INDEX.tsv says that the segments fit the structure of their version, `invalid` that the source calls the message bad or its header is unusable.\n", file=page)
            print("| " + " | ".join(kinds) + " |\n|" + "---|" * len(kinds) + "\n| " + " | ".join(str(counts[k]) for k in kinds) + " |\n", file=page)
            print(f"Of the structure INDEX.tsv and the findings say the same of {counts['structure agrees']} files, and differ in {counts['structure explained']}: "
                  + "; ".join(f"`{pattern}`: {why}" for pattern, why in STRUCTURE) + ".\n", file=page)
            print(f"The {len(refused)} files marked valid with errors lack fields, or have values, that their version requires otherwise; `conformance_hl7.md` lists them one by one. The most frequent:\n\n"
                  "| finding | files |\n|---|---|", file=page)
            for place, n in by_place.most_common(40):
                print(f"| {place} | {n} |", file=page)
            print(f"\n### Expected answers and errors\n\nTests of other engines expect {len(checks)} things of answers and errors of {len(files)} messages (`*.expected.asserts.tsv`); {agreed} agree. Not so:\n\n"
                  "| file | expected | why |\n|---|---|---|", file=page)
            for item in differ:
                print(f"| {item[0]} | {' '.join(str(x) for x in item[1:])} | {WHY.get(item[0])} |", file=page)
            print("\nWhat others expect is decided by the set-up of their receiver, not by message and standard:\n\n| file | why |\n|---|---|", file=page)
            for path, why in OF_SETUP.items():
                print(f"| {path} | {why} |", file=page)
            print("\n### FHIR\n\nEach file against the version that INDEX.tsv names, R4 or R5; other versions are not known.\n\n| source | " + " | ".join(kinds) + " | of another version |\n|---|" + "---|" * 7, file=page)
            for source, c in sorted(types.items()):
                print(f"| {source} | " + " | ".join(str(c[k] or "") for k in kinds + ["of another version"]) + " |", file=page)
            print("| all | " + " | ".join(str(sum(c[k] for c in types.values())) for k in kinds + ["of another version"]) + " |", file=page)
            print("\nMarked valid, and an error found:\n\n| file | findings | why |\n|---|---|---|", file=page)
            for path, codes, why in rejected:
                print(f"| {path} | {' '.join(codes)} | {why} |", file=page)
            print(f"\nMarked invalid, and no error found: {sum(silent.values())} files, whose faults are those of profiles, questionnaires, terminologies, signatures, narratives and invariants, by module of "
                  "the Java validator's tests or source: " + ", ".join(f"{name} {n}" for name, n in silent.most_common()) + ".", file=page)
    if "--files" in sys.argv:
        with open(sys.argv[sys.argv.index("--files") + 1], "w", encoding="utf-8") as page:
            print("# HL7 files marked valid in which an error is found\n\nMade by `tests/corpus/run_validate_messages.py --files`. `valid` says that the segments fit the structure; what is listed is what the version of the "
                  "message wants of fields and values: FIELD_MISSING a required field that is empty, CODE a value that is not in the table of HL7 for the field, DATE and NUMBER a value that is none, "
                  "TOO_LONG one that is longer than 2.7 and later allow, PROCESSING_ID and EVENT a header that says something else.\n\n| file | version | findings |\n|---|---|---|", file=page)
            for path, version, what in refused:
                print(f"| {path} | {version} | {', '.join(what[:8])}{f' and {len(what) - 8} more' if len(what) > 8 else ''} |", file=page)
    for name, words in (("status", "every file ends with status 0 or 1"), ("structure", "structure is found as INDEX.tsv says"), ("valid", "FHIR files marked valid are accepted"),
                        ("invalid", "HL7 files marked invalid have an error"), ("expected", "what other engines expect is found")):
        print(f"{'NOT OK' if faults[name] else 'ok'}: {words}" + (f": {len(faults[name])}" if faults[name] else ""))
        for fault in faults[name][:40]:
            print("   ", fault)
    print(f"{dict(counts)}; {agreed} of {len(checks)} expectations; FHIR {dict(sum(types.values(), collections.Counter()))}")
    return 1 if any(faults.values()) else 0


sys.exit(main())
