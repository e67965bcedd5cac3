"""What is checked in, and that it can be used."""
import json
import os
import re
import stat

from meta import ROOT, Skip, check, files, have, read, run, under


def makefiles():
    return ["Makefile"] + under("tools/make", ext=(".mk",))


def targets():
    return {t for n in makefiles() for t in re.findall(r"^([a-z][a-z-]*):", read(n), re.M)}


@check
def nothing_binary_is_checked_in():
    found = []
    for name in files():
        data = (ROOT / name).read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            found.append(f"{name}: not UTF-8 text")
            continue
        if b"\0" in data:
            found.append(f"{name}: holds NUL bytes")
        if b"\r\n" in data:
            found.append(f"{name}: CRLF line ends")
        if data[:4] in (b"PAGE", b"MDMP"):
            found.append(f"{name}: a dump")
    return found


@check
def every_data_file_has_its_source():
    found = []
    for folder in sorted({n.rsplit("/", 1)[0] for n in under("data")}):
        guide = f"{folder}/README.md"
        if not (ROOT / guide).exists():
            found.append(f"{folder}: no README.md that names the sources")
            continue
        text = read(guide)
        if not re.search(r"(?i)\bsources?\b|\bpage\b", text):
            found.append(f"{guide}: names no source")
        for name in under(folder):
            short = name.rsplit("/", 1)[1]
            head = "\n".join(read(name).split("\n")[:8])
            cites = re.search(r"(?i)\bsources?\b|\bpages?\b|README\.md", head)
            group = "*." + short.rsplit(".", 1)[-1]
            if short != "README.md" and not cites and short not in text and group not in text:
                found.append(f"{name}: neither its head nor {guide} says where it is from")
    return found or ([] if under("data") else ["data/ is empty"])


@check
def json_schemas_are_valid_schemas():
    try:
        import jsonschema
    except ImportError as error:
        raise Skip("python3-jsonschema is missing (./bootstrap check installs it)") from error
    found = []
    schemas = under("docs", ext=(".schema.json",))
    for name in schemas:
        try:
            schema = json.loads(read(name))
            jsonschema.validators.validator_for(schema).check_schema(schema)
            for key in ("$schema", "title", "description"):
                if key not in schema:
                    found.append(f"{name}: no {key}")
        except (ValueError, jsonschema.exceptions.SchemaError) as error:
            found.append(f"{name}: {str(error).splitlines()[0]}")
    return found or ([] if len(schemas) >= 2 else ["docs/ lacks report and pattern schema"])


@check
def scripts_parse():
    found = []
    for name in files():
        if name.endswith((".c", ".h", ".txt", ".md", ".json", ".tsv", ".layout")):
            continue
        first = read(name).split("\n", 1)[0]
        shell = "sh" if first == "#!/bin/sh" else None
        if name == "completions/dumpscan.bash" or first.endswith("bash"):
            shell = "bash"
        if shell and have(shell):
            done = run(shell, "-n", name)
            if done.returncode:
                found.append(f"{name}: {done.stderr.strip()}")
        elif name.endswith(".sh"):
            found.append(f"{name}: does not begin with #!/bin/sh")
        if name.endswith(".py"):
            try:
                compile(read(name), name, "exec")
            except SyntaxError as error:
                found.append(f"{name}: {error}")
    return found


@check
def entry_scripts_are_executable():
    return [n for n in ("bootstrap", ".ci/run")
            if not os.stat(ROOT / n).st_mode & stat.S_IXUSR]


@check
def every_suite_has_its_target_and_every_target_its_line_of_help():
    found = []
    text = read("Makefile")
    known = targets()
    for config, names in re.findall(r"^SUITES_(\w+) := ((?:.*\\\n)*.*)", text, re.M):
        for name in names.replace("\\\n", " ").split():
            if name not in known:
                found.append(f"Makefile: SUITES_{config} names {name}, which no makefile defines")
    documented = {t for n in makefiles() for t in re.findall(r"^## ([a-z-]+):", read(n), re.M)}
    found += [f"make help names {t}, which is no target" for t in sorted(documented - known)]
    inner = {"fuzz-replay-bins", "fuzz-run", "shared-check"}
    found += [f"make {t} has no line of help" for t in sorted(known - documented - inner)]
    if not under("tests/fuzz", ext=(".c",))[1:]:
        found.append("tests/fuzz holds no target")
    return found


@check
def every_parser_has_a_fuzz_target():
    text = " ".join(read(n) for n in under("tests/fuzz", ext=(".c",)))
    wanted = {"dump containers": r"ds_dump_open|dumpscan_open|ds_open",
              "symbol tables": r"isf", "PE images": r"ds_pe_", "patterns": r"pattern|rules",
              "JSON": r"json"}
    return [f"no fuzz target reads {what}" for what, pattern in wanted.items()
            if not re.search(pattern, text)]


@check
def the_man_page_is_clean():
    if not have("mandoc"):
        raise Skip("mandoc is missing (./bootstrap check installs it)")
    pages = under("man")
    done = run("mandoc", "-T", "lint", "-W", "warning", *pages)
    return done.stdout.splitlines() if pages else ["man/ is empty"]
