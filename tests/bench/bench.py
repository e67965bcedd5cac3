#!/usr/bin/env python3
"""Prints how long the program takes and how much memory it uses: `make bench`.

Each line gives the least and the median wall time over the runs, the least processor time, and
the peak resident memory. Compare ratios within one run: machines differ. Nothing is asserted.
Environment: BIN, RUNS.
"""
import os
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REAL = os.path.join(ROOT, "..", "shared", "real", "triage_x64_19041.dmp")
BUILT = os.path.join("build", "fixtures", "triage-c.dmp")


def once(argv):
    """(wall seconds, processor seconds, peak KiB, exit status) of one run."""
    null = os.open(os.devnull, os.O_RDWR)
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        try:
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(null)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status)


def measure(argv, runs):
    results = [once(argv) for _ in range(runs + 1)][1:]  # the first fills the page cache
    walls = [r[0] for r in results]
    return (min(walls), statistics.median(walls), min(r[1] for r in results),
            max(r[2] for r in results), results[0][3])


def main():
    os.chdir(ROOT)
    binary = os.path.abspath(os.environ.get("BIN", "build/release/dumpscan"))
    runs = int(os.environ.get("RUNS", "30"))
    dump, kind = (REAL, "real x64 minidump") if os.path.exists(REAL) else (BUILT, "built minidump")
    if kind == "built minidump":
        print("bench: no real dumps beside the checkout; a built minidump stands in")
    rows = [("dumpscan --version", [binary, "--version"], "under 3 ms"),
            (f"info, {kind}", [binary, "info", dump], "under 10 ms"),
            (f"analysis, {kind}", [binary, dump], "under 100 ms, 32 MB"),
            (f"analysis to JSON, {kind}", [binary, "-f", "json", dump], ""),
            ("analysis, built kernel dump", [binary, "build/fixtures/demo.dmp"], ""),
            ("info, built 4.5 GB dump", [binary, "info", "build/fixtures/full-big.dmp"], "")]
    print(f"{'what':38} {'min':>9} {'median':>9} {'cpu':>9} {'peak':>9} {'exit':>4}  goal")
    base = None
    for name, argv, goal in rows:
        least, median, cpu, peak, status = measure(argv, runs)
        base = base or least
        print(f"{name:38} {least * 1e3:6.2f} ms {median * 1e3:6.2f} ms {cpu * 1e3:6.2f} ms "
              f"{peak / 1024:6.1f} MB {status:4}  {goal}  ({least / base:.1f} x the first)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
