#!/bin/sh
# usage: tests/xlat/run.sh PROGRAM COUNT
# Runs the differential test and appends "xlat passed failed skipped" to $B/results when B is set.
# PROGRAM "" means that the referee, libaddrxlat, is not installed.
if [ -z "$1" ]; then
    echo "skip xlat: libaddrxlat is not installed (Debian: libkdumpfile-dev); page walks were not compared"
    [ -n "$B" ] && echo "xlat 0 0 1" >>"$B/results"
    exit 0
fi
out=$("$1" "$2" 2>&1)
rc=$?
p=$(printf '%s\n' "$out" | grep -c '^ok ')
f=$(printf '%s\n' "$out" | grep -c '^FAIL ')
[ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
printf '%s\n' "$out"
echo "xlat: $p passed, $f failed, 0 skipped"
[ -n "$B" ] && echo "xlat $p $f 0" >>"$B/results"
[ "$f" -eq 0 ] && [ "$p" -gt 0 ]
