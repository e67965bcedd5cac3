#!/bin/sh
# usage: tools/wine-run.sh PROGRAM.exe [ARG...]
#        tools/wine-run.sh --stop
# Runs a Windows program under wine with a prefix of its own in build/wine. Its server stays for a
# minute, so that the next program starts at once; --stop ends it.
WINEPREFIX=${WINEPREFIX:-$(cd "$(dirname "$0")/.." && pwd)/build/wine}
WINEDEBUG=-all
WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe='
export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES
unset DISPLAY

# first CANDIDATE...: the first that can be run.
first() {
    for candidate in "$@"; do
        found=$(command -v "$candidate") && echo "$found" && return
    done
}
wine=$(first wine64 /usr/lib/wine/wine64 wine)
server=$(first /usr/lib/wine/wineserver64 wineserver64 wineserver /usr/lib/wine/wineserver)
if [ "$1" = --stop ]; then
    [ -z "$server" ] || [ ! -d "$WINEPREFIX" ] || "$server" -k >/dev/null 2>&1 || :
    exit 0
fi
if [ -z "$wine" ]; then
    echo "wine-run: wine64 is missing; run ./bootstrap check-windows" >&2
    exit 127
fi
mkdir -p "$WINEPREFIX"
[ -z "$server" ] || "$server" -p60 >/dev/null 2>&1 </dev/null
# The first start makes the prefix and talks about it; keep that out of a program's output.
if [ ! -f "$WINEPREFIX/ready" ]; then
    "$wine" wineboot -i >/dev/null 2>&1 </dev/null
    : >"$WINEPREFIX/ready"
fi
# The program starts wine's services when none run, and they keep its output open: a reader of a
# pipe would wait for them. Through files it sees the end when the program ends.
out=$(mktemp -d) || exit 126
trap 'rm -rf "$out"' EXIT
if [ -p /dev/stdout ]; then exec 3>"$out/out"; else exec 3>&1; fi
if [ -p /dev/stderr ]; then exec 4>"$out/err"; else exec 4>&2; fi
"$wine" "$@" >&3 2>&4
rc=$?
# Now and then wine fails to start a program, with status 1 and without a word; dumpscan always has one.
if [ $rc -eq 1 ] && [ -f "$out/out" ] && [ -f "$out/err" ] && [ ! -s "$out/out" ] && [ ! -s "$out/err" ]; then
    sleep 1
    "$wine" "$@" >&3 2>&4
    rc=$?
fi
[ ! -f "$out/out" ] || cat "$out/out"
[ ! -f "$out/err" ] || cat "$out/err" >&2
exit $rc
