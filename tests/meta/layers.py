"""The rooms and what each may use."""
import re

from meta import check, code, line_of, search, under

ROOMS = ["base", "io", "dump", "memory", "symbols", "unwind", "target", "nt", "facts", "rules",
         "report", "api", "cli"]
OS_HEADERS = (r"windows|shellapi|io|direct|unistd|fcntl|dirent|pthread|endian|dlfcn|termios|signal"
              r"|sys/[a-z_]+")


def room(name):
    return name.split("/")[1]


def library():
    return [n for n in under("src", ext=(".c", ".h")) if room(n) != "cli"]


@check
def rooms_include_only_themselves_and_rooms_before_them():
    found = []
    for name in under("src", ext=(".c", ".h")):
        if room(name) not in ROOMS:
            found.append(f"{name}: not in a known room")
            continue
        text = code(name)
        for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, re.M):
            target = match.group(1).split("/")[0]
            if target == "dumpscan":
                continue
            if target not in ROOMS or "/" not in match.group(1):
                found.append(f"{name}:{line_of(text, match.start())}: include by room, not "
                             f"{match.group(1)}")
            elif ROOMS.index(target) > ROOMS.index(room(name)):
                found.append(f"{name}:{line_of(text, match.start())}: {room(name)} reaches up to "
                             f"{match.group(1)}")
    for name in under("include", ext=(".h",)):
        for match in re.finditer(r'^\s*#\s*include\s+"(?!dumpscan/)([^"]+)"', code(name), re.M):
            found.append(f"{name}: a public header includes {match.group(1)}")
    return found


@check
def only_base_posix_and_base_win32_know_the_system():
    names = [n for n in under("src", "include", ext=(".c", ".h"))
             if not n.startswith(("src/base/posix/", "src/base/win32/"))]
    found = search(names, r"\b(_WIN32|_WIN64|__MINGW32__|__MINGW64__|_MSC_VER|__linux__|__unix__|"
                          r"__APPLE__|_POSIX_C_SOURCE|_GNU_SOURCE)\b", "names a system")
    return found + search(names, rf"#\s*include\s*<({OS_HEADERS})\.h>", "system header")


@check
def the_two_system_folders_hold_the_same_files():
    posix, win32 = ({n.split("/")[-1] for n in under(f"src/base/{f}")} for f in ("posix", "win32"))
    return [f"src/base: {n} on one system only" for n in sorted(posix ^ win32)]


@check
def rooms_up_to_nt_use_neither_sqlite_nor_cjson():
    names = [n for n in library() if ROOMS.index(room(n)) <= ROOMS.index("nt")]
    return search(names, r"\b(sqlite3\w*|cJSON\w*)", "judgement's library")


@check
def the_library_neither_prints_nor_exits_nor_reads_the_environment():
    names = [n for n in library()
             if not n.startswith(("src/base/posix/", "src/base/win32/", "src/base/os.h"))]
    return search(names, r"\b(printf|puts|putchar|perror|exit|_Exit|abort|assert|getenv|"
                         r"ds_os_getenv|setlocale|signal)\s*\(|\b(stdout|stderr|stdin)\b",
                  "not for a library")


@check
def only_the_cursor_and_the_layout_reader_touch_foreign_bytes():
    # ds_opt is the cell of our own rows, found by its offset in them.
    rooms = ("dump", "memory", "symbols", "unwind", "target", "nt")
    names = [n for n in library() if room(n) in rooms]
    cast = r"\(\s*(?:const\s+)?(?:struct|union)\s+(?!ds_opt\b)\w+\s*\*+\s*\)\s*(?=[\w(&])"
    found = search(names, cast, "struct cast")
    return found + search(library(), r"\b__attribute__\s*\(\(\s*packed|#\s*pragma\s+pack",
                          "packed structure")
