#!/usr/bin/env python3
"""Runs the meta tests: what the project says about itself is true.

usage: run.py MODULE...
Prints "ok", "FAIL" or "skip" per check; appends "meta passed failed skipped" to $B/results.
"""
import importlib
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import meta  # noqa: E402


def main():
    for module in sys.argv[1:]:
        importlib.import_module(module)
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    for function in meta.CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            complaints = function() or []
            state, detail = ("FAIL", "") if complaints else ("ok", "")
        except meta.Skip as why:
            complaints, state, detail = [], "skip", f": {why}"
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            complaints, state, detail = [str(error)], "FAIL", ""
        counts[state] += 1
        print(f"{state} {name}{detail}")
        for complaint in complaints[:20]:
            print(f"    {complaint}")
        if len(complaints) > 20:
            print(f"    and {len(complaints) - 20} more")
        sys.stdout.flush()
    print(f"meta: {counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    if os.environ.get("B"):
        with open(Path(os.environ["B"]) / "results", "a", encoding="ascii") as results:
            results.write(f"meta {counts['ok']} {counts['FAIL']} {counts['skip']}\n")
    return counts["FAIL"] != 0


if __name__ == "__main__":
    sys.exit(main())
