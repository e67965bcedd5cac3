"""`make install` gives a program and a library that others can use; `make uninstall` takes all back."""
import os
import tempfile
from pathlib import Path

from meta import ROOT, check, run

PROGRAM = r"""
#include <dumpscan/dumpscan.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct ds_snapshot *s;
    struct ds_err err;
    if (argc < 2 || ds_snapshot_open(argv[1], NULL, &s, &err) != DS_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    ds_snapshot_close(s);
    puts(ds_library_version());
    return 0;
}
"""
WANTED = ["bin/dumpscan", "lib/libdumpscan.a", "lib/libdumpscan.so", "lib/pkgconfig/dumpscan.pc",
          "include/dumpscan/dumpscan.h", "share/man/man1/dumpscan.1",
          "share/bash-completion/completions/dumpscan",
          "share/zsh/site-functions/_dumpscan", "share/fish/vendor_completions.d/dumpscan.fish",
          "share/dumpscan/patterns/faulting-driver.json",
          "share/doc/dumpscan/docs/TABLES.md", "share/doc/dumpscan/docs/report.schema.json",
          "share/doc/dumpscan/docs/explain.schema.json"]


def build_and_run(folder, name, flags, environment):
    """Complaints unless a program against the installed library opens a dump."""
    source = Path(folder) / "use.c"
    source.write_text(PROGRAM, encoding="ascii")
    binary = str(Path(folder) / name)
    compiled = run(os.environ.get("CC") or "gcc", "-std=c11", "-Wall", "-Werror", str(source),
                   "-o", binary, *flags)
    if compiled.returncode:
        return [f"{name}: {compiled.stderr.strip()[:300]}"]
    done = run(binary, "build/fixtures/demo.dmp", env={**os.environ, **environment})
    version = (ROOT / "VERSION").read_text(encoding="ascii").strip()
    return [] if done.stdout.strip() == version else [f"{name}: {done.stdout}{done.stderr}"]


@check
def install_gives_a_usable_library_and_uninstall_takes_it_back():
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "usr"
        made = run("make", f"CONFIG={Path(os.environ.get('B', 'build/release')).name}",
                   f"PREFIX={prefix}", "install", env={**os.environ, "MAKEFLAGS": ""})
        if made.returncode:
            return [made.stderr.strip()[-300:]]
        found = [f"{name} was not installed" for name in WANTED if not (prefix / name).exists()]
        where = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
        shared = run("pkg-config", "--cflags", "--libs", "dumpscan", env=where).stdout.split()
        needs = run("pkg-config", "--print-requires-private", "dumpscan", env=where).stdout.split()
        # The archive against shared SQLite, cJSON, liblzma and capstone: --static would ask for theirs too.
        static = [f"-I{prefix}/include", str(prefix / "lib/libdumpscan.a"), "-lm",
                  *run("pkg-config", "--libs", *needs).stdout.split()]
        found += build_and_run(folder, "shared", shared,
                               {"LD_LIBRARY_PATH": str(prefix / "lib")})
        found += build_and_run(folder, "static", static, {})
        version = run(str(prefix / "bin/dumpscan"), "--version")
        if version.returncode:
            found.append(f"the installed program: exit {version.returncode}")
        run("make", f"PREFIX={prefix}", "uninstall", env={**os.environ, "MAKEFLAGS": ""})
        left = [str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()]
        return found + [f"uninstall leaves {name}" for name in left]


@check
def install_stages_under_destdir():
    with tempfile.TemporaryDirectory() as folder:
        made = run("make", f"CONFIG={Path(os.environ.get('B', 'build/release')).name}",
                   f"DESTDIR={folder}", "PREFIX=/opt/ds", "install",
                   env={**os.environ, "MAKEFLAGS": ""})
        if made.returncode:
            return [made.stderr.strip()[-300:]]
        text = (Path(folder) / "opt/ds/lib/pkgconfig/dumpscan.pc").read_text(encoding="utf-8")
        found = [] if "prefix=/opt/ds\n" in text else ["dumpscan.pc does not name the prefix"]
        return found + (["dumpscan.pc names the stage"] if folder in text else [])
