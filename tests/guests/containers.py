"""Complete dumps read, and their memory written as hypervisors write it: ELF cores, kdumps.

Reads the DMP header with its own few lines; shares nothing with the program.
"""
import struct
import zlib
from pathlib import Path

GENERAL = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + [f"r{i}" for i in range(8, 16)]
QEMU_ORDER = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"] + [f"r{i}" for i in range(8, 16)]
SEGMENTS = ["cs", "ds", "es", "fs", "gs", "ss"]


def any_dump(path, full=None, bitmap=None):
    """A type 1 or type 5 DMP with a header of 64 bits; x64 unless classes are given."""
    kind, = struct.unpack_from("<I", Path(path).read_bytes()[:0x2000], 0xf98)
    return {1: full or Dump, 5: bitmap or BitmapDump}[kind](path)


class Dump:
    """A type 1 DMP of x64: runs of memory, and what its header says of the processor."""

    kind = 1
    signature, kind_at, body = b"PAGEDU64", 0xf98, 0x2000

    crashed = 1  # which processor the header's context is of
    processors = 2

    def __init__(self, path):
        self.data = Path(path).read_bytes()
        d = self.data
        assert d[:8] == self.signature and d[self.kind_at] == self.kind, path
        self.runs = self.find_runs()
        self.read_registers()

    def read_registers(self):
        d, c = self.data, 0x348
        self.cr3, = struct.unpack_from("<Q", d, 0x10)
        self.flags, = struct.unpack_from("<I", d, c + 0x44)
        self.general = dict(zip(GENERAL, struct.unpack_from("<16Q", d, c + 0x78)))
        self.rip, = struct.unpack_from("<Q", d, c + 0xf8)
        self.segments = dict(zip(SEGMENTS, struct.unpack_from("<6H", d, c + 0x38)))

    def find_runs(self):
        count, = struct.unpack_from("<I", self.data, 0x88)
        return self.place_runs([struct.unpack_from("<QQ", self.data, 0x98 + 16 * i)
                                for i in range(count)])

    def place_runs(self, stated):
        runs, at = [], self.body
        for base, pages in stated:
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


def elf(dump, notes, runs=None, ehsize=64, xnum=False, machine=62):
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
    head += struct.pack("<HHIQQQIHHHHHH", 4, machine, 1, 0, 64, sections, 0, ehsize, 56,
                        0xffff if xnum else count, 64 if xnum else 0, 1 if xnum else 0, 0)
    section = b""
    if xnum:
        section = bytes(44) + struct.pack("<I", count) + bytes(16)
    return head + table + section + notes + memory


def split(runs, size):
    """The same memory in many small runs."""
    return [(pa + o, min(size, n - o), at + o) for pa, n, at in runs for o in range(0, n, size)]


def kdump(dump, notes, compress=lambda page: (1, zlib.compress(page, 1)), machine=b"x86_64"):
    """A kdump-compressed file (makedumpfile: diskdump_mod.h, struct disk_dump_header,
    kdump_sub_header, page_desc; QEMU writes the same)."""
    block = 4096
    pages = dump.pages()
    top = max(pages) // block + 1
    size = -(-top // (8 * block)) * block
    bits = bytearray(size)
    for pa in pages:
        bits[pa // block // 8] |= 1 << pa // block % 8
    utsname = b"".join(t.ljust(65, b"\0") for t in (b"", b"", b"", b"", machine, b""))
    notes_at = 2 * block
    bitmap_at = notes_at + -(-len(notes) // block) * block
    head = b"KDUMP   " + struct.pack("<I", 6) + utsname + bytes(6) + bytes(16)
    head += struct.pack("<IiIIIIIIII", 1, block, bitmap_at // block - 1, 2 * size // block,
                        min(top, 0xffffffff), 0, 0, 0, 0, dump.processors)
    sub = struct.pack("<QiiQQQQQQQQQQQ", 0, 1, 0, 0, 0, 0, 0, notes_at, len(notes), 0, 0, 0, 0, top)
    table_at = bitmap_at + 2 * size
    at = table_at + 24 * len(pages)
    table, data, zero = b"", b"", None
    for pa in sorted(pages):
        if zero is not None and not any(pages[pa]):
            table += zero  # QEMU keeps one page of zeros for all
            continue
        flags, packed = compress(pages[pa])
        if len(packed) >= block:
            flags, packed = 0, pages[pa]
        entry = struct.pack("<QIIQ", at + len(data), len(packed), flags, 0)
        zero = entry if not any(pages[pa]) else zero
        table += entry
        data += packed
    place = lambda b, where: b + bytes(where - len(b))
    return place(place(place(head, block) + sub, notes_at) + notes, bitmap_at) \
        + bytes(bits) * 2 + table + data


def flattened(data, piece=16384, first=lambda i: [], step=-1):
    """Records of big-endian offset and size (makedumpfile.h: makedumpfile_data_header), by default
    the last of the file first; `first` gives records that later ones overwrite."""
    out = (b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)).ljust(4096, b"\0")
    for at in range(0, len(data), piece)[::step]:
        for offset, wrong in first(at):
            out += struct.pack(">qq", offset, len(wrong)) + wrong
        out += struct.pack(">qq", at, len(data[at:at + piece])) + data[at:at + piece]
    return out + struct.pack(">qq", -1, -1)


def patched(data, at, form, *values):
    data = bytearray(data)
    struct.pack_into(form, data, at, *values)
    return bytes(data)
