#!/bin/sh
# Prints the C table of data/blobs/pci-classes.txt (format: data/blobs/README.md), ascending.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-data/blobs}
echo '#include "dump/blob_pci.h"'
echo
echo 'const struct ds_pci_class ds_pci_classes[] = {'
grep -v '^#' "$dir/pci-classes.txt" | grep -v '^$' | sed 's/^\(..\)--/\1ff/' | sort |
    "${AWK:-awk}" -F'|' '
    function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function bad(why) { print "pci-classes.txt: " why ": " $0 > "/dev/stderr"; failed = 1; exit 1 }
    NF != 2 { bad("want code | name") }
    {
        code = trim($1)
        name = trim($2)
        if (length(code) != 4 || code ~ /[^0-9a-f]/)
            bad("not a class code in lower case")
        if (code == last)
            bad("twice")
        if (name == "" || name ~ /["\\]/)
            bad("no plain name")
        last = code
        printf "    {0x%s, \"%s\"},\n", code, name
    }
    END { exit failed }'
echo '};'
echo 'const size_t ds_pci_class_count = sizeof(ds_pci_classes) / sizeof(ds_pci_classes[0]);'
