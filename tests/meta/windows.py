"""The Windows program: what it imports, its names and paths, its output. Runs it under wine."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from meta import ROOT, check, program, run

RUNNER = os.environ.get("RUNNER", "sh tools/wine-run.sh").split()
DUMP = "build/fixtures/header-only.dmp"


def windows(*arguments, cwd=ROOT):
    """Runs the program; output as bytes."""
    runner = [str(ROOT / part) if (ROOT / part).is_file() else part for part in RUNNER]
    return subprocess.run(runner + [str(ROOT / program()), *arguments], cwd=cwd,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
                          check=False)


def opens(path, cwd=ROOT):
    """Complaints unless `info` of the path says what it says of the fixture itself."""
    want, got = windows("info", DUMP), windows("info", path, cwd=cwd)
    if want.returncode not in (0, 4) or not want.stdout:
        return [f"info {DUMP}: exit {want.returncode}: {want.stderr[:120]!r}"]
    if got.returncode != want.returncode:
        return [f"info {path}: exit {got.returncode}: {got.stderr.decode('utf-8', 'replace')}"]
    name = path.encode("utf-8")
    if name not in got.stdout and path.rsplit("/", 1)[-1].encode("utf-8") not in got.stdout:
        return [f"info {path}: the name does not come back whole: {got.stdout[:120]!r}"]
    return []


@check
def the_program_imports_kernel32_and_msvcrt_only():
    done = run("x86_64-w64-mingw32-objdump", "-p", program())
    names = {line.split()[-1].lower() for line in done.stdout.splitlines() if "DLL Name" in line}
    return [] if names == {"kernel32.dll", "msvcrt.dll"} else [f"imports {sorted(names)}"]


@check
def a_unicode_file_name_opens_and_comes_back():
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        name = "дамп メモリ ü.dmp"
        shutil.copy(ROOT / DUMP, Path(folder) / name)
        return opens(name, cwd=folder) + opens(f"{Path(folder).relative_to(ROOT)}/{name}")


@check
def a_path_over_260_characters_opens():
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        deep = Path(folder)
        for number in range(6):
            deep = deep / (f"{number}-" + "long" * 15)
        deep.mkdir(parents=True)
        shutil.copy(ROOT / DUMP, deep / "memory.dmp")
        path = str((deep / "memory.dmp").relative_to(ROOT))
        found = [] if len(path) > 260 else ["the path is too short to prove anything"]
        return found + opens(path) + opens("Z:" + str(deep / "memory.dmp").replace("/", "\\"))


@check
def output_is_utf8_with_lf():
    found = []
    for arguments in (("--help",), ("info", DUMP), ("-f", "json", DUMP), ("explain", "0xd1")):
        out = windows(*arguments).stdout
        if b"\r" in out or not out.endswith(b"\n"):
            found.append(f"{arguments}: the lines do not end in LF: {out[:60]!r}")
        out.decode("utf-8")
    return found


@check
def exit_statuses_pass():
    found = []
    for want, arguments in ((0, ("--version",)), (2, ("--no-such-option",)),
                            (3, ("info", "README.md"))):
        got = windows(*arguments).returncode
        if got != want:
            found.append(f"{arguments}: exit {got}, not {want}")
    return found


@check
def a_file_is_written_whole_under_a_unicode_name():
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        target = Path(folder) / "отчёт.json"
        done = windows("info", "-f", "json", "-o", f"{Path(folder).relative_to(ROOT)}/отчёт.json",
                       DUMP)
        want = windows("info", "-f", "json", DUMP).stdout
        if not target.is_file():
            return [f"-o: no file: {done.stderr.decode('utf-8', 'replace')}"]
        return [] if target.read_bytes() == want else ["-o: not what stdout gets"]
