#!/usr/bin/env python3
"""Runs the examples of a page, so that it stays true. Usage: run_docs.py PAGE SHUNT BUILD_FOLDER

Fenced blocks, in order, all in one empty folder that holds a link `rules` to the project's rules:
  ```LANG file=NAME     is written to NAME
  ```LANG append=NAME   is written behind what NAME holds
  ```sh                 is run by `sh -e`, with the command and the tools of the build in PATH
  ```sh status=N        ... and ends with this status
  ```sh no-run          is not run (it would install something or never end)
  ```text               is what the sh block just before printed (standard output, then standard error); a line `...` stands for any lines
Other blocks are left alone. The environment holds SHUNT_BUILD and SHUNT_SOURCE for compiling host programs.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def blocks(page):
    info, body, start = None, [], 0
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if info is None and line.startswith("```"):
            info, body, start = line[3:].strip(), [], number
        elif info is not None and line.startswith("```"):
            yield start, info.split(), "\n".join(body) + "\n"
            info = None
        elif info is not None:
            body.append(line)


def matches(expected, printed):
    pattern = "".join(".*" if line == "..." else re.escape(line) + "\n" for line in expected.splitlines())
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n", re.S)


def main():
    page, shunt, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    source = page.resolve().parent if page.name == "README.md" else page.resolve().parent.parent
    failed, ran, printed = 0, 0, None
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(source / "rules", pathlib.Path(folder) / "rules")
        environment = dict(os.environ, PATH=f"{shunt.parent}:{os.environ['PATH']}", SHUNT_BUILD=str(build), SHUNT_SOURCE=str(source))
        for line, info, body in blocks(page):
            options = dict(word.split("=", 1) for word in info[1:] if "=" in word)
            if "file" in options or "append" in options:
                target = pathlib.Path(folder) / (options.get("file") or options["append"])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text((target.read_text() if "append" in options else "") + body)
            elif info[:1] == ["sh"] and "no-run" not in info:
                done = subprocess.run(["sh", "-e", "-c", body], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      timeout=120, check=False)
                printed, ran = done.stdout + done.stderr, ran + 1
                if done.returncode != int(options.get("status", 0)):
                    failed += 1
                    print(f"{page.name}:{line}: status {done.returncode}\n{printed}")
                continue
            elif info[:1] == ["text"] and printed is not None and not matches(body, printed):
                failed += 1
                print(f"{page.name}:{line}: printed otherwise:\n{printed}")
            printed = None
    print(f"{page.name}: {ran} examples run, {failed} failed")
    if ran == 0:
        print(f"{page.name}: no example was found")
    return 1 if failed or ran == 0 else 0


sys.exit(main())
