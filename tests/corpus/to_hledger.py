#!/usr/bin/env python3
"""Journals of shunt (NDJSON on standard input) as journal text for hledger on standard output. Shares no code with the engine."""
import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    if record["target"] != "gl":
        continue
    body = record["record"]
    print(f"{body['date']} * {body['origin']}")
    for entry in body["lines"]:
        sign = "" if entry["side"] == "debit" else "-"
        print(f"    {entry['account']}  {sign}{entry['amount']} {entry['currency']}")
    print()
