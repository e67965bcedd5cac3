# data/layouts/*.layout -> "struct TAB member TAB fields", so that sort(1) can put them in the
# order of strcmp. The size line becomes the member "" and so comes first.
/^#/ { next }
$1 == "struct" { name = $2; next }
{
    member = $1
    sub(/^[^ ]+ /, "")
    if (member == "size")
        member = ""
    print "S " name "\t" member "\t" $0
}
