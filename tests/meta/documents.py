"""What the documents say is what the program does."""
import importlib.util
import json
import re

from layers import ROOMS
from meta import ROOT, check, files, program, read, run, under
from repository import targets


def screen(*arguments):
    """What tools/readme-screen.py would put there."""
    spec = importlib.util.spec_from_file_location("screen", ROOT / "tools/readme-screen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.screen(*arguments)


def exists(name):
    return (ROOT / name).is_file()


def help_text(*words):
    done = run(program(), *words)
    return done.stdout if done.returncode == 0 else ""


def commands():
    """Command names out of --help: the lines between 'Commands' and the next heading."""
    part = re.search(r"^Commands\n(.*?)\n\n", help_text("--help"), re.S | re.M)
    return re.findall(r"^  (\w+) ", part.group(1), re.M) if part else []


def options():
    """(long, letter or "") of every option that some help names."""
    found = set()
    for words in [("--help",)] + [("help", c) for c in commands()]:
        for letter, name in re.findall(r"^  (?:-(\w), |    )--([\w-]+)", help_text(*words), re.M):
            found.add((name, letter))
    return sorted(found)


def manual():
    """The manual's source with its dashes as a reader sees them."""
    text = read("man/dumpscan.1") if exists("man/dumpscan.1") else ""
    text = text.replace("\\-", "-")
    return re.sub(r"\bFl (-?[\w-]+)", r"-\1", text)


@check
def help_names_commands_and_options():
    return ([] if len(commands()) >= 7 else ["--help lists too few commands"]) + \
           ([] if len(options()) >= 6 else ["--help lists too few options"])


@check
def every_option_and_command_is_in_the_manual_and_the_completions():
    places = {"man/dumpscan.1": manual()}
    for name in ("completions/dumpscan.bash", "completions/_dumpscan",
                 "completions/dumpscan.fish"):
        places[name] = read(name) if exists(name) else ""
    found = []
    for name, text in places.items():
        for long, letter in options():
            wanted = [f"-l {long}"] if name.endswith(".fish") else [f"--{long}"]
            if letter:
                wanted.append(f"-s {letter}" if name.endswith(".fish") else f"-{letter}")
            found += [f"{name}: no {w}" for w in wanted
                      if not re.search(re.escape(w) + r"(?![\w-])", text)]
        found += [f"{name}: no command {c}" for c in commands()
                  if not re.search(rf"\b{c}\b", text)]
    return found


@check
def every_documented_option_and_command_exists():
    known = {long for long, _ in options()}
    found = []
    for name in ("completions/dumpscan.bash", "completions/_dumpscan", "README.md"):
        if exists(name):
            text = read(name)
            if name == "README.md":
                text = "\n".join(re.findall(r"^    dumpscan .*$", text, re.M))
            for long in sorted(set(re.findall(r"(?<![\w-])--([a-z][\w-]+)", text)) - known):
                found.append(f"{name}: --{long} is no option")
    for long in sorted(set(re.findall(r"(?<![\w-])--([a-z][\w-]+)", manual())) - known):
        found.append(f"man/dumpscan.1: --{long} is no option")
    for command in re.findall(r"^    dumpscan ([a-z]+)(?= |$)", read("README.md"), re.M):
        if command not in commands():
            found.append(f"README.md: dumpscan {command} is no command")
    return found


@check
def the_manual_names_the_environment_and_every_exit_status():
    text = manual()
    found = [f"man/dumpscan.1: no {word}" for word in ("NO_COLOR", "_NT_SYMBOL_PATH")
             if word not in text]
    statuses = re.search(r"^\.S[Hh] .*EXIT STATUS.*?(?=^\.S[Hh] )", text, re.S | re.M)
    for status in ("0", "1", "2", "3", "4", "10"):
        if not statuses or not re.search(rf"\b{status}\b", statuses.group(0)):
            found.append(f"man/dumpscan.1: exit status {status} is not explained")
    return found


@check
def every_table_is_documented():
    done = run(program(), "tables", "-f", "json")
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        return [f"dumpscan tables -f json: {done.stderr.strip()[:80] or 'no JSON'}"]
    names = {row.get("name") or row.get("table") for row in rows}
    text = read("docs/TABLES.md") if exists("docs/TABLES.md") else ""
    headings = {w for line in re.findall(r"^#+ (.*)$", text, re.M)
                for w in re.findall(r"[a-z][a-z0-9_]+", line)}
    found = [f"docs/TABLES.md: no heading for {n}" for n in sorted(names - headings)]
    return found if names else ["dumpscan tables lists nothing"]


@check
def every_pattern_is_complete_and_tested():
    found = []
    names = under("patterns", ext=(".json",))
    for name in names:
        pattern = json.loads(read(name))
        if pattern.get("id") != name.rsplit("/", 1)[1][:-5]:
            found.append(f"{name}: id is not the file's name")
        for key in ("title", "severity", "requires", "query", "message", "explain",
                    "next_steps", "references", "tests"):
            if not pattern.get(key):
                found.append(f"{name}: no {key}")
    listed = run(program(), "patterns", "list").stdout
    found += [f"dumpscan patterns list: no {n}" for n in names
              if n.rsplit("/", 1)[1][:-5] not in listed]
    return found or ([] if names else ["patterns/ is empty"])


@check
def the_changelog_has_this_version():
    version = read("VERSION").strip()
    found = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        found.append(f"VERSION: {version} is not MAJOR.MINOR.PATCH")
    if not exists("CHANGELOG.md") or not re.search(rf"^## \[?{re.escape(version)}\b",
                                                   read("CHANGELOG.md"), re.M):
        found.append(f"CHANGELOG.md: no heading for {version}")
    if run(program(), "--version").stdout.strip() != f"dumpscan {version}":
        found.append("dumpscan --version says another version")
    return found


@check
def the_commands_of_the_readme_exist():
    known = targets()
    found = []
    text = read("README.md") + (read("CONTRIBUTING.md") if exists("CONTRIBUTING.md") else "")
    named = re.findall(r"(?:\./bootstrap|\bmake) (?:[A-Z_]+=\S* )*([a-z][a-z-]*)", text)
    found += [f"README.md or CONTRIBUTING.md: no target {t}" for t in sorted(set(named) - known)]
    for wanted in ("./bootstrap demo", "./bootstrap check"):
        if wanted not in text:
            found.append(f"README.md: {wanted} is not there")
    return found


@check
def the_screen_in_the_readme_is_what_the_demo_prints():
    blocks = re.findall(r"^```\n\$ dumpscan demo\.dmp\n(.*?)^```", read("README.md"), re.S | re.M)
    if len(blocks) != 1:
        return ["README.md: not one block that begins with '$ dumpscan demo.dmp'"]
    want = blocks[0].split("\n")
    got = screen(str(ROOT / program()), "build/fixtures/demo.dmp").split("\n")
    for number, (a, b) in enumerate(zip(want, got), 1):
        if a != b:
            return [f"line {number} of the screen (make readme): README.md has {a!r}",
                    f"the demo prints {b!r}"]
    if len(want) < 25 or len(want) != len(got):
        return [f"README.md shows {len(want)} lines of {len(got)} (make readme)"]
    return []


@check
def the_architecture_names_every_room_and_folder():
    text = read("docs/ARCHITECTURE.md") if exists("docs/ARCHITECTURE.md") else ""
    top = {n.split("/")[0] for n in files() if "/" in n and not n.startswith(".")}
    found = [f"docs/ARCHITECTURE.md: no room {r}" for r in ROOMS if f"`src/{r}/`" not in text]
    return found + [f"docs/ARCHITECTURE.md: no folder {f}/" for f in sorted(top)
                    if f"`{f}/" not in text]


@check
def the_notice_names_every_library_and_data_folder():
    text = read("NOTICE") if exists("NOTICE") else ""
    libraries = {"sqlite3": "SQLite", "libcjson": "cJSON", "liblzma": "liblzma",
                 "capstone": "capstone", "libkdumpfile": "libkdumpfile"}
    linked = " ".join(re.findall(r"^LIBS \+?:?= (.*)$", read("Makefile"), re.M)).split()
    found = [f"NOTICE: {libraries.get(lib, lib)} is linked and not named" for lib in linked
             if libraries.get(lib, lib) not in text]
    folders = sorted({"/".join(n.split("/")[:2]) for n in under("data")})
    return found + [f"NOTICE: {f}/ is not named" for f in folders if f"{f}/" not in text]


@check
def links_between_documents_lead_somewhere():
    found = []
    for name in files():
        if name.endswith(".md"):
            base = (ROOT / name).parent
            for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", read(name)):
                if not (base / target).exists():
                    found.append(f"{name}: {target} is not there")
    return found
