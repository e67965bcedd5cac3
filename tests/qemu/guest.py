"""A guest that makes page tables and halts: a Multiboot image, emitted byte by byte.

The processor starts it in protected mode without paging (Multiboot 0.6.96). It loads CR4, CR3, EFER
and CR0, in long mode jumps to 64-bit code, fills its registers with known values and halts. Page
tables are part of the image. Entry formats: Intel SDM volume 3, chapter "Paging".
"""
import random
import struct

LOAD = 0x100000  # where Multiboot puts the image
CODE = LOAD + 0x40
TABLES = LOAD + 0x1000
RAM = 64 << 20
MARK = 0x1122334455667788  # RAX once the tables are in use; the others count on from it

P, W, U, PWT, PCD, A, D, PS, G = (1 << i for i in range(9))
PAT_LARGE = 1 << 12
NX = 1 << 63

PG, WP, PE, ET = 1 << 31, 1 << 16, 1, 1 << 4
CR4_PSE, CR4_PAE, CR4_PGE, CR4_LA57 = 1 << 4, 1 << 5, 1 << 7, 1 << 12
EFER_LME, EFER_NXE = 1 << 8, 1 << 11


class Tables:
    """Tables one after the other from TABLES on, entries of `size` bytes."""

    def __init__(self, size):
        self.size, self.entries, self.made = size, {}, 0

    def table(self, pages=1):
        self.made += pages
        return TABLES + (self.made - pages) * 0x1000

    def set(self, table, index, value):
        self.entries[table + index * self.size] = value

    def image(self):
        data = bytearray(self.made * 0x1000)
        for at, value in self.entries.items():
            struct.pack_into("<Q" if self.size == 8 else "<I", data, at - TABLES, value)
        return bytes(data)


class Guest:
    """cr3, the tables, the control registers, and addresses of interest besides the mapped ones."""

    def __init__(self, name):
        self.name, self.long, self.cr4, self.efer, self.probe = name, False, CR4_PGE, 0, []

    def image(self):
        code = self.code()
        assert CODE - LOAD + len(code) <= 0x1000, "the code fills its page"
        tables = self.tables.image()
        end = TABLES + len(tables)
        flags = 1 << 16  # the header has the addresses
        head = struct.pack("<8I", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xffffffff,
                           LOAD, LOAD, end, end, CODE)
        return head.ljust(CODE - LOAD, b"\0") + code.ljust(TABLES - CODE, b"\0") + tables

    def code(self):
        c = b"\xfa"                                                       # cli
        c += b"\xb8" + struct.pack("<I", self.cr4) + b"\x0f\x22\xe0"      # mov cr4, ...
        c += b"\xb8" + struct.pack("<I", self.cr3) + b"\x0f\x22\xd8"      # mov cr3, ...
        if self.efer:
            c += b"\xb9\x80\x00\x00\xc0" + b"\x31\xd2" + b"\xb8" + struct.pack("<I", self.efer)
            c += b"\x0f\x30"                                              # wrmsr
        c += b"\xb8" + struct.pack("<I", PG | WP | PE | ET) + b"\x0f\x22\xc0"  # mov cr0, ...
        if not self.long:
            return c + self.mark32()
        body = self.mark64()
        at = CODE + len(c) + 14
        gdt = at + len(body)
        c += b"\x0f\x01\x15" + struct.pack("<I", gdt + 16)                # lgdt
        c += b"\xea" + struct.pack("<IH", at, 8)                          # jmp 8:at
        table = struct.pack("<QQ", 0, 0x00af9b000000ffff)
        return c + body + table + struct.pack("<HQ", len(table) - 1, gdt)

    def mark64(self):
        c = b""
        for i in range(15, -1, -1):                                       # mov reg, imm64
            c += bytes([0x49 if i >= 8 else 0x48, 0xb8 + i % 8]) + struct.pack("<Q", MARK + i)
        return c + b"\xf4\xeb\xfd"                                        # hlt; jmp back

    def mark32(self):
        c = b""
        for i in range(7, -1, -1):                                        # mov reg, imm32
            c += bytes([0xb8 + i]) + struct.pack("<I", (MARK + i) & 0xffffffff)
        return c + b"\xf4\xeb\xfd"


def fill(t, r, table, count, make, indices):
    """Entries at random places; half of what is not present has bits that mean nothing then."""
    for i in r.sample(indices, count):
        t.set(table, i, make(r))
    for i in r.sample(indices, count // 2):
        t.entries.setdefault(table + i * t.size, r.getrandbits(t.size * 8) & ~1)


def page(r):
    """A 4 KB page somewhere in or beyond memory, of any rights."""
    flags = P | r.getrandbits(9) & (W | U | PWT | PCD | A | D | PS | G)
    return r.randrange(RAM + (8 << 20)) & ~0xfff | flags | r.getrandbits(3) << 9


def page64(r):
    return page(r) | r.getrandbits(7) << 52 | r.choice((0, NX))


def large(r, size):
    flags = P | PS | r.getrandbits(9) & (W | U | PWT | PCD | A | D | G)
    place = r.choice((RAM, 1 << 33, 1 << 39)) - 1
    return r.getrandbits(40) & place & ~(size - 1) | flags | r.choice((0, PAT_LARGE))


def large64(r, size):
    return large(r, size) | r.getrandbits(7) << 52 | r.choice((0, NX))


def long_tables(g, t, r, top):
    """PML4 at `top`: this code in low memory, pages of all sizes and both halves, a self-map."""
    rest = range(1, 512)
    low = [t.table() for _ in range(3)]
    t.set(top, 0, low[0] | P | W | U)
    t.set(low[0], 0, low[1] | P | W | U)
    t.set(low[1], 0, low[2] | P | W | A)
    t.set(low[2], LOAD >> 12, LOAD | P | W | A | D)
    t.set(low[2], 0, 0)
    for index in (1, 255, 256, 0x1f0, 511):
        pdpt, pd, pt = t.table(), t.table(), t.table()
        t.set(top, index, pdpt | P | r.choice((0, W)) | r.choice((0, NX)) | U)
        fill(t, r, pdpt, 6, lambda r: large64(r, 1 << 30), rest)
        t.set(pdpt, 0, pd | P | W | U)
        fill(t, r, pd, 12, lambda r: large64(r, 2 << 20), rest)
        t.set(pd, 0, pt | P | W)
        fill(t, r, pt, 40, page64, rest)
    t.set(top, 0x1ed, top | P | W | NX)
    t.set(top, 0x1ee, 0xdeadbeef000 | W)  # not present


def canonical(va, bits):
    va &= (1 << bits) - 1
    return va | (1 << 64) - (1 << bits) if va >> (bits - 1) else va


def long_mode(name, la57):
    g, t, r = Guest(name), Tables(8), random.Random(57 if la57 else 64)
    g.long, g.tables, g.bits = True, t, 57 if la57 else 48
    g.cr4 |= CR4_PAE | (CR4_LA57 if la57 else 0)
    g.efer = EFER_LME | EFER_NXE
    top = t.table()
    pml4 = top
    if la57:
        for index in (0, 0x100, 511):
            pml4 = t.table()
            t.set(top, index, pml4 | P | W | U)
            if index:
                pdpt = t.table()
                t.set(pml4, 3, pdpt | P | W)
                fill(t, r, pdpt, 5, lambda r: large64(r, 1 << 30), range(512))
            else:
                long_tables(g, t, r, pml4)
        t.set(top, 0x1ed, top | P | W | NX)
    else:
        long_tables(g, t, r, top)
    g.cr3 = top | PWT | PCD
    g.probe = [canonical(r.getrandbits(64), g.bits) for _ in range(40)]
    return g


def pae():
    g, t, r = Guest("pae"), Tables(8), random.Random(36)
    g.cr4 |= CR4_PAE
    g.efer = EFER_NXE
    g.bits = 32
    pdpt = t.table() + 0x20  # needs 32-byte alignment only
    for index in (0, 1, 3):
        pd, pt = t.table(), t.table()
        t.set(pdpt, index, pd | P)
        fill(t, r, pd, 20, lambda r: large64(r, 2 << 20) & ~(0x7f << 52), range(1, 512))
        t.set(pd, 0, pt | P | W | U)
        fill(t, r, pt, 60, lambda r: page64(r) & ~(0x7f << 52), range(512))
        if index == 0:
            first = pt
            t.set(pt, LOAD >> 12, LOAD | P | W | A | D)
    for i in range(t.made):  # a dump of what is mapped is to have the tables
        t.set(first, (TABLES >> 12) + i, TABLES + (i << 12) | P | W)
    g.tables, g.cr3 = t, pdpt
    g.probe = [r.getrandbits(32) for _ in range(40)]
    return g


def legacy():
    """Two levels, with 4 MB pages, some of them beyond 4 GB (PSE-36)."""
    g, t, r = Guest("x86"), Tables(4), random.Random(32)
    g.cr4 |= CR4_PSE
    g.bits = 32
    pd, pt, high = t.table(), t.table(), t.table()
    t.set(pd, 0, pt | P | W | U)
    t.set(pd, 0x300, high | P | W)
    fill(t, r, pt, 80, page, range(1024))
    fill(t, r, high, 80, page, range(1024))
    t.set(pt, LOAD >> 12, LOAD | P | W | A | D)
    free = [i for i in range(1, 1023) if i != 0x300]
    fill(t, r, pd, 30, lambda r: large(r, 4 << 20) & 0xffffffff, free)
    for i in free[5:9]:
        t.set(pd, i, r.getrandbits(8) << 13 | 0x1400000 | P | PS | W)
    t.set(pd, 1023, pd | P | W)  # self-map
    g.tables, g.cr3 = t, pd | PCD
    g.probe = [r.getrandbits(32) for _ in range(40)]
    return g


def all_guests():
    return [long_mode("x64", False), long_mode("la57", True), pae(), legacy()]
