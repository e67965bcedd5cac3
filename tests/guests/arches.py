"""Guests that are no x64: their complete dumps, and the ELF cores and kdumps that QEMU makes of them.

Structures: Windows SDK mindumpdef.h (DUMP_HEADER32), winnt.h (CONTEXT of I386 and ARM64), Linux'
elf_prstatus of i386 and arm64, QEMU's target/i386/arch_dump.c. Shares nothing with the program.
"""
import struct

import containers

EM_386, EM_AARCH64 = 3, 183
X86_CONTEXT = {"gs": 0x8c, "fs": 0x90, "es": 0x94, "ds": 0x98, "edi": 0x9c, "esi": 0xa0, "ebx": 0xa4,
               "edx": 0xa8, "ecx": 0xac, "eax": 0xb0, "ebp": 0xb4, "eip": 0xb8, "cs": 0xbc,
               "eflags": 0xc0, "esp": 0xc4, "ss": 0xc8}


class Dump32(containers.Dump):
    """A complete dump of x86."""

    processors = 1
    crashed = 0
    signature, kind_at, body = b"PAGEDUMP", 0xf88, 0x1000

    def find_runs(self):
        count, total = struct.unpack_from("<II", self.data, 0x64)
        runs = [struct.unpack_from("<II", self.data, 0x6c + 8 * i) for i in range(count)]
        assert total == sum(pages for _, pages in runs), "sums do not fit"
        return self.place_runs(runs)

    def read_registers(self):
        self.cr3, = struct.unpack_from("<I", self.data, 0x10)
        self.general = {n: struct.unpack_from("<I", self.data, 0x320 + at)[0]
                        for n, at in X86_CONTEXT.items()}
        self.rip = self.general["eip"]


class DumpArm64(containers.Dump):
    """A complete dump of ARM64."""

    def read_registers(self):
        self.cr3, = struct.unpack_from("<Q", self.data, 0x10)
        self.flags, = struct.unpack_from("<I", self.data, 0x348 + 4)
        self.general = struct.unpack_from("<31Q", self.data, 0x348 + 8)
        self.sp, self.rip = struct.unpack_from("<QQ", self.data, 0x348 + 0x100)


class BitmapDumpArm64(DumpArm64, containers.BitmapDump):
    """The same as a bitmap dump."""

    find_runs, kind = containers.BitmapDump.find_runs, 5


def any_arm64(path):
    return containers.any_dump(path, DumpArm64, BitmapDumpArm64)


def prstatus32(dump):
    order = ["ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs", None, "eip",
             "cs", "eflags", "esp", "ss"]
    return bytes(72) + struct.pack("<17I", *(dump.general.get(r, 0) for r in order)) + bytes(4)


def qemu_state32(dump):
    """QEMUCPUState has 64-bit members whatever the guest is."""
    g = dump.general
    order = ["eax", "ebx", "ecx", "edx", "esi", "edi", "esp", "ebp"]
    body = struct.pack("<16Q", *[g[r] for r in order], *[0] * 8)
    body += struct.pack("<QQ", g["eip"], g["eflags"])
    for name in containers.SEGMENTS + ["ldt", "tr", "gdt", "idt"]:
        body += struct.pack("<IIIIQ", g.get(name, 0), 0xffffffff, 0, 0, 0)
    body += struct.pack("<5Q", 0x80010031, 0, 0, dump.cr3, 0x6d8)
    return struct.pack("<II", 1, 8 + len(body)) + body


def prstatus_arm64(dump, cpu):
    if cpu != dump.crashed:
        return bytes(112 + 34 * 8 + 8)
    return bytes(112) + struct.pack("<34Q", *dump.general, dump.sp, dump.rip, dump.flags) + bytes(8)


def elf32(dump, notes, runs=None, xnum=False):
    """An ELF core of class 32; with `xnum` the first section header has the number of segments."""
    runs = runs if runs is not None else dump.runs
    count = len(runs) + 1
    sections = 52 + 32 * count
    notes_at = sections + (40 if xnum else 0)
    at = notes_at + len(notes)
    table, memory = struct.pack("<8I", 4, notes_at, 0, 0, len(notes), len(notes), 0, 0), b""
    for run in runs:
        m = dump.memory(run)
        table += struct.pack("<8I", 1, at + len(memory), 0, run[0], len(m), len(m), 0, 0)
        memory += m
    head = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 4, EM_386, 1, 0, 52, sections if xnum else 0, 0, 52, 32,
        0xffff if xnum else count, 40 if xnum else 0, 1 if xnum else 0, 0)
    section = bytes(28) + struct.pack("<I", count) + bytes(8) if xnum else b""
    return head + table + section + notes + memory


def files32(dump):
    portable = containers.note(b"CORE", 1, prstatus32(dump))
    both = portable + containers.note(b"QEMU", 0, qemu_state32(dump))
    pages = containers.split(dump.runs, 0x1000)
    return {
        "elf32.core": elf32(dump, both),
        "elf32-prstatus.core": elf32(dump, portable),
        "elf32-no-notes.core": elf32(dump, b""),
        "elf32-xnum.core": elf32(dump, both, pages, xnum=True),
        "elf32-odd.core": elf32(dump, both, containers.split(dump.runs, 0xe00)),
        # A memory block that ends at 4 GiB makes QEMU write class 64, the machine stays.
        "elf64.core": containers.elf(dump, both, machine=EM_386),
        "elf64-prstatus.core": containers.elf(dump, portable, ehsize=8, machine=EM_386),
        "elf32-small.core": elf32(dump, both, containers.split(dump.runs, 0x180)[:6], xnum=True),
        # QEMU names its own machine in the header, whatever the guest is.
        "kdump.kdump": containers.kdump(dump, both),
        "kdump-flat.kdump": containers.flattened(containers.kdump(dump, both)),
    }


def files_arm64(dump):
    notes = b"".join(containers.note(b"CORE", 1, prstatus_arm64(dump, i))
                     + containers.note(b"CORE", 2, bytes(528)) for i in range(dump.processors))
    return {
        "elf.core": containers.elf(dump, notes, machine=EM_AARCH64),
        "elf-no-notes.core": containers.elf(dump, b"", machine=EM_AARCH64),
        "elf-many.core": containers.elf(dump, notes, containers.split(dump.runs, 0x1000), machine=EM_AARCH64),
        # A state of a kind that is not known is no state.
        "elf-other-notes.core": containers.elf(dump, containers.note(b"CORE", 1, bytes(200))
                                         + containers.note(b"LINUX", 0x400, bytes(64)),
                                         machine=EM_AARCH64),
        "elf-small.core": containers.elf(dump, notes, containers.split(dump.runs, 0x180)[:6],
                                         machine=EM_AARCH64),
        "kdump.kdump": containers.kdump(dump, notes, machine=b"aarch64"),
    }
