#!/usr/bin/env python3
"""Prints how long a dump in a gzip file takes, against gzip -dc and the plain dump after it.

usage: gzip_bench.py PROGRAM FIXTURES FOLDER [ROUNDS]
The dump is one of the fixtures with half-random memory behind it. Asserts nothing.
"""
import os
import random
import resource
import subprocess
import sys
import time

SIZE = 128 << 20


def make(fixtures, folder):
    plain = os.path.join(folder, "gzip.dmp")
    if not os.path.exists(plain + ".gz"):
        r = random.Random(5)
        pieces = [r.randbytes(512) + bytes(1536) + r.randbytes(64) * 32 for _ in range(512)]
        with open(os.path.join(fixtures, "demo.dmp"), "rb") as f, open(plain, "wb") as out:
            out.write(f.read())
            for _ in range(SIZE // 4096):
                out.write(pieces[r.randrange(512)])
        subprocess.run(["gzip", "-6fk", plain], check=True)
    return plain


def seconds(*command):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.monotonic() - start


def main():
    program, fixtures, folder = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    os.makedirs(folder, exist_ok=True)
    plain = make(fixtures, folder)
    seconds(program, plain + ".gz")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rows = []
    for _ in range(rounds):
        ours = seconds(program, plain + ".gz")
        rows.append((ours, seconds("gzip", "-dc", plain + ".gz") + seconds(program, plain)))
    ratios = sorted(a / b for a, b in rows)
    print(f"{'128 MiB in a gzip file':<28} {'ours':>10}  {'gzip -dc, then plain':>20}  ratio  goal")
    print(f"{'analysis':<28} {min(a for a, _ in rows) * 1e3:7.0f} ms "
          f"{min(b for _, b in rows) * 1e3:18.0f} ms  {ratios[len(ratios) // 2]:.2f}x  at most 1.3x"
          f"  ({ratios[0]:.2f} to {ratios[-1]:.2f}; peak {peak:.0f} MB)")


if __name__ == "__main__":
    main()
