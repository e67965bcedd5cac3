#!/bin/sh
# Prints the built-in patterns (patterns/*.json) as C strings. The text is checked when the
# tests load it, not here.
set -eu
LC_ALL=C
export LC_ALL
dir=${1:-patterns}
echo '#include "rules/builtin.h"'
echo
for f in "$dir"/*.json; do
    id=$(basename "$f" .json)
    printf 'static const char pattern_%s[] =\n' "$(printf %s "$id" | tr - _)"
    "${AWK:-awk}" '{ gsub(/\\/, "&&"); gsub(/"/, "\\\""); gsub(/\t/, "\\t")
                     printf "    \"%s\\n\"\n", $0 }' "$f"
    echo '    ;'
done
echo
echo 'const struct ds_builtin_pattern ds_builtin_patterns[] = {'
for f in "$dir"/*.json; do
    id=$(basename "$f" .json)
    v=pattern_$(printf %s "$id" | tr - _)
    printf '    {"%s", %s, sizeof(%s) - 1},\n' "$id" "$v" "$v"
done
echo '};'
echo 'const size_t ds_builtin_pattern_count ='
echo '    sizeof(ds_builtin_patterns) / sizeof(ds_builtin_patterns[0]);'
