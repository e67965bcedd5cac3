#!/usr/bin/env python3
"""usage: schema.py DUMPSCAN DUMP...
Checks what -f json and info -f json print against docs/report.schema.json, and what explain and
error print against docs/explain.schema.json, with every object closed: a key that the schema does not document fails as a wrong one does. Prints ok, FAIL or
skip lines."""
import copy
import json
import os
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skip report-schema: python3-jsonschema is not installed")
    sys.exit(0)


def close(node):
    """Objects with listed properties take no others."""
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            close(value)
    elif isinstance(node, list):
        for value in node:
            close(value)


def main():
    program, dumps = sys.argv[1].split(), sys.argv[2:]
    with open("docs/report.schema.json", encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    close(schema["$defs"])
    # Open as documented: the members are whatever the query and the processor call them.
    validators = {}
    for name in ("report", "refusal", "info"):
        one = copy.deepcopy(schema)
        del one["anyOf"]
        one["$ref"] = "#/$defs/" + name
        validators[name] = jsonschema.Draft202012Validator(one)
    bad = 0
    for dump in dumps:
        for command in ([], ["info"]):
            out = subprocess.run(program + command + ["-f", "json", dump], capture_output=True)
            label = " ".join(["report-schema"] + command + [os.path.basename(dump)])
            try:
                report = json.loads(out.stdout.decode("utf-8"))
            except ValueError as e:
                print(f"FAIL {label}: no JSON: {e}")
                bad = 1
                continue
            kind = "refusal" if report.get("error") else "info" if command else "report"
            errors = [f"{e.json_path}: {e.message}"[:300]
                      for e in validators[kind].iter_errors(report)]
            if report.get("exit_status") != out.returncode:
                errors.append(f"exit_status {report.get('exit_status')}, exited {out.returncode}")
            print(f"FAIL {label}: {errors[0]}" if errors else f"ok {label}")
            bad = bad or bool(errors)
    return check_knowledge(program) or bad


def check_knowledge(program):
    """explain and error, against docs/explain.schema.json."""
    with open("docs/explain.schema.json", encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    close(schema["$defs"])
    bad = 0
    for kind, words in (("bugcheck", "explain 9f 3 ffff800012345678"),
                        ("bugcheck", "explain 1a ffffff"), ("bugcheck", "explain 1000007e"),
                        ("unlisted", "explain 7fffffff"), ("list", "explain --list"),
                        ("error", "error 80070026"), ("error", "error E_FAIL"),
                        ("error", "error 0x8007ffff"), ("error", "error 12345678")):
        one = copy.deepcopy(schema)
        del one["anyOf"]
        one["$ref"] = "#/$defs/" + kind
        for form in ("json", "jsonl"):
            out = subprocess.run(program + words.split() + ["-f", form], capture_output=True)
            label = f"explain-schema {words} -f {form}"
            try:
                value = json.loads(out.stdout.decode("utf-8"))
                errors = [f"{e.json_path}: {e.message}"[:300] for e in
                          jsonschema.Draft202012Validator(one).iter_errors(value)]
                if form == "jsonl" and out.stdout.count(b"\n") != 1:
                    errors.append("not one line")
            except ValueError as e:
                errors = [f"no JSON: {e}"]
            print(f"FAIL {label}: {errors[0]}" if errors else f"ok {label}")
            bad = bad or bool(errors)
    return bad


sys.exit(main())
