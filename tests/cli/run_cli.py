#!/usr/bin/env python3
"""The command as its users meet it: exit statuses, files, messages. Usage: run_cli.py SHUNT"""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHUNT = str(pathlib.Path(sys.argv[1]).resolve())
RULES = str(ROOT / "rules/x12/remit_gl.map")
SAMPLE = str(ROOT / "rules/x12/samples/remittance.edi")
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def shunt(*args, status=0, stdin=None, cwd=None):
    """Runs the command, checks its status, gives (stdout, stderr)."""
    done = subprocess.run([SHUNT, *map(str, args)], input=stdin, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)
    assert done.returncode == status, f"shunt {' '.join(map(str, args))}: status {done.returncode}, not {status}\n{done.stdout[:800]}\n{done.stderr[:800]}"
    return done.stdout, done.stderr


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


@test
def help_names_every_verb_and_option(folder):
    out, _ = shunt("--help")
    verbs = re.findall(r"^  (\w+) +", out.split("says more")[0], re.M)
    assert set("run check compile test disasm explain inspect get dict".split()) <= set(verbs), verbs
    for verb in verbs:
        text, _ = shunt(verb, "--help")
        assert text.startswith(f"usage: shunt {verb} ") and "--help" in text
    assert "--dead-letter FOLDER" in shunt("run", "--help")[0]


@test
def wrong_usage_is_status_2_with_a_message(folder):
    for args in ([], ["nonsense"], ["run"], ["run", RULES, "--no-such"], ["run", RULES, "-Z"], ["run", RULES, "-o"], ["check"], ["get", "CLP04"],
                 ["run", RULES, "-", "-"], ["run", RULES, SAMPLE, "--table", "payers"], ["run", RULES, SAMPLE, "--table", "nosuch=" + SAMPLE],
                 ["explain", "E9999"], ["dict", "999999"], ["get", "CLP99", SAMPLE], ["get", "!", SAMPLE], ["test", "--format", "xml", RULES],
                 ["run", folder / "missing.map", SAMPLE], ["compile", RULES], ["run", RULES, SAMPLE, "--quiet=yes"]):
        _, err = shunt(*args, status=2)
        assert err.strip(), args


@test
def fmt_rewrites_in_place_and_leaves_mistakes_alone(folder):
    plain, wrong, done = folder / "a.map", folder / "b.map", folder / "c.map"
    plain.write_text('module t version "1"\nlet a=1 # c\nlet bb=2\n')
    plain.chmod(0o640)
    wrong.write_text('module t version "1"\nlet = 1\n')
    done.write_text('module t version "1"\nlet a  = 1  # c\nlet bb = 2\n')
    assert shunt("fmt", "--check", plain, done, status=1)[0] == f"{plain}\n"
    shunt("fmt", "--check", done)
    before = done.stat().st_mtime_ns
    out, err = shunt("fmt", folder, status=2)
    assert plain.read_text() == done.read_text() and oct(plain.stat().st_mode)[-3:] == "640", plain.read_text()
    assert "b.map:2:" in err and wrong.read_text().endswith("let = 1\n") and not out
    assert done.stat().st_mtime_ns == before, "a file that stays the same is not written"
    link = folder / "d.map"
    link.symlink_to("e.map")
    (folder / "e.map").write_text('module t version "1" let a=1')
    shunt("fmt", link)
    assert link.is_symlink() and (folder / "e.map").read_text() == 'module t version "1"\nlet a = 1\n'
    assert shunt("fmt", "-", stdin='module t version "1" let a=1')[0] == 'module t version "1"\nlet a = 1\n'
    shunt("fmt", plain, "-o", folder / "f.map")
    assert (folder / "f.map").read_text() == done.read_text()
    shunt("fmt", plain, done, "-o", folder / "g.map", status=2)
    shunt("fmt", "--check", "-o", folder / "g.map", plain, status=2)
    shunt("fmt", folder / "missing.map", status=3)


@test
def rows_of_tables_and_gaps_of_decisions(folder):
    rules = ROOT / "tests/cases/run/ranges.map"
    out, _ = shunt("lookup", rules, "bands", "wire", "150", "2025-08-01")
    assert re.fullmatch(r"kind +wire\nfloor +100.00 USD\nvalid_from +2025-07-01\nvalid_to +-\nfee +2.50 USD\nname +d\u00e9ar\n", out), out
    assert shunt("lookup", rules, "bands", "wire", "-5", "2025-08-01", status=1)[0] == "no row\n"
    for wrong in (["band", "x"], ["bands", "wire", "1"], ["bands", "wire", "x", "2025-08-01"], ["bands", "wire", "1", "tomorrow"]):
        assert shunt("lookup", rules, *wrong, status=2)[1].startswith("error[USAGE]: ")
    (folder / "in.csv").write_text("id,kind,amount,day\n1,wire,99.99,2025-03-01\n")
    assert "provided by the host" in shunt("run", rules, folder / "in.csv", status=2)[1]
    (folder / "days.ndjson").write_text('{"since": "2025-01-01", "season": "wet"}\n')
    out, _ = shunt("run", "--table", f"days={folder / 'days.ndjson'}", rules, folder / "in.csv")
    assert json.loads(out)["record"]["season"] == "wet"
    decisions = ROOT / "tests/cases/run/decide.map"
    assert shunt("gaps", decisions, "band")[0] == "band: 6 rows, and `else` for\n  days = 91 .. 900\n"
    assert "side: every value has a row\n" in shunt("gaps", decisions)[0]
    assert "no decision `bond`" in shunt("gaps", decisions, "bond", status=2)[1]


@test
def accounts_that_lost_their_zeros_are_warned_of(folder):
    rules = folder / "z.map"
    rules.write_text(COVERED.replace("codes {", 'table t { from "t.csv"  key k: text(4)  column a: account }\ncodes {').replace('r.b otherwise "-"', 't["x"].a otherwise "-"'))
    rows = "".join(f"k{i},00{i}00\n" for i in range(9))
    (folder / "t.csv").write_text("k,a\n" + rows + "kx,100\n")
    out, err = shunt("check", rules)
    assert "warning[W0904]: " in out + err, out + err


@test
def coverage_counts_what_tests_reach(folder):
    text, _ = shunt("test", ROOT / "tests/cases/run/journals.map", ROOT / "tests/cases/run/rows.map", "--coverage", "text")
    assert re.search(r"^# all +\d+/\d+", text, re.M), text[-2000:]
    rules = folder / "c.map"
    rules.write_text(COVERED)
    for form, name in (("json", "c.json"), ("lcov", "c.info")):
        shunt("test", rules, "--coverage", form, "-o", folder / name)
    seen = json.loads((folder / "c.json").read_text())
    assert seen["all"]["statements"] == {"reached": 3, "all": 4} and seen["all"]["rows"] == {"reached": 1, "all": 2}, seen["all"]
    assert seen["all"]["otherwise"] == {"reached": 1, "all": 1} and seen["all"]["arms"] == {"reached": 1, "all": 2}, seen["all"]
    assert [p["tests"] for p in seen["files"][0]["places"] if p["kind"] == "statement"] == [2, 2, 2, 0], seen["files"][0]["places"]
    lcov = (folder / "c.info").read_text()
    assert lcov.startswith("TN:\nSF:") and lcov.endswith("end_of_record\n") and "BRF:5\nBRH:3" in lcov and "LF:4\nLH:3" in lcov, lcov
    shunt("test", rules, "--coverage", "json", status=2)
    shunt("test", rules, "--coverage", "xml", status=2)
    shunt("test", rules, "-o", folder / "x", status=2)


COVERED = """module t version "1"
source s is CSV { column a: text(2)  column b: text(2)? }
codes { X "x" queue "q" }
target o { a: text(2)  b: text(2)  k: text(4)  key a }
map m from s into o {
  on error quarantine X
  for each r in rows {
    let b = r.b otherwise "-"
    match r.a {
      when "A" => { emit o { a: r.a  b: b  k: match b { when "-" => "none"  else => "some" } } }
      else => { skip }
    }
  }
}
test "one" { given s \"\"\"
  a,b
  A,
\"\"\" expect emit o { k: "none" } }
test "two" { given s \"\"\"
  a,b
  A,
\"\"\" expect emit o { a: "A" } }
"""


@test
def a_new_project_passes_at_once_and_is_laid_out(folder):
    out, _ = shunt("new", folder / "my-bank")
    rules = folder / "my-bank/my_bank.map"
    assert str(rules) in out and "not ok" not in shunt("test", rules)[0]
    assert len(shunt("run", rules, folder / "my-bank/deposits.csv")[0].splitlines()) == 2
    shunt("fmt", "--check", folder / "my-bank")
    assert shunt("lint", folder / "my-bank")[0].endswith(": fine\n")
    shunt("new", folder / "my-bank", status=2)
    shunt("new", folder / "9lives", status=2)
    shunt("new", folder / "no/such", status=3)


@test
def docs_hold_what_rules_declare(folder):
    page, _ = shunt("docs", RULES)
    for piece in ("# shunt.x12.remit_gl, version", "| ERA_PLB | provider adjustment has no account | master-data |", "* must hold: `CLP03 = CLP04 + adjusted`; else quarantine, ERA_CLAIM",
                  "# shunt.lib.gl, version", "### Journal gl", "| cash | `account` | EFT clearing, emptied by the bank deposit |", "Kept in `tables/routes.csv`."):
        assert piece in page, piece
    shunt("docs", RULES, "-o", folder / "page.md")
    assert (folder / "page.md").read_text() == page
    (folder / "d.map").write_text('module t version "1"\nlet a = b\n')
    assert "E0207" in shunt("docs", folder / "d.map", status=2)[1]


@test
def lint_phi_and_cost_say_what_rules_do(folder):
    assert "W0301" in shunt("lint", RULES, status=1)[0] and "W0301" not in shunt("check", RULES)[0]
    rules = folder / "c.map"
    rules.write_text(COVERED)
    assert shunt("lint", folder)[0] == f"{rules}: fine\n"
    (folder / "d.map").write_text('module t version "1"\nlet a = b\n')
    assert "E0207" in shunt("lint", folder, status=2)[0]
    said = [json.loads(line) for line in shunt("phi", RULES, "--json")[0].splitlines()]
    ways = {(w["target"], w["field"], w["element"], w["arrives"]) for w in said}
    assert ("gl", "lines.claim", "CLP01", "account_number, identifier") in ways and ("denial_work", "procedure", "a.procedure", "clinical") in ways, ways
    assert ("denial_work", "nth", "CLP01", "") in ways and {w["through"] for w in said} == {"", "occurrence"}, said
    assert "E0207" in shunt("phi", folder / "d.map", status=2)[1]
    shunt("compile", RULES, "-o", folder / "r.mapc")
    cost = shunt("cost", RULES)[0]
    assert cost == shunt("cost", folder / "r.mapc")[0] and re.search(r"unit +2100 +[0-9,]+ steps", cost) and "for each further PLB" in cost, cost


@test
def mutate_names_what_no_test_notices(folder):
    rules = folder / "c.map"
    rules.write_text(COVERED)
    out, _ = shunt("mutate", rules, status=1)
    assert re.search(r"c\.map:11:\d+  survived    left out", out) and "mutants:" in out, out
    assert "exchanged with the next" not in out, "the tests notice that the rows are exchanged"
    said = [json.loads(line) for line in shunt("mutate", rules, "--json", status=1)[0].splitlines()]
    assert {m["fate"] for m in said} == {"noticed", "survived"}, said
    assert len(shunt("mutate", rules, "--json", "--limit", "1", status=0)[0].splitlines()) == 1
    rules.write_text(COVERED.replace("else => { skip }", "else => { skip }  # equivalent, left out: shown in a test"))
    out, _ = shunt("mutate", rules, status=0)
    assert re.search(r"equivalent  left out", out) and "0 survived, 1 equivalent" in out, out
    rules.write_text(COVERED.replace('k: "none"', 'k: "odd"'))
    assert "fail before" in shunt("mutate", rules, status=2)[1]
    shunt("mutate", rules, "--limit", "none", status=2)


@test
def watch_runs_again_on_a_change(folder):
    rules = folder / "c.map"
    rules.write_text(COVERED)
    child = subprocess.Popen([SHUNT, "test", "--watch", str(rules)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        def until(word):
            seen = []
            for line in child.stdout:
                seen.append(line)
                if word in line:
                    return "".join(seen)
            raise AssertionError("".join(seen))
        assert "not ok" not in until("# waiting")
        rules.write_text(COVERED.replace('k: "none"', 'k: "odd"'))
        assert "not ok 1" in until("# waiting")
        rules.write_text(COVERED)
        assert "c.map changed" in (again := until("# waiting")) and "not ok" not in again
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@test
def missing_input_is_a_system_fault(folder):
    out, err = shunt("run", RULES, folder / "missing.edi", status=3)
    assert out == "" and "missing.edi" in err


@test
def records_exceptions_report_and_dead_letters(folder):
    out, err = shunt("run", RULES, SAMPLE, "-o", folder / "r", "-e", folder / "e", "-r", folder / "t", "-d", folder / "dead", status=1)
    assert out == "" and err == ""
    records, faults, totals = lines(folder / "r"), lines(folder / "e"), json.loads((folder / "t").read_text())
    assert [r["target"] for r in records].count("gl") == 8 and [r["target"] for r in records].count("denial_work") == 1
    for r in records:
        assert {"target", "key", "correlate", "record", "meta"} == set(r), sorted(r)
        assert all(isinstance(k, str) for k in r["key"]) and re.fullmatch("[0-9a-f]{64}", r["meta"]["program"])
        assert "/" not in json.dumps(r["meta"]), "no path of this machine"
        for line in r["record"].get("lines", []):
            assert re.fullmatch(r"\d+\.\d\d", line["amount"]) and line["currency"] == "USD" and line["side"] in ("debit", "credit")
    units = totals["units"]
    assert units["in"] == 7 and units["posted"] == 6 and units["quarantined"] == 1 and units["in"] == sum(v for k, v in units.items() if k != "in")
    assert any(f["code"] == "ERA_CLAIM" and f["severity"] == "quarantine" and f["queue"] == "cash-posting" for f in faults)
    assert not any("A1005" in json.dumps(f) for f in faults), "an account number is masked"
    letters = list((folder / "dead").glob("*.edi"))
    assert len(letters) == 1
    units_file = letters[0].with_suffix(".units.json")
    # The dead letter is a whole interchange; run again, only the failed unit is committed. Repair it first.
    again = letters[0].read_text().replace("CAS*CO*45*20~", "CAS*CO*45*30~")
    (folder / "repaired.edi").write_text(again)
    shunt("run", RULES, folder / "repaired.edi", "--only", units_file, "-o", folder / "r2", "-e", folder / "e2", "-r", folder / "t2")
    second = lines(folder / "r2")
    assert len(second) == 1 and second[0]["record"]["lines"][0]["claim"] == "A1005", second
    assert json.loads((folder / "t2").read_text())["units"]["posted"] == 1


@test
def a_list_of_units_posts_nothing_of_another_transaction(folder):
    shunt("run", RULES, SAMPLE, "-q", "-d", folder / "dead", "-o", folder / "r", status=1)
    units = next((folder / "dead").glob("*.units.json"))
    other = pathlib.Path(SAMPLE).read_text().replace("*835*0001~", "*835*0002~").replace("*0001~", "*0002~")
    out, err = shunt("run", RULES, "-", "--only", units, stdin=other, status=1)
    assert out == "" and "ONLY_UNMET" in err, out + err
    whole = folder / "whole.json"
    whole.write_text(json.dumps(dict(json.loads(units.read_text()), units=[], whole={"outcome": "quarantined", "code": "ERA_TOTAL"})))
    out, err = shunt("run", RULES, "-", "--only", whole, stdin=other, status=1)
    assert out == "" and "ONLY_UNMET" in err, out + err
    out, _ = shunt("run", RULES, "-", "-q", "--only", whole, stdin=pathlib.Path(SAMPLE).read_text(), status=1)
    assert out.count('"target":"gl"') == 8


@test
def compiled_program_gives_the_same(folder):
    shunt("compile", RULES, "-o", folder / "p.mapc")
    a, _ = shunt("run", RULES, SAMPLE, "-q", status=1)
    b, _ = shunt("run", folder / "p.mapc", SAMPLE, "-q", status=1)
    c, _ = shunt("run", folder / "p.mapc", "-", "-q", status=1, stdin=pathlib.Path(SAMPLE).read_text())
    assert a == b == c and a
    assert shunt("disasm", RULES)[0] == shunt("disasm", folder / "p.mapc")[0]
    damaged = bytearray((folder / "p.mapc").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / "bad.mapc").write_bytes(damaged)
    _, err = shunt("run", folder / "bad.mapc", SAMPLE, status=2)
    assert "PROGRAM_BAD" in err


@test
def the_same_file_twice_is_posted_once(folder):
    shunt("run", RULES, SAMPLE, SAMPLE, "-o", folder / "r", "-e", folder / "e", "-r", folder / "t", status=1)
    units = json.loads((folder / "t").read_text())["units"]
    assert units["posted"] == 6 and units["duplicate"] == 6 and units["quarantined"] == 2, units
    assert len(lines(folder / "r")) == 9


@test
def output_appears_only_when_complete(folder):
    shunt("run", RULES, SAMPLE, folder / "missing.edi", "-o", folder / "r", "-q", status=3)
    assert list(folder.iterdir()) == [], list(folder.iterdir())
    shunt("run", RULES, SAMPLE, "-o", "/dev/null", "-q", status=1)
    assert not os.path.isfile("/dev/null")


@test
def nothing_read_or_written_is_replaced(folder):
    rules, sample = folder / "r.mapc", folder / "s.edi"
    shunt("compile", RULES, "-o", rules)
    sample.write_bytes(pathlib.Path(SAMPLE).read_bytes())
    before = rules.read_bytes(), sample.read_bytes()
    for args in (["-o", sample], ["-e", f"{folder}/./s.edi"], ["-r", rules], ["-o", folder / "a", "-e", f"{folder}/./a"], ["-o", folder / "a", "-r", folder / "a"],
                 ["-e", folder / "a", "-r", folder / "a"], ["-o", folder / "key", "-k", folder / "key"]):
        (folder / "key").write_text("key")
        _, err = shunt("run", rules, sample, "-q", *args, status=2)
        assert "--" in err and not (folder / "a").exists(), (args, err)
    shunt("compile", rules, "-o", rules, status=2)
    assert before == (rules.read_bytes(), sample.read_bytes()) and (folder / "key").read_text() == "key"
    shunt("run", rules, sample, "-q", "-o", "/dev/null", "-r", "/dev/null", status=1)


@test
def closed_standard_streams_keep_messages_out_of_records(folder):
    subprocess.run(["sh", "-c", f"{SHUNT} run {RULES} {SAMPLE} -o {folder}/r <&- 2>&-"], timeout=60, check=False)
    assert len(lines(folder / "r")) == 9
    done = subprocess.run(["sh", "-c", f"{SHUNT} run {RULES} {SAMPLE} -q >&-"], timeout=60, check=False, capture_output=True)
    assert done.returncode == 3 and b"shunt:" in done.stderr


@test
def a_signal_leaves_no_part_of_a_file(folder):
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except (OSError, AttributeError):
        return  # no files without names here: a part may stay, never under the name that was given
    head, claims, tail = pathlib.Path(SAMPLE).read_text().partition("CLP*A1001*")
    (folder / "big.edi").write_text(head + "".join(f"CLP*B{i}*1*100*100**12*P{i}*11*1~\n" for i in range(300000)) + claims + tail)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen([SHUNT, "run", RULES, "big.edi", "-o", "r", "-r", "t", "-q"], cwd=folder) as running:
            time.sleep(0.1)
            running.send_signal(signum)
            running.wait(60)
        assert running.returncode == -signum and [p.name for p in folder.iterdir()] == ["big.edi"], list(folder.iterdir())


@test
def letters_are_the_owners_alone(folder):
    (folder / "dead").mkdir(0o755)
    shunt("run", RULES, SAMPLE, "-q", "-o", "/dev/null", "-d", folder / "dead", status=1)
    assert [p.stat().st_mode & 0o777 for p in (folder / "dead").iterdir()] == [0o600] * 2


@test
def a_closed_pipe_is_an_output_fault(folder):
    out, into = os.pipe()
    os.close(out)
    done = subprocess.run([SHUNT, "run", RULES, SAMPLE, "-q"], stdout=into, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(into)
    assert done.returncode == 3 and done.stderr.startswith("shunt:"), done


@test
def a_full_disk_writes_nothing_and_says_so(folder):
    if not os.path.exists("/dev/full"):
        return
    _, err = shunt("run", RULES, SAMPLE, "-o", "/dev/full", "-q", status=3)
    assert "shunt:" in err


@test
def tables_can_be_replaced(folder):
    (folder / "payers.csv").write_text("payer_id,plan,valid_from,valid_to,cash,receivable,next_receivable,patient_ar,suspense\n"
                                       "*,*,2000-01-01,,9999,1200,1205,1210,2060\n")
    out, _ = shunt("run", RULES, SAMPLE, "-q", "--table", f"payers={folder}/payers.csv", status=1)
    assert '"account":"9999"' in out and '"account":"1015"' not in out
    (folder / "payers.csv").write_text("payer_id,plan,valid_from,valid_to,cash,receivable,next_receivable,patient_ar,suspense\n"
                                       "*,*,7/1/2025,,9999,1200,1205,1210,2060\n")
    _, err = shunt("run", RULES, SAMPLE, "--table", f"payers={folder}/payers.csv", status=2)
    assert "payers.csv" in err and "7/1/2025" in err
    assert "it has `payers`" in shunt("run", RULES, SAMPLE, "--table", f"payer={folder}/payers.csv", status=2)[1]


@test
def check_reports_as_text_and_json(folder):
    (folder / "bad.map").write_text('module t version "1" edition 1\nlet x = 1 +\nlet y = <> 2\n')
    out, _ = shunt("check", folder / "bad.map", status=2)
    assert "error[E01" in out and "bad.map:" in out
    out, _ = shunt("check", "--json", folder / "bad.map", status=2)
    assert all({"code", "severity", "message"} <= set(json.loads(line)) for line in out.splitlines()) and out
    assert shunt("check", RULES)[0].strip().endswith("fine")


@test
def tests_of_rules_as_tap_and_junit(folder):
    out, _ = shunt("test", ROOT / "rules")
    assert out.startswith("TAP version 13\nok 1 - ") and "not ok" not in out and re.search(r"^1\.\.\d+$", out, re.M)
    out, _ = shunt("test", "--format", "junit", RULES)
    assert out.startswith("<?xml") and 'failures="0"' in out
    text = pathlib.Path(RULES).read_text().replace('debit  "1015"  80.00 USD with (claim: "PCN1"', 'debit  "1016"  80.00 USD with (claim: "PCN1"')
    (folder / "x12").mkdir()
    (folder / "lib").symlink_to(ROOT / "rules/lib")
    (folder / "x12/tables").symlink_to(ROOT / "rules/x12/tables")
    (folder / "x12/t.map").write_text(text)
    out, _ = shunt("test", folder / "x12/t.map", status=1)
    assert out.count("not ok") == 1 and "expected, and did not come" in out and "came, and was not expected" in out


@test
def a_test_says_what_is_absent(folder):
    (folder / "t.map").write_text("""module t version "1" edition 1
source rows_in is CSV { currency: USD  column id: text(10)  column note: text(10)?  column amount: money }
codes { RULE "rule" queue "q" }
table names { key id: text(10)  column name: text(10)? }
target out { id: text(10)  note: text(10)?  name: text(10)?  key id }
target gl is journal { date: date  memo: text(10)?  column note: text(10)? }
map m from rows_in into out, gl {
  on error quarantine RULE
  for each r in rows {
    emit out { id: r.id  note: r.note  name: names[r.id].name }
    journal gl with (note: r.note) { key r.id  date: 2025-01-01  memo: r.note  debit "1" r.amount  credit "2" r.amount }
  }
}
test "t" {
  with table names { (id: "1", name: absent) }
  given rows_in \"\"\"
    id,note,amount
    1,NOTE,5.00
  \"\"\"
  expect emit out { id: "1"  note: NOTE  name: absent }
  expect journal gl { memo: NOTE  debit "1" 5.00 USD with (note: NOTE)  credit "2" 5.00 USD }
}
""")
    text = (folder / "t.map").read_text()
    for input_note, wanted, passes in (("", "absent", True), ("x", '"x"', True), ("x", "absent", False), ("", '"x"', False)):
        whole = text.replace("1,NOTE,", f"1,{input_note},").replace(": NOTE", f": {wanted}")
        (folder / "t.map").write_text(whole)
        out, _ = shunt("test", folder / "t.map", status=0 if passes else 1)
        assert out.startswith("TAP version 13\nok 1" if passes else "TAP version 13\nnot ok 1"), out
        if not passes and wanted == "absent":
            assert "note: absent" in out and 'note: "x"' in out and "memo: absent" in out, out
    (folder / "t.map").write_text(text.replace('id: "1"  note: NOTE', 'id: absent  note: "x"').replace("NOTE", '"x"'))
    assert "`id` is never absent" in shunt("check", folder / "t.map", status=2)[0]


@test
def explain_lists_codes_and_has_cards_of_the_language(folder):
    out, _ = shunt("explain")
    assert "\nE0301 " in out and "\nW0504 " in out and "KEY_REPEATED" in out and out.startswith("syntax "), out[:300]
    for topic, text in (("syntax", "jitem"), ("types", "| `money(CUR)`"), ("operators", "### Operators"), ("functions", "| `part(t, from, count)`")):
        out, _ = shunt("explain", topic)
        assert text in out and out.count("\n## ") == 0 and out.endswith("\n"), (topic, out[:200])
    assert "### Overlays" not in shunt("explain", "operators")[0] and shunt("explain", "operators")[0].count("\n### ") == 0


@test
def inspect_masks_and_get_prints(folder):
    out, _ = shunt("inspect", SAMPLE)
    assert "loop 2100" in out and "A1001" not in out and "DOE" not in out and "claim payment amount" in out
    assert "DOE" in shunt("inspect", "--phi", SAMPLE)[0]
    assert shunt("get", "CLP04", SAMPLE)[0].split() == ["820", "200", "25", "-80", "70", "70", "60"]
    assert shunt("get", "2110.SVC01-2", SAMPLE)[0].split() == ["99214", "93000", "99213", "97110"]
    assert shunt("get", '2100.NM1["QC"].NM103', SAMPLE)[0].split()[0] == "DOE"
    data = pathlib.Path(SAMPLE).read_bytes()
    for line in shunt("get", "--with-offset", "CLP01", SAMPLE)[0].splitlines():
        place, value = line.split("\t")
        offset, length = map(int, place.split("+"))
        assert data[offset:offset + length].decode() == value
    assert json.loads(shunt("get", "--json", "BPR02", SAMPLE)[0])["value"] == "1147.34"
    assert shunt("get", "ISA13", SAMPLE)[0] == "000000101\n"
    assert "phi account_number" in shunt("dict", "835", "CLP")[0] and "2110" in shunt("dict", "835")[0]
    # In base sets a loop is called as the segment that begins it: both are told.
    out, _ = shunt("dict", "850", "PID", "--guide", "004010")
    assert "loop PID " in out and "required, once, in loop PO1 > PID" in out and "in the set itself" in out and "  PID05 " in out


TWO = """module two version "1.0.0" edition 1
source era is X12 835 "005010X221A1" { currency: USD  on error quarantine whole transaction SYNTAX }
source bank is CSV { currency: USD  column day: date as "MM/DD/YYYY"  column amount: money(USD)  column ref: text(40) }
codes { SYNTAX "syntax" queue "q"  RULE "rule" queue "q" }
target out { ref: text(60)  amount: money(USD)  key ref  accepts phi account_number, identifier }
map claims from era into out {
  on error quarantine RULE
  for each claim in 2100 { emit out { ref: CLP01  amount: CLP04 } }
}
map deposits from bank into out {
  on error quarantine RULE
  for each r in rows { emit out { ref: "{r.day}/{r.ref}"  amount: r.amount } }
}
"""


@test
def the_reader_is_chosen_by_the_first_bytes(folder):
    (folder / "two.map").write_text(TWO)
    (folder / "rows.csv").write_text("day,amount,ref\n03/01/2025,10.00,A\n03/02/2025,x,B\n")
    out, err = shunt("run", folder / "two.map", folder / "rows.csv", "-d", folder / "letters", status=1)
    assert json.loads(out)["record"]["ref"] == "2025-03-01/A" and "VALUE_INVALID" in err
    assert sorted(p.name for p in (folder / "letters").iterdir()) == ["1-1.csv", "1-1.units.json"]
    assert err.rstrip().endswith(f"--only {folder}/letters/1-1.units.json {folder}/two.map {folder}/letters/1-1.csv"), err
    (folder / "letters/1-1.csv").write_text("day,amount,ref\n03/01/2025,10.00,A\n03/02/2025,7.00,B\n")
    out, _ = shunt("run", "--only", folder / "letters/1-1.units.json", folder / "two.map", folder / "letters/1-1.csv")
    assert json.loads(out)["record"] == {"ref": "2025-03-02/B", "amount": "7.00", "currency": "USD"}
    out, _ = shunt("run", folder / "two.map", SAMPLE, folder / "rows.csv", status=1)
    assert out.count('"input":"2"') == 1
    (folder / "other").write_text("MSH|^~\\&|A\r")
    _, err = shunt("run", folder / "two.map", folder / "other", status=1)
    assert "INPUT_STANDARD" in err and "of HL7; the rules read X12, CSV" in err, err
    # byte by byte: the same
    feeder = subprocess.Popen([SHUNT, "run", folder / "two.map", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for byte in (folder / "rows.csv").read_bytes():
        feeder.stdin.write(bytes([byte]))
        feeder.stdin.flush()
    feeder.stdin.close()
    assert json.loads(feeder.stdout.read())["record"]["ref"] == "2025-03-01/A" and feeder.wait() == 1


HL7_RULES = """module h version "1.0.0" edition 1
source dft is HL7 "DFT^P03" "2.5.1" { currency: USD  zone: "America/Chicago"  cleared: absent  on error quarantine whole transaction SYNTAX }
codes { SYNTAX "syntax" queue "q"  RULE "rule" queue "q" }
target out { ref: text(60)  amount: money(USD)?  at: datetime?  local: date?  key ref  accepts phi account_number, identifier, date }
map charges from dft into out {
  on error quarantine RULE
  for each ft in FINANCIAL {
    emit out { ref: "{MSH-10}/{FT1-1 otherwise 0}"  amount: FT1-11  at: FT1-4.1  local: local_date(FT1-4.1, "UTC") }
  }
}
"""


def charge(control, *charges):
    head = f"MSH|^~\\&|A|B|||20250301120000-0600||DFT^P03^DFT_P03|{control}|P|2.5.1\rEVN|P03|20250301120000\rPID|1||1^^^A^MR||E^O\r"
    return head + "".join(f"FT1|{i}|||{at}||CG|1|||1|{amount}\r" for i, (at, amount) in enumerate(charges, 1))


@test
def letters_of_hl7_keep_their_batch(folder):
    (folder / "h.map").write_text(HL7_RULES)
    bad = charge("M1", ("20250301233000", "150.00&USD"), ("20250301", "1.00&EUR"))
    good = charge("M2", ("20250301233000-0800", "2.00"))
    (folder / "in.hl7").write_bytes(("FHS|^~\\&|A\rBHS|^~\\&|A\r" + bad + good + "BTS|2\rFTS|1\r").encode())
    out, err = shunt("run", folder / "h.map", folder / "in.hl7", "-d", folder / "letters", status=1)
    records = [json.loads(line)["record"] for line in out.splitlines()]
    assert records == [{"ref": "M1/1", "amount": "150.00", "currency": "USD", "at": "2025-03-01T23:30:00-06:00", "local": "2025-03-02"},
                       {"ref": "M2/1", "amount": "2.00", "currency": "USD", "at": "2025-03-01T23:30:00-08:00", "local": "2025-03-02"}], records
    assert "CURRENCY_OTHER" in err
    letter = folder / "letters/1-1.hl7"
    assert letter.read_bytes().decode() == "FHS|^~\\&|A\rBHS|^~\\&|A\r" + bad + "BTS|1\rFTS|1\r"
    letter.write_bytes(letter.read_bytes().replace(b"EUR", b"USD"))
    out, err = shunt("run", "--only", folder / "letters/1-1.units.json", folder / "h.map", letter)
    assert json.loads(out)["record"]["ref"] == "M1/2" and not err, err
    _, err = shunt("run", "--only", folder / "letters/1-1.units.json", folder / "h.map", folder / "in.hl7", status=2)
    assert "M1 and no other" in err
    # alone, framed, without an end of its last line: the same records, a letter that reads
    for wrap in ("{}", "\x0b{}\x1c\r"):
        message = wrap.format(bad.rstrip("\r") if wrap == "{}" else bad)
        (folder / "one.hl7").write_bytes(message.encode())
        out, _ = shunt("run", folder / "h.map", folder / "one.hl7", "-d", folder / ("l" + str(len(wrap))), status=1)
        assert json.loads(out)["record"]["ref"] == "M1/1"
        letter = folder / ("l" + str(len(wrap))) / "1-1.hl7"
        again, _ = shunt("run", folder / "h.map", letter, status=1)
        assert json.loads(again)["record"] == json.loads(out)["record"], letter.read_bytes()


FHIR_RULES = """module f version "1.0.0" edition 1
source inv is FHIR Bundle "4.0.1" { currency: USD  zone: "UTC" }
codes { RULE "rule" queue "q" }
target out { number: text(64)  net: money(USD)?  at: datetime?  key number  accepts phi identifier, date }
map book from inv into out {
  on error quarantine RULE
  for each i in Bundle.entry.resource where i.resourceType = "Invoice" {
    emit out { number: i.id otherwise quarantine RULE  net: i.totalNet  at: i.date }
  }
}
"""


@test
def letters_of_fhir_are_what_they_were(folder):
    (folder / "f.map").write_text(FHIR_RULES)
    def invoice(number, currency):
        return '{"resourceType":"Invoice","id":"%s","status":"issued","date":"2025-03-01","totalNet":{"value":8.5e1,"currency":"%s"}}' % (number, currency)
    def bundle(*resources):
        return '{"resourceType":"Bundle","type":"collection","entry":[' + ",".join('{"resource":' + r + "}" for r in resources) + "]}"
    xml = ('<?xml version="1.0"?>\n<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry><resource><Invoice><id value="x"/>'
           '<totalNet><value value="1"/><currency value="EUR"/></totalNet></Invoice></resource></entry></Bundle>\n')
    inputs = {"b.json": (bundle(invoice("a", "USD"), invoice("b", "EUR")), "1-1.json"),
              "n.ndjson": (invoice("a", "USD") + "\n" + invoice("b", "EUR") + "\n", "1-2.json"), "x.xml": (xml, "1-1.xml")}
    for name, (text, letter) in inputs.items():
        (folder / name).write_text(text)
        out, err = shunt("run", folder / "f.map", folder / name, "-d", folder / ("d" + name), status=1)
        records = [json.loads(line)["record"] for line in out.splitlines()]
        assert records == ([] if name == "x.xml" else [{"number": "a", "net": "85.00", "currency": "USD", "at": "2025-03-01"}]), (name, records)
        assert "CURRENCY_OTHER" in err
        path = folder / ("d" + name) / letter
        assert path.exists(), list((folder / ("d" + name)).iterdir())
        path.write_text(path.read_text().replace("EUR", "USD"))
        out, err = shunt("run", "--only", path.with_suffix(".units.json"), folder / "f.map", path)
        assert len(out.splitlines()) == 1 and json.loads(out)["record"]["number"] == ("x" if name == "x.xml" else "b"), out
    # Of a first line that is cut off nobody can tell that lines follow: its letter holds them, and once it is mended they are posted.
    cut = invoice("a", "USD")[:30]
    (folder / "c.ndjson").write_text(cut + "\n" + invoice("b", "USD") + "\n" + invoice("c", "USD") + "\n")
    out, err = shunt("run", folder / "f.map", folder / "c.ndjson", "-d", folder / "dc", status=1)
    assert out == "" and "FHIR_JSON" in err, (out, err)
    letter = folder / "dc/1-1.json"
    assert letter.read_text() == (folder / "c.ndjson").read_text()
    letter.write_text(letter.read_text().replace(cut + "\n", invoice("a", "USD") + "\n"))
    out, _ = shunt("run", folder / "f.map", letter)
    assert [json.loads(line)["record"]["number"] for line in out.splitlines()] == ["a", "b", "c"], out


@test
def rows_are_looked_at_by_their_header(folder):
    (folder / "r.csv").write_text('paid;amount;note\n2025-03-01;10.00;"a; b"\n2025-03-02;;x\n')
    assert shunt("get", "note", folder / "r.csv")[0] == "a; b\nx\n"
    assert shunt("get", "2", folder / "r.csv")[0] == "10.00\n"
    out, _ = shunt("inspect", folder / "r.csv")
    assert "amount" in out and "10.00" not in out
    assert "10.00" in shunt("inspect", "--phi", folder / "r.csv")[0]
    assert "no column" in shunt("get", "zip", folder / "r.csv", status=2)[1]
    assert "is not a path of X12" in shunt("get", "zip", SAMPLE, status=2)[1]


@test
def dict_knows_fhir(folder):
    out, _ = shunt("dict", "Invoice.lineItem.priceComponent")
    assert out.splitlines()[0] == "Invoice.lineItem.priceComponent  FHIR 4.0.1  part, 0..*  what the price is made of", out
    assert "type                      1..1  code " in out and "one of base deduction discount informational surcharge tax" in out
    assert out.splitlines()[-1] == "FHIR 5.0.0 has it too: --guide 5.0.0"
    assert shunt("dict", "Claim", "item.net")[0].startswith("Claim.item.net  FHIR 4.0.1  data type Money, 0..1  amount of the line\n")
    assert "phi name" in shunt("dict", "Patient.name.family")[0] and "phi" not in shunt("dict", "Organization.name")[0]
    out, _ = shunt("dict", "Invoice.lineItem", "--guide", "R5")
    assert "FHIR 5.0.0" in out and "MonetaryComponent" in out and "4.0.1" not in out
    assert "value[x]" in shunt("dict", "Extension")[0] and "and 42 more" in shunt("dict", "Extension")[0]
    assert "  PaymentReconciliation " in shunt("dict", "FHIR")[0] and "FHIR 5.0.0" in shunt("dict")[0]
    for wrong in (["Claim.itm"], ["Claims"], ["Claim", "total.x"], ["Claim", "--guide", "3.0"], ["Claim."]):
        shunt("dict", *wrong, status=2)


@test
def dict_knows_what_get_reads(folder):
    out, _ = shunt("dict", "835", "CLP05", "--guide", "005010X221A1")
    assert out.splitlines()[1:] == ["CLP  claim payment, required, once, in loop 2000 > 2100",
                                    "  CLP05        situational  amount     1-18    patient responsibility amount"], out
    out, _ = shunt("dict", "835", '2100.NM1["82"].NM109')
    assert out.count('NM1["82"]') == 2 and "QC" not in out and "NM108" not in out
    out, _ = shunt("dict", "835", "SVC01-2")
    assert "SVC01-2" in out and "SVC01-3" not in out and "SVC02" not in out
    assert "..." not in shunt("dict", "835", "REF01")[0], "every code of one element is shown"
    assert "loop 2110" in shunt("dict", "835", "2100")[0]
    for wrong in ("CLP99", "CPL04", '2100.NM1["85"]', "2110.CLP04", "2100.NM1.NM109", "SVC01-9"):
        _, err = shunt("dict", "835", wrong, status=2)
        assert "`shunt dict 835` lists" in err
    assert "no 835 in guide 009" in shunt("dict", "835", "-g", "009", status=2)[1]
    _, err = shunt("get", "2100.NM1.NM103", SAMPLE, status=2)
    assert 'NM1["QC"].NM103' in err, err


@test
def what_is_no_rules_is_said_once(folder):
    shunt("compile", RULES, "-o", folder / "p.mapc")
    for args, says in ((["check", folder / "p.mapc"], "compiled program"), (["check", SAMPLE], "X12 message"), (["run", SAMPLE, RULES], "X12 message"),
                       (["test", folder / "p.mapc"], "compiled program"), (["check", folder], "Is a directory"), (["check", "."], "Is a directory")):
        out, err = shunt(*args, status=2)
        assert (out + err).count("error") == 1 and says in out + err, (args, out, err)


@test
def a_reader_that_has_seen_enough_is_no_fault_to_speak_of(folder):
    for verb in ("dict 837", "disasm " + RULES, "inspect " + SAMPLE, "explain E0301", "get CLP01 " + SAMPLE):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([SHUNT, *verb.split()], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(write)
        assert done.returncode == 3 and done.stderr == "", (verb, done.returncode, done.stderr)


@test
def exceptions_say_how_to_run_again(folder):
    _, err = shunt("run", RULES, SAMPLE, "-d", folder / "letters", "-o", folder / "r", status=1)
    again = re.search(r"^  again    shunt (run .*)$", err, re.M).group(1)
    out, _ = shunt(*again.split(), status=1)
    assert out == "", "the letter was not repaired, so its unit is set aside once more"
    assert f"{folder}/letters/1-1.units.json" in again and RULES in again


@test
def a_list_of_units_goes_with_its_letter_alone(folder):
    text = pathlib.Path(SAMPLE).read_text()
    begin, end = text.index("ST*835"), text.index("GE*")
    second = text[begin:end].replace("ST*835*" + text[begin:].split("*")[2].split("~")[0], "ST*835*0002").replace("A1", "B1").replace("TRN*1*", "TRN*1*X")
    both = folder / "both.edi"
    both.write_text(text[:begin] + text[begin:end].replace("CAS*CO*45*20~", "CAS*CO*45*30~") + second + text[end:])
    shunt("run", RULES, both, "-q", "-d", folder / "letters", "-o", folder / "r", status=1)
    units, letter = folder / "letters/1-2.units.json", folder / "letters/1-2.edi"
    assert units.exists() and not (folder / "letters/1-1.edi").exists()
    out, err = shunt("run", RULES, both, "--only", units, status=2)
    assert out == "" and "is not the letter" in err and "0002" in err, "ordinals of the second transaction are not those of the first"
    shunt("run", RULES, letter, letter, "--only", units, status=2)
    letter.write_text(letter.read_text().replace("CAS*CO*45*20~", "CAS*CO*45*30~"))
    assert len(shunt("run", RULES, letter, "--only", units)[0].splitlines()) == 1
    assert len(shunt("run", RULES, "-", "--only", units, stdin=letter.read_text())[0].splitlines()) == 1


@test
def a_letter_of_an_earlier_run_is_never_written_over(folder):
    (folder / "other.edi").write_text(pathlib.Path(SAMPLE).read_text().replace("A1005", "B2005"))
    run = ["run", RULES, "-d", folder / "letters", "-o", folder / "r"]
    shunt(*run, SAMPLE, status=1)
    first = (folder / "letters/1-1.edi").read_bytes()
    _, err = shunt(*run, folder / "other.edi", status=1)
    assert sorted(p.name for p in (folder / "letters").iterdir()) == ["1-1-2.edi", "1-1-2.units.json", "1-1.edi", "1-1.units.json"]
    assert (folder / "letters/1-1.edi").read_bytes() == first and b"B2005" in (folder / "letters/1-1-2.edi").read_bytes()
    assert f"--only {folder}/letters/1-1-2.units.json {RULES} {folder}/letters/1-1-2.edi" in err
    (folder / "letters/1-1-3.part").write_text("of a run that was killed")
    shunt(*run, SAMPLE, status=1)
    assert (folder / "letters/1-1-4.edi").read_bytes() == first


@test
def exceptions_go_to_standard_output_where_records_do_not(folder):
    out, _ = shunt("run", RULES, SAMPLE, "-o", folder / "r", "-e", "-", status=1, cwd=folder)
    assert [json.loads(line)["code"] for line in out.splitlines()] == ["ERA_CLAIM"] and sorted(p.name for p in folder.iterdir()) == ["r"]
    assert "mix" in shunt("run", RULES, SAMPLE, "-e", "-", status=2)[1]
    assert "No such file" in shunt("run", RULES, SAMPLE, "-d", folder / "no/such", status=3)[1]


@test
def a_terminal_is_told_what_became_of_the_units(folder):
    child, terminal = pty.openpty()
    done = subprocess.run([SHUNT, "run", RULES, SAMPLE, "-o", folder / "r", "-e", folder / "e"], stderr=terminal, timeout=60, check=False)
    os.close(terminal)
    said = os.read(child, 1000).decode()
    os.close(child)
    assert done.returncode == 1 and said.strip() == "units in 7: posted 6, quarantined 1; records 9, exceptions 1", said


@test
def help_tells_of_version_and_bash_completes(folder):
    assert "--version" in shunt("--help")[0] and re.fullmatch(r"shunt \d+\.\d+\.\d+\n", shunt("--version")[0])
    completion = pathlib.Path(SHUNT).parent / "shunt.bash"
    if not completion.exists():
        return
    words = lambda *typed: subprocess.run(
        ["bash", "-c", f'. {completion}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shunt; echo "${{COMPREPLY[*]}}"', "-", "shunt", *typed],
        capture_output=True, text=True, check=True, timeout=20).stdout.split()
    assert words("exp") == ["explain"] and "--version" in words("--")
    assert words("run", "") == [] and words("run", "rules.map", "") == [], "bash offers files"
    assert "--dead-letter" in words("run", "-") and words("test", "--format", "") == ["tap", "junit"] == words("test", "-f", "")


@test
def rules_that_do_not_compile_are_a_failed_test(folder):
    (folder / "a&b.map").write_text("module t version\n")
    (folder / "c.map").write_text(pathlib.Path(ROOT / "tests/cases/run/values.map").read_text())
    out, err = shunt("test", folder, status=2)
    assert out.startswith("TAP version 13\nnot ok 1 - ") and "\nok 2 - " in out and "error[" in err
    out, _ = shunt("test", "-f", "junit", folder, status=2)
    suites = xml.etree.ElementTree.fromstring(out)
    assert [s.get("failures") for s in suites] == ["1", "0"] and suites[0].get("name").endswith("a&b.map"), out


@test
def failing_tests_show_their_line_and_what_to_paste(folder):
    text = pathlib.Path(RULES).read_text().replace('debit  "1015"  80.00 USD with (claim: "PCN1"', 'debit  "1016"  80.00 USD with (claim: "PCN1"')
    (folder / "x12").mkdir()
    (folder / "lib").symlink_to(ROOT / "rules/lib")
    (folder / "x12/tables").symlink_to(ROOT / "rules/x12/tables")
    (folder / "x12/t.map").write_text(text)
    out, _ = shunt("test", folder / "x12/t.map", status=1)
    line = int(re.search(r"^#   at .*t\.map:(\d+)$", out, re.M).group(1))
    assert text.splitlines()[line - 1].startswith("test "), (line, text.splitlines()[line - 1])
    assert 'origin: "835 claim"' in out and "date: 2025-03-01" in out, out
    assert f"t.map:{line}" in shunt("test", "-f", "junit", folder / "x12/t.map", status=1)[0]
    assert re.search(r'they differ:\n#     expected and not among its lines: debit  "1016" 80.00 USD with \(claim: "PCN1"', out), out
    assert 'among its lines and not expected: debit  "1015" 80.00 USD' in out and "{ \n" not in out and "has no rows" not in out, out
    (folder / "x12/t.map").write_text(re.sub(r"\nwith table .*?\n}\n", "\n", text, flags=re.S))
    out, _ = shunt("test", folder / "x12/t.map", status=1)
    assert re.search(r"table payers has no rows in this test: give it some by `with table payers \{ \(payer_id: ..., plan: ..., ...\) \}`", out), out


@test
def inspect_shows_no_value_that_a_stray_separator_moved(folder):
    moved = folder / "moved.edi"
    moved.write_text(pathlib.Path(SAMPLE).read_text().replace("CLP*A1001*1*1000*", "CLP*A1001*SECRET*NAME*").replace("NM1*QC*1*DOE", "NM1*QC*HIDDEN*DOE"))
    out, _ = shunt("inspect", moved)
    assert not re.search("SECRET|NAME\\b|HIDDEN", out) and out.count("[does not fit]") == 3, out
    assert "SECRET" in shunt("inspect", "--phi", moved)[0]


@test
def garbage_is_an_input_fault(folder):
    (folder / "g").write_bytes(bytes(range(256)) * 40)
    _, err = shunt("run", RULES, folder / "g", status=1)
    assert "X12_NO_ISA" in err
    (folder / "empty").write_bytes(b"")
    shunt("inspect", folder / "g", status=1)


@test
def demo_shows_that_the_cash_is_right(folder):
    done = subprocess.run([ROOT / "scripts/demo.sh", SHUNT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cash posted to 1015 1077.34 = payment BPR02 1147.34 less the quarantined claim 70: yes" in done.stdout, done.stdout


def main():
    failed = 0
    for function in TESTS:
        with tempfile.TemporaryDirectory() as name:
            try:
                function(pathlib.Path(name))
                print(f"ok - {function.__name__}")
            except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError, IndexError) as fault:
                failed += 1
                print(f"not ok - {function.__name__}: {type(fault).__name__}: {fault}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
