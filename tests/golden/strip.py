"""`dumpscan strip`: the copy reads as the dump does, and nothing is ever overwritten by accident."""
import json
import os
import tempfile

SECRET = b"secret"


def report(runner, path):
    """The JSON report without what must differ: names, sizes and words on the leftovers."""
    status, out, err = runner.run(["-v", "-f", "json", path])
    r = json.loads(out)
    for key in ("file", "file_size", "leftover_bytes"):
        r["dump"][key] = None
    r["integrity"] = [n for n in r["integrity"] if n["check"] != "file.leftover_tail"]
    for walk in r["walks"]:
        if walk["table_name"] == "integrity":
            walk["rows"] = None
    for key, value in r.items():
        if isinstance(value, list):
            r[key] = [x for x in value
                      if not isinstance(x, dict) or x.get("id") != "private-leftovers"]
    return status, r, err


def tests(runner, fixtures, folder):
    """(name, problem or None) of every test."""
    def path(name):
        return os.path.join(folder, name).replace(os.sep, "/")

    def strip(*words):
        return runner.run(["strip", *words])

    def read(name):
        with open(name, "rb") as f:
            return f.read()

    def write(name, data):
        with open(name, "wb") as f:
            f.write(data)

    machine, out = f"{fixtures}/machine.dmp", path("out.dmp")
    original = read(machine)
    status, text, err = strip(machine, "-o", out)
    yield "strip-runs", status == 0 and b"37 bytes of leftovers" in text and not err, (status, err)
    yield "strip-cuts-the-tail", original == read(out) + original[-37:], len(read(out))
    yield "strip-secret-gone", SECRET in original and SECRET not in read(out), None
    yield "strip-reads-the-same", report(runner, machine) == report(runner, out), None
    yield "strip-leaves-no-temporary", os.listdir(folder) == ["out.dmp"], os.listdir(folder)

    before = read(out)
    status, text, err = strip(machine, "-o", out, "--blobs")
    yield "strip-keeps-existing", status == 2 and b"--force" in err and read(out) == before, err
    status, text, err = strip("--force", "--paths", machine, "-o", out)
    yield "strip-paths", status == 0 and "jane.doe".encode("utf-16-le") not in read(out), err
    a, b = report(runner, machine)[1], report(runner, out)[1]
    gone = [x for x in a["dump"]["secondary_blobs"] if x["tag"].startswith("be84d651")]
    places = [x["tag"] for x in b["dump"]["secondary_blobs"]]
    yield "strip-paths-only", len(gone) == 1 and places == [
        x["tag"] for x in a["dump"]["secondary_blobs"] if x not in gone], places
    status, text, err = strip("--force", "--blobs", machine, "-o", out)
    b = report(runner, out)[1]
    yield "strip-blobs", status == 0 and b["dump"]["secondary_blobs"] == [] and \
        b["verdict"] == a["verdict"] and b["stack"] == a["stack"], err

    copy = path("copy.dmp")
    write(copy, original)
    for word in ([], ["--force"]):
        status, text, err = strip(*word, copy, "-o", copy)
        yield "strip-not-its-input", status == 2 and read(copy) == original, err
    write(path("in.dmp.tmp"), original)
    status, text, err = strip(path("in.dmp.tmp"), "-o", path("in.dmp"))
    yield "strip-not-its-input-by-the-back-door", status == 2 and read(
        path("in.dmp.tmp")) == original and not os.path.exists(path("in.dmp")), err

    clean = f"{fixtures}/triage-c.dmp"
    status, text, err = strip("--force", clean, "-o", out)
    yield "strip-clean-as-is", status == 0 and read(out) == read(clean) and \
        b"nothing to leave out" in text, text
    new = path("new.dmp")
    for name, want in (("full", 3), ("demo", 3), ("no-zip", 3), ("bad-triage-truncated", 4)):
        status, text, err = strip(f"{fixtures}/{name}.dmp", "-o", new)
        yield f"strip-refuses-{name}", status == want and err and not os.path.exists(new), err
    status, text, err = strip(f"{fixtures}/bad-blob-sizes.dmp", "-o", new)
    yield "strip-damaged-as-is", status == 4 and read(new) == read(
        f"{fixtures}/bad-blob-sizes.dmp") and b"damaged" in err, err
    status, text, err = strip(machine)
    yield "strip-needs-output", status == 2, err
    status, text, err = strip(machine, "-o", path("no/such/folder/x.dmp"))
    yield "strip-cannot-write", status == 1 and err, err


def check(runner, fixtures):
    passed = failed = 0
    with tempfile.TemporaryDirectory(dir="build") as folder:
        for name, good, detail in tests(runner, fixtures, folder):
            if good:
                passed += 1
            else:
                failed += 1
                print(f"FAIL {name}\n    {str(detail)[:300]}")
    return passed, failed
