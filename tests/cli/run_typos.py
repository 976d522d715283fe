#!/usr/bin/env python3
"""A hundred slips of the pen in the rules of the project. Usage: run_typos.py SHUNT

Each is one changed word (a path, a field, a code, a column, a keyword) that names nothing that could be meant: it is refused at its place, and in at
least ninety cases the right word is the first that is suggested. Ten of them in one file are all told in one run, and nothing else is.
"""
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHUNT = str(pathlib.Path(sys.argv[1]).resolve())
EACH = 20  # of each sort
RULES = [ROOT / "rules" / name for name in ("x12/remit_gl.map", "x12/claim_ar.map", "hl7/dft_charges.map", "fhir/invoice_ar.map", "csv/lockbox.map", "hl7/adt_events.map")]
KEYWORDS = ("quarantine", "otherwise", "journal", "debit", "credit", "match", "check", "emit", "where", "for", "each", "let", "when", "tally", "noting", "else")
SORTS = {
    "path": re.compile(r"(?<![\w.\"-])(?:[A-Z][A-Z0-9]{1,2}[0-9]{2}|[A-Z][A-Z0-9]{2}-[0-9]+)(?![\w\"-])"),
    "field": re.compile(r"(?<=\w\.)[a-z_]{4,}\b(?!\()|(?m:(?<=^            )[a-z_]{4,}(?=:))"),
    "code": re.compile(r"(?<=quarantine )[A-Z]+_[A-Z]+\b|(?<=warn )[A-Z]+_[A-Z]+\b|(?<=reject )[A-Z]+_[A-Z]+\b"),
    "column": re.compile(r"(?<=[(,] )[a-z_]{4,}(?=: )|(?<=\()[a-z_]{4,}(?=: )"),
    "keyword": re.compile(r"(?m)(?:(?<=^)|(?<=  ))(?:" + "|".join(KEYWORDS) + r")\b(?= )"),
}


def code_of(text):
    """The rules with comments, strings and messages blanked, so that only words of the language are changed."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    text = re.sub(r'"""[\s\S]*?"""', blank, text)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*', blank, text)


def slip(word, dice):
    """One slip of the hand: two letters exchanged, one left out, doubled, or its neighbour."""
    for _ in range(50):
        at, kind = dice.randrange(len(word)), dice.randrange(4)
        if word[at] in "-`":
            continue
        if kind == 0 and at + 1 < len(word):
            made = word[:at] + word[at + 1] + word[at] + word[at + 2:]
        elif kind == 1 and len(word) > 3 and not (word[at].isdigit() and re.search(r"\d", word)):
            made = word[:at] + word[at + 1:]
        elif kind == 2:
            made = word[:at] + word[at] + word[at:]
        else:
            rows = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
            row = next((r for r in rows if word[at].lower() in r), None)
            if not row:
                continue
            other = row[(row.index(word[at].lower()) + 1) % len(row)]
            made = word[:at] + (other.upper() if word[at].isupper() else other) + word[at + 1:]
        if made != word and re.match(r"[A-Za-z_]", made):
            return made
    return None


def check(path):
    done = subprocess.run([SHUNT, "check", "--json", path], capture_output=True, text=True, timeout=30, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def place(text, offset):
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def errors(found):
    return [d for d in found if d["severity"] == "error"]


def at(diagnostic, line, column, length):
    """The place that is marked holds the slip, or a part of it."""
    label = diagnostic["labels"][0] if "labels" in diagnostic else diagnostic
    begin, first = label["column"], label["line"]
    return first == line and begin < column + length and label.get("end_column", begin + 200) > column


def make(text, match, word):
    return text[:match.start()] + word + text[match.end():]


TEN = (("CLP07, rendering", "CPL07, rendering"), ("sum(a.amount for each a in adj)", "sum(a.amuont for each a in adj)"), ("quarantine ERA_TWICE", "quarantine ERA_TWCIE"),
       ("let payee = 1000B.N104", "let payee = 1000B.N144"), ("trace:        TRN02", "trase:        TRN02"), ("debit payer.cash CLP04", "debit payer.csah CLP04"),
       ("check CLP03 = CLP04 + adjusted", "chekc CLP03 = CLP04 + adjusted"), ("when contractual =>", "when contractaul =>"),
       ("let taken       = sum(p.amount", "let taken       = smu(p.amount"), ('reason: "45",  remark: "*", valid_from', 'raeson: "45",  remark: "*", valid_from'))


def ten_at_once(base, faults):
    """Ten slips in one file: each is told at its line, first word for first word, and nothing that only follows from one of them."""
    copy, text = base / "rules/x12/remit_gl.map", (ROOT / "rules/x12/remit_gl.map").read_text()
    places = []
    for right, wrong in TEN:
        if right not in text:
            right, wrong = re.sub(r" +", " ", right), re.sub(r" +", " ", wrong)
        assert right in text, right
        at = text.index(right)
        text = text[:at] + wrong + text[at + len(right):]
        places.append(place(text, at)[0])
    copy.write_text(text)
    found = errors(check(copy))
    if sorted(d["line"] for d in found) != sorted(places):
        faults.append(f"ten slips stand on lines {sorted(places)}; told are {[(d['line'], d['code'], d['message']) for d in found]}")


def main():
    dice, faults, made, right, kinds = random.Random(7), [], 0, 0, {}
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        subprocess.run(["cp", "-r", ROOT / "rules", base], check=True)
        pool = {sort: [] for sort in SORTS}
        for rules in RULES:
            text = rules.read_text()
            for sort, pattern in SORTS.items():
                pool[sort] += [(rules, text, m) for m in pattern.finditer(code_of(text))]
        for sort, candidates in pool.items():
            dice.shuffle(candidates)
            count = 0
            for rules, text, match in candidates:
                if count == EACH:
                    break
                line = text[text.rfind("\n", 0, match.start()) + 1:text.find("\n", match.start())]
                if re.match(r"(function|decide|target|table|codes|  column|  key) ", line):
                    continue  # what is declared there has no other name; those that name it are told
                word = slip(match[0], dice)
                if word is None:
                    continue
                copy = base / rules.relative_to(ROOT)
                copy.write_text(make(text, match, word))
                found = errors(check(copy))
                copy.write_text(text)
                if not found:
                    continue  # it names something else that fits
                count += 1
                made += 1
                line, column = place(text, match.start())
                here = [d for d in found if at(d, line, column, len(word))]
                said = f"{rules.name}:{line}:{column}: `{match[0]}` as `{word}`"
                if not here or here[0] is not found[0]:
                    faults.append(f"{said} is told elsewhere: {json.dumps(found[0])[:300]}")
                    continue
                names = re.findall(r"`([^`]+)`", " ".join(here[0]["helps"]) or here[0]["labels"][0]["text"])
                good = names[:1] == [match[0]] or (names[:1] and re.search(r"(?<![\w-])" + re.escape(match[0]) + r"(?![\w-])", names[0]))
                right += bool(good)
                kinds.setdefault(sort, [0, 0])
                kinds[sort][0] += 1
                kinds[sort][1] += bool(good)
                if not good:
                    print(f"  {said}: {here[0]['message']} | {names[:4]}")
        ten_at_once(base, faults)
    print(f"{made} slips: {made - len(faults)} told at their place, {right} with the right word first; {kinds}")
    if made < 100 or right < 90:
        faults.append("fewer than a hundred, or the right word in fewer than ninety")
    print("\n".join(faults) or "slips are told")
    return 1 if faults else 0


sys.exit(main())
