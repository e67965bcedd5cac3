#!/bin/sh
# Prints the C tables of data/culprit/: modules that are not blamed for being on a stack, and
# bugcheck codes that say by themselves what kind of culprit to look for.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-data/culprit}
echo '#include "facts/skip.h"'
echo
echo '/* ascending by name */'
echo 'const struct ds_skip ds_skip_table[] = {'
grep -v '^#' "$dir/skip.txt" | grep -v '^$' | sort | "${AWK:-awk}" -F'|' '
    function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
    NF != 3 { print FILENAME ":" NR ": want NAME | CLASS | REASON" > "/dev/stderr"; exit 1 }
    { printf "    {%s, %s, %s},\n", quote(trim($1)), quote(trim($2)), quote(trim($3)) }'
echo '};'
echo 'const size_t ds_skip_count = sizeof(ds_skip_table) / sizeof(ds_skip_table[0]);'
echo
echo '/* ascending by code */'
echo 'const struct ds_blame ds_blame_table[] = {'
grep -v '^#' "$dir/codes.txt" | grep -v '^$' | sort | "${AWK:-awk}" -F'|' '
    function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
    function code(s,   a, n) { n = split(trim(s), a, ":")
        return n == 1 ? a[1] "u, true, 0" : a[1] "u, false, " a[2] "u" }
    BEGIN { kind["requested"] = "DS_BLAME_REQUESTED"; kind["hardware"] = "DS_BLAME_HARDWARE"
            kind["memory-corruption"] = "DS_BLAME_MEMORY_CORRUPTION"
            kind["process"] = "DS_BLAME_PROCESS"; kind["live"] = "DS_BLAME_LIVE"
            kind["weak-stack"] = "DS_BLAME_WEAK_STACK"
            kind["other-stack"] = "DS_BLAME_OTHER_STACK" }
    NF != 3 || !(trim($2) in kind) {
        print "codes.txt: bad line: " $0 > "/dev/stderr"; exit 1 }
    { printf "    {%s, %s, %s},\n", code($1), kind[trim($2)], quote(trim($3)) }'
echo '};'
echo 'const size_t ds_blame_count = sizeof(ds_blame_table) / sizeof(ds_blame_table[0]);'
echo
echo '/* in the order of the file */'
echo 'const struct ds_lead ds_lead_table[] = {'
grep -v '^#' "$dir/parameters.txt" | grep -v '^$' | "${AWK:-awk}" -F'|' '
    function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
    function code(s,   a, n) { n = split(trim(s), a, ":")
        return n == 1 ? a[1] "u, true, 0" : a[1] "u, false, " a[2] "u" }
    BEGIN { how["device"] = "DS_LEAD_DEVICE"; how["driver"] = "DS_LEAD_DRIVER"
            how["irp"] = "DS_LEAD_IRP"; how["name"] = "DS_LEAD_NAME"
            how["thread"] = "DS_LEAD_THREAD"; how["processor"] = "DS_LEAD_PROCESSOR"
            sure["high"] = sure["medium"] = sure["low"] = 1 }
    NF != 5 || !(trim($3) in how) || !(trim($4) in sure) || trim($2) !~ /^[1-4]$/ {
        print "parameters.txt: bad line: " $0 > "/dev/stderr"; exit 1 }
    { printf "    {%s, %d, %s, %s, %s},\n", code($1), trim($2), how[trim($3)], quote(trim($4)),
             quote(trim($5)) }'
echo '};'
echo 'const size_t ds_lead_count = sizeof(ds_lead_table) / sizeof(ds_lead_table[0]);'
