#!/usr/bin/env python3
"""One machine's memory in every container of a hypervisor: the same report as the DMP's.

Environment: BIN, RUNNER, B (appends "guests passed failed skipped" to $B/results).
"""
import gzip
import json
import os
import shlex
import subprocess
import sys
import zipfile

import arches
import containers

FIXTURES = "build/fixtures"
BIN = shlex.split(os.environ.get("RUNNER", "")) + [os.environ.get("BIN", "build/release/dumpscan")]


def run(*arguments):
    p = subprocess.run(BIN + list(arguments), capture_output=True, timeout=120, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def report(name):
    status, out, err = run("-f", "json", f"{FIXTURES}/{name}")
    assert out, f"no report of {name}: {status} {err}"
    return status, json.loads(out)


OTHERS = {
    "guest-x86": ["elf32.core", "elf32-prstatus.core", "elf32-no-notes.core", "elf32-xnum.core",
                  "elf32-odd.core", "elf64.core", "elf64-prstatus.core", "kdump.kdump",
                  "kdump-flat.kdump"],
    "guest-arm64": ["uefi.rawdmp", "elf.core", "elf-no-notes.core", "elf-many.core", "elf-other-notes.core",
                    "kdump.kdump"],
}


PACKINGS = ("zlib", "lzo", "snappy", "zstd")


def comparable(r):
    """A report without what tells of the container: file, header fields, how things were found."""
    r = json.loads(json.dumps(r))
    r["windbg"]["keys"].pop("Dump.Attributes.AsUlong", None)
    # Contexts say where they were read; patterns that ask the header's Attributes cannot tell.
    for key in ("dump", "integrity", "bootstrap", "walks", "cannot_tell", "no_match", "contexts"):
        r.pop(key)
    for cpu in r["processors"]:  # where each one was is the hypervisor's word, not the kernel's
        cpu.pop("pc"), cpu.pop("where")
    return r


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b:
        yield f"{path}: {str(a)[:200]} is now {str(b)[:200]}"


CODES = {"guest": "0x000000d1", "guest-high": "0x000000d1", "guest-x86": "0x0000000a", "guest-arm64": "0x00000139"}
wanted = {}


def same_report(name, twin="guest", status=0):
    if twin not in wanted:
        wanted[twin] = comparable(report(f"{twin}.dmp")[1])
    got_status, r = report(name)
    assert got_status == status, got_status
    assert r["bugcheck"]["code"] == CODES[twin], r["bugcheck"]
    diff = list(differences(wanted[twin], comparable(r)))
    assert not diff, "; ".join(diff[:8])


def lies_of_elf_are_said():
    for name, check, words in (("far", "file.truncated", "0x4000000000"), ("wrap", "elf.segment", "1 beyond"),
                               ("notes-far", "elf.notes", "0 of their"),
                               ("count", "elf.program_headers", "of 65534"),
                               ("xnum-lies", "elf.program_headers", "of 4294967295")):
        damage_is_said(f"guest-elf-{name}.core", check, words)
    refused("guest-elf-table-far.core", "behind the end of the file")


def lacking_registers_are_said():
    for name in ("guest-elf-no-notes", "guest-elf-notes-lie", "guest-x86-elf32-no-notes",
                 "guest-arm64-elf-no-notes", "guest-arm64-elf-other-notes"):
        _, r = report(f"{name}.core")
        assert any(n["check"] == "elf.processor_notes" for n in r["integrity"]), r["integrity"]
        assert not any(c["source"] == "hypervisor" for c in r["contexts"]), name
    _, r = report("guest-arm64-elf.core")
    assert any(c["source"] == "hypervisor" for c in r["contexts"])


def cut_elf_is_said():
    status, r = report("guest-elf-cut.core")
    assert status == 4, status
    assert any(n["check"] == "file.truncated" for n in r["integrity"]), r["integrity"]
    assert r["bugcheck"]["code"] == "0x000000d1", r["bugcheck"]


def damage_is_said(name, check, words):
    status, r = report(name)
    assert status == 4, status
    found = [n for n in r["integrity"] if n["check"] == check]
    assert found and words in json.dumps(found), r["integrity"]
    assert r["bugcheck"]["code"] == "0x000000d1", r["bugcheck"]


def refused(name, words, *arguments):
    status, out, err = run(*arguments, f"{FIXTURES}/{name}")
    assert status == 3 and words in err and not out, (status, err)


def in_an_archive():
    """libkdumpfile gets a file without a name; nothing is left behind."""
    where = ["/var/tmp", "/tmp"]
    files = lambda: sorted(n for w in where for n in os.listdir(w) if n.startswith("dumpscan-"))
    before = files()
    path = os.path.join(os.environ.get("B", "build/release"), "guest-kdump.gz")
    with open(f"{FIXTURES}/guest-kdump-flat.kdump", "rb") as f, gzip.open(path, "wb") as z:
        z.write(f.read())
    status, out, err = run("-f", "json", path)
    os.remove(path)
    diff = list(differences(comparable(report("guest.dmp")[1]), comparable(json.loads(out))))
    assert status == 0 and not diff and not err, (status, err, diff[:8])
    assert files() == before


def packed(name, *files):
    """The same report from a .gz of each file and from a .zip of them."""
    folder = os.path.join(os.environ.get("B", "build/release"), "packed")
    os.makedirs(folder, exist_ok=True)
    made = []
    try:
        for f in files:
            made.append(os.path.join(folder, f + ".gz"))
            with open(f"{FIXTURES}/{f}", "rb") as src, gzip.open(made[-1], "wb", 1) as out:
                out.write(src.read())
        made.append(os.path.join(folder, "guest.zip"))
        with zipfile.ZipFile(made[-1], "w", zipfile.ZIP_DEFLATED) as z:
            for f in files:
                z.write(f"{FIXTURES}/{f}", f"machine/{f}")
        want = comparable(report("guest.dmp")[1])
        for path in [os.path.join(folder, name + ".gz"), made[-1], f"{made[-1]}!machine/{name}"]:
            status, out, err = run("-f", "json", path)
            assert status == 0 and not err, (path, status, err)
            diff = list(differences(want, comparable(json.loads(out))))
            assert not diff, (path, diff[:8])
    finally:
        for path in made:
            os.remove(path)


def kdump_tests():
    t = [(f"same_report {n}", lambda n=n: same_report(f"guest-{n}")) for n in
         ("kdump.kdump", "kdump-stored.kdump", "kdump-no-notes.kdump", "kdump-flat.kdump",
          "kdump-flat-over.kdump",
          *(f"kdump-{p}.kdump" for p in PACKINGS))]
    t += [(f"same_report {t}-{n}", lambda t=t, n=n: same_report(f"{t}-{n}", t))
          for t, kinds in OTHERS.items() for n in kinds if "kdump" in n]
    t += [(f"damage {n}", lambda n=n, c=c, w=w: damage_is_said(f"guest-kdump-{n}.kdump", c, w))
          for n, c, w in (("page", "kdump.pages", "1 of "),
                          *((f"{p}-bad", "kdump.pages", "1 of ") for p in PACKINGS), ("cut", "file.truncated", "cannot, from physical address"),
                          ("flat-cut", "archive.damaged", "within a record"),
                          ("flat-negative", "archive.damaged", "negative"))]
    t += [(f"refused {n}", lambda n=n, w=w: refused(f"guest-kdump-{n}.kdump", w)) for n, w in
          (("block", "libkdumpfile "), ("sub", "libkdumpfile "),
           ("mapnr", "libkdumpfile "), ("bitmap", "libkdumpfile "),
           ("notes", "libkdumpfile "))]
    t += [(f"packed {n}", lambda n=n: packed(n, n)) for n in
          ("guest-kdump.kdump", "guest-kdump-flat.kdump")]
    t += [("converted kdump", lambda: converted("guest-kdump.kdump", "full")),
          ("in_an_archive", in_an_archive)]
    return t


def kdump_is_refused_by_name():
    refused("guest-kdump.kdump", "built without libkdumpfile")
    refused("guest-kdump-flat.kdump", "built without libkdumpfile")


def vmware_refusals():
    for name, words in (("bare.vmss", "put the .vmem file of the same name beside it"),
                        ("packed.vmss", "memory is compressed")):
        status, _, err = run(f"{FIXTURES}/guest-{name}")
        assert status == 3 and words in err, (name, status, err)


def vmware_damage():
    status, r = report("guest-cut.vmem")
    assert status == 4 and any(n["check"] == "file.truncated" for n in r["integrity"]), status
    assert r["bugcheck"]["code"] == "0x000000d1", r["bugcheck"]
    status, r = report("guest-torn.vmem")
    checks = {n["check"] for n in r["integrity"]}
    assert status == 4 and {"vmware.memory", "vmware.registers"} & checks, (status, checks)


def memory_above_the_hole_is_found():
    """A .vmem of more than 3 GiB without its state: the driver lies at 4 GiB."""
    same_report("guest-high.vmem", "guest-high")
    _, r = report("guest-high.vmem")
    assert any(n["check"] == "raw.hole" for n in r["integrity"]), r["integrity"]
    status, out, _ = run("maps", "-f", "jsonl", f"{FIXTURES}/guest-high.vmem")
    runs = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and ("0x0000000100000000", 3 << 30) in [
        (m["start"], m["file_offset"]) for m in runs], runs


def uefi_damage_is_said():
    for name, check, words in (("cut", "file.truncated", "0x"), ("lost", "uefi.storage", "would have"),
                               ("lost", "uefi.protected", "PROTECTED"),
                               ("lost", "uefi.section_valid", "1 without"),
                               ("count", "uefi.sections", "of 4294967295")):
        damage_is_said(f"guest-uefi-{name}.rawdmp", check, words)
    refused("guest-uefi-empty.rawdmp", "none of its 0 sections")
    refused("guest-uefi-head.rawdmp", "ends within its header")
    refused("guest-uefi-locked.rawdmp", "encrypted UEFI offline crash dump")
    _, r = report("guest-uefi.rawdmp")
    reason = [n for n in r["integrity"] if n["check"] == "uefi.reason"]
    assert reason and "0x7 0x8" in reason[0]["found"], r["integrity"]


def process_core_is_refused():
    status, _, err = run(f"{FIXTURES}/guest-elf-process.core")
    assert status == 3 and "ELF core of a process" in err, (status, err)


READERS = {"guest": containers.any_dump, "guest-x86": arches.Dump32, "guest-arm64": arches.any_arm64}


def converted(name, form, twin="guest"):
    """convert's output by the eyes of containers.py's own reader, and of the program again."""
    out = os.path.join(os.environ.get("B", "build/release"), f"converted-{form}.dmp")
    status, text, err = run("convert", f"--form={form}", "-o", out, f"{FIXTURES}/{name}")
    assert (status, text, err) == (0, "", ""), (status, text, err)
    want, got = READERS[twin](f"{FIXTURES}/{twin}.dmp"), READERS[twin](out)
    assert got.pages() == want.pages(), "pages differ"
    assert (got.cr3, got.rip, got.general) == (want.cr3, want.rip, want.general)
    status, text, _ = run("-f", "json", out)
    diff = list(differences(comparable(report(f"{twin}.dmp")[1]), comparable(json.loads(text))))
    assert status == 0 and not diff, (status, diff[:8])
    os.remove(out)


def encoded_kdbg_is_decoded():
    out = os.path.join(os.environ.get("B", "build/release"), "converted-kdbg.dmp")
    status, _, err = run("convert", "-o", out, f"{FIXTURES}/kdbg-encoded.dmp")
    assert status == 0, err
    assert b"KDBG" not in open(f"{FIXTURES}/kdbg-encoded.dmp", "rb").read()[0x3000:]
    assert b"KDBG" in open(out, "rb").read()[0x3000:]
    os.remove(out)


def convert_tells_damage_and_spares_devices():
    folder = os.environ.get("B", "build/release")
    out = os.path.join(folder, "converted-cut.dmp")
    status, _, err = run("convert", "-o", out, f"{FIXTURES}/guest-elf-cut.core")
    assert status == 4 and "lacks as well" in err and os.path.exists(out), (status, err)
    os.remove(out)
    if os.name == "posix" and os.path.exists("/dev/full") and not os.environ.get("RUNNER"):
        kind = os.stat("/dev/full").st_rdev
        status, _, err = run("convert", "-o", "/dev/full", f"{FIXTURES}/guest.dmp")
        assert status == 1 and "cannot write" in err, (status, err)
        assert kind != 0 and os.stat("/dev/full").st_rdev == kind, "the device is gone"


def convert_refuses():
    out = os.path.join(os.environ.get("B", "build/release"), "converted-not.dmp")
    for words, status, arguments in (
            ("needs -o FILE", 2, [f"{FIXTURES}/guest.dmp"]),
            ("--form is auto, full or bitmap", 2, ["--form=raw", "-o", out, f"{FIXTURES}/guest.dmp"]),
            ("would overwrite the input", 2,
             ["-o", f"{FIXTURES}/guest.dmp", f"{FIXTURES}/guest.dmp"]),
            ("holds no physical memory", 3, ["-o", out, f"{FIXTURES}/triage-k.dmp"]),
            ("only be written as complete", 3,
             ["--form=bitmap", "-o", out, f"{FIXTURES}/x86-2003.dmp"]),
            ("a text file", 3, ["-o", out, f"{FIXTURES}/no-text.dmp"])):
        got, text, err = run("convert", *arguments)
        assert got == status and words in err and not text, (words, got, err)
        assert not os.path.exists(out), words


def guest_page_zero_mapped_twice_is_no_process():
    """A dump of what is mapped has a segment for each mapping, also of page 0."""
    dump = containers.Dump(f"{FIXTURES}/guest.dmp")
    zero = [(0, 4096, dump.runs[0][2])] * 2
    path = os.path.join(os.environ.get("B", "build/release"), "guest-mapped.core")
    with open(path, "wb") as f:
        f.write(containers.elf(dump, b"", zero + dump.runs))
    status, out, err = run("-f", "json", path)
    assert status == 0 and json.loads(out)["bugcheck"]["code"] == "0x000000d1", (status, err)
    os.remove(path)


def refusals():
    empty = bytearray(open(f"{FIXTURES}/guest-elf.core", "rb").read(64))
    for change, words in (({56: b"\x00\x00"}, "without usable program headers"),
                          ({54: b"\x05\x00"}, "without usable program headers"),
                          ({54: b"\x00\x00"}, "without usable program headers"),
                          ({}, "behind the end of the file"), ({64: bytes(112)}, "without memory")):
        data = bytearray(empty)
        for at, value in change.items():
            data[at:at + len(value)] = value
        path = os.path.join(os.environ.get("B", "build/release"), "guest-refused.core")
        with open(path, "wb") as f:
            f.write(data)
        status, _, err = run(path)
        assert status == 3 and words in err, (status, err)
        os.remove(path)


def main():
    names = ["elf.core", "elf-prstatus.core", "elf-many.core", "elf-xnum.core", "elf-odd.core",
             "elf-odder.core", "elf-no-notes.core", "elf-hole.core", "elf-overlap.core",
             "elf-notes-lie.core", "uefi.rawdmp"]
    tests = [(f"same_report {n}", lambda n=n: same_report(f"guest-{n}")) for n in names]
    tests += [(f"same_report {t}-{n}", lambda t=t, n=n: same_report(f"{t}-{n}", t))
              for t, kinds in OTHERS.items() for n in kinds if "kdump" not in n]
    tests += [(f"converted {n} {f}", lambda n=n, f=f: converted(n, f))
              for n in ("guest.dmp", "guest-elf.core", "guest-elf-many.core")
              for f in ("full", "bitmap")]
    tests += [(f"converted {n} {f}", lambda n=n, f=f, t=t: converted(n, f, t))
              for n, f, t in (("guest-x86-elf32.core", "full", "guest-x86"),
                              ("guest-x86-elf64.core", "full", "guest-x86"),
                              ("guest-x86.dmp", "auto", "guest-x86"),
                              ("guest-elf-no-notes.core", "full", "guest"),
                              ("guest-x86-elf32-no-notes.core", "full", "guest-x86"),
                              ("guest-arm64-elf-no-notes.core", "full", "guest-arm64"),
                              ("guest-uefi.rawdmp", "auto", "guest"),
                              ("guest-arm64-elf.core", "full", "guest-arm64"),
                              ("guest-arm64-elf-many.core", "bitmap", "guest-arm64"))]
    tests += [(f"same_report {n}", lambda n=n: same_report(f"guest-{n}"))
              for n in ("vm.vmem", "vm.vmss", "snapshot.vmem", "snapshot.vmsn", "inside.vmss",
                        "alone.vmem")]
    tests += [(f"packed {n[0]}", lambda n=n: packed(n[0], *n)) for n in (
        ["guest.dmp"], ["guest-elf.core"], ["guest-kdump-flat-elf.core"], ["guest-alone.vmem"],
        ["guest-inside.vmss"], ["guest-uefi.rawdmp"], ["guest-vm.vmem", "guest-vm.vmss"],
        ["guest-snapshot.vmsn", "guest-snapshot.vmem"])]
    tests += [(f.__name__, f) for f in (vmware_refusals, uefi_damage_is_said, memory_above_the_hole_is_found, vmware_damage)]
    tests += [(f.__name__, f) for f in (encoded_kdbg_is_decoded, convert_refuses,
                                        convert_tells_damage_and_spares_devices)]
    tests += [(f.__name__, f) for f in (process_core_is_refused, cut_elf_is_said,
                                        lies_of_elf_are_said, lacking_registers_are_said, refusals,
                                        guest_page_zero_mapped_twice_is_no_process)]
    tests += [("same_report flattened elf", lambda: same_report("guest-kdump-flat-elf.core")),
              ("refused far", lambda: refused("guest-kdump-flat-far.kdump", "--max-inflated")),
              ("refused empty", lambda: refused("guest-kdump-flat-empty.kdump", "without a single"))]
    kdump = "built without libkdumpfile" not in run("info", f"{FIXTURES}/guest-kdump.kdump")[2]
    tests += kdump_tests() if kdump else [("kdump by name", kdump_is_refused_by_name)]
    failed = 0
    for name, test in tests:
        try:
            test()
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL {name}: {e}")
    print(f"guests: {len(tests) - failed} passed, {failed} failed, 0 skipped")
    with open(os.path.join(os.environ.get("B", "build/release"), "results"), "a",
              encoding="utf-8") as f:
        f.write(f"guests {len(tests) - failed} {failed} 0\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
