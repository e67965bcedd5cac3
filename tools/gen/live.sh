#!/bin/sh
# Prints the C tables of data/live/: who takes live dumps.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-data/live}
rows() {
    grep -v '^#' "$dir/$1" | grep -v '^$' | "${AWK:-awk}" -F'|' -v file="$1" -v number="$2" '
        function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
        function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
        NF != 2 || trim($1) == "" || trim($2) == "" || (number && trim($1) !~ /^0x[0-9A-F]+$/) {
            print file ": bad line: " $0 > "/dev/stderr"; exit 1 }
        { printf "    {%s, %s},\n", number ? trim($1) "u" : quote(trim($1)), quote(trim($2)) }'
}
echo '#include "nt/live.h"'
echo
echo 'const struct ds_live_component ds_live_components[] = {'
rows components.txt 1
echo '};'
echo 'const size_t ds_live_component_count ='
echo '    sizeof(ds_live_components) / sizeof(ds_live_components[0]);'
echo
echo 'const struct ds_live_tool ds_live_tools[] = {'
rows tools.txt 0
echo '};'
echo 'const size_t ds_live_tool_count = sizeof(ds_live_tools) / sizeof(ds_live_tools[0]);'
