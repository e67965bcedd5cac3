#!/usr/bin/env python3
"""Seeds for the fuzz targets, made from the fixtures.

usage: corpus.py OUT FIXTURES TARGET.c...

A target says in a comment what it reads: "Corpus: PATTERN..." with patterns under FIXTURES
(default *.dmp); "Carve: chain" takes the secondary data of those instead of the whole file, and
"Carve: GUID" the data of the blobs with that tag. Files in tests/fuzz/seeds/TARGET/ are added; a seed named *.hex holds hex digits
and '#' comments. Inputs over 1 MiB are left out. OUT/TARGET/ holds the result.
"""
import hashlib
import re
import shutil
import struct
import sys
import uuid
from pathlib import Path

MAX = 1 << 20


def carve(data, what):
    """The chain of secondary blobs behind its header, or the data of one tag."""
    at = data.find(b"DumpBlob")
    if at < 0:
        return
    at += 16
    if what == "chain":
        yield data[at:]
        return
    while at + 32 <= len(data):
        size, tag, length, pre, post = struct.unpack_from("<I16sIII", data, at)
        if size != 32:
            return
        if uuid.UUID(bytes_le=tag) == uuid.UUID(what):
            yield data[at + 32 + pre:at + 32 + pre + length]
        at += 32 + pre + length + post


def seeds(target, fixtures):
    text = target.read_text(encoding="utf-8")
    found = re.search(r"\bCorpus:[ \t]*([^\n]*)", text)
    carved = re.search(r"\bCarve:[ \t]*([-0-9a-z]+)", text)
    patterns = found.group(1).replace("*/", "").split() if found else ["*.dmp"]
    for pattern in patterns:
        for path in sorted(fixtures.glob(pattern)):
            if not path.is_file() or path.stat().st_size > MAX:
                continue
            if carved:
                for number, data in enumerate(carve(path.read_bytes(), carved.group(1))):
                    yield f"{path.name}.{number}", data
            else:
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
