#!/usr/bin/env python3
"""A sample of the torture through the program itself: damaged copies of a dump must end in exit
status 0, 3 or 4 within the time limit. usage: cli.py BIN DUMP COUNT [RUNNER...]"""
import os
import subprocess
import sys
import tempfile

TIMEOUT = 60  # a slow runner such as an emulator is no hang


def damaged(data, n):
    """The n-th damaged version: flips, cuts and zeroed ranges in turn, spread over the file."""
    at = (n * 2654435761) % min(len(data), 65536)
    if n % 3 == 0:
        return f"flip at {at:#x}", data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1:]
    if n % 3 == 1:
        cut = (n * 2654435761) % len(data)
        return f"cut at {cut:#x}", data[:cut]
    return f"zeros from {at:#x}", data[:at] + bytes(min(64, len(data) - at)) + data[at + 64:]


def main(argv):
    binary, dump, count, runner = argv[1], argv[2], int(argv[3]), argv[4:]
    with open(dump, "rb") as f:
        data = f.read()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "damaged.dmp")
        for n in range(count):
            what, version = damaged(data, n)
            with open(path, "wb") as f:
                f.write(version)
            try:
                p = subprocess.run(runner + [binary, path], capture_output=True, timeout=TIMEOUT,
                                   check=False)
                status = p.returncode
            except subprocess.TimeoutExpired:
                status = "no end"
            if status not in (0, 3, 4):
                bad += 1
                print(f"FAIL {dump}: {what}: exit status {status}")
    print(f"{'FAIL' if bad else 'ok'} {dump} through {binary}: {count} runs, {bad} defects")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
