#!/usr/bin/env python3
"""Dumps in archives: the same report as the plain file, and the right words for broken archives.

Environment: BIN, RUNNER, B (appends "archives passed failed skipped" to $B/results).
"""
import gzip
import json
import os
import shlex
import struct
import subprocess
import sys

from make import HOSTILE

FIXTURES = "build/fixtures"
BIN = shlex.split(os.environ.get("RUNNER", "")) + [os.environ.get("BIN", "build/release/dumpscan")]
LIMIT = "--max-inflated=32M"


def run(*arguments):
    p = subprocess.run(BIN + list(arguments), capture_output=True, timeout=120, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def report(path, *options):
    status, out, err = run("-f", "jsonl", LIMIT, *options, f"{FIXTURES}/{path}")
    assert out, f"no report of {path}: {status} {err}"
    return status, [json.loads(line) for line in out.splitlines()], err


def without_name(r):
    """A report without what tells the file itself: its name and size."""
    r = json.loads(json.dumps(r))
    for key in ("file", "file_size"):
        r["dump"].pop(key, None)
    return r


SAME = ["plain.dmp.gz", "fields.dmp.gz", "members.dmp.gz", "many.dmp.gz", "twice.dmp.gz",
        "trailing.dmp.gz", "one.zip", "stored.zip", "comment.zip", "zip64.zip", "nested.zip"]
# What comes out of a broken archive is still a report, with status 4 and these words.
DAMAGED = {
    "cut.dmp.gz": "ends early",
    "no-trailer.dmp.gz": "ends early",
    "flipped.dmp.gz": "damaged before archive offset",
    "wrong-crc.dmp.gz": "check sum",
    "cut.zip": "ends early",
    "no-directory.zip": "directory is missing",
    "stored-cut.zip": "ends before this stored member",
    "lying.zip": "check sum",
}
REFUSED = {
    "bomb.dmp.gz": (3, "more than the limit of 33554432 bytes"),
    "bomb-10g.dmp.gz": (3, "more than the limit of 33554432 bytes"),
    "deep.dmp.gz": (3, "archives in one another"),
    "empty.dmp.gz": (3, "an empty file"),
    "text.dmp.gz": (3, "inside the gzip archive: not a Windows kernel dump: this is a text file"),
    "header-only.dmp.gz": (3, "a gzip archive from which nothing comes out"),
    "encrypted.zip": (3, "is encrypted"),
    "lzma.zip": (3, "packed with LZMA"),
    "secret.zip": (3, "member secret.dmp is encrypted"),
    "zip.zip.gz": (2, "several dumps (i/one.dmp, i/two.dmp ...)"),
    "none.zip": (3, "none of its 2 files is a dump"),
}


def same_report(name):
    _, [plain], _ = report("demo.dmp")
    status, [packed], err = report(f"archive-{name}")
    assert (status, err) == (0, ""), (status, err)
    assert without_name(packed) == without_name(plain), "the report differs from the plain file's"
    assert packed["dump"]["file_size"] == plain["dump"]["file_size"]


def damaged_report(name):
    status, [r], _ = report(f"archive-{name}")
    words = " ".join(json.dumps(n) for n in r["integrity"])
    assert status == 4 and r["exit_status"] == 4, status
    assert DAMAGED[name] in words, words
    assert "archive.damaged" in words, words
    # The header stands at the start, so it was read whatever came later.
    assert int(r["bugcheck"]["code"], 16) == 0xd1, r["bugcheck"]


def refusal(name):
    status, [r], err = report(f"archive-{name}")
    want, words = REFUSED[name]
    assert status == want and words in err and words in r["error"]["text"], (status, err, r)


def several_dumps_are_several_inputs():
    _, [plain], _ = report("demo.dmp")
    status, rows, err = report("archive-several.zip")
    assert (status, err, len(rows)) == (0, "", 3), (status, err, len(rows))
    names = [r["dump"]["file"].split("!")[1] for r in rows]
    assert names == ["a/demo.dmp", "b/mini.dmp", "c.dmp.gz"], names
    assert without_name(rows[0]) == without_name(plain)
    assert without_name(rows[1]) == without_name(rows[2])
    status, out, _ = run("-f", "json", f"{FIXTURES}/archive-several.zip")
    assert status == 0 and len(json.loads(out)) == 3


def one_of_several_is_named():
    status, [r], _ = report("archive-several.zip!b/mini.dmp")
    assert status == 0 and r["dump"]["kind"] == "triage", r["dump"]
    status, out, err = run("query", f"{FIXTURES}/archive-several.zip", "SELECT code FROM bugcheck")
    assert (status, out) == (2, "") and "ARCHIVE!MEMBER" in err, (status, err)
    status, out, _ = run("query", f"{FIXTURES}/archive-several.zip!a/demo.dmp",
                         "SELECT code FROM bugcheck")
    assert status == 0 and "209" in out, out
    status, _, err = run("info", f"{FIXTURES}/archive-several.zip!nothing")
    assert status == 1 and "no member nothing" in err, (status, err)


def inputs_of(*names):
    """The names of the inputs that files of the fixtures stand for, without their own."""
    status, out, _ = run("info", "-f", "jsonl", *(f"{FIXTURES}/{n}" for n in names))
    rows = [json.loads(line)["dump"]["file"] for line in out.splitlines()]
    return status, [r.split("/archive-")[-1].split("build/fixtures/")[-1] for r in rows]


def archives_in_archives_are_gone_into():
    assert inputs_of("archive-inside.zip") == (0, [
        "inside.zip!top.dmp", "inside.zip!inner.zip!i/one.dmp", "inside.zip!inner.zip!i/two.dmp"])
    assert inputs_of("archive-inside-only.zip") == (0, [
        "inside-only.zip!inner.zip!i/one.dmp", "inside-only.zip!inner.zip!i/two.dmp"])
    _, [plain], _ = report("demo.dmp")
    for name in ("inside.zip!inner.zip!i/one.dmp", "inside-gz.zip!inner.zip.gz!i/one.dmp",
                 "zip.zip.gz!i/one.dmp", "inside-gz.zip!d.dmp.gz"):
        status, [r], _ = report(f"archive-{name}")
        assert status == 0 and without_name(r) == without_name(plain), name
    for name in ("inside.zip!inner.zip!none", "inside.zip!none!i/one.dmp"):
        status, [r], err = report(f"archive-{name}")
        assert status == 1 and "has no member" in err, (status, err)


def names_of_members_are_only_names():
    status, names = inputs_of("archive-hostile.zip")
    assert status == 0 and names == [f"hostile.zip!{n}" for n in
                                     [n.replace("\\", "/") if os.name == "nt" else n
                                      for n in HOSTILE]], names
    status, out, err = run("info", f"{FIXTURES}/archive-hostile.zip")
    assert status == 0 and not err and "\x1b" not in out and "\u202e" not in out, out
    status, out, _ = run("info", "-f", "jsonl", f"{FIXTURES}/archive-hostile.zip!{HOSTILE[0]}")
    assert status == 0 and json.loads(out)["dump"]["kind"] == "triage"
    status, names = inputs_of("archive-same.zip")
    assert (status, names) == (0, ["same.zip!same.dmp", "same.zip!same.dmp#2"]), names
    _, [first], _ = report("archive-same.zip!same.dmp")
    _, [second], _ = report("archive-same.zip!same.dmp#2")
    assert (first["dump"]["kind"], second["dump"]["kind"]) == ("triage", "bitmap-kernel")


def what_cannot_be_unpacked_is_an_input_that_fails():
    """Beside a dump that can be read, an encrypted one is not passed over in silence."""
    status, rows, err = report("archive-secrets.zip")
    assert status == 3 and len(rows) == 2 and "secret.dmp is encrypted" in err, (status, err)
    assert "error" in rows[0] and rows[1]["dump"]["kind"] == "triage"


def files_and_archives_mix():
    status, names = inputs_of("archive-several.zip", "demo.dmp", "archive-plain.dmp.gz",
                              "archive-one.zip", "archive-several.zip!b/mini.dmp")
    assert (status, names) == (0, ["several.zip!a/demo.dmp", "several.zip!b/mini.dmp",
                                   "several.zip!c.dmp.gz", "demo.dmp", "plain.dmp.gz", "one.zip",
                                   "several.zip!b/mini.dmp"]), names


def a_look_inside_is_bounded():
    """20 archives of 64 MB in one of 1.3 MB: those that would cost too much are given as they are."""
    status, names = inputs_of("archive-inner-bombs.zip")
    assert status == 3 and len(names) == 20, (status, names)


def several_checkpoints_read_the_same():
    """Past the first checkpoint and the cache: every page of the plain file and the packed one."""
    _, [plain], _ = report("archive-noisy.dmp")
    status, [packed], _ = report("archive-noisy.dmp.gz")
    assert status == 0 and without_name(packed) == without_name(plain)


def limit_is_a_size():
    for value in ("", "0", "x", "1Q", "1KB", "99999999999999999999", "-1"):
        status, _, err = run("info", f"--max-inflated={value}", f"{FIXTURES}/demo.dmp")
        assert status == 2 and "--max-inflated" in err, (value, status, err)
    status, _, err = run("info", "--max-inflated=1k", f"{FIXTURES}/archive-plain.dmp.gz")
    assert status == 3 and "limit of 1024 bytes" in err, (status, err)


def a_bomb_needs_little_memory():
    """1 GB of its 10 is inflated, within an address space of 512 MB."""
    if os.environ.get("RUNNER") or "asan" in os.environ.get("B", "") or os.name != "posix":
        return
    limit = ["sh", "-c", 'ulimit -v 524288; exec "$@"', "sh"]
    p = subprocess.run(limit + BIN + ["--max-inflated=1G", f"{FIXTURES}/archive-bomb-10g.dmp.gz"],
                       capture_output=True, timeout=120, check=False)
    assert p.returncode == 3 and b"more than the limit of 1073741824 bytes" in p.stderr, p.stderr
    p = subprocess.run(limit + BIN + [f"{FIXTURES}/archive-bomb-10g.dmp.gz"],
                       capture_output=True, timeout=120, check=False)
    with open(f"{FIXTURES}/demo.dmp", "rb") as f:
        required, = struct.unpack_from("<Q", f.read(0x2000), 0xfa0)
    words = f"more than {required + (1 << 30)} bytes, where the dump inside says that it has {required}"
    assert p.returncode == 3 and words.encode() in p.stderr, p.stderr


def on_a_terminal(*arguments):
    """Status, and what is written to a terminal that is both output and error output."""
    master, slave = os.openpty()
    with subprocess.Popen(BIN + list(arguments), stdin=slave, stdout=slave, stderr=slave) as p:
        os.close(slave)
        text = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            text += piece
        os.close(master)
        return p.wait(), text.decode()


def screen(text):
    """The lines that are left to see after carriage returns."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part):]
        lines.append(shown)
    return lines


def progress_is_shown_on_a_terminal_only():
    """2 GB take longer than the half second that is waited before anything is shown."""
    if os.environ.get("RUNNER") or "asan" in os.environ.get("B", "") or os.name != "posix":
        return
    path = os.path.join(os.environ.get("B", "build/release"), "progress.dmp.gz")
    with open(f"{FIXTURES}/archive-plain.dmp.gz", "rb") as f, open(path, "wb") as out:
        out.write(f.read() + gzip.compress(bytes(64 << 20), 9) * 32)
    try:
        status, _, err = run("info", "--max-inflated=4G", path)
        assert (status, err) == (0, ""), (status, err)
        for arguments, last in ((("--max-inflated=4G",), "Uptime"), ((), "a bomb")):
            want = 0 if arguments else 3
            status, text = on_a_terminal("info", *arguments, path)
            assert status == want and "inflating: " in text and " MiB so far)" in text, text
            assert last in text and not any("inflating" in line for line in screen(text)), text
    finally:
        os.remove(path)


def main():
    tests = [(f"{f.__name__} {n}", lambda f=f, n=n: f(n))
             for f, names in ((same_report, SAME), (damaged_report, DAMAGED), (refusal, REFUSED))
             for n in names]
    tests += [(f.__name__, f) for f in (several_dumps_are_several_inputs, one_of_several_is_named,
                                        archives_in_archives_are_gone_into,
                                        names_of_members_are_only_names,
                                        what_cannot_be_unpacked_is_an_input_that_fails,
                                        files_and_archives_mix, a_look_inside_is_bounded,
                                        several_checkpoints_read_the_same, limit_is_a_size,
                                        a_bomb_needs_little_memory,
                                        progress_is_shown_on_a_terminal_only)]
    failed = 0
    for name, test in tests:
        try:
            test()
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL {name}: {e}")
    print(f"archives: {len(tests) - failed} passed, {failed} failed, 0 skipped")
    with open(os.path.join(os.environ.get("B", "build/release"), "results"), "a",
              encoding="utf-8") as f:
        f.write(f"archives {len(tests) - failed} {failed} 0\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
