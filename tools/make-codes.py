#!/usr/bin/env python3
"""Maintainer's tool: writes data/codes/{ntstatus,hresult,win32}.txt from two public lists.

usage: tools/make-codes.py [INCLUDE_DIR [WINAPI_DIR]]

INCLUDE_DIR holds ntstatus.h and winerror.h of mingw-w64 (default /usr/share/mingw-w64/include;
both state that they are in the public domain). WINAPI_DIR holds ntstatus.rs and winerror.rs of
the winapi-rs crate 0.3.9 (default the place where Debian's librust-winapi-dev puts them; MIT or
Apache-2.0); it adds what the older headers lack. Only names and values are taken. Where several
names share a value, PREFERRED decides, else the first one in the headers. Meanings are
hand-written, in data/codes/texts.txt.
"""
import os
import re
import sys

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "codes")

# Several names, one value: the name that kernel people use.
PREFERRED = {
    "STATUS_SUCCESS", "STATUS_PENDING", "ERROR_SUCCESS", "S_OK",
    "E_NOTIMPL", "E_ABORT", "E_FAIL", "E_ACCESSDENIED", "E_HANDLE", "E_OUTOFMEMORY",
    "E_INVALIDARG", "STATUS_LPC_REPLY_LOST", "ERROR_IO_PENDING", "ERROR_NOT_ENOUGH_QUOTA",
}
# Macros that look like codes and are none, and range markers.
NOT_CODES = re.compile(
    r"^(_|FACILITY_|SEVERITY_|STATUS_SEVERITY_|NO_ERROR$|.*_(FIRST|LAST|BASE|RESERVED)$|"
    r"HRESULT_|APPLICATION_ERROR_MASK|ERROR_SEVERITY_|WSABASEERR$|NOERROR$|DNS_FILTEROFF$)")


def collect(found, path, pattern):
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(pattern + r"\s*(?:/[/*].*)?$", line.strip())
            if not m or NOT_CODES.match(m[1]):
                continue
            found.setdefault(int(m[2], 0) & 0xFFFFFFFF, []).append(m[1])


def write(name, title, source, found):
    rows = []
    for value in sorted(found):
        names = found[value]
        pick = next((n for n in names if n in PREFERRED), names[0])
        rows.append("0x%08X %s" % (value, pick))
    with open(os.path.join(OUT, name), "w", encoding="ascii", newline="\n") as f:
        f.write("# %s: VALUE NAME, ascending. Written by tools/make-codes.py; edit that.\n" % title)
        f.write("# Source: %s of mingw-w64 (public domain) and of winapi-rs 0.3.9\n" % source)
        f.write("# (MIT or Apache-2.0), names and values only.\n")
        f.write("\n".join(rows) + "\n")
    print("%s: %d codes" % (name, len(rows)))


def main():
    inc = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/mingw-w64/include"
    rs = sys.argv[2] if len(sys.argv) > 2 else \
        "/usr/share/cargo/registry/winapi-0.3.9/src/shared"
    number = r"(-?(?:0x[0-9A-Fa-f]+|\d+))[UuLl]*"
    define = r"#\s*define\s+(\w+)\s+"
    const = r"pub const (\w+): %s = " + number + ";"
    nts, hr, win = {}, {}, {}
    collect(nts, os.path.join(inc, "ntstatus.h"),
            define + r"\(\s*\(NTSTATUS\)\s*" + number + r"\s*\)")
    werr = os.path.join(inc, "winerror.h")
    collect(hr, werr, define + r"(?:_HRESULT_TYPEDEF_\(|\(\(HRESULT\)\s*)" + number + r"\)+")
    collect(win, werr, define + r"(?:__MSABI_LONG\(\s*)?" + number + r"\)?")
    collect(nts, os.path.join(rs, "ntstatus.rs"), const % "NTSTATUS")
    werr = os.path.join(rs, "winerror.rs")
    collect(hr, werr, const % "HRESULT")
    collect(win, werr, const % "DWORD")
    # winerror.h holds plain numbers that are no Win32 errors in the HRESULT range.
    win = {v: n for v, n in win.items() if v < 0x10000}
    write("ntstatus.txt", "NTSTATUS", "ntstatus", nts)
    write("hresult.txt", "HRESULT", "winerror", hr)
    write("win32.txt", "Win32 error codes", "winerror", win)


if __name__ == "__main__":
    main()
