#!/bin/sh
# Prints the C tables of data/layouts/nt-globals.tsv: one row of RVAs per name, one column per
# kernel; 0 where the kernel has none (RVA 0 is the image header).
set -e
LC_ALL=C "${AWK:-awk}" '
BEGIN {
    print "/* Generated from data/layouts/nt-globals.tsv by tools/gen/globals.sh. */"
    print "#include \"symbols/tables.h\""
    print "const struct ds_table_global_kernel ds_table_global_kernels[] = {"
}
/^#/ { next }
$1 == "kernel" {
    split($3, v, ".")
    printf "{%d,%d,\"%s\"},\n", v[3], v[4], $4
    kernels++
    next
}
{
    if (!names++) {
        print "};"
        print "const uint32_t ds_table_global_kernel_count = " kernels ";"
    }
    name[names] = $1
    row[names] = ""
    rva = "0"
    for (i = 2; i <= NF; i++) {
        if ($i == "-")
            rva = "0"
        else if ($i != "=")
            rva = "0x" $i
        row[names] = row[names] rva ","
    }
    if (NF != kernels + 1) {
        print "nt-globals.tsv: " $1 " has " (NF - 1) " cells for " kernels " kernels" > "/dev/stderr"
        exit 1
    }
}
END {
    print "const struct ds_table_global_name ds_table_global_names[] = {"
    for (i = 1; i <= names; i++)
        print "{\"" name[i] "\"},"
    print "};"
    print "const uint32_t ds_table_global_name_count = " names ";"
    print "const uint32_t ds_table_globals[] = {"
    for (i = 1; i <= names; i++)
        print row[i]
    print "};"
}' "${DATA_DIR:-data}/layouts/nt-globals.tsv"
