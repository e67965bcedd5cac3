#!/bin/sh
# Prints the C tables of data/layouts: structures, profiles, enumerators. See src/symbols/tables.h.
set -e
LC_ALL=C
export LC_ALL
dir=${DATA_DIR:-data}/layouts
tab=$(printf '\t')

echo '/* Generated from data/layouts by tools/gen/layouts.sh. */'
echo '#include "symbols/tables.h"'
{
    for f in "$dir"/*.layout; do
        case $f in
        */profiles.layout | */enums.layout | */kddebugger-data64.layout) ;;
        *) cat "$f" ;;
        esac
    done | "${AWK:-awk}" -f tools/gen/layouts-flatten.awk | sort -t "$tab" -k 1,1 -k 2,2
    sed 's/^/P /' "$dir/profiles.layout"
    sed 's/^/E /' "$dir/enums.layout"
} | "${AWK:-awk}" -f tools/gen/layouts.awk
