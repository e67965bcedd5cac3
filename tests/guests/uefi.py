"""Offline crash dumps as firmware writes them (OfflineCrashDumpUefi: OfflineDumpHeaders.h).
Shares nothing with the program."""
import struct

VALID, NO_ROOM, PROTECTED = 1, 2, 4


def section(kind, at, size, info, name, flags=VALID):
    return struct.pack("<IHHIQQ", flags, 1, 0, kind, at, size) + info.ljust(16, b"\0") \
        + name.ljust(20, b"\0")


def dump(source, context, cpu_architecture, system_architecture, flags=VALID, without=()):
    """The memory of a complete dump; the context that its header has is the crashed processor's."""
    at = 56 + 64 * (len(source.runs) + 3)
    contexts = b"".join(context if i == source.crashed else bytes(len(context))
                        for i in range(source.processors))
    sections = section(5, at, 0, b"FABRPLATFORM" + struct.pack("<I", system_architecture), b"System")
    sections += section(4, at, 0, struct.pack("<4I", 7, 8, 0, 0), b"Reason")
    sections += section(2, at, len(contexts),
                        struct.pack("<HII", cpu_architecture, source.processors, len(context)), b"CPU")
    body = contexts
    for i, run in enumerate(source.runs):
        data = source.memory(run)
        lost = i in without
        sections += section(1, at + len(body), len(data), struct.pack("<Q", run[0]), b"DDR%d" % i,
                            NO_ROOM if lost else VALID)
        body += b"" if lost else data
    size = at + len(body)
    head = b"Raw_Dmp!" + struct.pack("<HHIQQIQQI", 1, 0, flags, 0, 0, 0, size, size,
                                     len(source.runs) + 3)
    return head + sections + body


def files(x64, arm64):
    sound = dump(x64, x64.data[0x348:0x348 + 1232], 9, 1)
    extra = x64.runs + [(1 << 40, 0x1000, x64.runs[0][2])]
    full = type("Lost", (), {"runs": extra, "crashed": 1, "processors": 2, "memory": x64.memory})
    small = type("Small", (), {"runs": [(pa, 0x300, at) for pa, _, at in x64.runs], "crashed": 1,
                               "processors": 2, "memory": x64.memory})
    return {
        "guest-uefi.rawdmp": sound,
        "guest-uefi-small.rawdmp": dump(small, x64.data[0x348:0x348 + 1232], 9, 1),
        "guest-arm64-uefi.rawdmp": dump(arm64, arm64.data[0x348:0x348 + 912], 12, 0),
        "guest-uefi-cut.rawdmp": sound[:-0x3000],
        "guest-uefi-lost.rawdmp": dump(full, x64.data[0x348:0x348 + 1232], 9, 1, NO_ROOM | PROTECTED,
                                       (len(extra) - 1,)),
        "guest-uefi-count.rawdmp": sound[:52] + b"\xff\xff\xff\xff" + sound[56:],
        "guest-uefi-empty.rawdmp": sound[:52] + bytes(4) + sound[56:],
        "guest-uefi-head.rawdmp": sound[:40],
        "guest-uefi-locked.rawdmp": b"Enc_Dmp!" + sound[8:],
    }
