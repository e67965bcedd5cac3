"""What `graph` draws, against the grammar of DOT (graphviz.org/doc/info/lang.html) as far as it is
used: every statement is read whole, every edge joins nodes that are declared, every string ends. Where
Graphviz is installed, its own parser reads the drawing too. The JSON must tell of the same graph.

usage: tests/report/graph.py DUMPSCAN FIXTURES    prints "ok NAME" or "FAIL NAME: why"
"""
import json
import os
import re
import shutil
import subprocess
import sys

TOKEN = re.compile(r'\s*(?:("(?:[^"\\\n]|\\[^\n])*")|([A-Za-z_][A-Za-z0-9_]*|-?[0-9.]+)|(->|[{}\[\];,=]))')


def tokens(text):
    at, found = 0, []
    while text[at:].strip():
        m = TOKEN.match(text, at)
        if m is None:
            raise ValueError(f"cannot read {text[at:at + 40]!r}")
        found.append(m.group(1) or m.group(2) or m.group(3))
        at = m.end()
    return found


def attributes(t, i):
    if t[i] != "[":
        return i
    i += 1
    while t[i] != "]":
        if t[i + 1] != "=" or t[i] in "{}[];,=" or t[i + 2] in "{}[];,=":
            raise ValueError(f"no attribute: {t[i:i + 3]}")
        i += 3
        if t[i] == ",":
            i += 1
    return i + 1


def check(text):
    t = tokens(text)
    if t[:3] != ["digraph", "waits", "{"] or t[-1] != "}" or t.count("{") != 1:
        raise ValueError("not one digraph")
    i, nodes, ends = 3, set(), []
    while i < len(t) - 1:
        name = t[i]
        if not re.fullmatch(r"[a-z][0-9a-f]*|graph|node", name):
            raise ValueError(f"a node of the name {name!r}")
        if t[i + 1] == "->":
            ends += [name, t[i + 2]]
            i += 2
        elif name not in ("graph", "node"):
            if name in nodes:
                raise ValueError(f"{name} is declared twice")
            nodes.add(name)
        i = attributes(t, i + 1)
        if t[i] != ";":
            raise ValueError(f"no end of the statement at {t[i - 3:i + 1]}")
        i += 1
    lost = [e for e in ends if e not in nodes]
    if lost:
        raise ValueError(f"edges to nodes that are not there: {lost[:4]}")


def run(*arguments):
    done = subprocess.run([*sys.argv[1].split(), "graph", *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8").replace("\r\n", "\n")


def compare(drawing, graph):
    """The JSON's nodes, locks and edges are those that were drawn."""
    ids = {n["address"][2:] for n in graph["nodes"]}
    locks = {o["address"][2:] for o in graph["objects"]}
    drawn = re.findall(r"^    ([no])([0-9a-f]+) \[", drawing, re.M)
    if {a for c, a in drawn if c == "n"} != ids or {a for c, a in drawn if c == "o"} != locks:
        raise ValueError("nodes or locks are not those of the JSON")
    wanted = set()
    for e in graph["edges"]:
        waiter, lock, owner = (e[k][2:] for k in ("waiter", "object", "owner"))
        wanted |= ({("n" + waiter, "o" + lock), ("o" + lock, "n" + owner)} if e["lock"]
                   else {("n" + waiter, "n" + owner)})
    if set(re.findall(r"^    (\w+) -> (\w+) \[", drawing, re.M)) != wanted:
        raise ValueError("edges are not those of the JSON")


for name in ("locks-19041", "locks-2003", "locks-2003-healthy", "hostile-waits", "demo", "triage-k"):
    path = f"{sys.argv[2]}/{name}.dmp"
    try:
        dot = run(path)
        check(dot)
        compare(dot, json.loads(run("-f", "json", path)))
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tcanon", "-o", os.devnull], input=dot.encode(), check=True)
        print(f"ok graph of {name}")
    except (ValueError, IndexError, OSError, subprocess.CalledProcessError) as e:
        print(f"FAIL graph of {name}: {e}")
