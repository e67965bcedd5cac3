#!/usr/bin/env python3
"""Puts the memory of a complete dump into the files that hypervisors write.

usage: make.py FULL.dmp OUT   (writes OUT-elf.core and its kin)
Reads the DMP header with its own few lines; shares nothing with the program.
"""
import struct
import sys
from pathlib import Path

GENERAL = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + [f"r{i}" for i in range(8, 16)]
QEMU_ORDER = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"] + [f"r{i}" for i in range(8, 16)]
SEGMENTS = ["cs", "ds", "es", "fs", "gs", "ss"]


def any_dump(path):
    """A type 1 or type 5 DMP of x64."""
    kind, = struct.unpack_from("<I", Path(path).read_bytes()[:0x2000], 0xf98)
    return {1: Dump, 5: BitmapDump}[kind](path)


class Dump:
    """A type 1 DMP of x64: runs of memory, and what its header says of the processor."""

    kind = 1

    crashed = 1  # which processor the header's context is of
    processors = 2

    def __init__(self, path):
        self.data = Path(path).read_bytes()
        d = self.data
        assert d[:8] == b"PAGEDU64" and struct.unpack_from("<I", d, 0xf98)[0] == self.kind, path
        self.cr3, = struct.unpack_from("<Q", d, 0x10)
        self.runs = self.find_runs()
        c = 0x348
        self.flags, = struct.unpack_from("<I", d, c + 0x44)
        self.general = dict(zip(GENERAL, struct.unpack_from("<16Q", d, c + 0x78)))
        self.rip, = struct.unpack_from("<Q", d, c + 0xf8)
        self.segments = dict(zip(SEGMENTS, struct.unpack_from("<6H", d, c + 0x38)))

    def find_runs(self):
        runs, at = [], 0x2000
        count, = struct.unpack_from("<I", self.data, 0x88)
        for i in range(count):
            base, pages = struct.unpack_from("<QQ", self.data, 0x98 + 16 * i)
            runs.append((base << 12, pages << 12, at))
            at += pages << 12
        assert at == len(self.data), "bytes behind the last run"
        return runs

    def pages(self):
        """Every page by its physical address."""
        return {pa + o: self.data[at + o:at + o + 4096]
                for pa, n, at in self.runs for o in range(0, n, 4096)}

    def memory(self, run):
        return self.data[run[2]:run[2] + run[1]]


class BitmapDump(Dump):
    """A type 5 DMP: a bitmap says which pages follow."""

    kind = 5

    def find_runs(self):
        d = self.data
        assert d[0x2000:0x2008] == b"FDMPDUMP"
        at, present, bits = struct.unpack_from("<QQQ", d, 0x2020)
        runs = [(i << 12, 4096) for i in range(bits) if d[0x2038 + i // 8] >> i % 8 & 1]
        assert len(runs) == present and at + present * 4096 == len(d), "sums do not fit"
        return [(pa, n, at + i * 4096) for i, (pa, n) in enumerate(runs)]


def qemu_state(dump, cpu):
    """QEMUCPUState, version 1 (QEMU: target/i386/arch_dump.c)."""
    regs = dump.general if cpu == dump.crashed else {r: 0 for r in GENERAL}
    body = struct.pack("<16Q", *(regs[r] for r in QEMU_ORDER))
    body += struct.pack("<QQ", dump.rip if cpu == dump.crashed else 0, dump.flags)
    for name in SEGMENTS + ["ldt", "tr", "gdt", "idt"]:
        body += struct.pack("<IIIIQ", dump.segments.get(name, 0), 0xffffffff, 0, 0, 0)
    body += struct.pack("<5Q", 0x80050033, 0, 0, dump.cr3, 0x1506f8)
    body += struct.pack("<Q", 0)
    return struct.pack("<II", 1, 8 + len(body)) + body


def prstatus(dump, cpu):
    """struct elf_prstatus of x86-64."""
    if cpu != dump.crashed:
        return bytes(112 + 27 * 8 + 8)
    g = dump.general
    order = ["r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
             "rsi", "rdi"]
    regs = [g[r] for r in order] + [0, dump.rip, dump.segments["cs"], dump.flags, g["rsp"],
                                    dump.segments["ss"], 0, 0, dump.segments["ds"],
                                    dump.segments["es"], dump.segments["fs"], dump.segments["gs"]]
    return bytes(112) + struct.pack("<27Q", *regs) + bytes(8)


def note(name, kind, desc):
    name += b"\0"
    pad = lambda b: b + bytes(-len(b) % 4)
    return struct.pack("<III", len(name), len(desc), kind) + pad(name) + pad(desc)


def elf(dump, notes, runs=None, ehsize=64, xnum=False, sh=None):
    """An ELF64 core: notes, then memory in the order of the runs."""
    runs = runs if runs is not None else dump.runs
    count = len(runs) + 1
    headers = 64 + 56 * count
    sections = headers if xnum else 0
    notes_at = headers + (64 if xnum else 0)
    at = notes_at + len(notes)
    table = struct.pack("<IIQQQQQQ", 4, 0, notes_at, 0, 0, len(notes), len(notes), 0)
    memory = b""
    for run in runs:
        m = dump.memory(run)
        table += struct.pack("<IIQQQQQQ", 1, 0, at + len(memory), 0, run[0], len(m), len(m), 0)
        memory += m
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, sections, 0, ehsize, 56,
                        0xffff if xnum else count, 64 if xnum else 0, 1 if xnum else 0, 0)
    section = b""
    if xnum:
        section = bytes(44) + struct.pack("<I", count) + bytes(16)
    return head + table + section + notes + memory


def split(runs, size):
    """The same memory in many small runs."""
    return [(pa + o, min(size, n - o), at + o) for pa, n, at in runs for o in range(0, n, size)]


def main():
    dump, out = Dump(sys.argv[1]), sys.argv[2]
    cpus = range(Dump.processors)
    portable = b"".join(note(b"CORE", 1, prstatus(dump, i)) for i in cpus)
    both = portable + b"".join(note(b"QEMU", 0, qemu_state(dump, i)) for i in cpus)
    files = {
        "elf.core": elf(dump, both),
        "elf-prstatus.core": elf(dump, portable),
        "elf-no-notes.core": elf(dump, b""),
        "elf-many.core": elf(dump, both, split(dump.runs, 0x1000), ehsize=8, xnum=True),
        "elf-odd.core": elf(dump, both, split(dump.runs, 0x1800)),
        "elf-process.core": elf(dump, portable, [(0, n, at) for _, n, at in dump.runs[:1] * 3]),
        "elf-cut.core": elf(dump, both)[:-0x3000],
    }
    for name, data in files.items():
        Path(f"{out}-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
