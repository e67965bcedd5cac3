#!/bin/sh
# usage: tests/run-suites.sh RESULTS TARGET...
# Makes each target, goes on after a failure, and ends with the sum of all counts. A suite writes
# its own line "suite passed failed skipped" to RESULTS; one that fails before it could counts
# as one failure, one that passes without counts as one pass. LABEL names the last line.
results=$1
shift
make=${MAKE:-make}
mkdir -p "$(dirname "$results")"
: >"$results"
rm -f "$results.failed"
bad=

# count TARGET: the lines of a suite that writes no counts of its own.
count() {
    awk -v name="$1" '
        /^ok / { p++ }
        /^skip |SKIP/ { s++ }
        END { print name, p ? p : 1, 0, s + 0 }' "$results.log"
}

for target in "$@"; do
    before=$(wc -l <"$results")
    echo "== $target"
    { $make --no-print-directory "$target" 2>&1 || echo "$target" >"$results.failed"; } |
        tee "$results.log"
    if [ ! -f "$results.failed" ]; then
        [ "$(wc -l <"$results")" -gt "$before" ] || count "$target" >>"$results"
    else
        rm -f "$results.failed"
        bad="$bad $target"
        tail -n +"$((before + 1))" "$results" | awk '{f += $3} END {exit f > 0}' &&
            echo "$target 0 1 0" >>"$results"
    fi
done
[ -z "$bad" ] || echo "failed:$bad"
awk -v label="$LABEL" '
    { p += $2; f += $3; s += $4 }
    END {
        if (NR == 0) { f = 1; print "no suite ran" }
        printf "%s%d passed, %d failed, %d skipped\n", label == "" ? "" : label ": ", p, f, s
        exit f > 0
    }' "$results"
