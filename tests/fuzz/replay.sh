#!/bin/sh
# usage: tests/fuzz/replay.sh CORPUS BINARY...
# Runs every fuzz target over its folder of the corpus, with MUTATIONS variants of each seed.
# Appends "fuzz-replay passed failed skipped" to $B/results when B is set.
corpus=$1
shift
pass=0 fail=0
for binary in "$@"; do
    name=$(basename "$binary" -replay)
    out=$("$binary" -m "${MUTATIONS:-40}" "$corpus/$name"/* 2>&1)
    rc=$?
    p=$(printf '%s\n' "$out" | grep -c '^ok ')
    f=$(printf '%s\n' "$out" | grep -c '^FAIL ')
    [ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
    [ "$f" -eq 0 ] || printf '%s (exit %s)\n%s\n' "$binary" "$rc" "$out"
    echo "$name: $p seeds"
    pass=$((pass + p)) fail=$((fail + f))
done
echo "fuzz-replay: $pass passed, $fail failed, 0 skipped"
[ -n "$B" ] && echo "fuzz-replay $pass $fail 0" >>"$B/results"
[ $fail -eq 0 ] && [ $pass -gt 0 ]
