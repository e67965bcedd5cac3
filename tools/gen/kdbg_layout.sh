#!/bin/sh
# Prints the C table of data/layouts/kddebugger-data64.layout, which is sorted by name.
set -e
LC_ALL=C "${AWK:-awk}" '
BEGIN {
    print "/* Generated from data/layouts/kddebugger-data64.layout by tools/gen/kdbg_layout.sh. */"
    print "#include \"symbols/tables.h\""
    print "const struct ds_table_kdbg ds_table_kdbg[] = {"
    size["u16"] = 2; size["u32"] = 4; size["u64"] = 8
}
/^#/ { next }
{
    n = split($3, t, ":")
    if (!(t[1] in size)) {
        print "kddebugger-data64.layout: unknown type " $3 > "/dev/stderr"
        exit 1
    }
    printf "{\"%s\",%d,%d,%d,%d},\n", $1, $2, size[t[1]], n == 3 ? t[2] : 0, n == 3 ? t[3] : 0
    count++
}
END {
    print "};"
    print "const uint32_t ds_table_kdbg_count = " count ";"
}' "${DATA_DIR:-data}/layouts/kddebugger-data64.layout"
