"""Every pattern against docs/pattern.schema.json, and broken variants of each, which the schema
must refuse. Appends "pattern-schema passed failed skipped" to $B/results."""
import copy
import glob
import json
import os
import sys


def report(passed, failed, skipped):
    print(f"pattern-schema: {passed} passed, {failed} failed, {skipped} skipped")
    if os.environ.get("B"):
        with open(os.path.join(os.environ["B"], "results"), "a", encoding="utf-8") as out:
            out.write(f"pattern-schema {passed} {failed} {skipped}\n")
    sys.exit(1 if failed else 0)


try:
    import jsonschema
except ImportError:
    print("skip pattern-schema: python3-jsonschema is not installed")
    report(0, 0, 1)


def broken(pattern):
    """Variants of a good pattern that no schema for patterns may accept."""
    yield "verdict names a driver", dict(pattern, verdict="driver")
    yield "stack_of is a list", dict(pattern, stack_of=["thread"])
    for bad in ([], "memory", ["kernel"], ["bugcheck-9F"], ["bugcheck-0x123456789"], ["x86 "], ["build-6000"]):
        yield f"applies is {bad}", dict(pattern, applies=bad)
    for key in pattern:
        if key not in ("verdict", "applies", "stack_of"):
            yield f"without {key}", {k: v for k, v in pattern.items() if k != key}
        yield f"{key} is a number", dict(pattern, **{key: 7})
        yield f"{key} is null", dict(pattern, **{key: None})
    for key in ("id", "title", "query", "message", "explain"):
        yield f"{key} is empty", dict(pattern, **{key: ""})
    for key in ("next_steps", "references", "tests", "requires"):
        yield f"{key} is a string", dict(pattern, **{key: "one"})
        yield f"{key} holds a number", dict(pattern, **{key: [1]})
    yield "an unknown key", dict(pattern, colour="red")
    yield "an unknown severity", dict(pattern, severity="awful")
    yield "an id in capitals", dict(pattern, id="Nice-Id")
    yield "an empty requires", dict(pattern, requires=[])
    yield "a requires with blanks", dict(pattern, requires=["dump .kind"])


with open("docs/pattern.schema.json", encoding="utf-8") as schema_file:
    schema = json.load(schema_file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
passed = failed = 0
for path in sorted(glob.glob("patterns/*.json")):
    with open(path, encoding="utf-8") as pattern_file:
        pattern = json.load(pattern_file)
    problems = [e.message for e in validator.iter_errors(pattern)]
    if pattern.get("id") != os.path.basename(path)[:-5]:
        problems.append("its id is not its file's name")
    for name in pattern.get("tests", []):
        if not os.path.exists(f"tests/patterns/{pattern['id']}/{name}.txt"):
            problems.append(f"its test {name} has no description")
    for what, bad in broken(copy.deepcopy(pattern)):
        if validator.is_valid(bad):
            problems.append(f"the schema accepts it with {what}")
    if problems:
        failed += 1
        print(f"{path}: " + "; ".join(problems))
    else:
        passed += 1
if passed + failed == 0:
    print("no pattern was found")
    failed = 1
report(passed, failed, 0)
