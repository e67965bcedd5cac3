"""Reports that must not depend on what the header says: see twins.txt."""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
# What tells of the file, and of the way to the kernel.
PARTS = ("dump", "integrity", "bootstrap", "exit_status")
TABLES = ("integrity", "bootstrap_steps")
# A finding that the file is damaged is about the file too.
FINDINGS = ("corrupt-dump",)


def load():
    with open(os.path.join(HERE, "twins.txt"), encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words and not words[0].startswith("#"):
                yield words[0], words[1], words[2:]


def report(runner, folder, name, ignored):
    status, out, err = runner.run(["-f", "json", f"{folder}/{name}.dmp"])
    if status not in (0, 4):
        raise ValueError(f"exit status {status}: {err.decode(errors='replace')}")
    value = json.loads(out)
    for part in PARTS:
        value.pop(part)
    value["walks"] = [w for w in value["walks"] if w["table_name"] not in TABLES]
    for part in ("findings", "no_match"):
        value[part] = [f for f in value[part] if f["id"] not in FINDINGS]
    keys = value["windbg"]["keys"]  # some of these tell of the header as well
    for key in [k for k in keys if k.startswith("Dump.Attributes.")]:
        del keys[key]
    for path in ignored:
        part, _, member = path.partition(".")
        if member:
            value[part].pop(member)
        else:
            value.pop(part)
    return value


def differences(a, b, path=""):
    if type(a) is not type(b):
        yield f"{path}: {a!r}, and {b!r}"
    elif isinstance(a, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}")
    elif isinstance(a, list):
        if len(a) != len(b):
            yield f"{path}: {len(a)} and {len(b)} of them"
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b:
        yield f"{path}: {a!r}, and {b!r}"


def check(runner, folder):
    passed = failed = 0
    for name, twin, ignored in load():
        try:
            problems = list(differences(report(runner, folder, name, ignored),
                                        report(runner, folder, twin, ignored)))
        except (ValueError, KeyError) as e:
            problems = [str(e)]
        if problems:
            failed += 1
            print(f"FAIL twin:{name} is not like {twin}")
            for p in problems[:6]:
                print(f"    {p[:300]}")
        else:
            passed += 1
    return passed, failed
