#!/usr/bin/env python3
"""Puts the memory of complete dumps into the files that hypervisors write, sound and broken.

usage: make.py FOLDER   (reads guest*.dmp there; writes guest-elf.core and its kin)
"""
import struct
import sys
import zlib
from pathlib import Path

import arches
import pack
import uefi
import vmware
from containers import (Dump, elf, flattened, kdump, note, patched, prstatus, qemu_state, split)


def packed_kdumps(dump, notes):
    """Each way to pack pages, whole and with one page that does not unpack."""
    out = {}
    zlibbed = lambda page: (1, zlib.compress(page, 1))
    for name, pack_page in (("zlib", zlibbed), ("lzo", pack.lzo), ("snappy", pack.snappy),
                            ("zstd", pack.zstd)):
        sound = kdump(dump, notes, pack_page)
        subs, bitmaps = struct.unpack_from("<II", sound, 432)
        at, size, flags = struct.unpack_from("<QII", sound, (1 + subs + bitmaps) * 4096 + 24 * 40)
        assert flags == pack_page(bytes(4096))[0], "that page is stored"
        out[f"kdump-{name}.kdump"] = sound
        out[f"kdump-{name}-bad.kdump"] = sound[:at] + b"\xff" * size + sound[at + size:]
    return out


def kdump_files(dump, notes):
    """kdump files, sound and hostile: name and bytes."""
    sound = kdump(dump, notes)
    flat = flattened(sound)
    subs, bitmaps = struct.unpack_from("<II", sound, 432)
    table_at = (1 + subs + bitmaps) * 4096
    return {
        "kdump.kdump": sound,
        "kdump-stored.kdump": kdump(dump, notes, lambda page: (0, page)),
        "kdump-no-notes.kdump": kdump(dump, b""),
        "kdump-flat.kdump": flat,
        "kdump-flat-over.kdump": flattened(sound, 5000, lambda i: [(max(i - 100, 0), b"\xff" * 300)]),
        "kdump-flat-elf.core": flattened(elf(dump, notes)),
        "kdump-cut.kdump": sound[:-0x40],
        "kdump-flat-cut.kdump": flattened(sound, 4096, step=1)[:-0x50],
        "kdump-flat-far.kdump": flat[:-16] + struct.pack(">qq", 1 << 62, 4) + b"far!",
        "kdump-flat-negative.kdump": flat[:-16] + struct.pack(">qq", -5, 4) + b"back",
        "kdump-flat-empty.kdump": flattened(b""),
        "kdump-block.kdump": patched(sound, 428, "<i", 3),
        "kdump-sub.kdump": patched(sound, 432, "<I", 0x7fffffff),
        "kdump-mapnr.kdump": patched(patched(sound, 440, "<I", 0xffffffff), 4096 + 96, "<Q", 1 << 60),
        "kdump-bitmap.kdump": patched(sound, 436, "<I", 0x7fffffff),
        "kdump-notes.kdump": patched(sound, 4096 + 48, "<QQ", 1 << 62, 1 << 62),
        "kdump-page.kdump": patched(sound, table_at + 24 * 40, "<QI", 1 << 60, 0xffffffff),
        **packed_kdumps(dump, notes),
    }


def elf_files(dump, both, portable):
    """ELF cores, sound and absurd: name and bytes."""
    sound = elf(dump, both)
    first = 64 + 56  # the program header of the first run
    count = len(dump.runs)
    holes = [(dump.runs[-1][0] + (1 << 30), 0, 0)]
    zeros = bytes(0x2000)

    def changed(*changes, to=sound):
        for at, form, *values in changes:
            to = patched(to, at, form, *values)
        return to

    every = [first + 56 * i for i in range(count)]
    return {
        "elf.core": sound,
        "elf-prstatus.core": elf(dump, portable),
        "elf-no-notes.core": elf(dump, b""),
        "elf-many.core": elf(dump, both, split(dump.runs, 0x1000)),
        "elf-xnum.core": elf(dump, both, split(dump.runs, 0x1000), ehsize=8, xnum=True),
        "elf-odd.core": elf(dump, both, split(dump.runs, 0x1800)),
        "elf-odder.core": elf(dump, both, split(dump.runs, 0xa01)),
        "elf-process.core": elf(dump, portable, [(0, n, at) for _, n, at in dump.runs[:1] * 3]),
        "elf-cut.core": sound[:-0x3000],
        # A ROM or a video hole: stated, without bytes.
        "elf-hole.core": changed(*((at + 40, "<Q", 1 << 63) for at in every), to=elf(dump, both, dump.runs + holes)),
        # The same memory twice; the second time over wrong bytes, which lose.
        "elf-overlap.core": changed((64 + 56 * (count + 1) + 8, "<Q", 64),
                                    to=elf(dump, both, dump.runs + dump.runs[:1])),
        "elf-far.core": changed((first + 8, "<Q", 1 << 62), to=elf(dump, both, dump.runs[:1] + dump.runs)),
        "elf-wrap.core": changed((first + 24, "<Q", (1 << 64) - 0x1000),
                                 to=elf(dump, both, dump.runs[:1] + dump.runs)),
        "elf-notes-far.core": changed((64 + 8, "<QQQQ", 1 << 63, 0, 0, 1 << 63)),
        "elf-notes-lie.core": elf(dump, struct.pack("<III", 0xfffffff0, 0xfffffff0, 1) + zeros),
        "elf-count.core": changed((56, "<H", 0xfffe)),
        "elf-xnum-lies.core": changed((40, "<Q", 0x100), (56, "<H", 0xffff), (0x12c, "<I", 0xffffffff)),
        "elf-table-far.core": changed((32, "<Q", (1 << 64) - 8)),
    }


def main():
    folder = Path(sys.argv[1])
    dump = Dump(folder / "guest.dmp")
    cpus = range(Dump.processors)
    portable = b"".join(note(b"CORE", 1, prstatus(dump, i)) for i in cpus)
    both = portable + b"".join(note(b"QEMU", 0, qemu_state(dump, i)) for i in cpus)
    files = elf_files(dump, both, portable)
    files.update(kdump_files(dump, both))
    files.update(vmware.files(dump))
    vmware.high(Dump(folder / "guest-high.dmp"), folder / "guest-high.vmem")
    files["elf-small.core"] = elf(dump, both, split(dump.runs, 0x180)[:6], xnum=True)
    files["elf-small-cut.core"] = files["elf-small.core"][:-0x200]
    arm64 = arches.DumpArm64(folder / "guest-arm64.dmp")
    for name, data in uefi.files(dump, arm64).items():
        (folder / name).write_bytes(data)
    for prefix, made in (("guest", files),
                         ("guest-x86", arches.files32(arches.Dump32(folder / "guest-x86.dmp"))),
                         ("guest-arm64",
                          arches.files_arm64(arm64))):
        for name, data in made.items():
            (folder / f"{prefix}-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
