#!/bin/sh
# usage: run.sh DUMPSCAN FIXTURES PYTHON
# Runs the command-line tests and the schema check, counts their lines and adds them to
# $B/results.
real=
[ -d ../shared/real ] && real=$(ls ../shared/real/*.dmp) # reference material beside the checkout
out=$(
    sh tests/report/cli.sh "$1" "$2"
    "$3" -W ignore tests/report/schema.py "$1" "$2"/*.dmp $real
    "$3" tests/report/graph.py "$1" "$2"
    [ -n "$real" ] || echo "skip report-schema of real dumps: no ../shared/real"
)
printf '%s\n' "$out" | grep -v '^ok '
p=$(printf '%s\n' "$out" | grep -c '^ok ')
f=$(printf '%s\n' "$out" | grep -c '^FAIL ')
s=$(printf '%s\n' "$out" | grep -c '^skip ')
echo "report-check: $p passed, $f failed, $s skipped"
[ -n "$B" ] && echo "report-check $p $f $s" >>"$B/results"
[ "$f" -eq 0 ] && [ "$p" -gt 100 ]
