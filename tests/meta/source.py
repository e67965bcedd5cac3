"""How the C is written."""
import os
import re
import shutil

from meta import ROOT, Skip, check, code, files, have, read, run, search, under

LONG_FUNCTION = 100
USUAL_FUNCTION = 45
LONG_FILE = 1000
USUAL_FILE = 600
WARN = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes",
        "-Wmissing-prototypes", "-Werror", "-fsyntax-only", "-Iinclude", "-Isrc"]


def functions(name):
    """(name, lines) of every function: the style puts its braces alone in the first column."""
    lines = code(name, False).split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and re.match(r"\S", lines[start - 1]) is None and lines[start - 1]:
                start -= 1
            start = max(0, start - 1)
        elif line == "}" and start is not None:
            title = re.search(r"(\w+)\(", " ".join(lines[start:number]))
            yield (title.group(1) if title else "?"), number - start + 1
            start = None


@check
def no_function_is_over_100_lines_and_nine_in_ten_are_under_45():
    found, total, usual = [], 0, 0
    for name in under("src", ext=(".c", ".h")):
        for function, lines in functions(name):
            total += 1
            usual += lines < USUAL_FUNCTION
            if lines > LONG_FUNCTION:
                found.append(f"{name}: {function} has {lines} lines")
    if total == 0:
        found.append("no function was found")
    elif usual * 10 < total * 9:
        found.append(f"{usual} of {total} functions are under {USUAL_FUNCTION} lines")
    return found


@check
def no_source_file_is_over_1000_lines_and_nine_in_ten_are_under_600():
    sizes = {n: read(n).count("\n") for n in under("src", "include", ext=(".c", ".h"))}
    found = [f"{n}: {size} lines" for n, size in sizes.items() if size > LONG_FILE]
    long = [n for n, size in sizes.items() if size > USUAL_FILE]
    if len(long) * 10 > len(sizes):
        found += [f"{n}: over {USUAL_FILE} lines" for n in long]
    return found


@check
def no_banned_function_is_called():
    names = under("src", "include", ext=(".c", ".h"))
    return search(names, r"\b(strcpy|strcat|stpcpy|strncpy|strncat|sprintf|vsprintf|gets|atoi|atol"
                         r"|atoll|atof|strtok|strtok_r|alloca|scanf|sscanf|fscanf|setjmp|longjmp"
                         r"|popen|system|tmpnam|mktemp|rand|srand|gmtime|localtime|ctime|asctime"
                         r"|wcscpy|wcscat|lstrcpyW|lstrcatW)\s*\(", "banned")


@check
def unfinished_work_leaves_no_marks():
    words = ["TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK", "not" " implemented", "un" "implemented",
             "st" "ub"]
    pattern = r"(?i)\b(" + "|".join(words) + r")\b"
    found = []
    for name in under("src", "include", "patterns", "tests", "fixtures", "man", "tools"):
        for number, line in enumerate(read(name).split("\n"), 1):
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {line.strip()[:90]}")
    return found


@check
def no_path_of_a_machine_is_in_the_project():
    home = str(ROOT.parent) + "/"
    pattern = re.compile(r"(?<![\w.])/(home|root|Users)/\w")
    found = []
    for name in files():
        for number, line in enumerate(read(name).split("\n"), 1):
            if (home in line and len(home) > 5) or (pattern.search(line) and "C:" not in line):
                found.append(f"{name}:{number}: {line.strip()[:90]}")
    return found


@check
def every_header_compiles_alone():
    compiler = os.environ.get("CC") or "gcc"
    found = []
    for name in under("src", "include", ext=(".h",)):
        if "/win32/" in name:
            continue
        short = name.split("/", 1)[1]
        done = run("sh", "-c", f"echo '#include \"{short}\"' | \"$@\" -x c -", "sh", compiler, *WARN)
        if done.returncode != 0:
            found.append(f"{name}: {done.stderr.strip().splitlines()[0] if done.stderr else '?'}")
    return found


@check
def every_public_header_compiles_alone_as_cxx():
    compiler = os.environ.get("CXX") or "g++"
    if not have(compiler):
        raise Skip(f"{compiler} is missing (./bootstrap check installs it)")
    found = []
    for name in under("include", ext=(".h",)):
        for language, standard in (("c++", "c++11"), ("c", "c11")):
            if language == "c":
                compiler_now = os.environ.get("CC") or "gcc"
            else:
                compiler_now = compiler
            short = name.split("/", 1)[1]
            done = run("sh", "-c", f"echo '#include <{short}>' | \"$@\" -x {language} -", "sh",
                       compiler_now, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
                       "-Werror", "-fsyntax-only", "-Iinclude")
            if done.returncode != 0:
                found.append(f"{name} ({standard}): {done.stderr.strip().splitlines()[:1]}")
    return found


@check
def every_public_function_is_documented():
    found = []
    for name in under("include", ext=(".h",)):
        lines = read(name).split("\n")
        for number, line in enumerate(lines):
            # A declaration begins in the first column with its type.
            if not re.match(r"(?!typedef|static|#)[a-z].*\bds_\w+\(", line):
                continue
            above = lines[number - 1].rstrip() if number else ""
            if not above.endswith("*/"):
                found.append(f"{name}:{number + 1}: no comment above: {line.strip()}")
    return found


@check
def every_header_says_what_it_is_for():
    return [f"{n}: does not begin with a comment" for n in under("src", "include", ext=(".h",))
            if not read(n).startswith("/*")]


@check
def sources_are_clang_formatted():
    version = run("clang-format", "--version").stdout
    if "version 14." not in version:
        raise Skip("clang-format 14 is missing; other versions format differently")
    names = under("src", "include", "tests", ext=(".c", ".h"))
    done = run("clang-format", "--dry-run", "-Werror", *names)
    return sorted({line.split(": ")[0] for line in done.stderr.splitlines() if ": error:" in line})


@check
def the_library_keeps_no_mutable_state():
    library = os.path.join(os.environ.get("B", "build/release"), "libdumpscan.a")
    if not shutil.which("size"):
        raise Skip("binutils' size is missing")
    found, member = [], "?"
    for line in run("size", "-A", library).stdout.splitlines():
        if line.endswith(":") and "(ex " in line:
            member = line.split()[0]
        part = line.split()
        if len(part) == 3 and part[0] in (".data", ".bss", ".tdata", ".tbss") and part[1] != "0":
            found.append(f"{member}: {part[1]} bytes in {part[0]}")
    return found if found or member != "?" else [f"{library}: cannot be read"]


@check
def the_shared_library_exports_the_public_functions_only():
    folder = os.environ.get("B", "build/release")
    shared = f"{folder}/libdumpscan.so.{read('VERSION').strip()}"
    if not (ROOT / shared).exists():
        return [f"{shared} was not built"]
    done = run("nm", "-D", "--defined-only", shared)
    exported = {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}
    exported = {n for n in exported if n not in ("_init", "_fini")}
    declared = set()
    for name in under("include", ext=(".h",)):
        declared |= set(re.findall(r"^(?!typedef|static|#)[a-z].*?\b(ds_\w+)\(", code(name), re.M))
    found = [f"{n} is exported and not in a public header" for n in sorted(exported - declared)]
    found += [f"{n} is declared in a public header and not exported"
              for n in sorted(declared - exported)]
    return found or ([] if exported else ["nothing is exported"])
