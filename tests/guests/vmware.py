"""Saved states of VMware, as crash-utility's vmware_vmss.h and Volatility 3's vmware.py read them.
Shares nothing with the program."""
import struct

ORDER = ["rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi"] + [f"r{i}" for i in range(8, 16)]
IDT = 0xfffff8061386c000  # nobody looks there: the kernel is found before


def tag(name, indices, value, size):
    return (bytes([size | len(indices) << 6, len(name)]) + name.encode()
            + b"".join(struct.pack("<I", i) for i in indices) + value)


def u32(name, value, *indices):
    return tag(name, indices, struct.pack("<I", value & 0xffffffff), 4)


def u64(name, value, *indices):
    return tag(name, indices, struct.pack("<Q", value), 8)


def block(name, data, *indices, pad=0, size=63):
    return tag(name, indices, struct.pack("<QQH", len(data), len(data), pad) + bytes(pad) + data,
               size)


def registers(dump, cpu, blocks):
    """One processor's tags; the other than the crashed one is at rest with zeros."""
    g = dump.general if cpu == dump.crashed else {r: 0 for r in ORDER}
    rip = dump.rip if cpu == dump.crashed else 0
    cr = [0x80050033, 0, 0, dump.cr3, 0x1506f8]
    if blocks:
        out = block("gpregs", struct.pack("<16Q", *(g[r] for r in ORDER)), cpu, pad=3)
        out += block("CR64", struct.pack("<9Q", *cr, 0, 0, 0, 0), cpu)
        out += block("IDTR", struct.pack("<HQ", 0xfff, IDT), cpu)
    else:
        out = b"".join(u64(r, g[r], cpu) for r in ORDER)
        out += b"".join(u64("CR64", v, cpu, i) for i, v in enumerate(cr))
        out += u32("IDTR", IDT, cpu, 1) + u32("IDTR", IDT >> 32, cpu, 2)
    return out + u64("rip", rip, cpu) + u32("eflags", dump.flags, cpu)


def state(dump, memory=None, blocks=False, magic=0xbed2bed2, compressed=False):
    """The state file; `memory` is put inside, else regions tell of the .vmem file."""
    cpu = u32("cpu:numVCPUs", dump.processors)
    cpu += b"".join(registers(dump, i, blocks) for i in range(dump.processors)) + b"\0\0"
    mem, page = u32("regionsCount", len(dump.runs)), 0
    for i, (pa, size, _) in enumerate(dump.runs):
        mem += u32("regionPPN", pa >> 12, i) + u32("regionPageNum", page, i)
        mem += u32("regionSize", size >> 12, i)
        page += size >> 12
    if memory is not None:
        mem += block("Memory", memory, 0, 0, pad=7, size=62 if compressed else 63)
    mem += b"\0\0"
    groups = [("Checkpoint", b"\0\0"), ("cpu", cpu), ("memory", mem)]
    out = struct.pack("<III", magic, 8, len(groups))
    at = len(out) + 80 * len(groups)
    for name, data in groups:
        out += name.encode().ljust(64, b"\0") + struct.pack("<QQ", at, len(data))
        at += len(data)
    return out + b"".join(data for _, data in groups)


def files(dump):
    """{name: bytes}: a .vmem with its state, a snapshot, a state with the memory inside."""
    memory = b"".join(dump.memory(r) for r in dump.runs)
    end = max(pa + n for pa, n, _ in dump.runs)
    flat = bytearray(end)
    for r in dump.runs:
        flat[r[0]:r[0] + r[1]] = dump.memory(r)
    return {
        "vm.vmem": memory, "vm.vmss": state(dump),
        "snapshot.vmem": memory, "snapshot.vmsn": state(dump, blocks=True, magic=0xbed3bed3),
        "inside.vmss": state(dump, memory),
        "alone.vmem": bytes(flat),
        "bare.vmss": state(dump),
        "packed.vmss": state(dump, memory, compressed=True),
        "cut.vmem": memory[:-0x3000], "cut.vmss": state(dump),
        "torn.vmem": memory, "torn.vmss": state(dump)[:0x300],
    }


def high(dump, path):
    """A .vmem of more than 3 GiB, sparse: memory from 4 GiB on follows that below 3 GiB."""
    with open(path, "wb") as f:
        for run in dump.runs:
            assert run[0] + run[1] <= 3 << 30 or run[0] >= 4 << 30, "memory in the hole"
            f.seek(run[0] if run[0] < 3 << 30 else run[0] - (1 << 30))
            f.write(dump.memory(run))
        f.truncate((3 << 30) + (4 << 20))
