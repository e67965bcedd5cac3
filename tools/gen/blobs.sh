#!/bin/sh
# Prints the C table of data/blobs/tags.txt (format: data/blobs/README.md), ascending by GUID.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-data/blobs}
echo '#include "dump/blob_names.h"'
echo
echo 'const struct ds_blob_tag ds_blob_tags[] = {'
grep -v '^#' "$dir/tags.txt" | grep -v '^$' | sort | "${AWK:-awk}" -F'|' '
    function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
    function quote(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
    function bad(why) { print "tags.txt: " why ": " $0 > "/dev/stderr"; failed = 1; exit 1 }
    NF != 4 { bad("want GUID | name | description | source") }
    {
        tag = trim($1)
        if (length(tag) != 36 || tag ~ /[^0-9a-f-]/)
            bad("not a GUID in lower case")
        if (tag == last)
            bad("twice")
        last = tag
        if (trim($4) !~ /^(kmdf|pdb|content)$/)
            bad("unknown source")
        printf "    {%s, %s, %s, %s},\n", quote(tag), quote(trim($2)), quote(trim($3)), \
            quote(trim($4))
    }
    END { exit failed }'
echo '};'
echo 'const size_t ds_blob_tag_count = sizeof(ds_blob_tags) / sizeof(ds_blob_tags[0]);'
