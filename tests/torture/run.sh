#!/bin/sh
# usage: tests/torture/run.sh all|sample   (environment: TORTURE, BIN, RUNNER, B)
# Damages the real x64 minidump and built dumps in every way, or in a fixed sample of ways.
# Appends "torture passed failed skipped" to $B/results.
mode=$1
real=../shared/real/triage_x64_19041.dmp
here=tests/torture
built=build/fixtures
pass=0 fail=0 skip=0

run() {
    if "$@"; then pass=$((pass + 1)); else fail=$((fail + 1)); fi
}

if [ "$mode" = all ]; then
    on_real= on_built='-n 16384 -t 512' cli=400
else
    on_real='-s 150' on_built='-s 60' cli=12
fi
if [ -f "$real" ]; then
    # shellcheck disable=SC2086
    run "$TORTURE" "$real" $here/fields-triage64.txt $on_real
else
    echo "skip torture: $real is absent (reference material beside the checkout)"
    skip=$((skip + 1))
fi
for dump in triage-c triage-k; do
    run "$TORTURE" $built/$dump.dmp $here/fields-triage64.txt $on_built
done
for dump in demo bitmap-full-unaligned; do
    run "$TORTURE" $built/$dump.dmp $here/fields-bitmap64.txt $on_built
done
for dump in full triage-x86; do
    run "$TORTURE" $built/$dump.dmp - $on_built
done
[ -f "$real" ] || real=$built/triage-c.dmp
# shellcheck disable=SC2086
run python3 $here/cli.py "$BIN" "$real" $cli $RUNNER
echo "torture ($mode): $pass passed, $fail failed, $skip skipped"
[ -n "$B" ] && mkdir -p "$B" && echo "torture $pass $fail $skip" >>"$B/results"
[ $fail -eq 0 ]
