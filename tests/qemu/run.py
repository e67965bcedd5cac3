#!/usr/bin/env python3
"""Memory dumps that QEMU writes of a guest, against what QEMU itself says of the same moment.

usage: run.py FOLDER   (environment: BIN; B, where it appends "check-qemu passed failed skipped")
The guest is made here (guest.py); it has page tables and no Windows.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import guest
import machine

BIN = os.environ.get("BIN", "build/release/dumpscan")
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "build/qemu")
PAGING = {"x64": "x64", "la57": "LA57", "pae": "PAE", "x86": "x86"}
NO_KERNEL = "No Windows kernel was found"


def run(*arguments):
    p = subprocess.run([BIN, *arguments], capture_output=True, timeout=120, check=False)
    return p.returncode, p.stdout, p.stderr.decode()


class Moment:
    """What one halted guest looked like: by QEMU's word and in QEMU's files."""

    def __init__(self, g):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.guest, self.name = g, g.name
        kernel = FOLDER / f"{g.name}.bin"
        kernel.write_bytes(g.image())
        width = 64 if g.long else 32
        with machine.Machine(str(kernel), processors=2) as m:
            self.registers = m.wait_halted(guest.MARK & (1 << width) - 1)
            self.files = {"elf": self.path("core"), "paging": self.path("paging.core")}
            m.dump(self.files["elf"], "elf")
            m.dump(self.files["paging"], "elf", paging=True)
            if "kdump-zlib" in m.formats():
                self.files["kdump-zlib"] = self.path("kdump")
                m.dump(self.files["kdump-zlib"], "kdump-zlib")
            self.files["raw"] = self.path("raw")
            self.memory = m.memory(self.files["raw"], guest.RAM)
            self.mapped = [va for va, _ in m.mapped()]
            asked = self.mapped + [va + 0xabc for va in self.mapped[::7]] + self.neighbours()
            self.physical = {va: m.physical(va) for va in asked}

    def path(self, ending):
        path = FOLDER / f"{self.name}.{ending}"
        path.unlink(missing_ok=True)
        return str(path)

    def neighbours(self):
        """Addresses around the mapped ones, most of them unmapped, and some anywhere."""
        mask = (1 << 64) - 1 if self.guest.long else (1 << 32) - 1
        around = [va + d & mask for va in self.mapped for d in (-0x1000, 0x1000, 1 << 21, 1 << 30)]
        keep = [va for va in around if self.guest.bits == 32 or
                guest.canonical(va, self.guest.bits) == va]
        return keep + self.guest.probe

    def register(self, name):
        return int(re.search(rf"\b{name}=([0-9a-f]+)", self.registers).group(1), 16)


def opened(m, kind):
    """Opened, and said to be without Windows."""
    arguments = ["--raw"] if kind == "raw" else []
    status, out, err = run("-f", "json", *arguments, m.files[kind])
    r = json.loads(out)
    assert status == 0 and not err, (status, err)
    assert r["bugcheck"]["code"] is None, r["bugcheck"]
    status, out, _ = run(*arguments, m.files[kind])
    assert status == 0 and NO_KERNEL in " ".join(out.decode().split()), out.decode()[:400]


def memory_equal(m, kind):
    arguments = ["--raw"] if kind == "raw" else []
    status, out, err = run("read", "-p", "--binary", *arguments, m.files[kind], "0",
                           f"{guest.RAM:x}")
    if kind != "elf" and status == 1:
        return memory_where_captured(m, kind)
    assert status == 0, (status, err)
    assert len(out) == len(m.memory) and out == m.memory, "physical memory differs"
    return None


def memory_where_captured(m, kind):
    """A dump of the mapped memory holds just that, and it must be the same."""
    status, out, err = run("maps", "-f", "json", m.files[kind])
    assert status == 0, err
    total = 0
    for row in json.loads(out):
        start, size = int(row["start"], 16), row["size"]
        if row["kind"] != "captured" or start >= guest.RAM:
            continue
        size = min(size, guest.RAM - start)
        status, got, err = run("read", "-p", "--binary", m.files[kind], f"{start:x}", f"{size:x}")
        assert status == 0 and got == m.memory[start:start + size], (hex(start), hex(size), err)
        total += size
    assert total >= 0x10000, total


def translations(m, kind, dtb=True):
    """Every address by vtop, in batches; what QEMU's own walk says."""
    asked = sorted(m.physical)
    where = ["--dtb", f"{m.guest.cr3:x}"] if dtb else []
    where += ["--raw"] if kind == "raw" else []
    wrong, mapped = [], 0
    for i in range(0, len(asked), 400):
        status, out, err = run("vtop", "-f", "json", *where, m.files[kind],
                               *(f"{va:x}" for va in asked[i:i + 400]))
        assert status == 0, (status, err)
        rows = json.loads(out)
        assert len(rows) == len(asked[i:i + 400]), len(rows)
        for va, row in zip(asked[i:i + 400], rows):
            assert int(row["address"], 16) == va, row
            assert row["paging"] == PAGING[m.name], row["paging"]
            pa = row["physical_address"]
            # QEMU knows nothing of Windows' pages in transition.
            got = int(pa, 16) if pa is not None and row["state"] == "valid" else None
            mapped += got is not None
            if got != m.physical[va]:
                wrong.append(f"{va:#x}: QEMU {m.physical[va]}, vtop {got}, {row['reason']}")
    assert not wrong, f"{len(wrong)} of {len(asked)}: " + "; ".join(wrong[:4])
    assert mapped >= len(m.mapped) and mapped < len(asked), (mapped, len(asked))


def pages_are_all_listed(m):
    """`maps --virtual` has every page of `info tlb`."""
    status, out, err = run("maps", "--virtual", "--dtb", f"{m.guest.cr3:x}", "-f", "json",
                           m.files["elf"])
    assert status == 0, (status, err)
    stretches = [(int(r["start"], 16), r["size"]) for r in json.loads(out)]
    lost = [hex(va) for va in m.mapped if m.physical[va] is not None and
            not any(0 <= va - start < size for start, size in stretches)]
    assert not lost, f"{len(lost)} pages are missing: {lost[:5]}"


def registers_equal(m):
    status, out, err = run("-f", "json", m.files["elf"])
    assert status == 0, err
    contexts = json.loads(out)["contexts"]
    first = next(c for c in contexts if int(c["pc"], 16) == m.register("[RE]IP"))
    for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp"):
        prefix = "r" if m.guest.long else "e"
        assert int(first["registers"][prefix + name], 16) == m.register("[RE]" + name.upper()), (name, first)


def tests_of(m):
    for kind in sorted(m.files):
        if kind.startswith("kdump"):
            status, _, err = run("info", m.files[kind])
            if status == 3 and "kdump" in err:
                yield f"{m.name} {kind}", None, err.strip()
                continue
        yield f"{m.name} {kind} is opened", lambda k=kind: opened(m, k), ""
        yield f"{m.name} {kind} memory", lambda k=kind: memory_equal(m, k), ""
        if kind == "raw" and m.name != "x64":
            continue  # raw memory does not say which of the paging modes it is
        yield f"{m.name} {kind} translations", lambda k=kind: translations(m, k), ""
    yield f"{m.name} without --dtb", lambda: translations(m, "elf", dtb=False), ""
    yield f"{m.name} pages", lambda: pages_are_all_listed(m), ""
    yield f"{m.name} registers", lambda: registers_equal(m), ""


def count(passed, failed, skipped):
    print(f"check-qemu: {passed} passed, {failed} failed, {skipped} skipped")
    with open(os.path.join(os.environ.get("B", "build/release"), "results"), "a",
              encoding="utf-8") as f:
        f.write(f"check-qemu {passed} {failed} {skipped}\n")


def main():
    if machine.PROGRAM is None:
        print("SKIP check-qemu: qemu-system-x86_64 is not installed; no dump by QEMU is compared")
        count(0, 0, 1)
        return 0
    passed = failed = skipped = 0
    for g in guest.all_guests():
        before, files = failed, []
        try:
            moment = Moment(g)
            files = moment.files.values()
            tests = list(tests_of(moment))
        except Exception as e:  # pylint: disable=broad-except
            tests = [(g.name, lambda e=e: (_ for _ in ()).throw(e), "")]
        for name, test, why in tests:
            if test is None:
                skipped += 1
                print(f"SKIP {name}: {why}")
                continue
            try:
                test()
                passed += 1
            except Exception as e:  # pylint: disable=broad-except
                failed += 1
                print(f"FAIL {name}: {type(e).__name__} {e}"[:1500])
        if failed == before:  # 64 MB each; what failed is kept to be looked at
            for path in files:
                Path(path).unlink()
    count(passed, failed, skipped)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
