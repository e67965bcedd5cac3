#!/bin/sh
# Runs unit test programs and adds up their lines. Appends "suite passed failed skipped" to
# $B/results when B is set. Exit status 1 when anything failed.
pass=0 fail=0 skip=0
for t in "$@"; do
    out=$($RUNNER "$t" 2>&1)
    rc=$?
    p=$(printf '%s\n' "$out" | grep -c '^ok ')
    f=$(printf '%s\n' "$out" | grep -c '^FAIL ')
    s=$(printf '%s\n' "$out" | grep -c '^skip ')
    [ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
    [ "$f" -ne 0 ] && printf '%s (exit %s)\n%s\n' "$t" "$rc" "$out"
    [ "$s" -ne 0 ] && printf '%s\n' "$out" | grep '^skip '
    pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
done
echo "unit: $pass passed, $fail failed, $skip skipped"
[ -n "$B" ] && echo "unit $pass $fail $skip" >> "$B/results"
[ $fail -eq 0 ]
