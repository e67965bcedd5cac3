#!/bin/sh
# usage: tools/wine-run.sh PROGRAM.exe [ARG...]
# Runs a Windows program under wine with a prefix of its own in build/wine.
WINEPREFIX=${WINEPREFIX:-$(cd "$(dirname "$0")/.." && pwd)/build/wine}
WINEDEBUG=-all
WINEDLLOVERRIDES='mscoree,mshtml='
export WINEPREFIX WINEDEBUG WINEDLLOVERRIDES
unset DISPLAY
wine=
for w in "$(command -v wine64)" /usr/lib/wine/wine64 "$(command -v wine)"; do
    [ -n "$w" ] && [ -x "$w" ] && wine=$w && break
done
if [ -z "$wine" ]; then
    echo "wine-run: wine64 is missing; run ./bootstrap check-windows" >&2
    exit 127
fi
# The first start makes the prefix and talks about it; keep that out of a program's output.
if [ ! -f "$WINEPREFIX/ready" ]; then
    mkdir -p "$WINEPREFIX"
    "$wine" wineboot -i >/dev/null 2>&1 </dev/null
    : >"$WINEPREFIX/ready"
fi
exec "$wine" "$@"
