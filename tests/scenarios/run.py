#!/usr/bin/env python3
"""The machine of fixtures/scenario.txt under every structure layout: queries.txt asks each dump the
same, and expected.json has the one answer. Less than that (a row that is missing, a value that is
unknown) is allowed only if the layout lacks a member that the query says it depends on; then what is
missing from the findings must be said to be untold. Another answer never is.

With --pages, for three layouts, the same dump without one of its pages: nothing may be found that is
not so, and what is missing must be told.

usage: run.py PROGRAM FOLDER [--pages N] [--all] [--few] [--only LAYOUT] [--show]
Appends "scenarios passed failed skipped" to $B/results.
"""
import argparse
import concurrent.futures
import functools
import json
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "fixtures"))

import build as fixtures  # noqa: E402
from lib import layout as layouts  # noqa: E402
from lib.containers import Container  # noqa: E402

# The patterns that the machine has an answer for; it has no object manager, for one.
ASKED = {"deadlock", "hidden-process", "hidden-thread", "lock-owner-exited", "low-io-priority-holder",
         "no-processor-idle", "possible-deadlock", "priority-inversion", "self-deadlock", "spiking-thread",
         "suspended-process", "suspended-thread", "wait-chain"}
EACH = 25  # threads of a process


def profiles():
    """(layout, architecture, build, version, PDB id) of every profile."""
    out = []
    with open(os.path.join(layouts.folder(), "profiles.layout"), encoding="utf-8") as f:
        for line in f:
            w = line.split()
            if w[0] == "profile":
                out.append([f"{w[6]}-{w[2]}", w[2], int(w[3]), w[6], None])
            elif w[0] == "kernel" and out[-1][4] is None:
                out[-1][4] = w[2]
    return [tuple(p) for p in out]


def others():
    """Threads that wait for an event, until each process has 25 and all have 200."""
    have = {"system": 1, "smss": 0, "csrss": 3, "services": 4, "svchost": 4, "database": 4,
            "stopped": 4, "shell": 5}
    text, number = [], 0x500
    for process, count in have.items():
        for _ in range(EACH - count if process != "stopped" else 0):
            text.append(f"thread {process} as other {{ tid = {number} }}")
            text.append("wait other { on = [nothing]; reason = 15 }")
            number += 4 if number % 0x400 != 0x3fc else 8
    missing = EACH - have["stopped"]
    for i in range(missing):  # the stopped one has four, and these go to System
        text.append(f"thread system as other {{ tid = {number} }}")
        text.append("wait other { on = [nothing]; reason = 15 }")
        number += 4 if number % 0x400 != 0x3fc else 8
    return "\n".join(text)


ARCHITECTURES = {
    "x86": {"KERNEL": "0x80800000", "DRIVER": "0xf6000000", "PAGING": "x86", "PHYSICAL": "0x39000",
            "SYSTEM": "",
            "SHARED": "struct _KUSER_SHARED_DATA at 0xffdf0000 { TickCountMultiplier = 0xa000000 }",
            "CONTEXT": "esp = stack_base(runs0) - 0x300\n"
                       "context as crash { Eip = nt!KeBugCheckEx; Esp = esp; Ebp = esp + 0x40 }"},
    "x64": {"KERNEL": "0xfffff80001000000", "DRIVER": "0xfffff88001000000", "PAGING": "x64",
            "PHYSICAL": "0x100000", "SYSTEM": "",
            "SHARED": "struct _KUSER_SHARED_DATA at 0xfffff78000000000 "
                      "{ TickCountMultiplier = 0xa000000; NtMajorVersion = 10 }",
            "CONTEXT": "rsp = stack_base(runs0) - 0x300\n"
                       "context as crash { Rip = nt!KeBugCheckEx; Rsp = rsp }"},
    "arm64": {"KERNEL": "0xfffff80301000000", "DRIVER": "0xfffff80308000000", "PAGING": "arm64",
              "PHYSICAL": "0x80200000", "SYSTEM": "selfmap = 0x1ed",
              "SHARED": "struct _KUSER_SHARED_DATA at 0xfffff78000000000 "
                        "{ TickCountMultiplier = 0xa000000; NtMajorVersion = 10 }",
              "CONTEXT": "sp = stack_base(runs0) - 0x300\n"
                         "context as crash { Pc = nt!KeBugCheckEx; Sp = sp; Fp = sp + 0x40 }"},
}


def describe(profile, kind, pae):
    key, arch, build, version, pdb = profile
    words = dict(ARCHITECTURES[arch], LAYOUT=key, ARCH=arch, BUILD=str(build), VERSION=version,
                 KIND=kind, PAE=str(int(pae)), OTHERS=others(),
                 KDBG=f"PaeEnabled = {int(pae)}" if arch == "x86" else "",
                 PDB=f'pdb = "{pdb}"; pdbname = "ntkrnlmp.pdb"' if pdb not in (None, "-") else "")
    if pae:
        words["PAGING"] = "pae"
    if arch == "x64" and build < 9600:  # 44 bits of addresses, before Windows 8.1
        words["SYSTEM"] = "pool = 0xfffffa8001000000"
    with open(os.path.join(ROOT, "fixtures", "scenario.txt"), encoding="utf-8") as f:
        return re.sub(r"%([A-Z]+)%", lambda m: words[m.group(1)], f.read())


def make(folder, profile, kind, pae=False, extra=""):
    """Builds one dump; gives its path."""
    name = f"{profile[0]}-{kind}{'-pae' if pae else ''}"
    text, out = os.path.join(folder, name + ".txt"), os.path.join(folder, name + ".dmp")
    with open(text, "w", encoding="utf-8") as f:
        f.write(describe(profile, kind, pae) + extra)
    w = fixtures.evaluate(text)
    Container(w).build().save(out)
    return out


def queries():
    """(name, [members], SQL) of queries.txt."""
    out = []
    with open(os.path.join(HERE, "queries.txt"), encoding="utf-8") as f:
        for block in f.read().split("\n\n"):
            lines = [x for x in block.split("\n") if x and not x.startswith("#")]
            if lines:
                name, _, needs = lines[0].partition(":")
                out.append((name.strip(), needs.split(), " ".join(lines[1:])))
    return out


def program(args, *words):
    command = shlex.split(os.environ.get("RUNNER", "")) + [args.program, *words]
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if run.returncode not in (0, 1, 2, 3, 4) or run.stderr:
        raise ValueError(f"{' '.join(words)}: exit {run.returncode}: "
                         f"{run.stderr.decode('utf-8', 'replace')[:300]}")
    return run.stdout.decode("utf-8")


def all_in_one():
    """One SELECT of all queries: a row's first value says which it answers."""
    widths = {name: len(expected()[name][0]) for name, _, _ in queries()}
    most, names, parts = max(widths.values()), [], []
    for i, (name, _, sql) in enumerate(queries()):
        columns = [f"c{k}" for k in range(widths[name])]
        names.append(f"q{i}({', '.join(columns)}) AS ({sql})")
        cells = columns + ["NULL"] * (most - len(columns))
        parts.append(f"SELECT * FROM (SELECT {i} AS query, {', '.join(cells)} FROM q{i})")
    return widths, "WITH " + ", ".join(names) + " " + " UNION ALL ".join(parts)


def answers(args, dump):
    """Every query's rows; the findings and what cannot be told."""
    widths, sql = all_in_one()
    out = {name: [] for name in widths}
    names = list(widths)
    for line in program(args, "query", "--format", "jsonl", dump, sql).splitlines():
        which, *cells = json.loads(line).values()
        name = names[which]
        out[name].append(cells[:widths[name]])
    report = json.loads(program(args, "--format", "json", dump))
    out["findings"] = [[f["id"], f.get("instances_total", len(f.get("instances", [])))]
                       for f in report.get("findings", [])]
    out["cannot tell"] = sorted([c["id"]] for c in report["cannot_tell"] if c["id"] in ASKED)
    return out


def within(row, want):
    """No cell says anything else: it is equal, unknown, or a number that is lower."""
    return len(row) == len(want) and all(
        g is None or g == w or w is None or isinstance(w, int) and isinstance(g, int) and 0 <= g < w
        for g, w in zip(row, want))


def part_of(rows, want):
    """Whether each row is one of those, as far as it goes, and none is given twice."""
    left = [w for w in want if w not in rows]
    for row in rows:
        if row in want or row[0] is None:  # as it is, or what nothing is known of
            continue
        hit = next((w for w in left if within(row, w)), None)
        if hit is None:
            return False
        left.remove(hit)
    return True


def loose_ends(got, name):
    """Where an edge is lost, a chain ends early and its last thread looks like a head: the table says
    that it is cut short. Cycles stay what they are."""
    whole = {row[0]: row[1] for row in got["lists"]}
    if name not in ("heads", "chains") or whole.get("wait_heads") == 1:
        return got[name]
    return [row for row in got[name] if name == "heads" and row[1] == "cycle"]


def differences(got, lost, want, allowed=frozenset()):
    """What a dump says that it should not. `lost` has the names of queries whose answer may be part
    of the whole one: then a finding that is missing must be among those that cannot be told.
    `allowed` are patterns that this kernel never can answer."""
    out = []
    for name, rows in want.items():
        if name == "cannot tell":
            continue
        have = loose_ends(got, name) if name in lost else got[name]
        if have != rows and not (name in lost and part_of(have, rows)):
            out.append(name)
    untold = {row[0] for row in got["cannot tell"]} - allowed
    found = {row[0] for row in got["findings"]}
    if "findings" not in lost and untold:
        out.append("cannot tell")
    out.extend("findings" for row in want["findings"] if row[0] not in found | untold)
    return sorted(set(out))


@functools.lru_cache(maxsize=None)
def expected():
    with open(os.path.join(HERE, "expected.json"), encoding="utf-8") as f:
        return json.load(f)


def lacks(profile, needs):
    """The members, one of which would do, that the layout has none of: "_T.a|_T.b"; after "N>" for
    kernels from build N on."""
    layout = layouts.load(profile[0])
    has = lambda member: layout.has(*member.split(".", 1))
    found = []
    for need in needs:
        build, _, members = need.rpartition(">")
        if int(build or 0) <= profile[2] and not any(has(m) for m in members.split("|")):
            found.append(members)
    return found


def holds(profile):
    """Whether the layout has the structures that the machine is made of; says so if not."""
    lacking = [t for t in ("_EPROCESS", "_ETHREAD", "_KPRCB", "_ERESOURCE", "_KMUTANT")
               if t not in layouts.load(profile[0]).structs]
    if lacking:
        print(f"skip {profile[0]}: the layout has no {', '.join(lacking)}")
    return not lacking


def never(profile):
    """Threads have I/O priorities since Windows Vista."""
    return {"low-io-priority-holder"} if profile[2] < 6000 else frozenset()


def check(args, profile, kind, pae=False):
    """What is wrong with one dump's answers."""
    dump = make(args.folder, profile, kind, pae)
    missing = {name: lacks(profile, needs) for name, needs, _ in queries()}
    lost = {name for name, members in missing.items() if members}
    if lost:
        lost.add("findings")
    got = answers(args, dump)
    wrong = [f"{os.path.basename(dump)}: {name}: {json.dumps(got[name])} instead of "
             f"{json.dumps(expected()[name])}; the layout lacks {missing.get(name) or 'nothing'}"
             for name in differences(got, lost, expected(), never(profile))]
    if not wrong and not args.keep:
        os.remove(dump)
    return wrong


# ---- one page after another removed ----

PAGED = ("5.2.3790.3959-x86", "10.0.19041.329-x64", "10.0.26100.0-arm64")


def pages(args):
    """(profile, kind, pages to remove): all of them, or one in so many."""
    for p in profiles():
        if p[0] not in PAGED:
            continue
        kind = "full" if p[1] == "x86" else "bitmap-kernel"
        w = evaluate(args.folder, p, kind)
        w.mem.build_tables()
        every = sorted(w.mem.pages)
        step = 1 if args.all else max(1, len(every) // args.pages)
        yield p, kind, every[::step]


def evaluate(folder, profile, kind):
    text = os.path.join(folder, f"pages-{profile[0]}-{os.getpid()}.txt")
    with open(text, "w", encoding="utf-8") as f:
        f.write(describe(profile, kind, False))
    return fixtures.evaluate(text)


def silent(got, want):
    """Whether rows are missing, and nothing says so: no table is cut short or tells of a bad link, no
    value is unknown."""
    fewer = [n for n, rows in want.items() if len(got[n]) < len(rows) and n != "cannot tell"]
    told = (got["lists"] != want["lists"] or got["cannot tell"]
            or any(None in row for n, rows in got.items() if n in want for row in rows
                   if row not in want[n]))
    return fewer if not told else []


def tables_lost(w, pfn, got):
    """Without one of its page tables a dump is damaged, and that is said: no false finding."""
    return {"corrupt-dump"} & {row[0] for row in got["findings"]} if (
        pfn not in set(w.mem.maps.values())) else set()


def check_pages(args, profile, kind, removed):
    """The same without one page of memory: less may be known, and nothing else."""
    wrong, names = [], set(expected()) - {"cannot tell"}
    for pfn in removed:
        w = evaluate(args.folder, profile, kind)
        w.mem.dropped = {pfn}
        dump = os.path.join(args.folder, f"pages-{profile[0]}-{pfn:x}.dmp")
        Container(w).build().save(dump)
        got = answers(args, dump)
        true = tables_lost(w, pfn, got)
        got["findings"] = [row for row in got["findings"] if row[0] not in true]
        bad = [f"{n}: {json.dumps(got[n])} instead of {json.dumps(expected()[n])}"
               for n in differences(got, names, expected())]
        bad += [f"{n}: nothing says what is missing" for n in silent(got, expected())]
        wrong += [f"{os.path.basename(dump)}: {b}" for b in bad]
        if not bad and not args.keep:
            os.remove(dump)
    return wrong


def jobs(args):
    """(profile, kind, PAE): the first revision of each build, or every profile."""
    seen = set()
    for p in profiles():
        _, arch, build, _, _ = p
        if args.only and p[0] != args.only or args.few and p[0] not in PAGED:
            continue
        if not args.all and not args.only and (arch, build) in seen:
            continue
        seen.add((arch, build))
        if arch == "x86":
            yield p, "full", False
            if args.all or args.only or build in (3790, 7601, 19041):
                yield p, "full", True
        elif arch == "x64":
            kinds = ("full", "bitmap-full", "bitmap-kernel")
            for kind in kinds if args.all or args.only or build == 19041 else kinds[build % 3:][:1]:
                yield p, kind, False
        else:
            yield p, "bitmap-kernel", False


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--all", action="store_true", help="every profile, every kind of dump")
    parser.add_argument("--only", help="one layout")
    parser.add_argument("--few", action="store_true", help="three layouts")
    parser.add_argument("--show", action="store_true", help="print the answers of the first dump")
    parser.add_argument("--pages", type=int, default=0, metavar="N",
                        help="remove one page after another, N of each dump (--all: every one)")
    parser.add_argument("--keep", action="store_true", help="keep the dumps")
    args = parser.parse_args(argv[1:])
    os.makedirs(args.folder, exist_ok=True)
    if args.show:
        print(json.dumps(answers(args, make(args.folder, *next(jobs(args))))).replace("]], ", "]],\n"))
        return 0
    skipped = 0
    if args.pages:
        tasks = [(check_pages, p, kind, [pfn]) for p, kind, some in pages(args) for pfn in some]
    else:
        tasks = [(check, *j) for j in jobs(args)]
        skipped = len(tasks)
        tasks = [t for t in tasks if holds(t[1])]
        skipped -= len(tasks)
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
        for job, future in [(t, pool.submit(t[0], args, *t[1:])) for t in tasks]:
            try:
                found = future.result()
            except (ValueError, OSError, fixtures.DescriptionError, layouts.LayoutError) as e:
                found = [f"{job[1][0]} {job[2]}: {e}"]
            failed += bool(found)
            print("\n".join(found), end="\n" if found else "")
    suite = "scenario-pages" if args.pages else "scenarios"
    print(f"{suite}: {len(tasks) - failed} passed, {failed} failed, {skipped} skipped")
    if os.environ.get("B"):
        with open(os.path.join(os.environ["B"], "results"), "a", encoding="utf-8") as f:
            f.write(f"{suite} {len(tasks) - failed} {failed} {skipped}\n")
    return 1 if failed or not tasks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
