#!/usr/bin/env python3
"""Sums of CLP03, CLP04 and BPR02 over the raw text of 835 files; shares nothing with the engine. Usage: raw835.py FILE... -> JSON."""
import json
import re
import sys
from decimal import Decimal


def sets(data):
    """The 835 sets of the bytes, each a list of segments (lists of elements); one that is cut off counts as far as it goes."""
    for part in re.split(rb"(?=ISA[^A-Za-z0-9 ]\d\d[^A-Za-z0-9 ])", data)[1:]:
        star = part[3:4]
        isa = part.split(star, 16)
        if len(isa) < 17:
            continue
        end = isa[16][1:2] if len(isa[16]) > 1 and isa[16][1:2] not in b"\r\nG" else isa[16][1:2]
        segments = [s.replace(b"\r", b"").replace(b"\n", b"").split(star) for s in part.split(end)] if end not in b"\r\n" else \
                   [s.strip().split(star) for s in part.split(end)]
        inside = None
        for s in segments:
            s = [e.decode("latin-1").strip(" ") if i == 0 else e.decode("latin-1") for i, e in enumerate(s)]
            if s[0] in ("ST", "GE", "IEA") and inside:
                yield inside
                inside = None
            if s[0] == "ST":
                inside = [s] if len(s) > 1 and s[1] == "835" else None
            elif inside is not None:
                inside.append(s)
                if s[0] == "SE":
                    yield inside
                    inside = None
        if inside:
            yield inside


def total(segments, name, at):
    return sum(Decimal(s[at]) for s in segments if s[0] == name and len(s) > at and s[at])


if __name__ == "__main__":
    answer = {}
    for path in sys.argv[1:]:
        data = open(path, "rb").read()
        found = list(sets(data))
        answer[path] = {"charged": str(sum(total(s, "CLP", 3) for s in found)), "paid": str(sum(total(s, "CLP", 4) for s in found)),
                        "payment": str(sum(total(s, "BPR", 2) for s in found))}
    json.dump(answer, sys.stdout)
