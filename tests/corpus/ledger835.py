#!/usr/bin/env python3
"""What the remittance rules must post, computed from raw 835 text and the CSV tables alone; shares no code with the engine.
Usage: ledger835.py TABLES FILE... -> JSON: file -> account -> cents (debit +, credit -)."""
import csv
import json
import re
import sys
from decimal import Decimal, InvalidOperation

from raw835 import sets

AMOUNT = re.compile(r"-?(\d+\.?\d*|\.\d+)$")


class Fault(Exception):
    """The unit (or with whole=True the transaction) is set aside."""

    def __init__(self, whole=False):
        super().__init__()
        self.whole = whole


def cents(text):
    if not AMOUNT.match(text):
        raise Fault()
    try:
        value = Decimal(text) * 100
    except InvalidOperation:
        raise Fault() from None
    if value != value.to_integral_value():
        raise Fault()
    return int(value)


def at(segment, index):
    return segment[index] if len(segment) > index else ""


def need(segment, index, whole=False):
    value = at(segment, index)
    if not value:
        raise Fault(whole)
    return value


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def in_force(table, day, **keys):
    for row in table:
        if all(row[k] == v for k, v in keys.items()) and row["valid_from"].replace("-", "") <= day and \
                (not row["valid_to"] or day <= row["valid_to"].replace("-", "")):
            return row
    return None


class Tables:
    def __init__(self, folder):
        self.payers, self.routes, self.plb = rows(f"{folder}/payers.csv"), rows(f"{folder}/routes.csv"), rows(f"{folder}/plb.csv")

    def payer(self, trn03, plan, day):
        for k in ((trn03, plan), (trn03, "*"), ("*", "*")):
            row = in_force(self.payers, day, payer_id=k[0], plan=k[1])
            if row:
                return row
        raise Fault(True)

    def route(self, payer, group, reason, remark, day):
        r = remark or "*"
        for k in ((payer, group, reason, r), (payer, group, reason, "*"), ("*", group, reason, r), ("*", group, reason, "*"), ("*", group, "*", "*")):
            row = in_force(self.routes, day, payer_id=k[0], group=k[1], reason=k[2], remark=k[3])
            if row:
                return row
        raise Fault()

    def provider(self, payer, code, day):
        for k in ((payer, code), ("*", code), ("*", "*")):
            row = in_force(self.plb, day, payer_id=k[0], code=k[1])
            if row:
                return row
        raise Fault(True)


def triplets(segment):
    """(reason, amount) by position; one without an amount is no adjustment."""
    for k in range(2, 20, 3):
        if at(segment, k + 1):
            yield need(segment, k), cents(at(segment, k + 1))


def claims(segments):
    """Each CLP with what belongs to it."""
    current = None
    for s in segments:
        if s[0] == "CLP":
            if current:
                yield current
            current = [s]
        elif s[0] in ("LX", "PLB", "SE"):
            if current:
                yield current
            current = None
        elif current is not None:
            current.append(s)


def claim_lines(claim, payer, tables, trn03, day):
    """(account, cents) of one claim; Fault where it is set aside."""
    clp = claim[0]
    need(clp, 1)
    status, charge, paid = need(clp, 2), cents(need(clp, 3)), cents(need(clp, 4))
    need(clp, 7)
    lines, first = [], []
    for s in claim[1:]:
        if s[0] == "SVC":
            lines.append({"svc": s, "cas": [], "remark": ""})
        elif s[0] == "CAS":
            (lines[-1]["cas"] if lines else first).append(s)
        elif s[0] == "LQ" and lines and at(s, 1) == "HE" and not lines[-1]["remark"]:
            lines[-1]["remark"] = at(s, 2)
    remark = ""
    for s in claim:
        if s[0] == "MOA" and not remark:
            remark = next((at(s, k) for k in range(3, 8) if at(s, k)), "")
    for s in claim:
        if s[0] == "MIA" and not remark:
            remark = next((at(s, k) for k in (5, 20, 21, 22, 23) if at(s, k)), "")
    adj = [(need(s, 1), r, a, remark) for s in first for r, a in triplets(s)]
    at_claim = sum(a[2] for a in adj)
    for line in lines:
        line["cut"] = [(need(s, 1), r, a, line["remark"] or remark) for s in line["cas"] for r, a in triplets(s)]
        adj += line["cut"]
    adjusted = sum(a[2] for a in adj)
    if charge != paid + adjusted:
        raise Fault()
    for line in lines:
        svc = line["svc"]
        if cents(need(svc, 2)) != (cents(at(svc, 3)) if at(svc, 3) else 0) + sum(a[2] for a in line["cut"]):
            raise Fault()
    if status in ("4", "23", "25") and paid != 0:
        raise Fault()
    routed = [(a, tables.route(trn03, a[0], a[1], a[3], day)) for a in adj]
    if status in ("23", "25"):
        return []
    if status not in ("1", "2", "3", "4", "19", "20", "21", "22"):
        raise Fault()
    later = status in ("2", "3", "20", "21") or any(a[0] == "OA" and a[1] == "23" for a in adj)
    receivable = payer["next_receivable"] if later else payer["receivable"]
    share = payer["next_receivable"] if status in ("19", "20", "21") else payer["patient_ar"]
    posted, held = [(payer["cash"], paid)], 0
    for a, row in routed:
        if row["lane"] == "contractual":
            posted.append((row["account"], a[2]))
        elif row["lane"] == "suspense":
            posted.append((row["account"] or payer["suspense"], a[2]))
        elif row["lane"] == "patient":
            posted.append((share, a[2]))
        else:
            held += a[2]
    posted.append((receivable, held - charge))
    assert sum(p[1] for p in posted) == 0
    return posted


def transaction(segments, tables):
    """(account, cents) of one set. Empty where it is set aside whole."""
    def first(name):
        return next((s for s in segments if s[0] == name), [name])
    bpr, trn = first("BPR"), first("TRN")
    produced = next((at(s, 2) for s in segments if s[0] == "DTM" and at(s, 1) == "405"), "")
    day, trn03 = at(bpr, 16) or produced, need(trn, 3, True)
    need(trn, 2, True)
    if not re.match(r"(19|20)\d{6}$", day):
        raise Fault(True)
    payer_loop, payee_loop, where = [], [], None
    for s in segments:
        if s[0] == "N1":
            where = payer_loop if at(s, 1) == "PR" else payee_loop if at(s, 1) == "PE" else None
        elif s[0] in ("LX", "CLP", "PLB"):
            where = None
        if where is not None:
            where.append(s)
    plan = next((at(s, 2) for s in payer_loop if s[0] == "REF" and at(s, 1) == "2U"), "") or \
        next((at(s, 4) for s in payer_loop if s[0] == "N1"), "") or "*"
    payer = tables.payer(trn03, plan, day)
    posted, paid_total = [], 0
    for claim in claims(segments):
        paid_total += cents(need(claim[0], 4, True)) if AMOUNT.match(at(claim[0], 4)) else (_ for _ in ()).throw(Fault(True))
        try:
            posted += claim_lines(claim, payer, tables, trn03, day)
        except Fault:
            continue
    taken = []
    for s in (s for s in segments if s[0] == "PLB"):
        for k in range(3, 15, 2):
            if at(s, k + 1):
                try:
                    taken.append((at(s, k), cents(at(s, k + 1)), need(s, 1), need(s, 2)))
                except Fault:
                    raise Fault(True) from None
    try:
        payment = cents(need(bpr, 2))
    except Fault:
        raise Fault(True) from None
    if (-payment if at(bpr, 3) == "D" else payment) != paid_total - sum(t[1] for t in taken):
        raise Fault(True)
    for code, amount, _, fiscal in taken:
        code = re.split(r"[^A-Z0-9]", code)[0]
        if not code or not re.match(r"\d{8}$", fiscal):
            raise Fault(True)
        row = tables.provider(trn03, code, day)
        posted += [(row["account"], amount), (payer["cash"], -amount)]
    return posted


def main():
    tables = Tables(sys.argv[1])
    answer = {}
    for path in sys.argv[2:]:
        totals = {}
        for segments in sets(open(path, "rb").read()):
            if segments[-1][0] != "SE":
                continue  # cut off: nothing of it is posted
            try:
                for account, amount in transaction(segments, tables):
                    totals[account] = totals.get(account, 0) + amount
            except Fault:
                continue
        answer[path] = {account: amount for account, amount in sorted(totals.items()) if amount}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
