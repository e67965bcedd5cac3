#!/usr/bin/env python3
"""Proves that the data has every row of the tables on the public bugcheck pages.

usage: tests/meta/bugcheck-rows.py [-v]

A row is a hex number in the first column of a table, or at the start of a line ("0x1 : ..."), of
a page bug-check-0x*.md under ../shared/docs (reference material beside the checkout). Each must
be a sub-code or a named value of that bugcheck in data/bugchecks. -v prints the count of each
page. Skips loudly when the pages are absent.
"""
import glob
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCS = os.path.join(ROOT, "..", "shared", "docs", "windows-driver-docs", "debugger")
NTSTATUS = "exception codes, which the program knows as NTSTATUS"
# Rows that are no value of a parameter, and why not.
NO_ROWS = {
    0x1E: ({0x80000002, 0x80000003, 0xC0000005}, NTSTATUS),
    0x3B: ({0x80000003, 0xC0000005}, NTSTATUS),
    0x7E: ({0x80000002, 0x80000003, 0xC0000005}, NTSTATUS),
    0x8E: ({0x80000002, 0x80000003, 0xC0000005}, NTSTATUS),
    0xA5: ({0x0}, "parameter 2 of tables that lack a first column"),
    0x122: ({0x0, 0x3, 0x4}, "values of an enumeration that parameters 2 and 4 refer to"),
    0x1F2: ({0x0, 0x1, 0x7, 0x80}, "a byte of the flags in parameter 4"),
}


def ours():
    rows, like, code = {}, {}, None
    for path in glob.glob(os.path.join(ROOT, "data", "bugchecks", "*.txt")):
        with open(path, encoding="ascii") as f:
            for line in f:
                w = line.split()
                if not w or w[0].startswith("#"):
                    continue
                if w[0] == "code":
                    code = int(w[1], 16)
                    rows.setdefault(code, [])
                elif w[0] == "like":
                    like[code] = int(w[1], 16)
                elif w[0] in ("sub", "value"):
                    for part in w[2].split(","):
                        ends = part.split("..")
                        rows[code].append((int(ends[0], 0), int(ends[-1], 0)))
    for code, other in like.items():
        rows[code] = rows[other]
    return rows


def first_cells(text):
    for row in re.split(r"<tr[ >]", text)[1:]:
        cell = re.search(r"<td[^>]*>(.*?)</td>", row, re.S)
        if cell:
            yield re.sub(r"<[^>]*>", " ", cell[1])
    for line in text.splitlines():
        if line.lstrip().startswith("|"):
            yield re.sub(r"<[^>]*>", " ", line.strip().strip("|").split("|")[0])
        else:
            m = re.match(r"\s*[-*]?\s*\**(0x[0-9A-Fa-f]+)\**\s*[:=\u2013-]", line)
            if m:
                yield m[1]


def main():
    pages = sorted(glob.glob(os.path.join(DOCS, "bug-check-0x*.md")))
    if not pages:
        print("skip bugcheck-rows: no pages under %s" % os.path.relpath(DOCS, ROOT))
        return 0
    rows, bad, total, tables = ours(), 0, 0, 0
    for page in pages:
        code = int(re.match(r"bug-check-(0x[0-9A-Fa-f]+)", os.path.basename(page))[1], 16)
        with open(page, encoding="utf-8", errors="replace") as f:
            cells = list(first_cells(f.read()))
        values = {int(n, 16) for c in cells for n in re.findall(r"0x([0-9A-Fa-f]+)", c)}
        values -= NO_ROWS.get(code, (set(), ""))[0]
        missing = [v for v in sorted(values)
                   if not any(a <= v <= b for a, b in rows.get(code, []))]
        if missing:
            print("    0x%X lacks %s of %s" % (code, " ".join("0x%X" % v for v in missing),
                                               os.path.basename(page)))
        if "-v" in sys.argv[1:] and values:
            print("    0x%X: %d rows" % (code, len(values)))
        bad += len(missing)
        total += len(values)
        tables += 1 if values else 0
    if tables < 60 or total < 1000:
        print("    only %d rows on %d pages were found: the test sees nothing" % (total, tables))
        bad += 1
    print("%s bugcheck-rows: %d rows of the tables on %d pages"
          % ("FAIL" if bad else "ok", total, tables))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
