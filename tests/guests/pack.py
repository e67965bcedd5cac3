"""Pages packed as makedumpfile packs them, with nothing but repeated bytes made shorter.

Snappy: google/snappy, format_description.txt. LZO1X: the kernel's Documentation/staging/lzo.rst.
Zstandard: RFC 8878. The numbers are makedumpfile's page flags (diskdump_mod.h).
"""
import re
import struct


def pieces(page):
    """(literal, n) pairs: the literal has at least 4 bytes, its last one follows n times more."""
    out, at = [], 0
    for m in re.finditer(rb"(.)\1{99,}", page, re.DOTALL):
        start = max(m.start() + 1, at + 4)
        if m.end() - start < 64:
            continue
        out.append((page[at:start], m.end() - start))
        at = m.end()
    rest = page[at:]
    if 0 < len(rest) < 4:  # too short for a literal of its own: a shorter run before it
        literal, n = out.pop()
        out.append((literal, n - 8))
        rest = page[at - 8:]
    return out + [(rest, 0)] if rest else out


def snappy(page):
    out = b"\x80\x20"  # 4096 as a varint
    for literal, n in pieces(page):
        out += b"\xf4" + struct.pack("<H", len(literal) - 1) + literal
        while n > 0:
            part = min(n, 64)
            out += bytes([(part - 1) << 2 | 2]) + struct.pack("<H", 1)
            n -= part
    return 4, out


def lzo_length(n, room):
    """A length that does not fit into the instruction's own bits: zeros and a last byte."""
    n -= room
    zeros = (n - 1) // 255
    return bytes(zeros) + bytes([n - 255 * zeros])


def lzo(page):
    out = b""
    for literal, n in pieces(page):
        size = len(literal)
        out += (bytes([size - 3]) if size <= 18 else b"\0" + lzo_length(size, 18)) + literal
        if n > 0:
            out += b"\x20" + lzo_length(n, 33) + struct.pack("<H", 0)  # distance 1
    return 2, out + b"\x11\0\0"


def zstd(page):
    out = b"\x28\xb5\x2f\xfd\x60" + struct.pack("<H", 4096 - 256)
    blocks = []
    for literal, n in pieces(page):
        blocks += [(0, len(literal), literal)] + ([(1, n, literal[-1:])] if n else [])
    for i, (kind, size, data) in enumerate(blocks):
        head = size << 3 | kind << 1 | (i == len(blocks) - 1)
        out += struct.pack("<I", head)[:3] + data
    return 0x20, out
