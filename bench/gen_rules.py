#!/usr/bin/env python3
"""A rule file of many lines that compiles: gen_rules.py LINES > FILE. Functions, tables, decisions by `match`, checks, records and journals over an 835."""
import sys

HEAD = """module bench.rules version "1.0.0" edition 1

source era is X12 835 "005010X221A1" { currency: USD }

codes {
  B_RULE "a value could not be read" queue "q"
  B_FOOT "claim does not foot"       queue "q"
}

table rates {
  key payer: text(20)
  key reason: text(5)
  column account: account
  column percent: percent
}

target gl is journal {
  date: date
  column claim: text(38)?
  column reason: text(5)?
  accepts phi account_number, identifier
}

target seen {
  claim: text(38)
  nth: int
  amount: money(USD)
  large: bool
  account: account
  said: text(120)
  key claim, nth
  accepts phi account_number, identifier
}
"""
FUNCTION = """
## Function number {n}.
function share_{n}(amount: money(USD), paid: money(USD), status: text(2)) -> money(USD) {{
  let rest = amount - paid
  let part = match status {{
    when "1" or "19" => rest
    when "2" or "20" => paid
    when "22"        => -rest
    else             => 0.00 USD
  }}
  return if part > {n}.00 USD then part - {n}.00 USD else part + 0.{m:02} USD
}}
"""
STEP = """
    step "step {n}" {{
      let amount_{n} = share_{n}(CLP03, CLP04, CLP02)
      let cut_{n}    = sum(a.amount for each a in adj where a.group = "CO" and a.reason != "{n}")
      let rate_{n}   = rates[TRN03, "{n}"].account otherwise "9999"
      check CLP03 != {n}.13 USD else quarantine B_FOOT "charge {{CLP03}} of {{CLP01}}"
      if amount_{n} > cut_{n} or CLP02 in ("1", "2") {{
        emit seen {{ claim: CLP01  nth: {n}  amount: amount_{n}  large: cut_{n} > 500.00 USD  account: rate_{n}  said: "step {n} of {{CLP01}}" }}
      }}
    }}
"""


def main():
    lines = int(sys.argv[1])
    count = max(1, (lines - HEAD.count("\n") - 22) // (FUNCTION.count("\n") + STEP.count("\n")))
    out = [HEAD] + [FUNCTION.format(n=n, m=n % 100) for n in range(count)]
    out.append("\nmap post from era into gl, seen {\n  on error quarantine B_RULE\n\n  for each claim in 2100 {\n    let adj = adjustments(claim)\n")
    out += [STEP.format(n=n) for n in range(count)]
    out.append("\n    journal gl with (claim: CLP01) {\n      key TRN02, CLP01\n      date: BPR16\n      negatives: flip\n      debit \"1015\" CLP04\n"
               "      for each a in adj { debit \"4500\" a.amount with (reason: a.reason) }\n      credit \"1200\" CLP03\n    }\n  }\n}\n")
    text = "".join(out)
    sys.stdout.write(text + "# the rest of the lines\n" * max(0, lines - text.count("\n")))


main()
