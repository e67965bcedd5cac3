#!/usr/bin/env python3
"""Seeds for the fuzz targets, made from the fixtures.

usage: corpus.py OUT FIXTURES TARGET.c...

A target says in a comment what it reads: "Corpus: PATTERN..." with patterns under FIXTURES
(default *.dmp). Files in tests/fuzz/seeds/TARGET/ are added; a seed named *.hex holds hex digits
and '#' comments. Inputs over 1 MiB are left out. OUT/TARGET/ holds the result.
"""
import hashlib
import re
import shutil
import sys
from pathlib import Path

MAX = 1 << 20


def seeds(target, fixtures):
    text = target.read_text(encoding="utf-8")
    found = re.search(r"\bCorpus:[ \t]*([^\n]*)", text)
    patterns = found.group(1).replace("*/", "").split() if found else ["*.dmp"]
    for pattern in patterns:
        for path in sorted(fixtures.glob(pattern)):
            if path.is_file() and path.stat().st_size <= MAX:
                yield path.name, path.read_bytes()
    for path in sorted((target.parent / "seeds" / target.stem).glob("*")):
        data = path.read_bytes()
        if path.suffix == ".hex":
            lines = (line.split("#")[0] for line in data.decode("ascii").splitlines())
            data = bytes.fromhex("".join(lines))
        yield path.name, data
    yield "empty", b""


def main():
    out, fixtures = Path(sys.argv[1]), Path(sys.argv[2])
    for name in sys.argv[3:]:
        target = Path(name)
        folder = out / target.stem
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        known = set()
        for seed, data in seeds(target, fixtures):
            digest = hashlib.sha256(data).hexdigest()
            if digest not in known:
                known.add(digest)
                (folder / seed.replace("/", "_")).write_bytes(data)


if __name__ == "__main__":
    main()
