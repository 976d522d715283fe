#!/usr/bin/env python3
"""Checks the #include lines against the arrows of docs/architecture.md: who may include whom."""
import pathlib
import re
import subprocess
import sys

ALLOWED = {  # folder of the including file -> folders it may include
    "engine/base": {"engine/base"},
    "engine/vm": {"engine/vm", "engine/base"},
    "standards": {"standards", "engine/base"},
    "dsl": {"dsl", "standards", "engine/vm", "engine/base"},
    "grammar": {"grammar", "dsl", "engine/base"},
    "api": {"api", "grammar", "dsl", "standards", "engine/vm", "engine/base", "include"},
    "cli": {"cli", "include"},
    "include": set(),
}
LIBRARIES = {"nettle": {"engine/base"}, "ffi": {"api"}, "check": {"tests"}, "yajl": {"standards"}, "libxml": {"standards"}}
FREE = ("tests", "fuzz", "bench")  # may reach any header


def folder(path):
    for name in sorted(ALLOWED, key=len, reverse=True):
        if path == name or path.startswith(name + "/"):
            return name
    return None


def main():
    bad = []
    names = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.l", "*.y"], capture_output=True, text=True, check=True)
    for name in names.stdout.split():
        if name.startswith(FREE):
            continue
        own = folder(name)
        for number, line in enumerate(pathlib.Path(name).read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not found or own is None:
                continue
            kind, target = found.groups()
            if kind == "<":
                library = target.split("/")[0].removesuffix(".h")
                if library in LIBRARIES and own not in LIBRARIES[library]:
                    bad.append(f"{name}:{number}: <{target}> has its home in {', '.join(LIBRARIES[library])}")
                continue
            target = "include/" + target if target.startswith("shunt/") else target
            other = folder(target)
            if other is not None and other not in ALLOWED[own]:
                bad.append(f"{name}:{number}: {own} may not include {target}")
            if own == "api" and name == "api/run.c" and other in ("grammar", "dsl"):
                bad.append(f"{name}:{number}: run never pulls in the compiler")
    print("\n".join(bad) or "arrows: every #include follows them")
    return 1 if bad else 0


sys.exit(main())
