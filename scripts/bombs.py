#!/usr/bin/env python3
"""Structure bombs, doubled twice: how the work of each verb grows with the bytes. Usage: bombs.py BUILD [--share S] [--all] [NAME...]

For each bomb of tests/support/bombs.py (those whose names begin with a NAME) and each verb: processor seconds for a quarter, half and all of
its count (times S), the growth of seconds per byte (1 = linear), peak memory in MiB, exceptions. Rows that are linear and
small are left out unless --all is given. Nothing is judged here by time; tests/cli/run_bombs.py judges what a run must end with."""
import argparse
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
import bombs  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--verb")
    parser.add_argument("--seconds", type=int, default=bombs.SECONDS)
    given = parser.parse_intermixed_args()
    shunt = pathlib.Path(given.build) / "cli/shunt"
    print(f"{'bomb':36}{'verb':10}{'MB':>7}{'s':>8}{'s/2':>8}{'s/4':>8}{'growth':>8}{'MiB':>7}{'faults':>9}  status, codes")
    with tempfile.TemporaryDirectory() as name:
        bench = bombs.Bench(shunt, pathlib.Path(name))
        for bomb in bombs.BOMBS:
            if given.names and not any(bomb.name.startswith(n) for n in given.names):
                continue
            sizes = [bench.write(bomb, int(bomb.count * given.share / part), f"bomb{part}") for part in (4, 2, 1)]
            bombs.SECONDS = given.seconds
            for verb in bench.verbs(bomb):
                if given.verb and verb != given.verb:
                    continue
                done = [bench.measure(bomb, verb, f"bomb{part}") for part in (4, 2, 1)]
                cost = [d.seconds for d in done]
                # The second half against what the second quarter took: the start of the process falls out.
                more = max(cost[1] - cost[0], 0.005) / max(sizes[1] - sizes[0], 1)
                growth = (cost[2] - cost[1]) / max(sizes[2] - sizes[1], 1) / more
                last = done[2]
                if given.all or (growth > 1.3 and cost[2] > 0.2) or last.mib > 64 or last.faults > 10_000 or last.status not in (0, 1):
                    print(f"{bomb.name:36}{verb:10}{sizes[2] / 1e6:7.1f}{cost[2]:8.2f}{cost[1]:8.2f}{cost[0]:8.2f}{growth:8.2f}{last.mib:7.0f}{last.faults:9}  "
                          f"{last.status} {' '.join(f'{c}={n}' for c, n in last.codes.items())} {last.said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
