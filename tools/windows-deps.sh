#!/bin/sh
# usage: tools/windows-deps.sh FOLDER
# Builds the static Windows libraries (SQLite, cJSON, liblzma, capstone) into FOLDER/lib and FOLDER/include
# from the distribution's source packages, whose signatures apt checks. The machine's own apt
# configuration stays as it is: source entries, package lists and downloads live in FOLDER.
set -eu

die() {
    echo "windows-deps: $*" >&2
    exit 1
}

[ $# -eq 1 ] || die "usage: tools/windows-deps.sh FOLDER"
host=${WIN_HOST:-x86_64-w64-mingw32}
mkdir -p "$1"
out=$(cd "$1" && pwd)
packages='cjson sqlite3 xz-utils capstone'
stamp="$out/stamp"
want="$packages $host $(cksum <"$0")"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    touch "$stamp"
    exit 0
fi
rm -f "$stamp"
echo "building the Windows libraries from source packages (about a minute)"

for tool in apt-get dpkg-source tclsh make cc "$host-gcc" "$host-ar" "$host-windres"; do
    command -v "$tool" >/dev/null 2>&1 || die "$tool is missing; run ./bootstrap windows"
done

# The release's own archives out of the machine's source entries, as deb-src. Archives of others
# (another suite, no component main) are left out: they need not have sources.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "no VERSION_CODENAME in /etc/os-release"
apt="$out/apt"
mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
rm -f "$apt/parts/"*
# Deb822 stanzas.
for f in /etc/apt/sources.list.d/*.sources; do
    [ -f "$f" ] || continue
    awk -v code="$codename" '
        function flush(   i, n, w, keep, ours) {
            n = split(suites, w, " "); keep = ""; ours = 0
            for (i = 1; i <= n; i++)
                if (w[i] == code || index(w[i], code "-") == 1) { keep = keep " " w[i]; ours = 1 }
            if (ours && !off && (" " comps " ") ~ / main /)
                print "Types: deb-src\nURIs: " uris "\nSuites:" keep "\nComponents:" comps "\n" rest
            suites = comps = uris = rest = ""; off = 0
        }
        /^#/ { next }
        /^[ \t]*$/ { flush(); next }
        /^Suites:/ { suites = substr($0, 8); next }
        /^Components:/ { comps = substr($0, 12); next }
        /^URIs:/ { uris = substr($0, 6); next }
        /^Enabled:/ { off = tolower($2) == "no"; next }
        /^(Types|Architectures):/ { next }
        { rest = rest $0 "\n" }
        END { flush() }' "$f" >>"$apt/parts/source.sources"
done
# One-line entries.
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$f" ] || continue
    awk -v code="$codename" '
        $1 == "deb" {
            opt = ""; i = 2
            if ($2 ~ /^\[/) {
                for (; i <= NF; i++) {
                    w = $i; gsub(/[][]/, "", w)
                    if (w != "" && w !~ /^arch=/) opt = opt " " w
                    if ($i ~ /\]$/) { i++; break }
                }
            }
            if ($(i + 1) != code && index($(i + 1), code "-") != 1) next
            for (j = i + 2; j <= NF; j++)
                if ($j == "main") {
                    line = "deb-src" (opt == "" ? "" : " [" opt " ]")
                    for (k = i; k <= NF && $k !~ /^#/; k++) line = line " " $k
                    print line
                }
        }' "$f" >>"$apt/parts/source.list"
done
[ -s "$apt/parts/source.sources" ] || [ -s "$apt/parts/source.list" ] ||
    die "no archive of $codename in /etc/apt/sources.list or /etc/apt/sources.list.d"

apt_get() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

log="$out/build.log"
: >"$log"
step() {
    "$@" >>"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "failed: $*"
    }
}

src="$out/src"
rm -rf "$src" "$out/lib" "$out/include"
mkdir -p "$src" "$out/lib" "$out/include"
cd "$src"
step apt_get update
# shellcheck disable=SC2086
step apt_get source $packages

cflags='-O2 -g0 -fno-ident'
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

cd "$src"/cjson-*/
step "$host-gcc" $cflags -c cJSON.c -o cJSON.o
step "$host-ar" rcs "$out/lib/libcjson.a" cJSON.o
mkdir -p "$out/include/cjson"
cp cJSON.h "$out/include/cjson/"

cd "$src"/sqlite3-*/
step ./configure --disable-tcl --disable-readline --disable-shared
step make sqlite3.c sqlite3.h
step "$host-gcc" $cflags -DSQLITE_THREADSAFE=1 \
    -DSQLITE_ENABLE_MATH_FUNCTIONS -c sqlite3.c -o sqlite3.o
step "$host-ar" rcs "$out/lib/libsqlite3.a" sqlite3.o
cp sqlite3.h "$out/include/"

cd "$src"/xz-utils-*/
step ./configure --host="$host" --disable-shared --enable-static --disable-threads \
    --disable-nls --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo \
    --disable-lzma-links --disable-scripts --disable-doc --disable-rpath CFLAGS="$cflags"
step make -j"$jobs" -C src/liblzma
cp src/liblzma/.libs/liblzma.a "$out/lib/"
cp -r src/liblzma/api/lzma.h "$out/include/"
mkdir -p "$out/include/lzma"
cp src/liblzma/api/lzma/*.h "$out/include/lzma/"

cd "$src"/capstone-*/
# Its makefile adds to CFLAGS, which it cannot do to a variable of the command line.
step env CFLAGS="$cflags" make -j"$jobs" CROSS="$host-" CAPSTONE_ARCHS='x86 aarch64' \
    CAPSTONE_STATIC=yes CAPSTONE_SHARED=no CAPSTONE_BUILD_CORE_ONLY=yes
for f in libcapstone.a capstone.lib capstone.a; do
    [ ! -f "$f" ] || cp "$f" "$out/lib/libcapstone.a"
done
[ -f "$out/lib/libcapstone.a" ] || die "capstone's makefile made no static library"
mkdir -p "$out/include/capstone"
cp include/capstone/*.h "$out/include/capstone/"

cd "$out"
rm -rf "$src" "$apt"
echo "$want" >"$stamp"
