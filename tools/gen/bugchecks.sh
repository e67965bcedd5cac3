#!/bin/sh
# Prints the C tables of data/bugchecks/ (format: data/bugchecks/README.md).
# Plain awk: runs under mawk, gawk and busybox awk. Errors name file and line and end the build.
set -eu
dir=${1:-data/bugchecks}
LC_ALL=C
export LC_ALL
exec "${AWK:-awk}" -f "$(dirname "$0")/bugchecks.awk" "$dir/names.txt" \
    $(find "$dir" -name '*.txt' ! -name names.txt | sort)
