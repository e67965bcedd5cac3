# Sorted structure lines, then profiles and enums, to C. One string pool, tables of integers only:
# nothing in them needs a relocation.
function text(s) {
    if (!(s in pool)) {
        pool[s] = pool_len
        pool_len += length(s) + 1
        strings[pool_count++] = s
    }
    return pool[s]
}
function type_id(s) {
    gsub(/~/, " ", s)
    if (!(s in types)) {
        types[s] = type_count
        type_names[type_count++] = text(s)
    }
    return types[s]
}
# "12-15:72?" -> one row of a run table; kind is the type, or "size" (then the mark is kept).
function run(word, kind,    at, range, value, mark, first, last) {
    at = index(word, ":")
    range = substr(word, 1, at - 1)
    value = substr(word, at + 1)
    mark = sub(/\?$/, "", value)
    first = last = range
    if (index(range, "-")) {
        first = substr(range, 1, index(range, "-") - 1)
        last = substr(range, index(range, "-") + 1)
    }
    runs[run_count++] = first "," last "," (kind == "size" ? mark : type_id(kind)) "," value
}
function flush_arrays(    i) {
    print "const struct ds_table_run ds_table_runs[] = {"
    for (i = 0; i < run_count; i++)
        print "{" runs[i] "},"
    print "};"
    print "const struct ds_table_member ds_table_members[] = {"
    for (i = 0; i < member_count; i++)
        print "{" members[i] "},"
    print "{0," run_count "}};"
    print "const struct ds_table_struct ds_table_structs[] = {"
    for (i = 0; i < struct_count; i++)
        print "{" structs[i] "},"
    print "{0," member_count "}};"
    print "const uint32_t ds_table_struct_count = " struct_count ";"
    print "const uint32_t ds_table_types[] = {"
    for (i = 0; i < type_count; i++)
        print type_names[i] ","
    print "};"
    print "const struct ds_table_profile ds_table_profiles[] = {"
    for (i = 0; i < profile_count; i++)
        print "{" profiles[i] "},"
    print "};"
    print "const uint32_t ds_table_profile_count = " profile_count ";"
    print "const struct ds_table_kernel ds_table_kernels[] = {"
    for (i = 0; i < kernel_count; i++)
        print "{" kernels[i] "},"
    print "};"
    print "const uint32_t ds_table_kernel_count = " kernel_count ";"
    print "const struct ds_table_enumerator ds_table_enumerators[] = {"
    for (i = 0; i < enumerator_count; i++)
        print "{" enumerators[i] "},"
    print "};"
    print "const uint32_t ds_table_enumerator_count = " enumerator_count ";"
    print "const uint32_t ds_table_enum_builds[] = {"
    for (i = 0; i < build_count; i++)
        print builds[i] ","
    print "};"
    print "const uint32_t ds_table_enum_build_count = " build_count ";"
    print "const char ds_table_strings[] ="
    for (i = 0; i < pool_count; i++)
        print "\"" strings[i] "\\0\""
    print ";"
}
BEGIN {
    pool_len = pool_count = type_count = run_count = member_count = struct_count = 0
    profile_count = kernel_count = enumerator_count = build_count = 0
    text("")
}
$1 == "S" {
    n = split(substr($0, 3), part, "\t")
    if (part[1] != struct_name) {
        struct_name = part[1]
        structs[struct_count++] = text(struct_name) "," member_count
    }
    members[member_count++] = text(part[2]) "," run_count
    kind = "size"
    m = split(part[3], word, " ")
    for (i = 1; i <= m; i++) {
        if (word[i] ~ /^[0-9][0-9-]*:[0-9]+\??$/)
            run(word[i], kind)
        else
            kind = word[i]
    }
    next
}
$1 == "P" && $2 == "profile" {
    arch = $4 == "x86" ? "DS_ARCH_X86" : $4 == "x64" ? "DS_ARCH_X64" : "DS_ARCH_ARM64"
    version = $8
    profiles[profile_count++] = arch "," $5 "," $6 "," $7 "," text(version "-" $4)
    next
}
$1 == "P" && $2 == "kernel" {
    split($3, v, ".")
    kernels[kernel_count++] = v[3] "," v[4] "," (profile_count - 1) "," text($4 == "-" ? "" : $4)
    next
}
$1 == "E" && $2 == "builds" {
    for (i = 3; i <= NF; i++)
        builds[build_count++] = $i
    next
}
$1 == "E" && $2 == "enum" { enum_name = $3; next }
$1 == "E" && $2 ~ /^-?[0-9]+$/ {
    for (i = 4; i <= NF; i++) {
        first = last = $i
        if (index($i, "-")) {
            first = substr($i, 1, index($i, "-") - 1)
            last = substr($i, index($i, "-") + 1)
        }
        enumerators[enumerator_count++] = text(enum_name) "," $2 "," text($3) "," first "," last
    }
    next
}
END { flush_arrays() }
