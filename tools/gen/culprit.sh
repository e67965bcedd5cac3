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
    BEGIN { kind["requested"] = "DS_BLAME_REQUESTED"; kind["hardware"] = "DS_BLAME_HARDWARE"
            kind["memory-corruption"] = "DS_BLAME_MEMORY_CORRUPTION"
            kind["process"] = "DS_BLAME_PROCESS"; kind["live"] = "DS_BLAME_LIVE" }
    NF != 3 || !(trim($2) in kind) {
        print "codes.txt: bad line: " $0 > "/dev/stderr"; exit 1 }
    { printf "    {%su, %s, %s},\n", trim($1), kind[trim($2)], quote(trim($3)) }'
echo '};'
echo 'const size_t ds_blame_count = sizeof(ds_blame_table) / sizeof(ds_blame_table[0]);'
