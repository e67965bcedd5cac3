#!/bin/sh
# usage: tests/patterns/run.sh OUTCOMES DUMPS
# For every pattern of patterns/: the dumps DUMPS/ID/{match,nomatch,cannot}.dmp must end so, and
# so must others whose name begins in that way: match-prefix.
# $RUNNER runs the program OUTCOMES; appends "patterns-check passed failed 0" to $B/results.
program=$1 dumps=$2
pass=0 fail=0
for f in patterns/*.json; do
    id=$(basename "$f" .json)
    others=$(cd "tests/patterns/$id" && ls | sed -n 's/^\(.*-.*\)\.txt$/\1/p')
    for name in match nomatch cannot $others; do
        case $name in
        nomatch*) # where it is about one bugcheck, another one does not even let it ask
            want=no_match
            grep -q '"applies".*"bugcheck-' "$f" && want='no_match\|does_not_apply'
            ;;
        cannot*) want=cannot_tell ;;
        *) want=match ;;
        esac
        options=$(cat "tests/patterns/$id/$name.options" 2>/dev/null)
        # shellcheck disable=SC2086 # options are words
        out=$($RUNNER "$program" $options "$dumps/$id/$name.dmp" 2>&1 | tr -d '\r')
        if printf '%s\n' "$out" | grep -qx "$id \($want\)"; then
            pass=$((pass + 1))
        else
            fail=$((fail + 1))
            echo "$id: tests/patterns/$id/$name.txt should end in $want:"
            printf '%s\n' "$out" | sed -n "/^$id /,/^[a-z]/p"
        fi
    done
done
# Nobody is told that a minidump or a header does not tell what none of them can.
for name in minidump header; do
    out=$($RUNNER "$program" "$dumps/$name.dmp" 2>&1 | tr -d '\r')
    want=$(grep -l '"applies".*"kernel-memory"' patterns/*.json | wc -l)
    got=$(grep -l '"applies".*"kernel-memory"' patterns/*.json | while read -r f; do
        printf '%s\n' "$out" | grep -x "$(basename "$f" .json) does_not_apply"
    done | wc -l)
    if [ "$want" -eq "$got" ] && ! printf '%s\n' "$out" | grep -A1 ' cannot_tell$'; then
        pass=$((pass + 1))
    else
        fail=$((fail + 1))
        echo "$name.txt: $got of $want patterns for kernel memory do not apply, or one cannot tell"
    fi
done
for d in tests/patterns/*/; do
    id=$(basename "$d")
    [ -f "patterns/$id.json" ] || { echo "$d tests no pattern"; fail=$((fail + 1)); }
done
echo "patterns: $pass passed, $fail failed, 0 skipped"
[ -n "$B" ] && echo "patterns-check $pass $fail 0" >>"$B/results"
[ $fail -eq 0 ] && [ $pass -gt 0 ]
