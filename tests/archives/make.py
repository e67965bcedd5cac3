#!/usr/bin/env python3
"""Packs built fixtures into archives of every kind, whole and broken.

usage: make.py FIXTURES   (writes archive-*.gz and archive-*.zip there)
Python's gzip, zlib and zipfile write them, so what reads them is checked by another hand.
"""
import gzip
import io
import random
import struct
import sys
import warnings
import zipfile
import zlib
from pathlib import Path

PLAIN = "demo.dmp"
OTHER = "triage-k.dmp"


def gz(data, level=6):
    return gzip.compress(data, level, mtime=0)


def member(data, name=b"", extra=b"", comment=b"", crc=False):
    """One gzip member with every optional header field (RFC 1952)."""
    flags = (2 if crc else 0) | (4 if extra else 0) | (8 if name else 0) | (16 if comment else 0)
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(4) + b"\x00\x03"
    if extra:
        head += struct.pack("<H", len(extra)) + extra
    head += name + b"\0" if name else b""
    head += comment + b"\0" if comment else b""
    if crc:
        head += struct.pack("<H", zlib.crc32(head) & 0xffff)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + packer.compress(data) + packer.flush() + struct.pack(
        "<II", zlib.crc32(data), len(data) & 0xffffffff)


def bgzip_like(data):
    """Many small members, each one block: no place to go on from inside them."""
    return b"".join(gz(data[i:i + 60000]) for i in range(0, len(data), 60000))


def noisy(data, size):
    """A dump followed by bytes that pack badly: more than one checkpoint and cache chunk."""
    r = random.Random(7)
    pages = [bytes(r.getrandbits(8) for _ in range(512)) for _ in range(40)]
    return data + b"".join(pages[r.randrange(40)] for _ in range(size // 512))


def zip_of(path, files, method=zipfile.ZIP_DEFLATED, comment=b"", big=False):
    with zipfile.ZipFile(path, "w", method) as z:
        z.comment = comment
        for name, data in files:
            info = zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6))
            info.compress_type = method
            with z.open(info, "w", force_zip64=big) as f:
                f.write(data)



def make_gzip(out, plain):
    files = {
        "plain": gz(plain),
        "fields": member(plain, b"MEMORY.DMP", b"AB\x02\x00xy", b"from a user", crc=True),
        "members": gz(plain[:100000]) + gz(plain[100000:100001]) + gz(plain[100001:]),
        "many": bgzip_like(plain),
        "twice": gz(gz(plain)),
        "trailing": gz(plain) + bytes(512),
        "cut": gz(plain)[:-3000],
        "no-trailer": gz(plain)[:-8],
        "header-only": gz(plain)[:12],
        "text": gz(b"Bugcheck 0x3B in win32k\n" * 20),
        "empty": gz(b""),
        # 10 GB of zeros, in members of 64 MB
        "bomb-10g": gz(plain) + gz(bytes(64 << 20), 9) * 160,
        "bomb": gz(plain + bytes(64 << 20), 9),
    }
    whole = gz(plain)
    at = len(whole) * 3 // 4
    files["flipped"] = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:]
    files["wrong-crc"] = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    files["deep"] = gz(gz(gz(gz(plain))))
    for name, data in files.items():
        (out / f"archive-{name}.dmp.gz").write_bytes(data)
    (out / "archive-noisy.dmp.gz").write_bytes(gz(noisy(plain, 5 << 20), 1))
    (out / "archive-noisy.dmp").write_bytes(noisy(plain, 5 << 20))


def make_zip(out, plain, other):
    readme = ("read me.txt", b"the dump of yesterday\n")
    zip_of(out / "archive-one.zip", [("logs/", b""), readme, ("crash/MEMORY.DMP", plain)])
    zip_of(out / "archive-stored.zip", [("MEMORY.DMP", plain), readme], zipfile.ZIP_STORED)
    zip_of(out / "archive-comment.zip", [("MEMORY.DMP", plain)], comment=b"PK\x05\x06" * 100)
    zip_of(out / "archive-zip64.zip", [("MEMORY.DMP", plain), readme], big=True)
    zip_of(out / "archive-several.zip", [("a/demo.dmp", plain), readme, ("b/mini.dmp", other),
                                         ("c.dmp.gz", gz(other))])
    zip_of(out / "archive-none.zip", [readme, ("more.txt", b"nothing here\n")])
    zip_of(out / "archive-nested.zip", [("demo.dmp.gz", gz(plain))])
    zip_of(out / "archive-lzma.zip", [("MEMORY.DMP", plain)], zipfile.ZIP_LZMA)
    make_nested(out, plain, other)
    whole = (out / "archive-one.zip").read_bytes()
    (out / "archive-cut.zip").write_bytes(whole[:len(whole) * 3 // 4])
    (out / "archive-no-directory.zip").write_bytes(whole[:whole.index(b"PK\x01\x02")])
    stored = (out / "archive-stored.zip").read_bytes()
    (out / "archive-stored-cut.zip").write_bytes(stored[:len(plain) // 2])
    secret = bytearray((out / "archive-comment.zip").read_bytes())
    secret[6] |= 1  # the local header's flag
    secret[secret.index(b"PK\x01\x02") + 8] |= 1
    (out / "archive-encrypted.zip").write_bytes(bytes(secret))
    lying = bytearray(whole)
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 20:at + 28] = b"\xff\xff\xff\x7f" * 2  # sizes of the last entry
    (out / "archive-lying.zip").write_bytes(bytes(lying))


HOSTILE = ["../../etc/cron.d/x.dmp", "C:\\Windows\\x.dmp", "red\x1b[31m\x07.dmp", "/abs.dmp",
           "\u202exe.dmp", "new\nline.dmp", "a!b.dmp"]


def make_nested(out, plain, other):
    """Archives in archives, names that mean harm, one name twice."""
    inner = out / "archive-inner.zip"
    zip_of(inner, [("i/one.dmp", plain), ("i/two.dmp", other), ("why.txt", b"because\n")])
    packed = inner.read_bytes()
    inner.unlink()
    zip_of(out / "archive-inside.zip", [("top.dmp", other), ("inner.zip", packed)])
    zip_of(out / "archive-inside-only.zip", [("inner.zip", packed), ("x.txt", b"x")])
    zip_of(out / "archive-inside-gz.zip", [("inner.zip.gz", gz(packed)), ("d.dmp.gz", gz(plain))])
    zip_of(out / "archive-hostile.zip", [(name, other) for name in HOSTILE])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says what is meant here
        zip_of(out / "archive-same.zip", [("same.dmp", other), ("same.dmp", plain)])
    (out / "archive-zip.zip.gz").write_bytes(gz(packed))
    mixed = out / "archive-secrets.zip"
    zip_of(mixed, [("readme.txt", b"hello\n"), ("secret.dmp", plain), ("plain.dmp", other)])
    data = bytearray(mixed.read_bytes())
    data[data.index(b"secret.dmp") - 30 + 6] |= 1  # the local header's flag
    data[data.rindex(b"secret.dmp") - 46 + 8] |= 1
    mixed.write_bytes(bytes(data))
    only = [("readme.txt", b"hello\n"), ("secret.dmp", plain)]
    zip_of(out / "archive-secret.zip", only)
    data = bytearray((out / "archive-secret.zip").read_bytes())
    data[data.index(b"secret.dmp") - 30 + 6] |= 1
    data[data.rindex(b"secret.dmp") - 46 + 8] |= 1
    (out / "archive-secret.zip").write_bytes(bytes(data))
    # 20 nested archives that each inflate to 1 GB: looked into, but not all the way
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_STORED) as z:
        z.writestr("zeros", bytes(1 << 20))
    head = bomb.getvalue()
    zip_of(out / "archive-inner-bombs.zip",
           [(f"{i}.zip", head + bytes(64 << 20)) for i in range(20)])


def main():
    out = Path(sys.argv[1])
    plain, other = (out / PLAIN).read_bytes(), (out / OTHER).read_bytes()
    make_gzip(out, plain)
    make_zip(out, plain, other)


if __name__ == "__main__":
    main()
