#!/usr/bin/env python3
"""Golden tests: runs the program over built fixtures and compares its output exactly.

Cases stand in tests/golden/*.cases, one a line: NAME EXIT ARGUMENTS... ({F} is build/fixtures,
{R} the folder of real dumps). stdout must equal NAME.out, stderr NAME.err (no file: empty).
A name that begins with ~ compares the exit status alone.
UPDATE=1 rewrites the expected files: read the difference before you commit it. RUNNER="wine64"
runs another system's program. JSON reports are validated against docs/report.schema.json.
Environment: BIN, RUNNER, B (results are appended to $B/results), UPDATE, VERSION.
"""
import concurrent.futures
import glob
import json
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FIXTURES = "build/fixtures"
REAL = os.path.join("..", "shared", "real")
TIMEOUT = 120

try:
    import jsonschema
except ImportError:
    jsonschema = None


class Runner:
    def __init__(self):
        self.binary = os.environ.get("BIN", "build/release/dumpscan")
        self.prefix = shlex.split(os.environ.get("RUNNER", ""))
        self.version = open(os.path.join(ROOT, "VERSION"), encoding="utf-8").read().strip()
        self.environment = {k: v for k, v in os.environ.items()
                            if k in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS",
                                     "UBSAN_OPTIONS", "WINEPREFIX", "WINEDEBUG", "SYSTEMROOT")}
        self.environment["LC_ALL"] = "C.UTF-8"

    def run(self, arguments, stdin=b""):
        """(exit status, stdout, stderr); the version is masked so that releases keep goldens."""
        p = subprocess.run(self.prefix + [self.binary] + arguments, cwd=ROOT, input=stdin,
                           capture_output=True, env=self.environment, timeout=TIMEOUT, check=False)
        mask = lambda b: b.replace(self.version.encode(), b"@VERSION@")
        # stdout must have plain line feeds everywhere; stderr may follow the system.
        return p.returncode, mask(p.stdout), mask(p.stderr).replace(b"\r\n", b"\n")


def load_cases():
    for path in sorted(glob.glob(os.path.join(HERE, "*.cases"))):
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = shlex.split(line, comments=True)
                if not words:
                    continue
                if len(words) < 2:
                    raise SystemExit(f"{path}:{number}: NAME EXIT [ARGUMENTS...]")
                yield words[0], int(words[1]), [w.replace("{F}", FIXTURES) for w in words[2:]]


def load_exits():
    """One case per built dump, `json:NAME`: its exit status, and that its JSON report is valid."""
    with open(os.path.join(HERE, "exits.txt"), encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words and not words[0].startswith("#"):
                yield ("json:" + words[0], int(words[1]),
                       ["-f", "json", f"{FIXTURES}/{words[0]}.dmp"])


def unlisted():
    """Built dumps that exits.txt forgot: a dump without a test tests nothing."""
    listed = {c[0][5:] for c in load_exits()}
    built = {os.path.basename(p)[:-4] for p in glob.glob(os.path.join(ROOT, "fixtures/dumps/*.txt"))}
    return sorted(n for n in built if n not in listed and not n.startswith("nt-"))


def expected(name, kind):
    path = os.path.join(HERE, "expected", f"{name}.{kind}")
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as f:
        return f.read()


def update(name, kind, data):
    path = os.path.join(HERE, "expected", f"{name}.{kind}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if data:
        with open(path, "wb") as f:
            f.write(data)
    elif os.path.exists(path):
        os.remove(path)


def first_difference(want, got):
    a, b = want.split(b"\n"), got.split(b"\n")
    for i, (x, y) in enumerate(zip(a, b), 1):
        if x != y:
            at = next((k for k, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
            lo = max(0, at - 40)
            return f"line {i}, byte {at}: expected {x[lo:at + 80]!r}, got {y[lo:at + 80]!r}"
    return f"{len(a)} lines expected, {len(b)} got"


def is_report(arguments):
    joined = " ".join(arguments)
    return "-f json" in joined and arguments[0] not in (
        "query", "tables", "patterns", "explain", "error", "info", "vtop", "pte", "read", "maps",
        "share", "stack", "dt", "ln", "graph")


class Schema:
    def __init__(self):
        self.validator, self.skip = None, None
        path = os.path.join(ROOT, "docs", "report.schema.json")
        if jsonschema is None:
            self.skip = "python3-jsonschema is not installed: JSON is not validated"
        elif not os.path.exists(path):
            self.skip = "docs/report.schema.json is absent: JSON is not validated"
        else:
            with open(path, encoding="utf-8") as f:
                schema = json.load(f)
            cls = jsonschema.validators.validator_for(schema)
            cls.check_schema(schema)
            self.validator = cls(schema)

    def problems(self, text):
        out = []
        for document in text.decode("utf-8").strip().split("\n") if text.count(
                b"\n") and not text.startswith((b"{\n", b"[\n")) else [text.decode("utf-8")]:
            value = json.loads(document)
            for e in self.validator.iter_errors(value):
                out.append(f"{'/'.join(map(str, e.absolute_path))}: {e.message[:120]}")
        return out


def check(runner, schema, case):
    name, status, arguments = case
    try:
        got_status, out, err = runner.run(arguments)
    except subprocess.TimeoutExpired:
        return [f"no end within {TIMEOUT} s"]
    compared = not name.startswith(("json:", "~"))
    if compared and os.environ.get("UPDATE") == "1":
        update(name, "out", out)
        update(name, "err", err)
    problems = []
    if got_status != status:
        problems.append(f"exit status {got_status}, expected {status}: {err.decode(errors='replace')[:300]}")
    for kind, got in (("out", out), ("err", err)) if compared else ():
        want = expected(name, kind)
        if want != got:
            problems.append(f"std{kind}: {first_difference(want, got)}")
    if is_report(arguments) and out and schema.validator:
        try:
            problems += [f"schema: {p}" for p in schema.problems(out)[:5]]
        except ValueError as e:
            problems.append(f"not JSON: {e}")
    return problems


def main():
    os.chdir(ROOT)
    runner, schema = Runner(), Schema()
    only = set(sys.argv[1:])
    cases = [c for c in list(load_cases()) + list(load_exits()) if not only or c[0] in only]
    passed = failed = skipped = 0
    for name in unlisted():
        print(f"FAIL {name}: not in tests/golden/exits.txt")
        failed += 1
    if schema.skip:
        print(f"skip schema: {schema.skip}")
        skipped += 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, problems in zip(cases, pool.map(lambda c: check(runner, schema, c), cases)):
            if problems:
                failed += 1
                print(f"FAIL {case[0]}")
                for p in problems:
                    print(f"    {p}")
            else:
                passed += 1
                if os.environ.get("V") == "1":
                    print(f"ok {case[0]}")
    if not only or "bugchecks" in only:
        import bugchecks
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            p, f = bugchecks.check(runner, schema, pool)
        passed, failed = passed + p, failed + f
    if not only or "twins" in only:
        import twins
        p, f = twins.check(runner, FIXTURES)
        passed, failed = passed + p, failed + f
    if not only or "real" in only:
        import real
        p, f, s = real.check(runner, os.path.join(ROOT, REAL), schema)
        passed, failed, skipped = passed + p, failed + f, skipped + s
    if not only or "strip" in only:
        import strip
        p, f = strip.check(runner, FIXTURES)
        passed, failed = passed + p, failed + f
    print(f"golden: {passed} passed, {failed} failed, {skipped} skipped")
    if os.environ.get("B"):
        os.makedirs(os.environ["B"], exist_ok=True)
        with open(os.path.join(os.environ["B"], "results"), "a", encoding="utf-8") as f:
            f.write(f"golden {passed} {failed} {skipped}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    sys.exit(main())
