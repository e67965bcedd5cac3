#!/usr/bin/env python3
"""Proves that every code of the public bugcheck and live dump lists has its name in the data.

usage: tests/meta/bugcheck-names.py

Compares data/bugchecks/names.txt with the lists and pages under ../shared/docs (reference
material beside the checkout): every code listed or paged is there, under the page's name, citing
a page that exists and is about that code. Skips loudly when the pages are absent.
"""
import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCS = os.path.join(ROOT, "..", "shared", "docs", "windows-driver-docs", "debugger")
LISTS = ("bug-check-code-reference2.md", "kernel-live-dump-code-reference.md")
# The list misspells these; the page has the name that the kernel shows.
LIST_ERRATA = {0xDF, 0x1D0}


def main():
    if not os.path.isdir(DOCS):
        print("skip bugcheck-names: no pages under %s" % os.path.relpath(DOCS, ROOT))
        return 0
    ours = {}
    with open(os.path.join(ROOT, "data", "bugchecks", "names.txt"), encoding="ascii") as f:
        for line in f:
            if line.startswith("0x"):
                w = line.split()
                ours[int(w[0], 16)] = (w[1], w[2])
    bad = []
    listed = 0
    for name in LISTS:
        with open(os.path.join(DOCS, name), encoding="utf-8") as f:
            for line in f:
                m = re.match(r"\|\s*(0x[0-9A-Fa-f]+)\s*\|\s*\[?\*\*(.*?)\*\*", line)
                if not m:
                    continue
                listed += 1
                code = int(m[1], 16)
                if code not in ours:
                    bad.append("0x%X of %s is missing" % (code, name))
                elif ours[code][0] != m[2].replace("\\", "") and code not in LIST_ERRATA:
                    bad.append("0x%X is %s in %s" % (code, m[2], name))
    for page in glob.glob(os.path.join(DOCS, "bug-check-0x*.md")):
        code = int(re.match(r"bug-check-(0x[0-9A-Fa-f]+)", os.path.basename(page))[1], 16)
        if code not in ours:
            bad.append("0x%X has a page but no name" % code)
        elif ours[code][1] != os.path.basename(page):
            bad.append("0x%X cites %s, not its page" % (code, ours[code][1]))
        else:
            with open(page, encoding="utf-8") as f:
                text = f.read().replace("\\_", "_")
            if ours[code][0] not in text:
                bad.append("0x%X: its page never says %s" % (code, ours[code][0]))
    for line in bad:
        print("    " + line)
    if listed < 400:
        bad.append("only %d rows found in the lists" % listed)
        print("    " + bad[-1])
    print("%s bugcheck-names: %d names, %d rows of the public lists"
          % ("FAIL" if bad else "ok", len(ours), listed))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
