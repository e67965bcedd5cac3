#!/bin/sh
# Prints the C tables of data/codes/ (format: data/codes/README.md).
# Plain awk: runs under mawk, gawk and busybox awk. Errors name file and line and end the build.
set -eu
dir=${1:-data/codes}
LC_ALL=C
export LC_ALL
exec "${AWK:-awk}" -f "$(dirname "$0")/codes.awk" "$dir/ntstatus.txt" "$dir/hresult.txt" \
    "$dir/win32.txt" "$dir/extra.txt" "$dir/texts.txt"
