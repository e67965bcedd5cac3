#!/bin/sh
# usage: cli.sh DUMPSCAN FIXTURES   (DUMPSCAN may hold a runner: "wine dumpscan.exe")
# The command line as users and scripts meet it: options, formats, streams, exit statuses.
bin=$1 fix=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
unset NO_COLOR _NT_SYMBOL_PATH _NT_ALT_SYMBOL_PATH

# t NAME STATUS ARGS...: runs dumpscan; stdout in $work/out, stderr in $work/err.
t() {
    name=$1 want=$2
    shift 2
    $bin "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ "$got" -eq "$want" ]; then
        echo "ok cli $name"
    else
        echo "FAIL cli $name: exit status $got, not $want: $(head -1 "$work/err")"
        bad=1
    fi
}
# has FILE TEXT, hasnt FILE TEXT: about what the last t left.
has() {
    if grep -qF -- "$2" "$work/$1"; then
        echo "ok cli $name: $2"
    else
        echo "FAIL cli $name: no '$2' in $1: $(head -2 "$work/$1")"
        bad=1
    fi
}
hasnt() {
    if grep -qF -- "$2" "$work/$1"; then
        echo "FAIL cli $name: '$2' in $1"
        bad=1
    else
        echo "ok cli $name: without it"
    fi
}
demo=$fix/demo.dmp short=$fix/truncated-2003.dmp no=$fix/no-zip.dmp
esc=$(printf '\033')

t version 0 --version
has out "dumpscan $(cat VERSION)"
t help 0 --help
for command in analyze info query tables patterns explain error; do
    has out "  $command "
    t "help-$command" 0 help $command
    t help-again 0 $command --help
    has out "dumpscan $command"
    t help 0 --help
done
t no-operand 2
t help-near 2 help anlyze
has err "did you mean 'analyze'"
t option-near 2 --fromat json "$demo"
has err "did you mean --format"
t option-unknown 2 --zzzzzz "$demo"
t option-short-unknown 2 -q "$demo"
t option-no-value 2 "$demo" -f
has err "-f needs FORMAT"
t option-with-value 2 --verbose=1 "$demo"
t option-elsewhere 2 error 5 --fail-on low
has err "--fail-on does not go with 'error'"
t format-unknown 2 -f xml "$demo"
t format-elsewhere 2 -f csv "$demo"
t severity-unknown 2 --fail-on awful "$demo"
t colour-unknown 2 --color=blue "$demo"
t missing 1 "$work/absent.dmp"
has err "dumpscan: $work/absent.dmp: cannot open"

t analyse 0 "$demo"
has out "Who   fabnic.sys"
has out "WHAT COULD NOT BE TOLD"
hasnt out "$esc"
[ -s "$work/err" ] && echo "FAIL cli analyse: words on stderr" && bad=1
awk 'length($0) > 80 {print "FAIL cli width: " $0; bad = 1} END {if (!bad) print "ok cli width"; exit bad}' \
    "$work/out" || bad=1
t analyse-by-name 0 analyze "$demo"
has out "Who   fabnic.sys"
t dashes 0 -v -- "$demo"
has out "DRIVERS"
t options-after 0 "$demo" -fjsonl --color never
has out '"schema_version":"1.0"'
t colour 0 --color=always "$demo"
has out "$esc[1m"
t not-a-dump 3 "$no"
has err "zip archive"
t not-a-dump-json 3 -f json "$no"
has out '"status": "not_dump"'
t damaged 4 "$short"
has out "DAMAGED"
t fail-on 10 --fail-on high "$demo"
t fail-on-above 0 --fail-on critical "$demo"
t fail-on-damaged 10 --fail-on=low "$short"
t batch-3 3 "$demo" "$short" "$no"
has out "===="
t batch-4 4 "$demo" "$short"
t batch-10 10 --fail-on high "$demo" "$short"
t batch-1 1 "$no" "$work/absent.dmp" "$demo"
t jsonl 3 -f jsonl "$demo" "$no" "$short"
[ "$(wc -l <"$work/out")" -eq 3 ] || { echo "FAIL cli jsonl: not one line per file"; bad=1; }

t info 0 info "$demo"
has out "DRIVER_IRQL_NOT_LESS_OR_EQUAL"
t info-json 0 info -f json "$demo"
has out '"code": "0x000000d1"'
t info-damaged 4 info "$short"

t output 0 -o "$work/report.txt" "$demo"
if [ -s "$work/report.txt" ] && [ ! -e "$work/report.txt.tmp" ] && [ ! -s "$work/out" ]; then
    echo "ok cli output-file"
else
    echo "FAIL cli output-file" && bad=1
fi
t output-nowhere 1 -o "$work/absent/report.txt" "$demo"
has err "cannot write"
cp "$demo" "$work/same.dmp"
t output-input 2 -o "$work/same.dmp" "$work/same.dmp"
has err "would overwrite"
t output-input-spelled 2 -o "$work/./same.dmp" "$work/same.dmp"
has err "would overwrite"
if [ -w /dev/full ] && $bin "$demo" >/dev/full 2>"$work/err"; then
    echo "FAIL cli full-disk: exit status 0" && bad=1
fi

sql="SELECT name, base FROM modules WHERE name = 'fabnic.sys'"
t query 0 query "$demo" "$sql"
has out "fabnic.sys  fffff8061a400000"
t query-json 0 query -f json "$demo" "$sql"
has out '{"name":"fabnic.sys","base":"0xfffff8061a400000"}'
t query-jsonl 0 query -f jsonl "$demo" "$sql"
has out '{"name":"fabnic.sys"'
t query-csv 0 query -f csv "$demo" "SELECT 'a,\"b' AS x, NULL AS y, 7 AS z"
has out '"a,""b",,7'
t query-null 0 query -f json "$demo" "SELECT NULL AS n, 9007199254740993 AS big, 2 AS n"
has out '{"n":null,"big":"9007199254740993","n_2":2}'
t query-none 0 query -f json "$demo" "SELECT name FROM modules WHERE 0"
has out '[]'
t query-write 2 query "$demo" "DELETE FROM modules"
t query-syntax 2 query "$demo" "SELEC 1"
t query-no-dump 3 query "$no" "SELECT 1"
echo "SELECT 41 + 1 AS answer" | $bin query "$demo" - >"$work/out" 2>"$work/err"
name=query-stdin && has out 42

t tables 0 tables
has out unloaded_modules
t table 0 tables modules
has out "address"
t table-json 0 tables -f json modules
has out '"name": "modules"'
t table-near 2 tables module
has err "did you mean 'modules'"

t symbols-absent 0 --symbols "$work/absent" "$demo"
has out "Symbols       none: no symbol table for ntkrnlmp.pdb"

t patterns-list 0 patterns list
has out faulting-driver
t patterns-show 0 patterns show faulting-driver
has out Severity
t patterns-near 2 patterns show faulting-drivr
has err "did you mean 'faulting-driver'"
t patterns-check 0 patterns check
t patterns-check-folder 0 patterns check patterns
echo '{"id": "broken"' >"$work/broken.json"
t patterns-check-wrong 2 patterns check "$work/broken.json"
has out "wrong $work/broken.json"
t patterns-check-absent 2 patterns check "$work/absent.json"
has out "wrong $work/absent.json"
t patterns-wrong-word 2 patterns lst
t patterns-in-use-wrong 2 --patterns "$work/broken.json" "$demo"
has err broken.json

t explain 0 explain 0xD1 28 2 0 'fffff806`1a402a4c'
has out "DISPATCH_LEVEL"
t explain-flags 0 explain 1000007e
t explain-name 0 explain irql_not_less_or_equal
has out IRQL_NOT_LESS_OR_EQUAL
t explain-near 2 explain IRQL_NOT_LESS_OR_EQUL
has err "did you mean IRQL_NOT_LESS_OR_EQUAL"
t explain-list 0 explain --list
has out "0x000000d1  DRIVER_IRQL_NOT_LESS_OR_EQUAL"
t explain-not-hex 2 explain d1 hello
t explain-too-many 2 explain d1 1 2 3 4 5
t error 0 error 0xC000000D
has out STATUS_INVALID_PARAMETER
t error-bare-hex 0 error c000000d
has out STATUS_INVALID_PARAMETER
t error-negative 0 error -1073741811
has out STATUS_INVALID_PARAMETER
t error-extended 0 error ffffffffc0000005
has out STATUS_ACCESS_VIOLATION
t error-both 0 error 80070026
has out "wraps Win32 error 38"
t error-wrapped 0 error 0xD0000147
has out C0000147
t error-none 2 error hello
t error-name 0 error status_access_violation
has out 0xC0000005
t error-near 2 error ERROR_FILE_NOT_FOUN
has err "did you mean ERROR_FILE_NOT_FOUND"
t error-json 0 error E_FAIL -f json
has out '"value": "0x80004005"'
t explain-missing 0 explain 1a ffffff
has out "is not in table edition"
t explain-json 0 explain 1a ffffff -f json
has out '"subcode_missing": true'
t explain-json-list 0 explain --list -f jsonl
has out '"name":"IRQL_NOT_LESS_OR_EQUAL"'
t explain-csv 2 explain 1a -f csv
exit $bad
