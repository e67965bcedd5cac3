#!/usr/bin/env python3
"""Puts the demo's screen into README.md.

usage: readme-screen.py PROGRAM DUMP

The block that begins with "$ dumpscan demo.dmp" gets the report up to its section STACK, then a
line with an ellipsis. `make meta` fails when the block and the program differ.
"""
import re
import subprocess
import sys
from pathlib import Path

END = "\nSTACK"


def screen(program, dump):
    dump = Path(dump).resolve()
    done = subprocess.run([Path(program).resolve(), dump.name], cwd=dump.parent,
                          capture_output=True, text=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, check=False)
    cut = done.stdout.find(END)
    return done.stdout[:cut].rstrip("\n") + "\n…\n" if cut > 0 else done.stdout


def main():
    readme = Path(__file__).resolve().parent.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = "```\n$ dumpscan demo.dmp\n" + screen(*sys.argv[1:3]) + "```\n"
    new, count = re.subn(r"^```\n\$ dumpscan demo\.dmp\n.*?^```\n", lambda _: block, text,
                         flags=re.S | re.M)
    if count != 1:
        sys.exit("README.md: not one block that begins with '$ dumpscan demo.dmp'")
    readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
