# Prints the linker version script of libdumpscan: every function that a public header declares.
# Comments are cut away first; a declaration is ds_NAME followed by a parenthesis.
BEGIN { print "{\nglobal:" }
{
    line = $0
    while (1) {
        if (in_comment) {
            end = index(line, "*/")
            if (!end) next
            line = substr(line, end + 2)
            in_comment = 0
        }
        start = index(line, "/*")
        if (!start) break
        rest = substr(line, start + 2)
        text = substr(line, 1, start - 1)
        end = index(rest, "*/")
        if (end) {
            line = text " " substr(rest, end + 2)
        } else {
            line = text
            in_comment = 1
            break
        }
    }
    sub(/\/\/.*/, "", line)
    if (line ~ /^#/) next
    while (match(line, /(^|[ *])ds_[a-z0-9_]+\(/)) {
        name = substr(line, RSTART, RLENGTH - 1)
        sub(/^[ *]/, "", name)
        if (!seen[name]++) print "    " name ";"
        line = substr(line, RSTART + RLENGTH)
    }
}
END { print "local:\n    *;\n};" }
