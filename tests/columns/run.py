#!/usr/bin/env python3
"""Every column of every table holds a value in some dump that the fixtures make: what never does is
untested. holes.txt lists the columns that none fills, each with the reason. Tables that take arguments are joined as arguments.txt says.

usage: run.py PROGRAM DUMP...
Appends "columns passed failed 0" to $B/results.
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*words):
    command = shlex.split(os.environ.get("RUNNER", "")) + list(words)
    got = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return got.stdout.decode("utf-8", "replace")


def listed(name):
    """Lines `KEY  rest` of a file beside this one."""
    out = {}
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                key, _, rest = line.strip().partition(" ")
                out[key] = rest.strip()
    return out


def tables(program):
    """{table: [columns]}, arguments left out."""
    return {t["name"]: [c["name"] for c in t["columns"] if not c["argument"]]
            for t in json.loads(run(program, "tables", "--format", "json"))}


def ask(program, dump, wanted, arguments):
    """Which of the wanted columns hold a value in the dump: "table.column"."""
    found = set()
    beside = [d for d in (dump + ".symbols", os.path.splitext(dump)[0] + ".symbols") if os.path.isdir(d)]
    options = ["--symbols", beside[0]] if beside else []
    for table, columns in wanted.items():
        # Each is held against NULL by itself, and the first row with a value ends it.
        sql = "SELECT " + ", ".join(
            f'EXISTS (SELECT 1 FROM {arguments.get(table, table)} WHERE {table}."{c}" IS NOT NULL)'
            for c in columns)
        text = run(program, "query", "--format", "jsonl", *options, dump, sql)
        for line in text.splitlines()[:1]:
            found.update(f"{table}.{c}" for c, v in zip(columns, json.loads(line).values()) if v)
    return found


def main(argv):
    program, dumps = argv[1], argv[2:]
    every = tables(program)
    arguments, holes = listed("arguments.txt"), listed("holes.txt")
    columns = {f"{t}.{c}" for t, cs in every.items() for c in cs}
    left = columns - set(holes)
    total, step = len(columns), 8
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for i in range(0, len(dumps), step):
            wanted = {t: [c for c in cs if f"{t}.{c}" in left] for t, cs in every.items()}
            wanted = {t: cs for t, cs in wanted.items() if cs}
            for found in pool.map(lambda d: ask(program, d, wanted, arguments), dumps[i:i + step]):
                left -= found
            if not left:
                break
    failed = 0
    for name in sorted(left):
        print(f"no fixture fills {name}: add one, or say in tests/columns/holes.txt why none can")
        failed += 1
    for name in sorted(set(holes) - columns):
        print(f"{name} is no column: take it out of tests/columns/holes.txt")
        failed += 1
    for name in sorted(n for n, why in holes.items() if not why):
        print(f"{name}: tests/columns/holes.txt gives no reason")
        failed += 1
    filled = total - len(left) - len(holes)
    print(f"columns: {filled} passed, {failed} failed, {len(holes)} skipped")
    if os.environ.get("B"):
        with open(os.path.join(os.environ["B"], "results"), "a", encoding="utf-8") as f:
            f.write(f"columns {filled} {failed} {len(holes)}\n")
    return 1 if failed or filled <= 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
