"""Assertions on the real dumps beside the checkout: facts that their truth file or their README
states, not whole outputs. Skips loudly where they are absent."""
import json
import os


def number(text):
    return int(text, 0) if isinstance(text, str) else text


class Dump:
    def __init__(self, runner, path, schema):
        self.runner, self.path, self.schema = runner, path, schema
        self.status, out, self.stderr = runner.run(["-f", "json", path])
        self.text = out
        self.report = json.loads(out)

    def query(self, sql, *options):
        status, out, err = self.runner.run(["query", "-f", "json", *options, self.path, sql])
        assert status == 0, f"{sql}: exit {status}: {err.decode()}"
        return json.loads(out)

    def one(self, sql):
        rows = self.query(sql)
        assert len(rows) == 1, f"{sql}: {len(rows)} rows"
        return rows[0]


def equal(got, want, what):
    assert got == want, f"{what}: {got!r}, not {want!r}"


def x64(d, truth):
    yield "exit status", lambda: equal(d.status, 0, "status")
    yield "schema", lambda: equal(d.schema.problems(d.text) if d.schema.validator else [], [], "")

    def bugcheck():
        b = d.one("SELECT code, p1, p2, p3, p4 FROM bugcheck")
        equal([number(b[k]) for k in ("code", "p1", "p2", "p3", "p4")],
              [0x1000007E] + [number(truth["header"][f"BugCheckParameter{i}"])
                              for i in range(1, 5)], "bugcheck")

    def followed():
        rows = d.query("SELECT parameter, name, value, meaning FROM bugcheck_facts")
        got = {(r["parameter"], r["name"]): (number(r["value"]), r["meaning"]) for r in rows}
        at = number(truth["header"]["BugCheckParameter2"])
        equal(got[(3, "exception_address")], (at, "amdppm+0x334c"), "exception address")
        equal(got[(3, "exception_code")], (0xC0000005, "STATUS_ACCESS_VIOLATION"), "code")
        equal(got[(4, "pc")][0], at, "instruction pointer")

    def drivers():
        rows = d.query("SELECT base, size, name FROM modules")
        got = {(number(r["base"]), number(r["size"]), r["name"]) for r in rows}
        want = {(number(t["base"]), number(t["size"]), t["name"].rsplit("\\", 1)[-1])
                for t in truth["drivers"]}
        equal(len(got), 151, "drivers")
        equal(sorted(want - got)[:3], [], "drivers missing")

    def unloaded():
        rows = d.query("SELECT name, start_address, end_address FROM unloaded_modules")
        equal({(r["name"], number(r["start_address"]), number(r["end_address"])) for r in rows},
              {(t["name"], number(t["start"]), number(t["end"]))
               for t in truth["unloaded_drivers"]}, "unloaded drivers")

    def blobs():
        rows = d.query("SELECT tag, size FROM secondary_blobs")
        equal([(r["tag"].lower(), r["size"]) for r in rows],
              [(t["guid"].strip("{}").lower(), t["size"]) for t in truth["secondary_blobs"]],
              "blobs")

    def process():
        rows = d.query("SELECT pid, name FROM processes")
        assert any(r["pid"] == 4 and r["name"] == "System" for r in rows), rows

    def revision():
        assert "10.0.19041.804" in d.text.decode(), "no revision"

    def culprit():
        c = d.report["culprit"]
        equal((c["kind"], c["module"]), ("driver", "amdppm.sys"), "culprit")
        assert "amdppm+0x334c" in d.text.decode(), "amdppm+0x334c is not named"

    def context():
        assert truth["context_header"]["Rip"] in d.text.decode(), "faulting Rip is not shown"

    # The stack that another tool's published test expects, from the frame that faulted on.
    rsp = number(truth["context_header"]["Rsp"])
    stack = [f for f in truth["symbolized_stack_from_rizin_testdb"]
             if number(f["sp"]) >= rsp and number(f["pc"])]

    def frames():
        assert len(stack) > 20, "the truth file has no stack"
        got = {number(r["pc"]) for r in d.query("SELECT pc FROM stack_frames")}
        equal([f["pc"] for f in stack if number(f["pc"]) not in got], [], "frames not found")

    def names():
        folder = os.path.join(os.path.dirname(d.path), "symbols")
        rows = d.query("SELECT pc, symbol FROM stack_frames", "--symbols", folder)
        got = {number(r["pc"]): r["symbol"] for r in rows}
        wrong = []
        for f in stack:
            head, _, offset = f["symbol"].partition("+")
            if head.startswith("pdb.ntkrnlmp.") and offset.isdigit() and "::" not in head:
                want = f"nt!{head[13:]}+{int(offset):#x}"
                if got.get(number(f["pc"])) != want:
                    wrong.append((want, got.get(number(f["pc"]))))
        equal(wrong, [], "names with the symbol table")

    yield from (("frames", frames), ("names", names), ("bugcheck", bugcheck), ("followed", followed),
                ("drivers", drivers), ("unloaded drivers", unloaded),
                ("blobs", blobs), ("process", process), ("revision", revision),
                ("culprit", culprit), ("faulting context", context))


def arm64(d, _):
    yield "exit status", lambda: equal(d.status, 0, "status")
    yield "schema", lambda: equal(d.schema.problems(d.text) if d.schema.validator else [], [], "")

    def head():
        r = d.one("SELECT architecture, build, processor_count FROM dump")
        equal((r["architecture"], r["build"], r["processor_count"]), ("arm64", 17134, 8), "header")
        equal(number(d.one("SELECT code FROM bugcheck")["code"]) & 0xFF, 0xE2, "code")

    def drivers():
        rows = d.query("SELECT name FROM modules")
        assert len(rows) > 50 and rows[0]["name"].lower().startswith("nt"), rows[:2]

    yield "header", head
    yield "drivers", drivers


def arm32(d, _):
    yield "exit status", lambda: equal(d.status, 0, "status")
    yield "schema", lambda: equal(d.schema.problems(d.text) if d.schema.validator else [], [], "")

    def head():
        r = d.one("SELECT architecture, build FROM dump")
        equal((r["architecture"], r["build"]), ("arm", 17134), "header")
        equal(number(d.one("SELECT code FROM bugcheck")["code"]), 0, "code")

    def drivers():
        assert len(d.query("SELECT name FROM modules")) > 50
    yield "header", head
    yield "drivers", drivers


DUMPS = (("triage_x64_19041.dmp", x64), ("triage_arm64_17134.dmp", arm64),
         ("triage_arm32_17134.dmp", arm32))


def check(runner, folder, schema):
    passed = failed = skipped = 0
    for name, checks in DUMPS:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            print(f"skip real {name}: reference material is not beside the checkout")
            skipped += 1
            continue
        truth = {}
        if os.path.exists(path[:-4] + ".truth.json"):
            with open(path[:-4] + ".truth.json", encoding="utf-8") as f:
                truth = json.load(f)
        try:
            dump = Dump(runner, os.path.relpath(path), schema)
        except (ValueError, OSError) as e:
            print(f"FAIL real {name}: no JSON report: {e}")
            failed += 1
            continue
        for what, f in checks(dump, truth):
            try:
                f()
                passed += 1
            except Exception as e:  # any failure of a check is that check's FAIL line
                failed += 1
                print(f"FAIL real {name}: {what}: {type(e).__name__} {str(e)[:300]}")
    return passed, failed, skipped
