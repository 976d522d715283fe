#!/usr/bin/env python3
"""What `shunt run` writes for targets with an `encode`, read back by other people's readers. Usage: run_encode.py SHUNT

Nothing that a message holds may add a row, cell, element or member, nor be changed or dropped in silence: what can not be written is an
exception of its unit, and of nothing else."""
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

SHUNT = str(pathlib.Path(sys.argv[1]).resolve())
TESTS = []
# Separators of the message that no text of these tests holds, so that values may hold everything else.
ELEMENT, COMPONENT, REPETITION, SEGMENT = "\x1d", "\x1f", "\x1e", "\x1c"

RULES = """module tests.encode version "1.0.0" edition 1
source era is X12 835 "005010X221A1" {{ currency: USD }}
codes {{ T_RULE "failed" queue "q" }}
target {kind} {{
  {fields}
  accepts phi account_number, identifier
  {encode}
}}
map post from era into out {{
  on error quarantine T_RULE
  for each claim in 2100 {{
    {body}
  }}
}}
"""
FLAT = "claim: text(38)\n  note: text(400)\n  paid: money(USD)\n  key claim"
EMIT = "emit out { claim: CLP01  note: CLP07  paid: CLP04 }"
# The X12 reader drops line ends inside of segments, so those come from a rule.
WITH_ENDS = EMIT.replace("note: CLP07", 'note: "{CLP07}\\n{CLP07}\\r\\n,\\r"')
LINES = "date: date\n  origin: text(400)\n  column note: text(400)\n  column claim: text(38)?"
JOURNAL = """journal out with (note: CLP07) {
      key CLP01
      date: BPR16
      origin: CLP07
      negatives: flip
      debit "1015" CLP04 with (claim: CLP01)
      credit "1200" CLP04
    }"""
FLAT_NAMES = ["claim", "note", "paid", "currency"]


def test(function):
    TESTS.append(function)
    return function


def rules(encode, journal=False, ends=False):
    return RULES.format(kind="out is journal" if journal else "out", fields=LINES if journal else FLAT, encode=encode,
                        body=JOURNAL if journal else WITH_ENDS if ends else EMIT)


def with_ends(claims):
    return [(number, f"{note}\n{note}\r\n,\r", paid) for number, note, paid in claims]


def message(claims):
    """An 835 of claims (number, note, paid), its separators characters that no text holds."""
    def segment(*elements):
        return ELEMENT.join(elements) + SEGMENT
    body = [segment("ST", "835", "0001"), segment("BPR", "I", "1", "C", "ACH", *[""] * 11, "20250301"), segment("TRN", "1", "T1", "1999999999"),
            segment("N1", "PR", "P"), segment("N1", "PE", "Q", "XX", "1"), segment("LX", "1")]
    body += [segment("CLP", number, "1", paid.lstrip("-"), paid, "", "12", note) for number, note, paid in claims]
    isa = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "S".ljust(15), "ZZ", "R".ljust(15), "250301", "1200", REPETITION, "00501", "000000001", "0", "T", COMPONENT]
    return (segment(*isa) + segment("GS", "HP", "S", "R", "20250301", "1200", "1", "X", "005010X221A1") + "".join(body)
            + segment("SE", str(len(body) + 1), "0001") + segment("GE", "1", "1") + segment("IEA", "1", "000000001"))


def run(folder, text, claims, *more):
    """Output as bytes; claim number -> failure of those that were set aside."""
    (folder / "r.map").write_text(text, newline="")
    (folder / "in.edi").write_bytes(message(claims).encode())
    done = subprocess.run([SHUNT, "run", folder / "r.map", folder / "in.edi", "-o", folder / "out", "-e", folder / "faults", "-r", folder / "report", *more],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1), f"status {done.returncode}: {done.stderr.decode()[:2000]}"
    faults = [json.loads(line) for line in (folder / "faults").read_text().splitlines()]
    failed = {claims[f["unit"] - 1][0]: f["cause"] for f in faults if f["severity"] == "quarantine"}
    units = json.loads((folder / "report").read_text())["units"]
    assert units["in"] == len(claims) and units["quarantined"] == len(failed) and units["posted"] == len(claims) - len(failed), units
    assert done.returncode == (1 if failed else 0)
    return (folder / "out").read_bytes(), failed


def notes():
    """Texts that try to be something else, then random ones made of the same."""
    marks = [",", ";", "\t", '"', "'", "\n", "\r", "\r\n", "=", "+", "-", "@", "<", ">", "&", "]]>", "<!--", "{", "}", "[", "\\", "|", "~", ":", "^", " ", "\x00", "\x01",
             "\x0b", "\x0c", "\x1a", "\x1b", "\x7f", "\x85", "\u00e9", "\u20ac", "\u2028", "\ufffe", "\U0001f600", "a", "B", "0", "-1", "=1+1", "&lt;", "&#10;", "lines", "</note>",
             '","', "\n1015;debit;"]
    first = ["plain", '"', '""', "a,b", 'a"b', 'x","y', "two\nlines", "two\r\nlines", "\ttab", "=1+1", "+1", "-1", "@SUM(A1)", "'quoted'", "'=1", "a=1", " blank", "blank ", "\rcr", "\nlf",
             "<b>", "a&b", "</note><note>", "&amp;", "]]>", "\u20ac", "caf\u00e9", "\x01", "nul\x00", "\x85", "\u2028x", "\ufffe", "{}", "a;b", "\\", '\\"', "x" * 30, "\x7f"]
    source = random.Random(20250301)
    texts = first + ["".join(source.choice(marks) for _ in range(source.randint(1, 12))) for _ in range(400)]
    return [t for t in (text.replace("\r", "").replace("\n", "") for text in texts) if t]


def claims_of(texts):
    return [(f"C{i}", text, f"{i}.{i % 100:02}") for i, text in enumerate(texts)]


def rows(data, encoding="utf-8", **how):
    return list(csv.reader(io.StringIO(data.decode(encoding), newline=""), strict=True, **how))


def rows_ended_by(text, separator, quote, end):
    """Rows of a CSV whose terminator is a mark, which Python's reader does not know."""
    found, row, cell, quoted, at = [], [], "", False, 0
    while at < len(text):
        c = text[at]
        if quoted and text[at:at + 2] == quote * 2:
            cell += quote
            at += 1
        elif c == quote:
            quoted = not quoted
        elif not quoted and c in (separator, end):
            row.append(cell)
            cell = ""
            if c == end:
                found.append(row)
                row = []
        else:
            cell += c
        at += 1
    assert not quoted and not row and not cell
    return found


def shielded(text):
    return "'" + text if text[0] in "=+-@\t\r\n" else text


def encodes(text, encoding):
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def expect_csv(folder, encode, encoding="utf-8", refuse=False, end="\n", ends=False, **how):
    claims = claims_of(notes())
    out, failed = run(folder, rules(encode, ends=ends), claims)
    claims = with_ends(claims) if ends else claims
    lost = {c[0]: "NOT_WRITABLE" for c in claims if "\x00" in c[1] or not encodes(c[1], encoding) or (refuse and c[1][0] in "=+-@\t\r\n")}
    assert failed == lost, set(failed) ^ set(lost)
    assert out.decode(encoding).endswith(end)
    wanted = [FLAT_NAMES] + [[c[0], shielded(c[1]), c[2], "USD"] for c in claims if c[0] not in lost]
    got = rows(out, encoding, **how) if end in ("\n", "\r\n") else rows_ended_by(out.decode(encoding), how["delimiter"], '"', end)
    assert got == wanted, next((g, w) for g, w in zip(got, wanted) if g != w)


@test
def csv_holds_every_text(folder):
    expect_csv(folder, "encode csv { }")
    expect_csv(folder, "encode csv { }", ends=True)


@test
def csv_with_other_marks(folder):
    expect_csv(folder, 'encode csv { separator: ";"  quote: "\'"  terminator: "\\r\\n" }', end="\r\n", ends=True, delimiter=";", quotechar="'")
    expect_csv(folder, 'encode csv { separator: "\\t"  terminator: "\\r\\n" }', end="\r\n", delimiter="\t")
    expect_csv(folder, 'encode csv { separator: "|"  terminator: "~" }', end="~", ends=True, delimiter="|")


@test
def csv_refuses_formulas(folder):
    expect_csv(folder, 'encode csv { formulas: "refuse" }', refuse=True)


@test
def csv_encodings(folder):
    expect_csv(folder, 'encode csv { encoding: "US-ASCII" }', "ascii")
    expect_csv(folder, 'encode csv { encoding: "ISO-8859-1" }', "latin-1")


@test
def csv_of_journals_is_a_row_a_line(folder):
    claims = [c for c in claims_of(notes()) if "\x00" not in c[1]]
    out, failed = run(folder, rules("encode csv { }", journal=True), claims)
    assert failed == {}
    wanted = [["date", "origin", "account", "side", "amount", "currency", "note", "claim"]]
    for number, note, paid in claims:
        if float(paid) == 0:
            continue
        for account, side, claim in (("1015", "debit", number), ("1200", "credit", "")):
            wanted.append(["2025-03-01", shielded(note), account, side, paid, "USD", shielded(note), claim])
    assert rows(out) == wanted


@test
def csv_columns_and_places(folder):
    out, _ = run(folder, rules('encode csv { header: false  column paid at 3 as "Paid"  column claim at 1 }'), claims_of(["x", "y"]))
    assert out == b"C0,,0.00\nC1,,1.01\n", out
    out, _ = run(folder, rules('encode csv { column paid as "=Paid, \\"net\\""  column claim as "Claim" }'), claims_of(["x"]))
    assert out == b'"=Paid, ""net""",Claim\n0.00,C0\n', out
    out, _ = run(folder, rules('encode csv { column side  column amount as "Amt"  column currency  column origin }', journal=True), [("A", "x", "5"), ("B", "y", "-7")])
    assert out == b"side,Amt,currency,origin\ndebit,5.00,USD,x\ncredit,5.00,USD,x\ncredit,7.00,USD,y\ndebit,7.00,USD,y\n", out


@test
def csv_row_of_nothing_is_a_row(folder):
    text = rules('encode csv { column note }').replace("note: text(400)", "note: text(400)?").replace("note: CLP07", "note: CLP08")
    out, _ = run(folder, text, claims_of(["x", "y"]))
    assert out == b'note\n""\n""\n', out


@test
def headings_come_once_in_a_run(folder):
    (folder / "r.map").write_text(rules("encode csv { }"))
    for i in range(3):
        (folder / f"{i}.edi").write_text(message([(f"N{i}", "x", "1")]), newline="")
    done = subprocess.run([SHUNT, "run", folder / "r.map", *[folder / f"{i}.edi" for i in range(3)]], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"claim,note,paid,currency\nN0,x,1.00,USD\nN1,x,1.00,USD\nN2,x,1.00,USD\n", done.stdout
    (folder / "none.edi").write_text(message([("N", "\x00", "1")]), newline="")
    done = subprocess.run([SHUNT, "run", "-q", folder / "r.map", folder / "none.edi"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stdout == b"", done.stdout


def xml_fails(text):
    return any(ord(c) < 0x20 and c not in "\t\n\r" for c in text) or "\ufffe" in text


@test
def xml_holds_every_text(folder):
    claims = claims_of(notes())
    out, failed = run(folder, rules('encode xml { root: "Claim"  namespace: "urn:x?a&b<\\"c\\"" }', ends=True), claims)
    claims = with_ends(claims)
    lost = {c[0]: "NOT_WRITABLE" for c in claims if xml_fails(c[1])}
    assert failed == lost, set(failed) ^ set(lost)
    lines = out.decode().split("\n")
    kept = [c for c in claims if c[0] not in lost]
    assert lines.pop() == "" and len(lines) == len(kept)
    for line, (number, note, paid) in zip(lines, kept):
        root = ET.fromstring(line)
        space = '{urn:x?a&b<"c"}'
        assert root.tag == space + "Claim" and not root.attrib
        assert [(e.tag[len(space):], e.text, e.attrib) for e in root] == [("claim", number, {}), ("note", note, {}), ("paid", paid, {"currency": "USD"})], line


@test
def xml_attributes_hold_every_text(folder):
    claims = claims_of(notes())
    out, failed = run(folder, rules('encode xml { column note as "@Note"  column paid as "Paid"  column claim as "@id" }', ends=True), claims)
    claims = with_ends(claims)
    kept = [c for c in claims if c[0] not in failed]
    lines = out.decode().split("\n")[:-1]
    assert set(failed) == {c[0] for c in claims if xml_fails(c[1])} and len(lines) == len(kept)
    for line, (number, note, paid) in zip(lines, kept):
        root = ET.fromstring(line)
        assert root.tag == "out" and root.attrib == {"Note": note, "id": number}, line
        assert [(e.tag, e.text, e.attrib) for e in root] == [("Paid", paid, {})], line


@test
def xml_of_journals(folder):
    out, _ = run(folder, rules('encode xml { item: "Line" }', journal=True), [("A", "x&y", "5")])
    line = "<Line><account>{}</account><side>{}</side><amount currency=\"USD\">5.00</amount><note>x&amp;y</note>{}</Line>"
    assert out.decode() == ("<out><date>2025-03-01</date><origin>x&amp;y</origin><lines>" + line.format("1015", "debit", "<claim>A</claim>") + line.format("1200", "credit", "") + "</lines></out>\n"), out
    out, _ = run(folder, rules('encode xml { column account as "@a"  column amount  column currency as "@c"  column origin as "Origin" }', journal=True), [("A", "x", "5")])
    assert out == (b'<out><Origin>x</Origin><lines><item a="1015" c="USD"><amount>5.00</amount></item>'
                   b'<item a="1200" c="USD"><amount>5.00</amount></item></lines></out>\n'), out
    out, _ = run(folder, rules('encode xml { column origin as "@o" }', journal=True), [("A", "x", "5")])
    assert out == b'<out o="x"></out>\n', out


FIXED = 'encode fixed 30 {{ {}  column claim at 1..6  column note at 8..19  column paid at 20..30 as "N2" }}'


def expect_fixed(folder, settings, encoding, end="\n"):
    claims = claims_of(notes())
    out, failed = run(folder, rules(FIXED.format(settings)), claims)
    wanted = {}
    for number, note, _ in claims:
        for at, c in enumerate(note):
            if ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029":
                wanted[number] = "NOT_WRITABLE"
            elif at == 12:
                wanted[number] = "TEXT_TOO_LONG"
            elif not encodes(c, encoding):
                wanted[number] = "NOT_WRITABLE"
            if number in wanted:
                break
    assert failed == wanted, [(k, failed.get(k), wanted.get(k)) for k in set(failed) ^ set(wanted)]
    lines = "".join(f"{number:6} {note:12}{paid.replace('.', '').lstrip('0').rjust(11, '0')}{end}" for number, note, paid in claims if number not in wanted)
    assert out.decode(encoding) == lines


@test
def fixed_lines_keep_their_length(folder):
    expect_fixed(folder, "", "ascii")
    expect_fixed(folder, 'line: "\\r\\n"  encoding: "ISO-8859-1"', "latin-1", "\r\n")
    expect_fixed(folder, 'encoding: "UTF-8"', "utf-8")


# ---- messages ----

STAMP = ("--received-at", "2025-03-01T08:05:09Z")
X12 = """encode x12 820 "005010" {{ sender: "A"  receiver: "B"  {}
    segment BPR {{ 1: "C"  2: paid  3: "C"  4: "CHK" }}
    segment NTE {{ 1: "GEN"  2: note }}
    segment TRN {{ 1: "1"  2: claim }} }}"""


def is_mark(c):
    return ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029"


def expect_x12(folder, settings, marks, encoding, blank=False):
    """Whatever a text holds: the same segments, the same elements, and the text as it was or refused."""
    claims = [(number, note, f"{i}.25") for i, (number, note, _) in enumerate(claims_of(notes()))]
    out, failed = run(folder, rules(X12.format(settings)).replace("text(400)", "text(80)"), claims, *STAMP, "--control-number", "7")
    lost = {c[0]: "NOT_WRITABLE" for c in claims if not encodes("".join(x for x in c[1] if not is_mark(x)), encoding) or (not blank and any(x in marks or is_mark(x) for x in c[1]))}
    lost |= {c[0]: "TEXT_TOO_LONG" for c in claims if len(c[1]) > 80}
    assert failed == lost, [(k, failed.get(k), lost.get(k)) for k in set(failed) ^ set(lost)]
    element, end = marks[0], marks[3]
    kept = [c for c in claims if c[0] not in lost]
    wanted = [["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "A".ljust(15), "ZZ", "B".ljust(15), "250301", "0805", marks[2], "00501", "000000007", "0", "P", marks[1]],
              ["GS", "RA", "A", "B", "20250301", "0805", "7", "X", "005010"]]
    for i, (number, note, paid) in enumerate(kept, 1):
        written = "".join(" " if x in marks or is_mark(x) else x for x in note)
        wanted += [["ST", "820", f"{i:04}", "005010"], ["BPR", "C", paid.lstrip("0"), "C", "CHK"], ["NTE", "GEN", written], ["TRN", "1", number], ["SE", "5", f"{i:04}"]]
    wanted += [["GE", str(len(kept)), "7"], ["IEA", "1", "000000007"]]
    got = [segment.split(element) for segment in out.decode(encoding).split(end + "\n")]
    assert got.pop() == [""] and got == wanted, next((g, w) for g, w in zip(got, wanted) if g != w)
    assert json.loads((folder / "report").read_text())["control_next"] == 8


@test
def x12_keeps_its_segments(folder):
    expect_x12(folder, "", "*:^~", "ascii")
    expect_x12(folder, 'encoding: "ISO-8859-1"  delimiters: "blank"', "*:^~", "latin-1", blank=True)
    expect_x12(folder, 'encoding: "UTF-8"  separators: "|>&\'"', "|>&'", "utf-8")
    expect_x12(folder, 'encoding: "UTF-8"  separators: ",;(&"  delimiters: "blank"', ",;(&", "utf-8", blank=True)


@test
def x12_of_several_records_in_a_set(folder):
    encode = """encode x12 820 "005010" { sender: "A"  receiver: part(note, 1, 1)  line: ""
        segment BPR { 1: "C"  2: 1  3: "C"  4: "CHK" }
        segment TRN { 1: "1"  2: part(note, 1, 2) }
        for each record { segment ENT { 1: 1  2: "2J"  3: "EI"  4: claim }  segment NM1 { 1: "IL"  2: "1"  8: "EI"  9: claim } } }"""
    out, failed = run(folder, rules(encode), [("C1", "Ba", "1"), ("C2", "Ba", "1"), ("C3", "Bb", "1"), ("C4", "Cb", "1")], *STAMP)
    assert failed == {}
    ids = [s.split("*")[:3] for s in out.decode().split("~")[:-1] if s[:3] not in ("ISA", "NM1", "BPR")]
    assert ids == [["GS", "RA", "A"], ["ST", "820", "0001"], ["TRN", "1", "Ba"], ["ENT", "1", "2J"], ["ENT", "1", "2J"], ["SE", "8", "0001"],
                   ["ST", "820", "0002"], ["TRN", "1", "Bb"], ["ENT", "1", "2J"], ["SE", "6", "0002"], ["GE", "2", "1"], ["IEA", "1", "000000001"],
                   ["GS", "RA", "A"], ["ST", "820", "0001"], ["TRN", "1", "Cb"], ["ENT", "1", "2J"], ["SE", "6", "0001"], ["GE", "1", "2"], ["IEA", "1", "000000002"]], ids
    (folder / "out.edi").write_bytes(out)
    assert subprocess.run([SHUNT, "validate", "--snip", "1", folder / "out.edi"], capture_output=True, check=False).returncode == 0
    out, _ = run(folder, rules(encode.replace('line: ""', 'interchange: "record"')), [("C1", "Ba", "1"), ("C2", "Ba", "1")], *STAMP)
    assert out.count(b"ISA*") == 2 and b"*000000002*" in out


@test
def x12_needs_the_time_of_arrival(folder):
    (folder / "r.map").write_text(rules(X12.format("")).replace("text(400)", "text(80)"))
    (folder / "in.edi").write_text(message([("A", "x", "1")]), newline="")
    for more, words in (([], b"time of arrival"), ([*STAMP, "--control-number", "0"], b"--control-number"), ([*STAMP, "--control-number", "1000000000"], b"--control-number")):
        done = subprocess.run([SHUNT, "run", folder / "r.map", folder / "in.edi", *more], capture_output=True, timeout=60, check=False)
        assert done.returncode == 2 and words in done.stderr and not done.stdout, done


HL7 = """day: date
  encode hl7 "ADT^A01" "2.5.1" {{ sending_application: "A|B"  receiving_application: part(note, 1, 12)  {}
    segment EVN {{ 2: day }}
    segment PID {{ 3: {{ 1: part(claim, 1, 8)  4.1: part(note, 1, 12) }}  5: {{ 1.1: part(note, 1, 12)  2: part(note, 1, 12) }} }}
    segment PV1 {{ 2: "I" }}
    segment ZAB {{ 2: part(note, 1, 12)  3.2: part(note, 1, 12) }} }}"""


def unescape(text, marks, encoding):
    letters = {"F": marks[0], "S": marks[1], "R": marks[2], "E": marks[3], "T": marks[4]}
    parts = text.split(marks[3])
    assert len(parts) % 2 == 1, text
    for i in range(1, len(parts), 2):
        parts[i] = letters[parts[i]] if parts[i] in letters else bytes.fromhex(parts[i][1:]).decode(encoding) if parts[i][0] == "X" else None
    return "".join(parts)


def expect_hl7(folder, settings, marks, encoding, line="\r", before="", behind=""):
    """Whatever a text holds: the same segments and parts, and the text as it was."""
    claims = claims_of(notes() + ['""', '"" '])
    text = rules(HL7.format(settings), ends=True).replace("paid: CLP04", "paid: CLP04  day: BPR16")
    out, failed = run(folder, text, claims, *STAMP, "--control-number", "7")
    claims = [(number, note[:12]) for number, note, _ in with_ends(claims)]
    assert failed == {c[0]: "NOT_WRITABLE" for c in claims if not encodes(c[1], encoding)}, failed
    kept = [c for c in claims if c[0] not in failed]
    messages = out.decode(encoding)
    for i, (number, note) in enumerate(kept):
        rows_of = []
        assert messages.startswith(before + "MSH" + marks[0] + marks[1:5] + marks[0]), messages[:80]
        messages = messages[len(before):]
        for at in range(5):
            row, messages = messages.split(line, 1)
            if at == 0:
                row = row.replace(marks[0] + marks[1:5], marks[0], 1)
            rows_of.append([[[[unescape(s, marks, encoding) for s in c.split(marks[4])] for c in r.split(marks[1])] for r in f.split(marks[2])] for f in row.split(marks[0])])
        assert messages.startswith(behind)
        messages = messages[len(behind):]
        single = lambda value: [[[value]]]
        msh, evn, pid, pv1, zab = rows_of
        assert msh[2] == single("A|B") and msh[4] == single(note) and msh[6] == single("20250301080509+0000") and msh[8] == [[["ADT"], ["A01"], ["ADT_A01"]]], msh
        assert msh[9:12] == [single(str(7 + i)), single("P"), single("2.5.1")]
        assert evn == [single("EVN"), single(""), single("20250301")] and pv1 == [single("PV1"), single(""), single("I")]
        assert pid[1:] == [single(""), single(""), [[[number], [""], [""], [note]]], single(""), [[[note], [note]]]], (pid, note)
        assert zab[1:] == [single(""), single(note), [[[""], [note]]]], zab
    assert messages == ""


@test
def hl7_keeps_its_parts(folder):
    expect_hl7(folder, "", "|^~\\&", "ascii")
    expect_hl7(folder, 'encoding: "UTF-8"  frame: "mllp"', "|^~\\&", "utf-8", before="\x0b", behind="\x1c\r")
    expect_hl7(folder, 'encoding: "ISO-8859-1"  separators: "*:^!,"  line: "\\r\\n"', "*:^!,", "latin-1", line="\r\n")


FHIR = """encode fhir {} "4.0.1" {{ {}
    to "Invoice.status": "issued"  to "Invoice.note[1].text": note  to "Invoice.note[0].text": "first"
    to "Invoice.identifier": {{ to "value": claim  to "system": note }}
    to "Invoice.totalNet": paid  to "Invoice.subject.id": note }}"""


def fhir_of(number, note, paid):
    return {"resourceType": "Invoice", "identifier": [{"system": note, "value": number}], "status": "issued", "subject": {"id": note},
            "totalNet": {"value": paid, "currency": "USD"}, "note": [{"text": "first"}, {"text": note}]}


@test
def fhir_json_holds_every_text(folder):
    claims = claims_of(notes())
    out, failed = run(folder, rules(FHIR.format("json", ""), ends=True).replace("note: text", "note: text"), claims)
    assert failed == {}
    lines = out.decode().split("\n")
    assert lines.pop() == "" and len(lines) == len(claims)
    for line, claim in zip(lines, with_ends(claims)):
        got = json.loads(line, parse_float=str)
        assert got == fhir_of(*claim) and list(got) == list(fhir_of(*claim)), line
    out, _ = run(folder, rules(FHIR.format("json", 'bundle: "batch"')), claims)
    bundle = json.loads(out, parse_float=str)
    assert bundle == {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": fhir_of(*c), "request": {"method": "POST", "url": "Invoice"}} for c in claims]}
    out, _ = run(folder, rules(FHIR.format("json", 'bundle: "collection"')), claims[:1])
    assert json.loads(out, parse_float=str) == {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": fhir_of(*claims[0])}]}


@test
def fhir_xml_holds_every_text(folder):
    space = "{http://hl7.org/fhir}"

    def value(parent, *path):
        for name in path:
            parent = parent.find(space + name) if isinstance(name, str) else parent
        return parent.attrib["value"]

    def check(root, number, note, paid):
        assert [e.tag[len(space):] for e in root] == ["identifier", "status", "subject", "totalNet", "note", "note"]
        assert [e.tag[len(space):] for e in root[0]] == ["system", "value"] and root[2].attrib == {"id": note} and len(root[2]) == 0
        assert (value(root[0], "system"), value(root[0], "value"), value(root[3], "value"), value(root[3], "currency"), value(root[5], "text")) == (note, number, paid, "USD", note)

    claims = claims_of(notes())
    out, failed = run(folder, rules(FHIR.format("xml", ""), ends=True), claims)
    claims = with_ends(claims)
    assert set(failed) == {c[0] for c in claims if xml_fails(c[1])} and set(failed.values()) == {"NOT_WRITABLE"}
    kept = [c for c in claims if c[0] not in failed]
    lines = out.decode().split("\n")[:-1]
    assert len(lines) == len(kept)
    for line, claim in zip(lines, kept):
        check(ET.fromstring(line), *claim)
    claims = [c for c in claims_of(notes()) if not xml_fails(c[1])]
    out, _ = run(folder, rules(FHIR.format("xml", 'bundle: "transaction"')), claims)
    root = ET.fromstring(out.decode())
    entries = root.findall(space + "entry")
    assert root.tag == space + "Bundle" and value(root, "type") == "transaction" and len(entries) == len(claims) == len(root) - 1
    for entry, claim in zip(entries, claims):
        check(entry.find(space + "resource")[0], *claim)
        assert value(entry, "request", "method") == "POST" and value(entry, "request", "url") == "Invoice"


NARRATIVE = """encode fhir {} "4.0.1" {{
    to "Patient.text": {{ to "status": "generated"  to "div": note }}  to "Patient.active": true
    to "Patient.contained[0].Organization": {{ to "name": note  to "identifier[0].value": claim }} }}"""


@test
def fhir_narratives_hold_every_text(folder):
    """Text and contained resource, in both forms: one division that holds the text alone, or the record is refused."""
    space, division = "{http://hl7.org/fhir}", "{http://www.w3.org/1999/xhtml}div"
    claims = claims_of(notes())
    for form in ("json", "xml"):
        out, failed = run(folder, rules(NARRATIVE.format(form), ends=True), claims)
        every = with_ends(claims)
        assert set(failed) == {c[0] for c in every if xml_fails(c[1])} and set(failed.values()) == {"NOT_WRITABLE"}
        kept = [c for c in every if c[0] not in failed]
        lines = out.decode().split("\n")[:-1]
        assert len(lines) == len(kept)
        for line, (number, note, _) in zip(lines, kept):
            if form == "json":
                got = json.loads(line)
                assert list(got) == ["resourceType", "text", "contained", "active"] and list(got["text"]) == ["status", "div"]
                assert got["contained"] == [{"resourceType": "Organization", "identifier": [{"value": number}], "name": note}], line
                div = ET.fromstring(got["text"]["div"])
            else:
                root = ET.fromstring(line)
                assert [e.tag[len(space):] for e in root] == ["text", "contained", "active"] and len(root[0]) == 2 and len(root[1]) == 1
                held = root[1][0]
                assert held.tag == space + "Organization" and [e.tag[len(space):] for e in held] == ["identifier", "name"]
                assert held[0][0].attrib["value"] == number and held[1].attrib["value"] == note
                div = root[0][1]
            assert div.tag == division and len(div) == 0 and div.attrib == {} and (div.text or "") == note, line


@test
def fixed_numbers(folder):
    text = rules('encode fixed 24 { column claim at 1..2  column paid at 3..10  column `at` at 12..19 as "MMDDYYYY"  column nth at 21..24 as "N1" }')
    text = text.replace("key claim", "`at`: date\n  nth: int\n  key claim").replace("paid: CLP04", "paid: CLP04  `at`: BPR16  nth: position(claim)")
    out, failed = run(folder, text, [("A", "x", "5"), ("B", "x", "-1234.56"), ("C", "x", "99999.99"), ("D", "x", "100000"), ("E", "x", "-10000"), ("LONG", "x", "1")])
    assert out == b"A     5.00 03012025 0010\nB -1234.56 03012025 0020\nC 99999.99 03012025 0030\n", out
    assert failed == {"D": "OVERFLOW", "E": "OVERFLOW", "LONG": "TEXT_TOO_LONG"}, failed
    out, failed = run(folder, rules('encode fixed 6 { column paid at 1..6 as "N3" }'), [("A", "x", "-1.5"), ("B", "x", "100"), ("C", "x", "-100")])
    assert out == b"-01500\n100000\n" and failed == {"C": "OVERFLOW"}, (out, failed)


@test
def fixed_lines_of_journals(folder):
    out, _ = run(folder, rules('encode fixed 16 { column account at 1..4  column side at 5..10  column amount at 11..16 as "N2" }', journal=True), [("A", "x", "5")])
    assert out == b"1015debit 000500\n1200credit000500\n", out


@test
def json_with_options(folder):
    claims = claims_of(notes())
    out, failed = run(folder, rules('encode json { root: "r\\"t"  money: "number"  column paid as "Paid"  column note  column claim as "id\\n" }'), claims)
    assert failed == {}
    lines = out.decode().split("\n")[:-1]
    assert len(lines) == len(claims)
    for line, (number, note, paid) in zip(lines, claims):
        assert json.loads(line, parse_float=str) == {'r"t': {"Paid": paid, "note": note, "id\n": number}}, line
        assert list(json.loads(line)['r"t']) == ["Paid", "note", "id\n"]
    out, _ = run(folder, rules("encode ndjson { }"), [("A", "x", "5")])
    assert out == b'{"claim":"A","note":"x","paid":"5.00","currency":"USD"}\n', out
    out, _ = run(folder, rules('encode json { money: "number" }', journal=True), [("A", "x", "5")])
    assert out == (b'{"date":"2025-03-01","origin":"x","lines":[{"side":"debit","account":"1015","amount":5.00,"currency":"USD","note":"x","claim":"A"},'
                   b'{"side":"credit","account":"1200","amount":5.00,"currency":"USD","note":"x"}]}\n'), out
    out, _ = run(folder, rules('encode json { column amount as "a"  column claim as "c" }', journal=True), [("A", "x", "5")])
    assert out == b'{"lines":[{"a":"5.00","c":"A"},{"a":"5.00"}]}\n', out
    out, _ = run(folder, rules('encode json { column origin as "o" }', journal=True), [("A", "x", "5")])
    assert out == b'{"o":"x"}\n', out


@test
def duplicates_count_what_is_left_out(folder):
    text = rules("encode csv { column claim }")
    (folder / "r.map").write_text(text)
    for name, note in (("a", "x"), ("b", "x"), ("c", "y")):
        (folder / name).write_text(message([("N", note, "1")]), newline="")
    done = subprocess.run([SHUNT, "run", folder / "r.map", folder / "a", folder / "b", folder / "c", "-e", folder / "e", "-r", folder / "t"], capture_output=True, timeout=60, check=False)
    units = json.loads((folder / "t").read_text())["units"]
    fault = json.loads((folder / "e").read_text())
    assert done.returncode == 1 and done.stdout == b"claim\nN\n", done.stdout
    assert units["posted"] == 1 and units["duplicate"] == 1 and units["quarantined"] == 1 and fault["code"] == "KEY_CONFLICT", (units, fault)


@test
def a_unit_that_fails_leaves_none_of_its_records(folder):
    text = rules("encode csv { column claim }").replace(EMIT, 'emit out { claim: CLP01  note: "first"  paid: CLP04 }\n    emit other { claim: CLP01  note: CLP07 }')
    text = text.replace("map post from era into out", 'target other { claim: text(38)  note: text(400)  key claim  accepts phi account_number, identifier\n'
                        '  encode xml { } }\nmap post from era into out, other')
    out, failed = run(folder, text, [("A", "fine", "1"), ("B", "\x01", "1"), ("C", "too", "1")])
    assert failed == {"B": "NOT_WRITABLE"}
    assert out == (b"claim\nA\n<other><claim>A</claim><note>fine</note></other>\nC\n<other><claim>C</claim><note>too</note></other>\n"), out


@test
def bytes_that_are_no_text(folder):
    (folder / "r.map").write_text(rules("encode csv { column note }"))
    (folder / "in").write_bytes(message([("A", "BAD", "1")]).encode().replace(b"BAD", b"a\xffb\xc3"))
    done = subprocess.run([SHUNT, "run", folder / "r.map", folder / "in"], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == "note\na\ufffdb\ufffd\n", done.stdout
    (folder / "r.map").write_text(rules('encode csv { column note  encoding: "ISO-8859-1" }'))
    done = subprocess.run([SHUNT, "run", "-q", folder / "r.map", folder / "in"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stdout == b""


def main():
    failed = 0
    for function in TESTS:
        with tempfile.TemporaryDirectory() as name:
            try:
                function(pathlib.Path(name))
                print(f"ok - {function.__name__}")
            except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError, IndexError, csv.Error, ET.ParseError) as fault:
                failed += 1
                print(f"not ok - {function.__name__}: {type(fault).__name__}: {fault}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
