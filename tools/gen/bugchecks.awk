# data/bugchecks/*.txt to C. names.txt comes first; see data/bugchecks/README.md.
# 64-bit values stay strings: awk numbers hold 53 bits only.

function fail(msg)
{
    printf "%s:%d: %s\n", FILENAME, FNR, msg > "/dev/stderr"
    failed = 1
    exit 1
}

# "0x1A" to sixteen lower-case digits; such strings compare like the numbers.
function hex(s)
{
    if (s !~ /^0x[0-9A-Fa-f]+$/ || length(s) > 18)
        fail("not a hexadecimal number of at most 64 bits: " s)
    s = tolower(substr(s, 3))
    return substr("0000000000000000", length(s) + 1) s
}

# The rest of the line from field n on.
function rest(n, i, s)
{
    s = ""
    for (i = n; i <= NF; i++)
        s = s (i > n ? " " : "") $i
    return s
}

function quote(s)
{
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    return "\"" s "\""
}

function check_text(s)
{
    if (s ~ /[^ -~]/)
        fail("text must be printable ASCII")
    if (index(s, "??") > 0)
        fail("text must not hold two question marks in a row (trigraphs)")
    if (length(s) > 400)
        fail("text over 400 characters")
}

function clause(n, s)
{
    s = rest(n)
    check_text(s)
    if (s ~ /\.$/)
        fail("a clause ends without a full stop")
    return s
}

function check_name(s)
{
    if (s !~ /^[A-Za-z_][A-Za-z0-9_]*$/)
        fail("not a name: " s)
}

function param_number(s)
{
    if (s !~ /^[pP][1-4]$/)
        fail("not a parameter (p1 to p4): " s)
    return substr(s, 2) - 1
}

# "pN TYPE [OBJECT] [text]" into a C initializer.
function param_init(type, obj, text, n)
{
    type = $2
    obj = ""
    n = 3
    if (!(type in types))
        fail("unknown parameter type: " type)
    if (type == "object") {
        obj = $3
        check_name(obj)
        n = 4
    }
    text = clause(n)
    if (text == "" && type == "reserved")
        text = "reserved"
    if (text == "" && type == "varies")
        text = "depends on the sub-code"
    if (text == "" && type != "unknown")
        fail("a parameter of type " type " needs a text")
    return "{" types[type] ", " quote(obj) ", " (text == "" ? "NULL" : quote(text)) "}"
}

function do_param(list, k, i, p, init)
{
    init = param_init()
    k = split($1, list, ",")
    for (i = 1; i <= k; i++) {
        p = param_number(list[i])
        if (sub_first < sub_count) {
            for (j = sub_first; j < sub_count; j++) {
                if ((j, p) in sub_param)
                    fail("parameter " (p + 1) " of this sub-code is given twice")
                sub_param[j, p] = init
            }
        } else {
            if ((code, p) in param)
                fail("parameter " (p + 1) " is given twice")
            param[code, p] = init
            if ($2 == "subcode") {
                if (code in sub_of)
                    fail("second sub-code parameter")
                sub_of[code] = p
            }
        }
    }
}

# "sub pN VALUES NAME|- [text]": VALUES is a list of values and FIRST..LAST ranges.
function do_sub(list, k, i, p, ends, name, text)
{
    p = param_number($2)
    if (!(code in sub_of) || sub_of[code] != p)
        fail("sub names parameter " (p + 1) ", which is not the one of type subcode")
    name = $4
    if (name == "-")
        name = ""
    else
        check_name(name)
    text = clause(5)
    if (name == "" && text == "")
        fail("a sub-code needs a name or a text")
    sub_first = sub_count
    k = split($3, list, ",")
    for (i = 1; i <= k; i++) {
        sub_code[sub_count] = code
        if (index(list[i], "..") > 0) {
            split(list[i], ends, /\.\./)
            sub_lo[sub_count] = hex(ends[1])
            sub_hi[sub_count] = hex(ends[2])
        } else
            sub_lo[sub_count] = sub_hi[sub_count] = hex(list[i])
        if ((sub_lo[sub_count] "") > (sub_hi[sub_count] ""))
            fail("the range is upside down")
        sub_name[sub_count] = name
        sub_text[sub_count] = text
        insert_sub(sub_count)
        sub_count++
    }
}

# Keeps order[code, 0..n-1] sorted by value; refuses overlaps.
function insert_sub(s, n, i)
{
    n = subs_of[code] + 0
    for (i = n; i > 0 && (sub_lo[order[code, i - 1]] "") > (sub_lo[s] ""); i--)
        order[code, i] = order[code, i - 1]
    if (i > 0 && (sub_hi[order[code, i - 1]] "") >= (sub_lo[s] ""))
        fail("this sub-code is listed already")
    if (i < n && (sub_hi[s] "") >= (sub_lo[order[code, i + 1]] ""))
        fail("this sub-code is listed already")
    order[code, i] = s
    subs_of[code] = n + 1
}

# "value pN VALUE NAME|- [text]"
function do_value(p, name, text, n)
{
    p = param_number($2)
    if (sub_first < sub_count)
        fail("values come before the sub-codes")
    if (!((code, p) in param))
        fail("value for a parameter that is not described yet")
    name = $4
    if (name == "-")
        name = ""
    else
        check_name(name)
    text = clause(5)
    if (name == "" && text == "")
        fail("a value needs a name or a text")
    n = values_of[code] + 0
    if ((code, p, hex($3)) in value_seen)
        fail("this value is listed already")
    value_seen[code, p, hex($3)] = 1
    value_init[code, n] = "{" p ", 0x" hex($3) "ULL, " quote(name) ", " quote(text) "}"
    values_of[code] = n + 1
}

function end_block(p)
{
    if (code == "" || (code in alias))
        return
    for (p = 0; p < 4; p++)
        if (!((code, p) in param))
            fail("the block before this line lacks p" (p + 1) " (" name_of[code] ")")
    if (text_of[code] == "")
        fail("the block before this line lacks its text (" name_of[code] ")")
    if ((code in sub_of) && !(code in subs_of))
        fail("the block before this line has a sub-code parameter and no sub (" name_of[code] ")")
    code = ""
}

function do_name(c, s)
{
    if ($1 == "edition") {
        edition = $2
        if (edition !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]$/)
            fail("edition must be YYYY-MM")
        return
    }
    if (NF < 3 || NF > 4)
        fail("want: CODE NAME SOURCE [live|crash-or-live]")
    c = hex($1)
    if (substr(c, 1, 8) != "00000000")
        fail("a bugcheck code has 32 bits")
    if (count > 0 && (codes[count - 1] "") >= (c ""))
        fail("codes must ascend")
    check_name($2)
    if ($3 !~ /^[A-Za-z0-9.-]+$/)
        fail("not a source file name: " $3)
    if (NF == 4 && $4 != "live" && $4 != "crash-or-live")
        fail("unknown flag: " $4)
    codes[count++] = c
    name_of[c] = $2
    source_of[c] = $3
    live_of[c] = $4
}

BEGIN {
    types["unknown"] = types["varies"] = "DS_PARAM_UNKNOWN"
    types["reserved"] = "DS_PARAM_RESERVED"
    types["number"] = "DS_PARAM_NUMBER"
    types["flags"] = "DS_PARAM_FLAGS"
    types["subcode"] = "DS_PARAM_SUBCODE"
    types["address"] = "DS_PARAM_ADDRESS"
    types["code"] = "DS_PARAM_CODE"
    types["irql"] = "DS_PARAM_IRQL"
    types["ntstatus"] = "DS_PARAM_NTSTATUS"
    types["access"] = "DS_PARAM_ACCESS"
    types["object"] = "DS_PARAM_OBJECT"
    types["string"] = "DS_PARAM_STRING"
    types["physical"] = "DS_PARAM_PHYSICAL"
    types["pfn"] = "DS_PARAM_PFN"
    types["pte"] = "DS_PARAM_PTE"
    code = ""
    count = sub_count = sub_first = 0
}

{ sub(/\r$/, "") }
/^[ \t]*(#|$)/ { next }
FILENAME ~ /names\.txt$/ { do_name(); next }

$1 == "code" {
    end_block()
    code = hex($2)
    if (!(code in name_of))
        fail("code is not in names.txt: " $2)
    if (name_of[code] != $3)
        fail("names.txt calls this code " name_of[code])
    if (code in described)
        fail("code is described already")
    described[code] = 1
    sub_first = sub_count
    next
}

code == "" { fail("a block starts with a code line") }

$1 == "like" {
    if (!(hex($2) in name_of) || NF != 2)
        fail("want: like CODE, with a code of names.txt")
    alias[code] = hex($2)
    next
}
(code in alias) { fail("a block with like holds nothing else") }

$1 == "text" {
    if (text_of[code] != "")
        fail("second text")
    if (rest(2) !~ /[.]$/)
        fail("text is a sentence: end it with a full stop")
    check_text(rest(2))
    text_of[code] = rest(2)
    next
}
$1 ~ /^p[1-4](,p[1-4])*$/ { do_param(); next }
$1 == "sub" { do_sub(); next }
$1 == "value" { do_value(); next }
{ fail("unknown keyword: " $1) }

END {
    if (failed)
        exit 1
    end_block()
    if (failed)
        exit 1
    if (count == 0 || edition == "") {
        print "names.txt: no codes or no edition" > "/dev/stderr"
        exit 1
    }
    for (c in alias) {
        if (!(alias[c] in described) || (alias[c] in alias)) {
            print "0x" c ": like names a code without a block of its own" > "/dev/stderr"
            exit 1
        }
    }
    print "/* Generated by tools/gen/bugchecks.sh from data/bugchecks/; do not edit. */"
    print "#include \"nt/tables.h\"\n"
    for (i = 0; i < count; i++)
        emit_rows(codes[i])
    print "const struct ds_bugcheck_doc ds_bugcheck_table[] = {"
    for (i = 0; i < count; i++)
        emit_doc(codes[i])
    print "};\n"
    print "const size_t ds_bugcheck_table_count = " count ";"
    print "const char ds_bugcheck_table_edition[] = " quote(edition) ";"
}

function emit_rows(c, i, p, s, n)
{
    n = subs_of[c] + 0
    if (n > 0) {
        print "static const struct ds_bugcheck_subcode subs_" substr(c, 9) "[] = {"
        for (i = 0; i < n; i++) {
            s = order[c, i]
            printf "    {0x%sULL, 0x%sULL, %s, %s, {", sub_lo[s], sub_hi[s], \
                   quote(sub_name[s]), quote(sub_text[s])
            for (p = 0; p < 4; p++)
                printf "%s%s", (p ? ", " : ""), \
                       ((s, p) in sub_param ? sub_param[s, p] : "{DS_PARAM_UNKNOWN, NULL, NULL}")
            print "}},"
        }
        print "};\n"
    }
    n = values_of[c] + 0
    if (n > 0) {
        print "static const struct ds_param_value values_" substr(c, 9) "[] = {"
        for (i = 0; i < n; i++)
            print "    " value_init[c, i] ","
        print "};\n"
    }
}

function emit_doc(c, b, p, sp)
{
    b = (c in alias) ? alias[c] : c
    sp = (b in sub_of) ? sub_of[b] : -1
    printf "    {0x%sU, %s, %s, {", substr(c, 9), quote(name_of[c]), quote(text_of[b])
    for (p = 0; p < 4; p++)
        printf "%s%s", (p ? ", " : ""), \
               ((b, p) in param ? param[b, p] : "{DS_PARAM_UNKNOWN, \"\", NULL}")
    printf "}, %d, %s, %d, %s, %d, %s, %s, %s},\n", sp, \
           (subs_of[b] + 0 > 0 ? "subs_" substr(b, 9) : "NULL"), subs_of[b] + 0, \
           (values_of[b] + 0 > 0 ? "values_" substr(b, 9) : "NULL"), values_of[b] + 0, \
           quote(source_of[c]), (live_of[c] == "live" ? "true" : "false"), \
           (live_of[c] == "crash-or-live" ? "true" : "false")
}
