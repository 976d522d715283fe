#!/usr/bin/env python3
"""Projects and stored answers as their users meet them. Usage: run_project.py SHUNT EXTERN_LIBRARY"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHUNT, LIBRARY = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
TESTS = []

GL = """module std.erp.gl version "2.3.0"

target gl is journal {
  date: date
  column id: text(10)?
}
"""
RULES = """module acme.bank version "1.0.0"

import std.erp.gl version "^2.0"

source bank is CSV { currency: USD  column id: text(10)  column kind: text(3)  column amount: money }

codes { ROW_READ "a value could not be read" queue "bank"  ROW_KIND "kind has no account" queue "bank" }

table kinds {
  from "tables/kinds.csv"
  key kind: text(3)
  column account: account
}

map post from bank into gl {
  on error quarantine ROW_READ
  for each r in rows {
    let account = kinds[r.kind].account otherwise quarantine ROW_KIND
    journal gl with (id: r.id) {
      key r.id
      date: 2025-03-01
      debit "1010" r.amount
      credit account r.amount
    }
  }
}

with table kinds { (kind: "CHK", account: "1200") }

test "a deposit" {
  given bank \"\"\"
    id,kind,amount
    D1,CHK,1.00
  \"\"\"
  expect journal gl { debit "1010" 1.00 USD  credit "1200" 1.00 USD }
}
"""
VERBS = (["check"], ["test"], ["lint"], ["docs"], ["phi"], ["cost"], ["gaps"], ["disasm"], ["mutate"])


def test(function):
    TESTS.append(function)
    return function


def shunt(*args, status=0, cwd=None):
    """Runs the command, checks its status, gives (stdout, stderr)."""
    done = subprocess.run([SHUNT, *map(str, args)], capture_output=True, text=True, timeout=60, cwd=cwd, check=False)
    assert done.returncode == status, f"shunt {' '.join(map(str, args))}: status {done.returncode}, not {status}\n{done.stdout[:800]}\n{done.stderr[:1600]}"
    return done.stdout, done.stderr


def put(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def bank(folder, **more):
    put(folder, {"shunt.project": 'modules "modules"\n', "modules/std/erp/gl.map": GL, "rules/bank.map": RULES, "rules/tables/kinds.csv": "kind,account\nCHK,1200\n",
                 "march.csv": "id,kind,amount\nD1,CHK,1.00\nD2,ODD,1.00\n", **more})
    return folder / "rules/bank.map"


@test
def every_command_that_reads_rules_holds_them_against_the_lock(folder):
    rules = bank(folder)
    commands = [[*verb, rules] for verb in VERBS] + [["run", rules, folder / "march.csv"], ["lineage", rules, folder / "march.csv"], ["lookup", rules, "kinds", "CHK"],
                                                     ["compile", rules, "-o", folder / "bank.mapc"]]
    for command in commands:
        out, err = shunt(*command, status=2)
        assert "error[E0216]" in out + err, command
    shunt("lock", folder)
    for command in commands:
        ends = {"run": 1, "lineage": 1, "lint": 0}.get(command[0], 0)
        out, err = shunt(*command, status=ends)
        assert "error" not in err, (command, err)
    program = (folder / "bank.mapc").read_bytes()
    (folder / "rules/tables/kinds.csv").write_text("kind,account\nCHK,1201\n")
    for command in commands:
        out, err = shunt(*command, status=2)
        assert "error[E0217]: `" in out + err and "kinds.csv` has changed since it was locked" in out + err, command
    # A program holds what it was compiled of, and knows of no project.
    assert (folder / "bank.mapc").read_bytes() == program
    assert '"1200"' in shunt("run", folder / "bank.mapc", folder / "march.csv", "-q", status=1)[0]


@test
def the_lock_is_the_same_wherever_one_stands(folder):
    rules = bank(folder, **{"deep/er/x.map": 'module x version "1"\ntable t { from "../../outside.csv"  key a: text(2)  column b: account }\n', "outside.csv": "a,b\n"})
    shunt("lock", folder)
    lock = (folder / "shunt.lock").read_text()
    assert 'table "outside.csv" ' in lock and 'table "rules/tables/kinds.csv" ' in lock and str(folder) not in lock
    for cwd, name in ((folder, "."), (folder / "rules", ".."), (folder / "deep/er", "../../"), (folder.parent, folder.name)):
        assert shunt("lock", "--check", name, cwd=cwd)[0].endswith("shunt.lock: fine\n")
    shunt("lock", "--check", cwd=folder)
    shunt("check", "bank.map", cwd=folder / "rules")
    shunt("check", "../../rules/bank.map", cwd=folder / "deep/er")
    (folder / "outside.csv").write_text("a,b\nx,1\n")
    assert "`outside.csv` has changed" in shunt("check", "x.map", cwd=folder / "deep/er", status=2)[0]
    assert "run `shunt lock ../..`" in shunt("check", "x.map", cwd=folder / "deep/er", status=2)[0]
    shunt("check", rules)


@test
def a_lock_says_what_is_new_and_what_is_gone(folder):
    bank(folder)
    out, _ = shunt("lock", folder)
    assert out.count("+ ") == 2 and "- " not in out and out.endswith("shunt.lock: written\n"), out
    assert shunt("lock", folder)[0] == f"{folder}/shunt.lock: fine\n"
    before = (folder / "shunt.lock").read_text()
    put(folder, {"rules/more.map": 'module more version "1"\ntable t { from "tables/t.csv"  key a: text(2)  column b: account }\n', "rules/tables/t.csv": "a,b\n"})
    shunt("check", folder / "rules/more.map")  # a new table of one's own may be used
    out, err = shunt("lock", "--check", folder, status=1)
    assert out.startswith('+ table "rules/tables/t.csv" sha256:') and "is not what the project is made of" in err
    assert (folder / "shunt.lock").read_text() == before
    shunt("lock", folder)
    (folder / "rules/more.map").unlink()
    assert shunt("lock", "--check", folder, status=1)[0].startswith('- table "rules/tables/t.csv" sha256:')
    # Rules with a mistake, or none: nothing is written.
    before = (folder / "shunt.lock").read_text()
    put(folder, {"rules/more.map": "module more version 1\n"})
    out, err = shunt("lock", folder, status=2)
    assert "error[E0101]" in err and (folder / "shunt.lock").read_text() == before
    shunt("lock", folder / "rules", status=2)
    shunt("lock", folder / "nowhere", status=2)
    # A damaged lock is refused by rules, and written anew by `lock`.
    (folder / "rules/more.map").unlink()
    (folder / "shunt.lock").write_text("lock 7\n")
    assert "error[E0214]" in shunt("check", folder / "rules/bank.map", status=2)[0]
    shunt("lock", folder)
    shunt("check", folder / "rules/bank.map")


@test
def projects_within_projects_are_their_own(folder):
    bank(folder)
    put(folder, {"inner/shunt.project": "", "inner/a.map": 'module a version "1"\nimport std.erp.gl version "2.3.0"\n'})
    shunt("lock", folder)  # it would stop at inner/a.map, which finds no module
    assert "error[E0213]: there is no module `std.erp.gl`" in shunt("check", folder / "inner/a.map", status=2)[0]
    assert "no folder with modules" in shunt("check", folder / "inner/a.map", status=2)[0]


@test
def the_folders_are_asked_in_their_order(folder):
    rules = bank(folder, **{"shunt.project": 'modules "old"\nmodules "modules"\n', "old/std/erp/gl.map": GL.replace("2.3.0", "1.9")})
    shunt("lock", folder)
    assert '"modules/std/erp/gl.map"' in (folder / "shunt.lock").read_text()
    put(folder, {"old/std/erp/gl.map": GL.replace("2.3.0", "2.9")})
    assert "is found as `old/std/erp/gl.map` now, and was `modules/std/erp/gl.map` when it was locked" in shunt("check", rules, status=2)[0]
    # What does not fit is not reported on, whatever is wrong in it.
    put(folder, {"old/std/erp/gl.map": 'module std.erp.gl version "1.0"\nlet let let\n'})
    shunt("check", rules)


@test
def a_project_brings_its_guides(folder):
    narrowed = "overlay\tX12\t835\t005010X221A1\tas our payer sends it\nat\t2100\n\tsegment\tCLP\n\t\t01\tR\tmax=12\n"
    rules = """module a version "1"
source era is X12 835 "005010X221A1" { currency: USD  validate: "snip 1" }
codes { C "c" queue "q" }
target t { claim: text(12)  nth: int  key claim, nth  accepts phi account_number, identifier }
map m from era into t { on error quarantine C  for each c in 2100 { emit t { claim: CLP01  nth: position(c) } } }
"""
    put(folder, {"guides/own.txt": narrowed, "a.map": rules})
    sample = ROOT / "rules/x12/samples/remittance.edi"
    assert "error[E0311]" in shunt("check", folder / "a.map", status=2)[0]
    shunt("check", "-D", folder / "guides/own.txt", folder / "a.map")
    put(folder, {"shunt.project": 'dictionary "guides/own.txt"\n'})
    shunt("check", folder / "a.map")
    # A run whose source validates needs the guide again, and finds it; a program that stands alone is given it.
    with_project, _ = shunt("run", folder / "a.map", sample, "-q", status=0)
    assert '"A1001"' in with_project
    shunt("lineage", folder / "a.map", sample, "-q")
    shunt("compile", folder / "a.map", "-o", folder / "a.mapc")
    assert shunt("run", "-D", folder / "guides/own.txt", folder / "a.mapc", sample, "-q")[0] == with_project
    # In place of it stands what the command line gives.
    put(folder, {"wide.txt": narrowed.replace("12\n", "20\n")})
    assert "error[E0311]" in shunt("check", "-D", folder / "wide.txt", folder / "a.map", status=2)[0]
    shunt("lock", folder)
    assert 'dictionary "guides/own.txt" sha256:' in (folder / "shunt.lock").read_text()
    shunt("check", folder / "a.map")
    put(folder, {"guides/own.txt": narrowed + "\n"})
    out, _ = shunt("check", folder / "a.map", status=2)
    assert "`guides/own.txt` has changed since it was locked" in out and "shunt.project:1:12" in out
    assert "error[E0217]" in shunt("run", folder / "a.map", sample, status=2)[1]
    shunt("lock", folder)
    put(folder, {"guides/own.txt": "what is this\n"})
    assert "error[E0201]" in shunt("lock", folder, status=2)[1]


@test
def a_library_is_pinned_where_it_is_called(folder):
    cases = (ROOT / "tests/cases/extern/extern.map").read_text()
    name = pathlib.Path(LIBRARY).name
    put(folder, {"shunt.project": 'externs "lib"\n', "extern.map": cases})
    (folder / "lib").mkdir()
    out, err = shunt("lock", folder, status=2)
    assert "can not be read, so it can not be pinned" in err
    shutil.copy(LIBRARY, folder / "lib" / name)
    shunt("lock", folder)
    assert f'extern "{name.removesuffix(".so")}" sha256:' in (folder / "shunt.lock").read_text()
    shunt("test", "--allow-extern", folder / "lib", folder / "extern.map")
    with open(folder / "lib" / name, "ab") as library:
        library.write(b"\n")
    for command in (["test", "--allow-extern", folder / "lib", folder / "extern.map"], ["check", folder / "extern.map"], ["run", "--allow-extern", folder / "lib", folder / "extern.map", os.devnull]):
        out, err = shunt(*command, status=2)
        assert f"error[E0217]: library `{name.removesuffix('.so')}` has changed since it was locked" in out + err
    # The one that is called counts, wherever it lies.
    shunt("test", "--allow-extern", pathlib.Path(LIBRARY).parent, folder / "extern.map")


@test
def hostile_projects_and_locks_are_refused_or_read(folder):
    rules = bank(folder)
    shunt("lock", folder)
    lock, project = (folder / "shunt.lock").read_bytes(), (folder / "shunt.project").read_bytes()
    chance = random.Random(5)
    for name, good in (("shunt.lock", lock), ("shunt.project", project)):
        for _ in range(60):
            bad = bytearray(good)
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(bad) + 1)
                bad[at:at + chance.randint(0, 3)] = bytes(chance.choice(b'"#\n \0\xff^../az09') for _ in range(chance.randint(0, 3)))
            (folder / name).write_bytes(bad)
            done = subprocess.run([SHUNT, "check", rules], capture_output=True, timeout=60, check=False)
            assert done.returncode in (0, 2), (name, bytes(bad), done)
        (folder / name).write_bytes(b'modules "x"\n' * 20000 if name == "shunt.project" else b"lock 1\n" + b'table "x" sha256:0\n' * 20000)
        assert subprocess.run([SHUNT, "check", rules], capture_output=True, timeout=60, check=False).returncode == 2
        (folder / name).write_bytes(good)
    for name in ("shunt.lock", "shunt.project"):
        (folder / name).unlink()
        (folder / name).mkdir()
        assert "error[E0214]" in shunt("check", rules, status=2)[0]
        (folder / name).rmdir()
        (folder / name).write_bytes(lock if name == "shunt.lock" else project)
    shunt("check", rules)


# ---- stored answers ----


@test
def answers_are_stored_compared_and_shown(folder):
    rules = bank(folder)
    shunt("lock", folder)
    rules.write_text(RULES + '\ngolden "../in/*.csv" into "answers/deep"\ngolden "../march.csv" into "answers/"\n')
    put(folder, {"in/b.csv": "id,kind,amount\nB1,CHK,2.00\n", "in/a.csv": "id,kind,amount\nA1,CHK,3.00\nA2,CHK,x\n", "in/.hidden.csv": "nothing", "in/c.txt": "nothing"})
    (folder / "in/d.csv").mkdir()
    out, _ = shunt("test", rules, status=1)
    told = [line.split(": ")[1] for line in out.splitlines() if line.startswith("not ok")]
    assert told == ["golden ../in/a.csv", "golden ../in/b.csv", "golden ../march.csv"], out
    assert "there is no `answers/deep/a.csv.ndjson`" in out and "shunt test --update" in out
    out, _ = shunt("test", "--update", rules)
    assert out.count("# stored ") == 3 and "not ok" not in out
    assert sorted(path.name for path in (folder / "rules/answers").rglob("*.ndjson")) == ["a.csv.ndjson", "b.csv.ndjson", "march.csv.ndjson"]
    answer = folder / "rules/answers/deep/a.csv.ndjson"
    lines = [json.loads(line) for line in answer.read_text().splitlines()]
    assert list(lines[0]) == ["target", "key", "record"] and lines[1]["code"] == "ROW_READ" and lines[2]["report"]["units"]["quarantined"] == 1
    assert not {"input", "rule", "program"} & set(lines[1]) and not {"inputs", "program"} & set(lines[2]["report"])
    text = answer.read_text()
    assert str(folder) not in text and "bank.map" not in text and "1.0.0" not in text
    # Nothing but what comes counts: other lines and texts of the rules, another table, another folder.
    rules.write_text(rules.read_text().replace("module acme.bank version \"1.0.0\"", "# moved\n\nmodule acme.other version \"1.0.1\""))
    put(folder, {"rules/tables/kinds.csv": "kind,account\nCHK,9999\n"})
    shunt("lock", folder)
    out, _ = shunt("test", "bank.map", cwd=folder / "rules")
    assert "not ok" not in out and "# stored" not in shunt("test", "--update", rules)[0]
    # What is another one is shown.
    answer.write_text(text.replace('"3.00"', '"3.01"', 1))
    out, _ = shunt("test", rules, status=1)
    shown = [line for line in out.splitlines() if line.startswith(("#   - ", "#   + "))]
    assert len(shown) == 2 and '"3.01"' in shown[0] and '"3.00"' in shown[1], out
    answer.write_text("".join(f"line {n}\n" for n in range(100)))
    out, _ = shunt("test", rules, status=1)
    assert "#   and 83 more lines" in out, out
    answer.write_text(text.rstrip("\n"))
    assert "only line ends differ" in shunt("test", rules, status=1)[0]
    junit, _ = shunt("test", "-f", "junit", rules, status=1)
    assert 'name="golden ../in/a.csv">' in junit and 'tests="4" failures="1"' in junit
    shunt("test", "-f", "junit", "--update", rules)
    assert answer.read_text() == text
    # The rows of the test count for coverage, too.
    assert "bank.map" in shunt("test", "--coverage", "text", rules)[0]


@test
def what_can_not_be_stored_or_found_fails(folder):
    rules = bank(folder)
    shunt("lock", folder)
    rules.write_text(RULES + '\ngolden "no/*.csv" into "answers/"\n')
    out, _ = shunt("test", rules, status=1)
    assert "not ok 2 - " in out and "golden no/*.csv" in out and "no file is called so: No such file or directory" in out
    rules.write_text(RULES + '\ngolden "*.csv" into "answers/"\n')
    assert "no file is called so\n" in shunt("test", rules, status=1)[0]
    # Two inputs with one answer would hide each other.
    put(folder, {"rules/in/m.csv": "id,kind,amount\n", "rules/m.csv": "id,kind,amount\n"})
    rules.write_text(RULES + '\ngolden "*.csv" into "answers"\ngolden "in/*.csv" into "answers/"\n')
    assert "another `golden` stores its answer as `answers/m.csv.ndjson`, too" in shunt("test", "--update", rules, status=1)[0]
    # A folder that can not be made.
    put(folder, {"rules/taken": "a file\n"})
    rules.write_text(RULES + '\ngolden "*.csv" into "taken/"\n')
    assert "`taken/m.csv.ndjson` can not be written: " in shunt("test", "--update", rules, status=1)[0]
    # Rules that a run would refuse as they are.
    rules.write_text(RULES.replace('from "tables/kinds.csv"', 'from "host:kinds"').replace('with table kinds { (kind: "CHK", account: "1200") }', "")
                     .replace("expect journal gl { debit \"1010\" 1.00 USD  credit \"1200\" 1.00 USD }", "expect quarantine ROW_KIND") + '\ngolden "*.csv" into "answers/"\n')
    assert "table kinds is provided by the host" in shunt("test", rules, status=1)[0]


@test
def what_is_written_as_text_is_stored_as_text(folder):
    for encoding, member, value in (("UTF-8", "written", "n\né\n"), ("ISO-8859-1", "written_latin1", "n\né\n")):
        put(folder, {"a.map": f"""module a version "1"
source s is CSV {{ column n: text(5) }}
codes {{ C "c" queue "q" }}
target t {{ n: text(5)  key n  encode csv {{ encoding: "{encoding}" }} }}
map m from s into t {{ on error quarantine C  for each r in rows {{ emit t {{ n: r.n }} }} }}
golden "*.csv" into "out"
""", "x.csv": "n\né\n"})
        shunt("test", "--update", folder / "a.map")
        first = json.loads((folder / "out/x.csv.ndjson").read_text().splitlines()[0])
        assert first == {"target": "t", member: value}, first
        assert "not ok" not in shunt("test", folder / "a.map")[0]


def main():
    failed = 0
    for function in TESTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(pathlib.Path(folder))
            except AssertionError as fault:
                failed += 1
                print(f"{function.__name__}: {fault}")
    print(f"{len(TESTS)} tests, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
