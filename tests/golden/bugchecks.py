"""One golden per variant of fixtures/bugchecks.txt: the parameters explained, and what they lead
to, out of the JSON report. Run by run.py."""
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXPECTED = os.path.join(HERE, "expected", "bugchecks")
DUMPS = os.path.join("build", "fixtures", "bugchecks")


def variants():
    with open(os.path.join(ROOT, "fixtures", "bugchecks.txt"), encoding="utf-8") as f:
        return re.findall(r'^variant "([^"]+)"', f.read(), re.M)


def words(*parts):
    return ": ".join(p for p in parts if p)


def digest(report):
    """The bugcheck of a report as lines."""
    b = report["bugcheck"]
    yield f"{b['code']} {b['name'] or '(not listed)'}"
    if b["subcode_unlisted"]:
        yield f"sub-code: not in the table of {b['table_edition']}"
    elif b["subcode_text"]:
        yield "sub-code: " + words(b["subcode_name"], b["subcode_text"])
    for number, p in enumerate(b["parameters"], 1):
        kind = f" [{p['type']}]" if p["type"] else ""
        yield f"P{number} {p['value']}{kind} " + words(p["text"], p["resolved"])
        for f in b["facts"]:
            if f["parameter"] == number:
                yield f"    {f['name']} {f['value'] or 'unknown'}" + (
                    f" {f['meaning']}" if f["meaning"] else "")
    fault = report["fault"]
    if fault["address"]:
        yield f"fault address {fault['address']}" + (
            f", {fault['access']}" if fault["access"] else "")
    for w in report["walks"]:
        if w["table_name"] == "bugcheck_facts" and not w["complete"]:
            yield f"cut short: {w['detail']}"


def check_one(runner, schema, name):
    status, out, err = runner.run(["-f", "json", f"{DUMPS}/{name}.dmp"])
    if status not in (0, 4):
        return [f"exit status {status}: {err.decode(errors='replace')[:200]}"]
    problems = [f"schema: {p}" for p in schema.problems(out)[:3]] if schema.validator else []
    got = "\n".join(digest(json.loads(out))) + "\n"
    path = os.path.join(EXPECTED, name + ".txt")
    if os.environ.get("UPDATE") == "1":
        os.makedirs(EXPECTED, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(got)
    want = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            want = f.read()
    if want != got:
        pairs = zip(want.split("\n") + [""], got.split("\n") + [""])
        first = next((f"expected {w!r}, got {g!r}" for w, g in pairs if w != g), "length")
        problems.append(first[:400])
    return problems


def check(runner, schema, pool):
    """(passed, failed) over all variants."""
    names = variants()
    passed = failed = 0
    for name in sorted(set(f[:-4] for f in os.listdir(EXPECTED)) - set(names)
                       if os.path.isdir(EXPECTED) else []):
        print(f"FAIL bugcheck {name}: a golden without a variant")
        failed += 1
    for name, problems in zip(names, pool.map(lambda n: check_one(runner, schema, n), names)):
        for p in problems:
            print(f"FAIL bugcheck {name}\n    {p}")
        passed, failed = passed + (not problems), failed + bool(problems)
    if len(names) < 40:
        print(f"FAIL bugchecks: only {len(names)} variants were found")
        failed += 1
    return passed, failed
