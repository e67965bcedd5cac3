#!/usr/bin/env python3
"""Writes data/layouts/*.layout, nt-globals.tsv and nt-versions.tsv. For maintainers: the results
are checked in, and a build needs sh and awk only.

usage: tools/make-layouts.py [REFERENCE]

REFERENCE (default ../shared/layouts) is a folder with
  nt-layouts.json          one entry per architecture, build and revision; see its `format`
  pdb/x64-BUILD.json       the same structures from one public PDB of the build (`structs`), and
                           how other revisions of it differ (`revisions_differing`)
  nt-globals.json          RVAs of globals per kernel revision, with the PDB's GUID-age
  nt-versions.tsv          kernel timestamp and size of image to version
  kddebugger-data64.json   members of KDDEBUGGER_DATA64

How one profile's structure is found:
  * A revision that a pdb file knows gets a profile of its own (revisions with equal layouts share
    one). Its structures are the pdb file's, changed by the difference recorded for the revision.
  * What the pdb file leaves out (whole structures, members of unnamed inner structures) comes from
    nt-layouts: from the entry below and from the newest entry of the build where the two agree;
    where they differ, from the one on the same side of the revision at which `revision_notes`
    says that the structure changed; where that does not decide it, the structure is marked
    unverified.
  * Every other nt-layouts entry is a profile by itself. Structures that its `unverified_structs`
    lists are marked.
  * Structures of data/layouts/by-size.txt are added where their size fits.
The pdb files win where they disagree with nt-layouts. The formats of the outputs are described in
data/layouts/README.md.
"""
import fnmatch
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "data", "layouts")
ARCHES = ["x86", "x64", "arm64"]
C_TYPES = {
    "unsigned long": "u32", "long": "s32", "unsigned long long": "u64", "long long": "s64",
    "unsigned char": "u8", "char": "s8", "unsigned short": "u16", "short": "s16", "wchar": "u16",
}


def version_key(version):
    return tuple(int(part) for part in version.split("."))


def revision(version):
    return version_key(version)[3]


def normal_type(text, enums):
    """A pdb file's type in the words of nt-layouts: ('ptr _KTHREAD[2]', (bit_pos, bit_len))."""
    bits = None
    m = re.match(r"^(.*?):(\d+):(\d+)$", text)
    if m:
        text, bits = m.group(1), (int(m.group(2)), int(m.group(3)))
    m = re.match(r"^(.*?)((?:\[\d+\])*)$", text)
    text, dims = m.group(1), m.group(2)
    stars = len(text) - len(text.rstrip("*"))
    text = C_TYPES.get(text.rstrip("*"), text.rstrip("*"))
    if text == "func":
        text = "fn"
    elif text.startswith("__anonymous"):
        text = "struct"
    elif text in enums:
        text = "enum " + text
    return "ptr " * stars + text + dims, bits


class Source:
    """nt-layouts.json and pdb/*.json as members {name: (offset, type, bits)}."""

    def __init__(self, root):
        with open(os.path.join(root, "nt-layouts.json")) as f:
            data = json.load(f)
        self.entries = data["builds"]
        self.enums = set()
        for entry in self.entries.values():
            for struct in entry["structs"].values():
                for field in struct.get("members", {}).values():
                    m = re.match(r"^enum ([A-Z_]\w+)", field["type"])
                    if m:
                        self.enums.add(m.group(1))
        self.changes = {}  # struct -> [(build prefix, revision)]
        for line in data["revision_notes"]["changes"]:
            version, rest = line.split(" ", 1)
            for name in re.findall(r"(_\w+)\(sz", rest):
                prefix, rev = version.rsplit(".", 1)
                self.changes.setdefault((prefix, name), []).append(int(rev))
        self.pdbs = []
        folder = os.path.join(root, "pdb")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as f:
                pdb = json.load(f)
            self.enums.update(pdb.get("enums", {}))
            self.pdbs.append(pdb)
        self.enums.update(("PROFILE_STATUS", "DEVICE_TEXT_TYPE", "BUS_QUERY_ID_TYPE", "POWER_ACTION"))
        for pdb in self.pdbs:
            pdb["normal"] = {
                name: (struct["size"],
                       {member: (int(v[0], 16),) + normal_type(v[1], self.enums)
                        for member, v in struct["members"].items()})
                for name, struct in pdb["structs"].items()}

    def entry_struct(self, key, name):
        struct = self.entries[key]["structs"].get(name)
        if struct is None:
            return None
        if "ref" in struct:
            struct = self.entries[struct["ref"]]["structs"][name]
        members = {}
        for member, f in struct["members"].items():
            bits = (f["bit_pos"], f["bit_len"]) if "bit_pos" in f else None
            # A negative count is the array's size in bytes (volatility 2 writes it so).
            kind = re.sub(r"^enum s32\[-(\d+)\]$", lambda m: "enum s32[%d]" % (int(m[1]) // 4),
                          f["type"])
            members[member] = (f["offset"], kind, bits)
        return struct["size"], members


class Profile:
    def __init__(self, arch, build_min, build_max, version, source):
        self.arch, self.build_min, self.build_max = arch, build_min, build_max
        self.version, self.source = version, source
        self.kernels = []  # exact versions
        self.structs = {}  # name -> (size, members)
        self.unverified = set()

    def key(self):
        return ARCHES.index(self.arch), version_key(self.version)


def plain_profile(src, key):
    entry = src.entries[key]
    p = Profile(entry["arch"], entry["build_min"], entry["build_max"], entry["version"],
                entry["source"])
    p.first = entry["rev_min"]
    for name in entry["structs"]:
        p.structs[name] = src.entry_struct(key, name)
    p.unverified = set(entry.get("unverified_structs", [])) & set(p.structs)
    p.kernels = [entry["version"]]
    return p


def same_place(a, b):
    return (a[0], a[2]) == (b[0], b[2])


def beside_pdb(src, pdb, versions, name, keys):
    """What nt-layouts says of a structure at revisions between its entries.

    Returns (size, members, doubtful): doubtful are the members that changed place somewhere
    between the two entries, nobody knows where.
    """
    prefix, rev = pdb["version"].rsplit(".", 1)[0], revision(versions[0])
    exact = [k for k in keys if src.entries[k]["version"] in versions]
    below = exact or [k for k in keys if src.entries[k]["rev_min"] <= rev] or keys
    a, b = src.entry_struct(below[-1], name), src.entry_struct(keys[-1], name)
    a_rev, b_rev = revision(src.entries[below[-1]]["version"]), revision(pdb["version"])
    if a is None or b is None:
        size, members = a or b
        return size, members, set(members)
    doubtful = {m for m in a[1] if m in b[1] and not same_place(a[1][m], b[1][m])}
    if a[0] != b[0] and not doubtful:
        doubtful = set(a[1])
    changed = sorted(src.changes.get((prefix, name), []))
    if changed and not any(a_rev < c <= rev for c in changed):
        return a + (set(),)
    if changed and not any(rev < c <= b_rev for c in changed):
        return b + (set(),)
    if exact:
        return a + (set() if len(versions) == 1 else doubtful_within(src, keys, exact[-1], name),)
    return (b + (set(),)) if not doubtful else (a + (doubtful,))


def doubtful_within(src, keys, exact, name):
    """Members that any entry of the build puts elsewhere than the exact one."""
    here, out = src.entry_struct(exact, name), set()
    for key in keys:
        other = src.entry_struct(key, name)
        if other is not None:
            if other[0] != here[0]:
                return set(here[1])
            out |= {m for m in here[1]
                    if m in other[1] and not same_place(here[1][m], other[1][m])}
    return out


def apply_difference(src, keys, name, struct, diff):
    size, members = struct
    members = {m: v for m, v in members.items() if m not in diff["absent"]}
    # The difference tells places only: the type may have changed with the place. nt-layouts may
    # have it; else the newest type stands.
    for member, offset in list(diff["moved"].items()) + list(diff["extra"].items()):
        kind, bits = members[member][1:] if member in members else ("?", None)
        for key in keys:
            other = src.entry_struct(key, name)
            if other and member in other[1] and other[1][member][0] == offset:
                kind, bits = other[1][member][1:]
        members[member] = (offset, kind, bits)
    return diff["size"], members


def split_groups(groups, changes):
    """Parts groups where nt-layouts knows of a change that the pdb file does not look at."""
    for versions, differences in groups:
        parts = {}
        for version in sorted(versions, key=version_key):
            parts.setdefault(sum(c <= revision(version) for c in changes), []).append(version)
        for part in parts.values():
            yield part, differences


def pdb_profiles(src, pdb):
    build = int(pdb["version"].split(".")[2])
    keys = sorted((k for k, e in src.entries.items()
                   if e["arch"] == "x64" and e["build_min"] <= build <= e["build_max"]),
                  key=lambda k: version_key(src.entries[k]["version"]))
    newest = src.entries[keys[-1]]
    groups = [(g["revisions"], g["differences"]) for g in pdb["revisions_differing"]]
    groups.append((pdb["revisions_same"], {}))
    prefix = pdb["version"].rsplit(".", 1)[0]
    changes = sorted({rev for (p, _), revs in src.changes.items() if p == prefix for rev in revs})
    for versions, differences in split_groups(groups, changes):
        rev = revision(versions[0])
        p = Profile("x64", newest["build_min"], newest["build_max"], versions[0],
                    "JPCERTCC/Windows-Symbol-Tables ISF (volatility3)")
        p.first, p.kernels = rev, versions
        names = set(pdb["normal"])
        for key in keys:
            names |= set(src.entries[key]["structs"])
        for name in sorted(names):
            if not any(src.entry_struct(k, name) for k in keys):
                beside = None
            else:
                beside = beside_pdb(src, pdb, versions, name, keys)
            struct = pdb["normal"].get(name)
            if struct is None:
                p.structs[name] = beside[:2]
                if beside[2]:
                    p.unverified.add(name)
                continue
            if name in differences:
                struct = apply_difference(src, keys, name, struct, differences[name])
            gone = differences.get(name, {}).get("absent", [])
            members = dict(struct[1])
            for member, value in (beside[1] if beside else {}).items():
                if member not in members and "." in member and member not in gone:
                    members[member] = value
                    if member in beside[2]:
                        p.unverified.add(name)
            p.structs[name] = (struct[0], members)
        yield p


def load_profiles(src):
    profiles, taken = [], set()
    for pdb in src.pdbs:
        for p in pdb_profiles(src, pdb):
            profiles.append(p)
            taken.update(p.kernels)
    for key, entry in src.entries.items():
        if not (entry["arch"] == "x64" and entry["version"] in taken):
            profiles.append(plain_profile(src, key))
    return sorted(profiles, key=Profile.key)


def read_by_size(path):
    """data/layouts/by-size.txt as [(name, outer, member, next, {size: (builds, members)})]."""
    structs, members = [], None
    with open(path) as f:
        for words in (line.split() for line in f if line.strip() and line[0] != "#"):
            if words[0] == "struct":
                following = words[5] if len(words) > 5 else None
                structs.append((words[1], *words[3].split("."), following, {}))
            elif words[0] == "size":
                members = {}
                structs[-1][4][int(words[1])] = ({int(b) for b in words[2:]}, members)
            else:
                members[words[0]] = (int(words[1]), words[2], None)
    return structs


def add_by_size(profiles, structs):
    for name, outer, member, following, variants in structs:
        for p in profiles:
            if p.arch != "x64" or p.structs.get(outer) is None or name in p.structs:
                continue
            size, fields = p.structs[outer]
            end = fields[following][0] if following in fields else size
            rest = end - fields[member][0] if member in fields else 0
            if rest in variants:
                builds, members = variants[rest]
                p.structs[name] = (rest, members)
                if not builds & set(range(p.build_min, p.build_max + 1)):
                    p.unverified.add(name)


class Wanted:
    def __init__(self, path):
        self.groups, self.drop = [], []
        with open(path) as f:
            for line in f:
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                if line.startswith("["):
                    self.groups.append((line[1:-1], []))
                elif line.startswith("-"):
                    self.drop.append(line[1:].split(".", 1))
                else:
                    self.groups[-1][1].append(line.split(".", 1))

    def group(self, struct):
        for name, patterns in self.groups:
            if any(fnmatch.fnmatchcase(struct, p[0]) for p in patterns):
                return name
        return None

    def has(self, struct, member):
        def hit(patterns):
            return any(fnmatch.fnmatchcase(struct, s) and fnmatch.fnmatchcase(member, m)
                       for s, m in patterns)
        return any(hit(p) for _, p in self.groups) and not hit(self.drop)


def runs(values):
    """{profile: value} as [(first, last, value)], equal neighbours joined."""
    out = []
    for index in sorted(values):
        if out and out[-1][1] == index - 1 and out[-1][2] == values[index]:
            out[-1][1] = index
        else:
            out.append([index, index, values[index]])
    return out


def run_text(run, value):
    first, last, _ = run
    return "%s:%s" % (first if first == last else "%d-%d" % (first, last), value)


def type_text(kind, bits):
    return kind.replace(" ", "~") + ("" if bits is None else ":%d:%d" % bits)


def write_structs(profiles, wanted):
    names = sorted({n for p in profiles for n in p.structs})
    files = {}
    for name in names:
        group = wanted.group(name)
        if group is None:
            continue
        sizes, members = {}, {}
        for index, p in enumerate(profiles):
            if p.structs.get(name) is None:
                continue
            size, fields = p.structs[name]
            sizes[index] = "%d%s" % (size, "?" if name in p.unverified else "")
            for member, (offset, kind, bits) in fields.items():
                if wanted.has(name, member):
                    by_type = members.setdefault(member, {})
                    by_type.setdefault(type_text(kind, bits), {})[index] = offset
        lines = ["struct " + name,
                 "size " + " ".join(run_text(r, r[2]) for r in runs(sizes))]
        for member in sorted(members):
            parts = []
            for kind in sorted(members[member], key=lambda k: min(members[member][k])):
                parts.append(kind)
                parts += [run_text(r, r[2]) for r in runs(members[member][kind])]
            lines.append(member + " " + " ".join(parts))
        files.setdefault(group, []).append("\n".join(lines))
    for group, texts in files.items():
        with open(os.path.join(OUT, group + ".layout"), "w", newline="\n") as f:
            f.write("# Structure layouts: %s. Format and sources: README.md. "
                    "Written by tools/make-layouts.py.\n" % group)
            f.write("\n".join(texts) + "\n")


def write_profiles(profiles, pdb_ids):
    with open(os.path.join(OUT, "profiles.layout"), "w", newline="\n") as f:
        f.write("# Layout profiles and the kernels that each is exact for. Format: README.md. "
                "Written by tools/make-layouts.py.\n")
        for index, p in enumerate(profiles):
            f.write("profile %d %s %d %d %d %s %s\n" % (index, p.arch, p.build_min, p.build_max,
                                                     p.first, p.version, p.source))
            for version in p.kernels:
                guid = pdb_ids.get(version, "-") if p.arch == "x64" else "-"
                f.write("kernel %s %s\n" % (version, guid))


def write_enums(src):
    versions = sorted(src.pdbs, key=lambda p: version_key(p["version"]))
    table = {}
    for index, pdb in enumerate(versions):
        for enum, values in pdb["enums"].items():
            for name, value in values.items():
                table.setdefault(enum, {}).setdefault((value, name), {})[index] = 1
    with open(os.path.join(OUT, "enums.layout"), "w", newline="\n") as f:
        f.write("# Enumerators of x64 kernels: value, name, builds that have it. Format: README.md. "
                "Written by tools/make-layouts.py.\n")
        f.write("builds %s\n" % " ".join(p["version"].split(".")[2] for p in versions))
        for enum in sorted(table):
            f.write("enum %s\n" % enum)
            for (value, name), where in sorted(table[enum].items()):
                text = " ".join(str(r[0]) if r[0] == r[1] else "%d-%d" % (r[0], r[1])
                                for r in runs(where))
                f.write("%d %s %s\n" % (value, name, text))


def write_globals(root):
    with open(os.path.join(root, "nt-globals.json")) as f:
        kernels = json.load(f)
    names = sorted({n for k in kernels.values() for n in k["rva"]})
    order = sorted(kernels, key=version_key)
    with open(os.path.join(OUT, "nt-globals.tsv"), "w", newline="\n") as f:
        f.write("# RVAs of kernel globals by kernel; x64. `kernel N VERSION PDB-ID` numbers the kernels, then\n"
                "# `NAME HEX...`: one RVA per kernel in that order, - where the kernel has none, = where it is\n"
                "# the previous kernel's. Source: JPCERTCC/Windows-Symbol-Tables (BSD-3-Clause), from\n"
                "# Microsoft's public PDBs. Written by tools/make-layouts.py.\n")
        for index, version in enumerate(order):
            f.write("kernel %d %s %s\n" % (index, version, kernels[version]["pdb"]))
        for name in names:
            last, cells = None, []
            for version in order:
                rva = kernels[version]["rva"].get(name)
                cells.append("-" if rva is None else "=" if rva == last else "%x" % rva)
                last = rva
            f.write("%s %s\n" % (name, " ".join(cells)))
    return {version: k["pdb"] for version, k in kernels.items()}


def write_versions(root):
    """The columns arch, version, file, timestamp, size, sorted, hex without 0x."""
    rows = []
    with open(os.path.join(root, "nt-versions.tsv")) as f:
        for line in f:
            if not line.startswith("#") and line.strip():
                arch, version, name, stamp, size = line.rstrip("\n").split("\t")
                rows.append((arch, int(stamp, 16), int(size, 16), version, name))
    with open(os.path.join(OUT, "nt-versions.tsv"), "w", newline="\n") as f:
        f.write("# arch\tTimeDateStamp\tSizeOfImage\tversion\tfile: kernel images as PsLoadedModuleList shows them.\n"
                "# Source: winsiderss/systeminformer kphlib/kphdyn.xml (MIT). Written by tools/make-layouts.py.\n")
        for arch, stamp, size, version, name in sorted(rows):
            f.write("%s\t%08x\t%x\t%s\t%s\n" % (arch.replace("amd64", "x64"), stamp, size, version, name))


def write_kdbg(root):
    with open(os.path.join(root, "kddebugger-data64.json")) as f:
        data = json.load(f)
    with open(os.path.join(OUT, "kddebugger-data64.layout"), "w", newline="\n") as f:
        f.write("# Members of KDDEBUGGER_DATA64: name, offset, type[:bit:length], first Windows that has it.\n"
                "# The block's Header.Size says how much of it is there. Sizes seen: %s.\n"
                "# Source: Windows SDK wdbgexts.h (public), volatility3 kdbg.json. Written by tools/make-layouts.py.\n"
                % ", ".join("%s %d" % (k, v) for k, v in data["sizes_seen"].items()))
        for name, m in sorted(data["members"].items()):
            bits = (m["bit_pos"], m["bit_len"]) if "bit_pos" in m else None
            f.write("%s %d %s %s\n" % (name, m["offset"], type_text(m["type"], bits), m["since"]))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "..", "shared", "layouts")
    src = Source(root)
    wanted = Wanted(os.path.join(OUT, "wanted.txt"))
    profiles = load_profiles(src)
    add_by_size(profiles, read_by_size(os.path.join(OUT, "by-size.txt")))
    assert len(profiles) <= 255, "profile numbers are one byte in the tables"
    pdb_ids = write_globals(root)
    write_profiles(profiles, pdb_ids)
    write_structs(profiles, wanted)
    write_enums(src)
    write_versions(root)
    write_kdbg(root)
    print("%d profiles" % len(profiles))


if __name__ == "__main__":
    main()
