#!/usr/bin/env python3
"""Proves that no text of data/ repeats eight words in a row from the documentation it cites.

usage: tests/meta/own-words.py

Compares data/bugchecks/*.txt and data/codes/texts.txt with the pages under
../shared/docs/windows-driver-docs (reference material beside the checkout, CC-BY-4.0). Names
and numbers count as words, so a quoted list of API names also trips it. Skips loudly when the
pages are absent.
"""
import glob
import os
import re
import sys

RUN = 8
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCS = os.path.join(ROOT, "..", "shared", "docs", "windows-driver-docs")


def words(text):
    return re.findall(r"[a-z0-9_]+", text.lower())


def page_text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        t = f.read()
    t = re.sub(r"\]\([^)]*\)", "]", t)  # link targets are not prose
    t = re.sub(r"</?[A-Za-z][^>\n]*>", " ", t)  # "IRQL < 2" is prose
    return t.replace("\\_", "_").replace("\\", "")


def texts():
    """Yields (file, line, text) for every piece of prose in the data."""
    for path in sorted(glob.glob(os.path.join(ROOT, "data", "bugchecks", "*.txt"))):
        with open(path, encoding="ascii") as f:
            for n, line in enumerate(f, 1):
                w = line.split()
                if not w or w[0].startswith("#") or w[0] in ("code", "like", "edition"):
                    continue
                if w[0] == "text":
                    yield path, n, " ".join(w[1:])
                elif w[0] in ("sub", "value"):
                    yield path, n, " ".join(w[4:])
                elif re.match(r"p[1-4]", w[0]):
                    yield path, n, " ".join(w[3:] if w[1] == "object" else w[2:])
    path = os.path.join(ROOT, "data", "codes", "texts.txt")
    with open(path, encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            if not line.startswith("#"):
                yield path, n, " ".join(line.split()[1:])


def main():
    pages = glob.glob(os.path.join(DOCS, "**", "*.md"), recursive=True)
    if not pages:
        print("skip own-words: no pages under %s" % os.path.relpath(DOCS, ROOT))
        return 0
    runs = {}
    for page in pages:
        w = words(page_text(page))
        for i in range(len(w) - RUN + 1):
            runs.setdefault(tuple(w[i:i + RUN]), page)
    bad = count = 0
    for path, n, text in texts():
        count += 1
        w = words(text)
        for i in range(len(w) - RUN + 1):
            page = runs.get(tuple(w[i:i + RUN]))
            if page:
                print("%s:%d: repeats \"%s\" from %s" % (os.path.relpath(path, ROOT), n,
                      " ".join(w[i:i + RUN]), os.path.basename(page)))
                bad += 1
                break
    if count < 500 or len(runs) < 10000:
        print("FAIL own-words: only %d texts and %d runs: the test sees nothing"
              % (count, len(runs)))
        return 1
    print("%s own-words: %d texts against %d pages" % ("FAIL" if bad else "ok", count, len(pages)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
