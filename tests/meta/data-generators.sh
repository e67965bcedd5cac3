#!/bin/sh
# usage: tests/meta/data-generators.sh
# The awk generators of data/: every awk on this machine (mawk, gawk,
# busybox, original-awk) prints the same tables, and broken input is refused with file and line.
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
bad=0 ran=0

fail()
{
    echo "    $*"
    bad=1
}

printf '#!/bin/sh\nexec busybox awk "$@"\n' >"$tmp/busybox-awk"
chmod +x "$tmp/busybox-awk"
for gen in bugchecks codes layouts versions globals kdbg_layout; do
    sh tools/gen/$gen.sh >"$tmp/$gen.want" || fail "$gen: the generator fails"
    [ -s "$tmp/$gen.want" ] || fail "$gen: the generator prints nothing"
    for awk in mawk gawk original-awk busybox-awk; do
        if [ $awk = busybox-awk ]; then
            command -v busybox >/dev/null || continue
            awk=$tmp/busybox-awk
        fi
        command -v "$awk" >/dev/null || continue
        ran=$((ran + 1))
        AWK=$awk sh tools/gen/$gen.sh >"$tmp/got" 2>&1 || fail "$gen: $awk fails"
        cmp -s "$tmp/got" "$tmp/$gen.want" || fail "$gen: $awk prints something else"
    done
done
[ $ran -gt 0 ] || fail "no awk was found"

# refused GEN FILE:LINE MESSAGE, with the broken data in $tmp/d
refused()
{
    if sh tools/gen/"$1".sh "$tmp/d" >"$tmp/out" 2>"$tmp/err"; then
        fail "$1 accepts broken input: $3"
    elif ! grep -qF "$tmp/d/$2: $3" "$tmp/err"; then
        fail "$1 says \"$(cat "$tmp/err")\", not \"$2: $3\""
    fi
}

# block TEXT: data/bugchecks with a small names.txt and TEXT as its only block file
block()
{
    rm -rf "$tmp/d"
    mkdir "$tmp/d"
    printf 'edition 2026-01\n0x01 ONE one.md\n0x02 TWO two.md\n' >"$tmp/d/names.txt"
    printf '%b' "$1" >"$tmp/d/a.txt"
}

good='code 0x01 ONE\ntext One.\np1 subcode what\np2,p3,p4 varies\nsub p1 0x1 - one\n'
block "$good"
sh tools/gen/bugchecks.sh "$tmp/d" >/dev/null || fail "bugchecks refuses good input"
block "$good"'sub p1 0x1 - again\n'
refused bugchecks a.txt:6 'this sub-code is listed already'
block "$good"'sub p1 0x0..0x2 - around\n'
refused bugchecks a.txt:6 'this sub-code is listed already'
block "$good"'sub p2 0x7 - elsewhere\n'
refused bugchecks a.txt:6 'sub names parameter 2'
block "$good"'  p2 adress where\n'
refused bugchecks a.txt:6 'unknown parameter type: adress'
block "$good"'  p2 address where.\n'
refused bugchecks a.txt:6 'a clause ends without a full stop'
block "$good"'sub p1 0x2 - what\0303\0251\n'
refused bugchecks a.txt:6 'text must be printable ASCII'
block "$good"'sub p1 0x10000000000000000 - big\n'
refused bugchecks a.txt:6 'not a hexadecimal number of at most 64 bits'
block 'code 0x01 TWO\n'
refused bugchecks a.txt:1 'names.txt calls this code ONE'
block 'code 0x03 THREE\n'
refused bugchecks a.txt:1 'code is not in names.txt'
block "$good$good"
refused bugchecks a.txt:6 'code is described already'
block 'code 0x01 ONE\ntext One.\np1 address where\n\ncode 0x02 TWO\n'
refused bugchecks a.txt:5 'the block before this line lacks p2 (ONE)'
block "$good"'wat 1\n'
refused bugchecks a.txt:6 'unknown keyword: wat'
block "$good"
printf '0x02 AGAIN two.md\n' >>"$tmp/d/names.txt"
refused bugchecks names.txt:4 'codes must ascend'

codes()
{
    rm -rf "$tmp/d"
    mkdir "$tmp/d"
    echo '0x1 STATUS_ONE' >"$tmp/d/ntstatus.txt"
    echo '0x1 E_ONE' >"$tmp/d/hresult.txt"
    echo '0x1 ERROR_ONE' >"$tmp/d/win32.txt"
    : >"$tmp/d/extra.txt"
    echo 'E_ONE the first' >"$tmp/d/texts.txt"
}
codes
sh tools/gen/codes.sh "$tmp/d" >/dev/null || fail "codes refuses good input"
codes
echo 'E_TWO the second' >>"$tmp/d/texts.txt"
refused codes texts.txt:2 'no list has this name: E_TWO'
codes
echo '0x1 STATUS_UNO' >>"$tmp/d/ntstatus.txt"
refused codes ntstatus.txt:2 'this value is listed already: STATUS_ONE'
codes
echo 'ntstatus 0x2 STATUS_TWO' >"$tmp/d/extra.txt"
refused codes extra.txt:1 'the source is missing'

if [ $bad -ne 0 ]; then
    echo "FAIL data-generators"
    exit 1
fi
echo "ok data-generators: $ran runs of awk agree, broken input is refused"
