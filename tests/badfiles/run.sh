#!/bin/sh
# Files that are no readable dump, given to the program: each must end with the right exit status
# and say what it is. Uses BIN and RUNNER; appends "badfiles passed failed skipped" to $B/results.
pass=0 fail=0 skip=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT INT TERM

# check NAME STATUS WORDS: runs the program on $dir/NAME.
check() {
    out=$($RUNNER "$BIN" "$dir/$1" 2>&1)
    got=$?
    # Reports wrap their lines.
    flat=$(printf '%s' "$out" | tr '\n' ' ' | tr -s ' ')
    case $flat in
    *"$3"*) words=yes ;;
    *) words= ;;
    esac
    if [ "$got" -eq "$2" ] && [ -n "$words" ]; then
        pass=$((pass + 1))
    else
        fail=$((fail + 1))
        printf 'FAIL %s: exit %s, not %s, or it does not say "%s":\n%s\n' \
            "$1" "$got" "$2" "$3" "$(printf '%s\n' "$out" | head -20)"
    fi
}

# made NAME FORMAT STATUS WORDS: a file of printf's FORMAT.
made() {
    # shellcheck disable=SC2059
    printf "$2" >"$dir/$1"
    check "$1" "$3" "$4"
}

zeros() { head -c "$1" /dev/zero; }

made empty '' 3 'an empty file'
made short 'ab' 3 'text file'
made signature-cut 'PAGEDU' 4 'cut off after 6 bytes'
made text 'Bugcheck 0x3B in win32k\n' 3 'text file'
made page '<!DOCTYPE html><html><body>Sign in</body></html>' 3 'web page'
made gzip '\037\213\010\000\000\000\000\000\000\003' 3 'gzip'
made zip 'PK\003\004\024\000\000\000\010\000' 3 'zip archive'
made seven-zip '7z\274\257\047\034\000\004' 3 '7-Zip'
made cabinet 'MSCF\000\000\000\000\054\000' 3 'cabinet'
made xz '\3757zXZ\000\000\004' 3 'xz archive'
made zstd '\050\265\057\375\044\000' 3 'Zstandard'
made bzip2 'BZh91AY&SY\001\002' 3 'bzip2'
made hibernation 'HIBR\000\000\000\000\000\000' 3 'hibernation file'
made hibernation-used 'wake\000\000\000\000\000\000' 3 'hibernation file'
made vmware '\322\276\322\276\000\000\000\000' 3 'VMware'
made hyper-v '\024\040\050\001\000\000\000\000' 3 'Hyper-V'
made lime 'EMiL\001\000\000\000' 3 'LiME'
made avml 'AVML\002\000\000\000' 3 'AVML'
made elf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\004\000\076\000' 3 'ELF core'
made kdump 'KDUMP   \006\000\000\000' 3 'kdump'
made flattened 'makedumpfile\000\000\000\000' 3 'flattened'
made uefi 'Raw_Dmp!\001\000\000\000' 3 'UEFI'
made lkcd '\355\043\217\141\163\001\031\250' 3 'LKCD'
made sadump 'sadump\000\000' 3 'sadump'
made driver 'MZ\220\000\003\000\000\000' 3 'program or driver'
made user 'MDMP\223\247\000\000\002\000\000\000\020\000\000\000aaaaaaaaaaaaaaaaaaaaaaaa' 3 \
    'user-mode minidump'
made user-broken 'MDMP\223\247\000\000\002\000\000\000    aaaaaaaaaaaaaaaa' 3 \
    'and damaged: its stream directory at RVA 0x20202020 lies outside'
made noise '\223\361\007\125\252\020\200\376\304\071\001\002' 3 'unknown kind of file'
zeros 65536 >"$dir/zeros"
check zeros 3 'all zero'
check . 3 'not a regular file'
check nowhere 1 'nowhere'

# Headers alone, 64-bit: the DumpType stands at 0xf98 (3992).
header() {
    printf 'PAGEDU64\017\000\000\000\141\112\000\000'
    zeros 32
    printf '\144\206\000\000\001\000\000\000'
    zeros 3936
    printf "$1"
    zeros 12384
}
for t in '\007:DumpType 7' '\143:unknown DumpType'; do
    header "${t%%:*}\\000\\000\\000" >"$dir/type"
    check type 3 "${t#*:}"
done
for t in '\002:summary.signature' '\010:range.signature' '\012:range.signature'; do
    header "${t%%:*}\\000\\000\\000" >"$dir/type"
    check type 4 "${t#*:}"
done
header '\004\000\000\000' | head -c 4096 >"$dir/header-cut"
check header-cut 4 'file.truncated'
header '\006\000\000\000' >"$dir/bitmap-gone"
check bitmap-gone 4 'bitmap.signature'
header '\001\000\000\000' >"$dir/runs-gone"
check runs-gone 4 'physical.no_runs'

real=../shared/real/triage_x64_19041.dmp
if [ -f $real ]; then
    for n in 512 8192 8200 9000 66048 100000 131072 1000000 1291264 1400000; do
        head -c $n $real >"$dir/cut-$n"
        check cut-$n 4 'file offset'
    done
    { head -c 700000 $real; zeros 744532; } >"$dir/zeroed-tail"
    check zeroed-tail 4 'file.zeroed_tail'
else
    skip=$((skip + 1))
    echo "skip truncated real dump: no $real beside the checkout"
fi

echo "badfiles: $pass passed, $fail failed, $skip skipped"
[ -n "$B" ] && echo "badfiles $pass $fail $skip" >>"$B/results"
[ $fail -eq 0 ]
