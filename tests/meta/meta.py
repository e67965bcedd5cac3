"""Shared by the meta tests: the registry of checks, the files of the project, running programs.

A check is a function decorated with @check that returns nothing when all is well, raises Skip,
or returns a list of complaints, one line each.
"""
import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = []


class Skip(Exception):
    """A check cannot be made on this machine; the message says why."""


def check(function):
    CHECKS.append(function)
    return function


def run(*command, **options):
    """A finished process with text output; a missing program is a complaint of exit 127."""
    try:
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, encoding="utf-8",
                              errors="replace", check=False, **options)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: not found")


def have(program):
    return run("sh", "-c", f"command -v {program}").returncode == 0


def program():
    """The built program, relative to the root."""
    return os.environ.get("BIN", "build/release/dumpscan")


@lru_cache(maxsize=None)
def files():
    """Every file of the project, tracked or about to be, as paths relative to the root."""
    listed = run("git", "ls-files", "-co", "--exclude-standard")
    if listed.returncode == 0 and listed.stdout:
        names = listed.stdout.splitlines()
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith((".git/", "build/"))]
    return sorted(n for n in names if (ROOT / n).is_file())


def under(*folders, ext=()):
    return [n for n in files()
            if n.startswith(tuple(f + "/" for f in folders)) and (not ext or n.endswith(ext))]


@lru_cache(maxsize=None)
def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def _blank(match):
    text = match.group(0)
    return text if text.startswith('"') or text.startswith("'") else re.sub(r"[^\n]", " ", text)


@lru_cache(maxsize=None)
def code(name, strings=True):
    """C text without comments, and without the content of strings unless told; lines stay."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
    text = re.sub(pattern, _blank, read(name), flags=re.S)
    if not strings:
        text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return text


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def search(names, pattern, what, strings=False, comments=False):
    """Complaints for every match of a pattern in C files."""
    found = []
    for name in names:
        text = read(name) if comments else code(name, strings)
        for match in re.finditer(pattern, text):
            found.append(f"{name}:{line_of(text, match.start())}: {what}: {match.group(0).strip()}")
    return found
