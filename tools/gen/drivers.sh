#!/bin/sh
# Prints the C tables of data/drivers/: names of drivers that ship with Windows, and makers of others.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-data/drivers}
pairs() {
    grep -v '^#' "$dir/$1" | grep -v '^$' | "${AWK:-awk}" -F'|' -v file="$1" '
        function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
        function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
        NF != 2 || trim($1) == "" || trim($2) == "" || $1 != tolower($1) {
            print file ": bad line: " $0 > "/dev/stderr"; exit 1 }
        trim($1) <= last { print file ": not ascending: " $0 > "/dev/stderr"; exit 1 }
        { last = trim($1); printf "    {%s, %s},\n", quote(trim($1)), quote(trim($2)) }'
}
echo '#include "nt/drivers.h"'
echo
echo '/* ascending by name */'
echo 'const struct ds_driver_name ds_in_box_table[] = {'
pairs in-box.txt
echo '};'
echo 'const size_t ds_in_box_count = sizeof(ds_in_box_table) / sizeof(ds_in_box_table[0]);'
echo
echo '/* ascending by name */'
echo 'const struct ds_driver_name ds_maker_table[] = {'
pairs makers.txt
echo '};'
echo 'const size_t ds_maker_count = sizeof(ds_maker_table) / sizeof(ds_maker_table[0]);'
