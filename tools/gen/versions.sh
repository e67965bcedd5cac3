#!/bin/sh
# Prints the C table of data/layouts/nt-versions.tsv, which is sorted by architecture (x64 first),
# timestamp and size. An image listed under two versions keeps the first.
set -e
LC_ALL=C "${AWK:-awk}" -F '\t' '
BEGIN {
    print "/* Generated from data/layouts/nt-versions.tsv by tools/gen/versions.sh. */"
    print "#include \"symbols/tables.h\""
    print "const struct ds_table_version ds_table_versions[] = {"
}
/^#/ { next }
($1 $2 $3) == last { next }
{
    last = $1 $2 $3
    split($4, v, ".")
    if ($5 != "ntoskrnl.exe" && $5 != "ntkrla57.exe") {
        print "unknown kernel file " $5 > "/dev/stderr"
        exit 1
    }
    printf "{0x%s,0x%s,%d,%d,%d,%d,DS_ARCH_%s,%d},\n", $2, $3, v[3], v[4], v[1], v[2], \
        toupper($1), $5 == "ntkrla57.exe"
    n++
}
END {
    print "};"
    print "const uint32_t ds_table_version_count = " n ";"
}' "${DATA_DIR:-data}/layouts/nt-versions.tsv"
