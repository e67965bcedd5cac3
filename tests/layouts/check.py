#!/usr/bin/env python3
"""Proves data/layouts. Shares nothing with src/ or tools/.

usage: check.py [--engine PROGRAM] [--results FILE] [REFERENCE]

Compares what data/layouts says with the reference material beside the checkout (REFERENCE,
default ../shared):
  sources   every wanted member of every kernel of nt-layouts.json and pdb/*.json, sizes included,
            and that data/layouts holds nothing that they do not
  isf       the symbol table of a real kernel, against the profile that is exact for it
  kdbg      sizes and offsets that KDDEBUGGER_DATA64 of real dumps carries
  engine    that the compiled tables answer what the text files say (PROGRAM reads lines
            `PROFILE STRUCT MEMBER` and prints offset, size, bit position and length)
Prints one line a part, then the mismatches, and adds "check-layouts PASSED FAILED SKIPPED" to FILE.
Exit status: 0 equal (or a part was skipped, loudly), 1 mismatches.
"""
import collections
import fnmatch
import glob
import json
import lzma
import os
import re
import struct
import subprocess
import sys

DATA = "data/layouts"
POINTER = {"x86": 4, "x64": 8, "arm64": 8}
Field = collections.namedtuple("Field", "offset size bit_pos bit_len type")
C_SIZE = {
    "unsigned char": 1, "char": 1, "unsigned short": 2, "short": 2, "wchar": 2,
    "unsigned long": 4, "long": 4, "unsigned int": 4, "int": 4,
    "unsigned long long": 8, "long long": 8,
}


class Profiles:
    """A reader of data/layouts: the text, as its README describes it."""

    def __init__(self, folder):
        self.folder = folder
        self.list = []     # (arch, build_min, build_max, first, version)
        self.exact = {}    # (arch, version) -> number
        self.pdb = {}      # id -> number
        self.sizes = {}    # struct -> {number: (size, unverified)}
        self.members = {}  # struct -> {member: {number: (offset, type)}}
        for line in self.lines(folder + "/profiles.layout"):
            f = line.split(" ")
            if f[0] == "profile":
                assert int(f[1]) == len(self.list), line
                self.list.append((f[2], int(f[3]), int(f[4]), int(f[5]), f[6]))
            else:
                number = len(self.list) - 1
                self.exact[self.list[number][0], f[1]] = number
                if f[2] != "-":
                    self.pdb[f[2]] = number
        for path in sorted(glob.glob(folder + "/*.layout")):
            if os.path.basename(path) not in ("profiles.layout", "enums.layout",
                                              "kddebugger-data64.layout"):
                self.read_group(path)

    @staticmethod
    def lines(path):
        with open(path, encoding="ascii") as f:
            return [l.rstrip("\n") for l in f if not l.startswith("#")]

    @staticmethod
    def each(run):
        span, value = run.split(":")
        first, _, last = span.partition("-")
        return range(int(first), int(last or first) + 1), value

    def read_group(self, path):
        name = None
        for line in self.lines(path):
            key, rest = line.split(" ", 1)
            if key == "struct":
                name = rest
                assert name not in self.sizes, name + " twice"
                self.sizes[name], self.members[name] = {}, {}
            elif key == "size":
                for run in rest.split(" "):
                    numbers, value = self.each(run)
                    for n in numbers:
                        self.sizes[name][n] = (int(value.rstrip("?")), value.endswith("?"))
            else:
                kind, table = None, self.members[name].setdefault(key, {})
                for word in rest.split(" "):
                    if not re.match(r"^\d+(-\d+)?:\d+$", word):
                        kind = word.replace("~", " ")
                        continue
                    numbers, value = self.each(word)
                    for n in numbers:
                        assert n not in table, "%s.%s twice in %d" % (name, key, n)
                        table[n] = (int(value), kind)

    def type_size(self, number, kind):
        """Bytes of a type; 0 when not known."""
        base, dims = re.match(r"^(.*?)((?:\[\d+\])*)$", re.sub(r":\d+:\d+$", "", kind)).groups()
        count = 1
        for d in re.findall(r"\d+", dims):
            count *= int(d)
        if base.startswith("ptr "):
            size = POINTER[self.list[number][0]]
        elif base.startswith("enum "):
            size = 4
        elif base.startswith("_"):
            size = self.sizes.get(base, {}).get(number, (0, False))[0]
        else:
            m = re.match(r"^[usf](\d+)$", base)
            size = int(m.group(1)) // 8 if m else 0
        return size * count

    def field(self, number, name, member):
        found = self.members.get(name, {}).get(member, {}).get(number)
        if found is None:
            return None
        bits = re.search(r":(\d+):(\d+)$", found[1])
        pos, length = (int(bits.group(1)), int(bits.group(2))) if bits else (0, 0)
        return Field(found[0], self.type_size(number, found[1]), pos, length, found[1])


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def part(self, name, compared, mismatches, note=""):
        print("check-layouts %s: %d compared, %d mismatches%s"
              % (name, compared, len(mismatches), note))
        for line in mismatches[:40]:
            print("    " + line)
        if len(mismatches) > 40:
            print("    … and %d more" % (len(mismatches) - 40))
        if mismatches or not compared:
            self.failed += 1
        else:
            self.passed += 1

    def skip(self, name, why):
        print("check-layouts %s: SKIPPED: %s" % (name, why))
        self.skipped += 1


def read_wanted():
    keep, drop = [], []
    with open(DATA + "/wanted.txt", encoding="ascii") as f:
        for line in f:
            line = line.strip()
            if line.startswith("-"):
                drop.append(line[1:])
            elif line and line[0] not in "#[":
                keep.append(line)

    def test(name, member):
        full = name + "." + member
        return (any(fnmatch.fnmatchcase(full, p) and fnmatch.fnmatchcase(name, p.split(".")[0])
                    for p in keep)
                and not any(fnmatch.fnmatchcase(name, p.split(".")[0])
                            and fnmatch.fnmatchcase(member, p.split(".", 1)[1]) for p in drop))
    cache = {}

    def cached(name, member):
        if (name, member) not in cache:
            cache[name, member] = test(name, member)
        return cache[name, member]
    return cached, [p.split(".")[0] for p in keep]


# ---- sources -------------------------------------------------------------------------------

def expected_from_headers(layouts, key):
    """{struct: (size, {member: (offset, bits, type)})} of an entry of nt-layouts.json."""
    out = {}
    for name, s in layouts[key]["structs"].items():
        while "ref" in s:
            s = layouts[s["ref"]]["structs"][name]
        members = {}
        for member, f in s["members"].items():
            members[member] = (f["offset"], (f.get("bit_pos", 0), f.get("bit_len", 0)), f["type"])
        out[name] = (s["size"], members)
    return out


def expected_from_pdb(pdb, differences):
    out = {}
    for name, s in pdb["structs"].items():
        members = {}
        for member, (offset, kind) in s["members"].items():
            m = re.match(r"^(.*?):(\d+):(\d+)$", kind)
            bits = (int(m.group(2)), int(m.group(3))) if m else (0, 0)
            members[member] = (int(offset, 16), bits, "pdb " + (m.group(1) if m else kind))
        size = s["size"]
        d = differences.get(name)
        if d:
            size = d["size"]
            for member in d["absent"]:
                members.pop(member, None)
            for member, offset in list(d["moved"].items()) + list(d["extra"].items()):
                members[member] = (offset, None, None)  # its type is not told
        out[name] = (size, members)
    return out


def expected_size(profiles, number, kind):
    """Bytes that a source's type stands for; None: it does not tell."""
    if kind is None:
        return None
    if not kind.startswith("pdb "):
        m = re.match(r"^enum s32\[-(\d+)\]$", kind)  # bytes, not elements
        if m:
            return int(m.group(1))
        return profiles.type_size(number, kind) or None
    base, dims = re.match(r"^(.*?)((?:\[\d+\])*)$", kind[4:]).groups()
    count = 1
    for d in re.findall(r"\d+", dims):
        count *= int(d)
    if base.endswith("*"):
        return 8 * count
    if base in C_SIZE:
        return C_SIZE[base] * count
    return None


def compare_kernel(profiles, number, expected, wanted, label, seen, bad):
    compared = 0
    for name, (size, members) in expected.items():
        if not any(wanted(name, m) for m in members):
            continue
        have = profiles.sizes.get(name, {}).get(number)
        if have is None or have[0] != size:
            bad.append("%s %s: size %s, not %s" % (label, name, have, size))
        for member, (offset, bits, kind) in members.items():
            if not wanted(name, member):
                continue
            compared += 1
            f = profiles.field(number, name, member)
            if f is None:
                bad.append("%s %s.%s is missing" % (label, name, member))
                continue
            seen.add((number, name, member))
            want = expected_size(profiles, number, kind)
            if f.offset != offset or (bits is not None and (f.bit_pos, f.bit_len) != bits):
                bad.append("%s %s.%s: offset %d bits %d:%d, not %d %s"
                           % (label, name, member, f.offset, f.bit_pos, f.bit_len, offset, bits))
            elif want is not None and f.size != want:
                bad.append("%s %s.%s: %d bytes, not %d" % (label, name, member, f.size, want))
    return compared


def check_sources(report, profiles, wanted, root):
    if not os.path.isfile(root + "/layouts/nt-layouts.json"):
        report.skip("sources", "no " + root + "/layouts")
        return
    with open(root + "/layouts/nt-layouts.json", encoding="utf-8") as f:
        layouts = json.load(f)["builds"]
    bad, seen, compared, kernels, from_pdb = [], set(), 0, 0, {}
    for path in sorted(glob.glob(root + "/layouts/pdb/*.json")):
        with open(path, encoding="utf-8") as f:
            pdb = json.load(f)
        groups = [(g["revisions"], g["differences"]) for g in pdb["revisions_differing"]]
        for versions, differences in groups + [(pdb["revisions_same"], {})]:
            for version in versions:
                number = profiles.exact.get(("x64", version))
                if number is None:
                    bad.append("no profile is exact for %s" % version)
                    continue
                expected = expected_from_pdb(pdb, differences)
                from_pdb[version] = expected
                kernels += 1
                compared += compare_kernel(profiles, number, expected, wanted, version, seen, bad)
                for name, d in differences.items():
                    for member in d["absent"]:
                        if profiles.field(number, name, member):
                            bad.append("%s has no %s.%s" % (version, name, member))
    for key, entry in layouts.items():
        number = profiles.exact.get((entry["arch"], entry["version"]))
        if number is None:
            bad.append("no profile is exact for %s" % key)
            continue
        expected = expected_from_headers(layouts, key)
        if entry["arch"] == "x64":  # the PDB is right where it speaks
            for name, (_, members) in from_pdb.get(entry["version"], {}).items():
                if name in expected:
                    for member in members:
                        expected[name][1].pop(member, None)
                    expected[name] = (from_pdb[entry["version"]][name][0], expected[name][1])
        kernels += 1
        compared += compare_kernel(profiles, number, expected, wanted, key, seen, bad)
        marked = {n for n in expected if profiles.sizes.get(n, {}).get(number, (0, 0))[1]}
        for name in set(entry.get("unverified_structs", [])) - marked:
            if any(wanted(name, m) for m in expected.get(name, (0, {}))[1]):
                bad.append("%s %s is not marked as unverified" % (key, name))
    compared += check_nothing_invented(profiles, layouts, seen, bad)
    report.part("sources", compared, bad, " (%d kernels)" % kernels)


def told_by_size(profiles):
    """{(structure, member, bytes, offset): its profile's room fits} of data/layouts/by-size.txt."""
    told, rooms = set(), {}
    with open(os.path.join(profiles.folder, "by-size.txt"), encoding="ascii") as f:
        for words in (line.split() for line in f if line.strip() and line[0] != "#"):
            if words[0] == "struct":
                name, (outer, member) = words[1], words[3].split(".")
                following = words[5] if len(words) > 5 else None
                for number, (at, _) in profiles.members[outer][member].items():
                    end = (profiles.members[outer][following][number][0] if following else
                           profiles.sizes[outer][number][0])
                    rooms[name, number] = end - at
            elif words[0] == "size":
                size = int(words[1])
            else:
                told.add((name, words[0], size, int(words[1])))
    return told, rooms


def check_nothing_invented(profiles, layouts, seen, bad):
    """What no kernel's own source has must at least stand in an entry of the same build, or be told
    by its size."""
    told, rooms = told_by_size(profiles)
    by_build = {}
    for key, entry in layouts.items():
        by_build.setdefault((entry["arch"], entry["build_min"]), []).append(
            expected_from_headers(layouts, key))
    count = 0
    for name, members in profiles.members.items():
        for member, table in members.items():
            for number, (offset, _) in table.items():
                if (number, name, member) in seen:
                    continue
                count += 1
                size = rooms.get((name, number))
                if size == profiles.sizes[name][number][0] and (name, member, size, offset) in told:
                    continue
                arch, build = profiles.list[number][0], profiles.list[number][1]
                if not any(e.get(name, (0, {}))[1].get(member, (None,))[0] == offset
                           for e in by_build.get((arch, build), [])):
                    bad.append("%s %s.%s at %d: no source" % (profiles.list[number][4], name,
                                                             member, offset))
    return count


# ---- a real symbol table -------------------------------------------------------------------

def isf_size(isf, kind):
    if kind["kind"] == "pointer":
        return isf["base_types"]["pointer"]["size"]
    if kind["kind"] == "array":
        return isf_size(isf, kind["subtype"]) * kind["count"]
    if kind["kind"] == "bitfield":
        return isf_size(isf, kind["type"])
    table = {"base": "base_types", "enum": "enums"}.get(kind["kind"], "user_types")
    return isf[table].get(kind.get("name"), {"size": 0})["size"]


def isf_field(isf, name, path):
    """A member by its (dotted) path: (offset, size, bit_pos, bit_len), or None."""
    offset, parts = 0, path.split(".")
    while True:
        fields = isf["user_types"].get(name, {"fields": {}})["fields"]
        if parts[0] not in fields:
            return None
        f = fields[parts[0]]
        offset += f["offset"]
        kind = f["type"]
        if len(parts) == 1:
            bits = (kind["bit_position"], kind["bit_length"]) if kind["kind"] == "bitfield" else (0, 0)
            return (offset, isf_size(isf, kind)) + bits
        if kind["kind"] not in ("struct", "union"):
            return None
        name, parts = kind["name"], parts[1:]


def compare_isf(profiles, number, isf):
    bad, compared = [], 0
    for name in sorted(profiles.members):
        if number not in profiles.sizes[name] or name not in isf["user_types"]:
            continue
        size = profiles.sizes[name][number][0]
        compared += 1
        if size != isf["user_types"][name]["size"]:
            bad.append("%s is %d bytes, not %d" % (name, size, isf["user_types"][name]["size"]))
        for member in sorted(profiles.members[name]):
            f = profiles.field(number, name, member)
            if f is None:
                continue
            compared += 1
            real = isf_field(isf, name, member)
            if real is None:
                bad.append("%s.%s does not exist" % (name, member))
            elif (f.offset, f.bit_pos, f.bit_len) != (real[0], real[2], real[3]):
                bad.append("%s.%s: %d %d:%d, not %d %d:%d" % ((name, member, f.offset, f.bit_pos,
                                                             f.bit_len) + (real[0],) + real[2:]))
            elif f.size not in (0, real[1]):
                bad.append("%s.%s: %d bytes, not %d" % (name, member, f.size, real[1]))
    return compared, bad


def check_isf(report, profiles, root):
    tables = sorted(glob.glob(root + "/real/symbols/*/*.json.xz"))
    if not tables:
        report.skip("isf", "no symbol table under " + root + "/real/symbols")
    for path in tables:
        with lzma.open(path, "rt", encoding="utf-8") as f:
            isf = json.load(f)
        pdb = isf["metadata"]["windows"]["pdb"]
        pdb_id = "%s-%X" % (pdb["GUID"].upper(), pdb["age"])
        number = profiles.pdb.get(pdb_id)
        if number is None:
            report.skip("isf", "no profile is exact for " + pdb_id)
            continue
        compared, bad = compare_isf(profiles, number, isf)
        report.part("isf", compared, bad, " (%s, profile %s)" % (pdb_id, profiles.list[number][4]))


# ---- KDDEBUGGER_DATA64 ---------------------------------------------------------------------

KDBG = {
    "OffsetKThreadNextProcessor": "_KTHREAD.NextProcessor", "OffsetKThreadTeb": "_KTHREAD.Teb",
    "OffsetKThreadKernelStack": "_KTHREAD.KernelStack",
    "OffsetKThreadInitialStack": "_KTHREAD.InitialStack",
    "OffsetKThreadApcProcess": "_KTHREAD.ApcState.Process", "OffsetKThreadState": "_KTHREAD.State",
    "OffsetKThreadStackLimit": "_KTHREAD.StackLimit", "OffsetKThreadStackBase": "_KTHREAD.StackBase",
    "OffsetKThreadQueueListEntry": "_KTHREAD.QueueListEntry",
    "OffsetKThreadWaitReason": "_KTHREAD.WaitReason",
    "OffsetEThreadIrpList": "_ETHREAD.IrpList",
    "OffsetEprocessPeb": "_EPROCESS.Peb",
    "OffsetEprocessParentCID": "_EPROCESS.InheritedFromUniqueProcessId",
    "OffsetEprocessDirectoryTableBase": "_KPROCESS.DirectoryTableBase",
    "OffsetPrcbDpcRoutine": "_KPRCB.DpcRoutineActive", "OffsetPrcbCurrentThread": "_KPRCB.CurrentThread",
    "OffsetPrcbIdleThread": "_KPRCB.IdleThread", "OffsetPrcbMhz": "_KPRCB.MHz",
    "OffsetPrcbCpuType": "_KPRCB.CpuType", "OffsetPrcbVendorString": "_KPRCB.VendorString",
    "OffsetPrcbNumber": "_KPRCB.Number", "OffsetPrcbContext": "_KPRCB.Context",
    "OffsetPrcbProcStateContext": "_KPRCB.ProcessorState.ContextFrame",
    "OffsetPrcbProcStateSpecialReg": "_KPRCB.ProcessorState.SpecialRegisters",
    "OffsetPrcbMaxBreakpoints": "_KPRCB.MaxBreakpoints",
    "OffsetPrcbMaxWatchpoints": "_KPRCB.MaxWatchpoints",
    "OffsetPcrSelfPcr": "_KPCR.Self", "OffsetPcrCurrentPrcb": "_KPCR.CurrentPrcb",
    "OffsetPcrContainedPrcb": "_KPCR.Prcb",
    "OffsetKPriQueueThreadListHead": "_KPRIQUEUE.ThreadListHead",
    "SizeEProcess": "_EPROCESS", "SizeEThread": "_ETHREAD", "SizePrcb": "_KPRCB", "SizePcr": "_KPCR",
}


def our_value(profiles, number, what):
    """Offset of STRUCT.PATH, resolving embedded structures, or the size of STRUCT; None."""
    name, _, path = what.partition(".")
    if not path:
        size = profiles.sizes.get(name, {}).get(number, (0, False))[0]
        return size or None
    offset = 0
    while path:
        for cut in range(len(path.split(".")), 0, -1):
            head = ".".join(path.split(".")[:cut])
            f = profiles.field(number, name, head)
            if f is not None:
                break
        else:
            return None
        offset += f.offset
        name, path = f.type, path[len(head) + 1:]
    return offset


def kdbg_members():
    out = {}
    for line in Profiles.lines(DATA + "/kddebugger-data64.layout"):
        name, offset, kind = line.split(" ")[:3]
        out[name] = (int(offset), {"u16": "<H", "u32": "<I", "u64": "<Q"}[kind.split(":")[0]])
    return out


def find_block(data):
    """KDDEBUGGER_DATA64 in a dump: its tag, and a size that some Windows gave it."""
    at = data.find(b"KDBG")
    while at != -1:
        if at >= 16:
            size = struct.unpack_from("<I", data, at + 4)[0]
            if 0x290 <= size <= 0x400 and size % 8 == 0 and at - 16 + size <= len(data):
                return data[at - 16:at - 16 + size]
        at = data.find(b"KDBG", at + 1)
    return None


def check_kdbg(report, profiles, root):
    members = kdbg_members()
    dumps = [p for p in sorted(glob.glob(root + "/real/*.dmp"))]
    if not dumps:
        report.skip("kdbg", "no dumps under " + root + "/real")
    for path in dumps:
        name = os.path.basename(path)
        m = re.match(r"^.*_(x64|arm64)_(\d+)\.dmp$", name)
        with open(path, "rb") as f:
            data = f.read()
        block = find_block(data) if m else None
        if block is None:
            report.skip("kdbg", name + " holds no 64-bit block")
            continue
        arch, build = m.group(1), int(m.group(2))
        numbers = [n for n, p in enumerate(profiles.list)
                   if p[0] == arch and p[1] <= build <= p[2]]
        if not numbers:
            check_kdbg_guess(report, profiles, members, block, arch, name)
            continue
        for number in numbers:
            compared, bad = compare_block(profiles, number, members, block)
            report.part("kdbg", compared, bad, " (%s, profile %s)" % (name, profiles.list[number][4]))


def check_kdbg_guess(report, profiles, members, block, arch, name):
    """No profile serves the build: nothing can fail, but show how far the nearest one is off."""
    number = min(n for n, p in enumerate(profiles.list) if p[0] == arch)
    compared, bad = compare_block(profiles, number, members, block)
    print("check-layouts kdbg: %s: no profile of the build; %s differs in %d of %d"
          % (name, profiles.list[number][4], len(bad), compared))


def compare_block(profiles, number, members, block):
    compared, bad = 0, []
    for name, what in KDBG.items():
        offset, code = members[name]
        if offset + struct.calcsize(code) > len(block):
            continue
        real = struct.unpack_from(code, block, offset)[0]
        ours = our_value(profiles, number, what)
        # 0 and ffff: this kernel does not tell (the member is not on this architecture).
        if ours is None or real in (0, 0xffff) and ours != 0:
            continue
        compared += 1
        if real != ours:
            bad.append("%s (%s): %#x, the dump says %#x" % (what, name, ours, real))
    return compared, bad


# ---- the compiled tables -------------------------------------------------------------------

def check_engine(report, profiles, program):
    asks, wants = [], []
    for name, members in sorted(profiles.members.items()):
        for member in sorted(members):
            for number in range(len(profiles.list)):
                f = profiles.field(number, name, member)
                if f is None and (number + len(asks)) % 16:
                    continue  # a sample of those that are not there
                asks.append("%d %s %s" % (number, name, member))
                wants.append("-" if f is None else "%d %d %d %d" % f[:4])
    out = subprocess.run([program], input="\n".join(asks) + "\n", capture_output=True, text=True,
                         check=True).stdout.splitlines()
    bad = ["%s: %s, not %s" % row for row in zip(asks, out, wants) if row[1] != row[2]
           and not resolves_inside(profiles, row[0])]
    if len(out) != len(asks):
        bad.append("%d answers to %d questions" % (len(out), len(asks)))
    report.part("engine", len(asks), bad)


def resolves_inside(profiles, ask):
    """A dotted name that is no member of its own may lead through an embedded structure."""
    number, name, member = ask.split(" ")
    return (profiles.field(int(number), name, member) is None and "." in member
            and our_value(profiles, int(number), name + "." + member) is not None)


def main():
    args, options = sys.argv[1:], {}
    while len(args) > 1 and args[0] in ("--engine", "--results"):
        options[args[0]] = args[1]
        args = args[2:]
    root = args[0] if args else "../shared"
    report = Report()
    profiles = Profiles(DATA)
    wanted, _ = read_wanted()
    check_sources(report, profiles, wanted, root)
    check_isf(report, profiles, root)
    check_kdbg(report, profiles, root)
    if "--engine" in options:
        check_engine(report, profiles, options["--engine"])
    if "--results" in options:
        with open(options["--results"], "a", encoding="ascii") as f:
            f.write("check-layouts %d %d %d\n" % (report.passed, report.failed, report.skipped))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
