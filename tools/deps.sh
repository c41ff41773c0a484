#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh LOCK FOLDER - puts the third-party files that LOCK names (see third_party/deps.lock) into FOLDER.
#
# What was fetched once is kept by its hash in MNOS_DEPS (~/.cache/minimalos/deps), so that a second build needs
# no network; one run at a time fetches into it. Where to fetch from is read from the machine's own set-up of apt; lists of packages are kept
# apart, so this needs no root and changes nothing of the system. Sources are changed by the patches NAME/*.patch
# beside LOCK. A file counts only when its hash is the
# lock's: a signed index leads to it, and the lock pins it a second time.

set -eu

suites="bookworm trixie"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
apt_helper=${APT_HELPER:-/usr/lib/apt/apt-helper}
lock=$1
out=$2
cache=${MNOS_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/minimalos/deps}

fail() {
    echo "deps: $*" >&2
    exit 1
}

hash_of() {
    sha256sum "$1" | cut -d' ' -f1
}

# has HASH - whether the cache holds the file; one that was damaged since is removed.
has() {
    [ -f "$cache/files/$1" ] || return 1
    [ "$(hash_of "$cache/files/$1")" = "$1" ] || { rm -f "$cache/files/$1"; return 1; }
}

# keep FILE HASH - moves it into the cache in one step, so that a cut leaves no half file.
keep() {
    mkdir -p "$cache/files"
    mv -f "$1" "$cache/files/$2"
}

# alone - waits until no other run fetches into this cache, and holds it until this one ends, however it ends: apt reads
# its lists while it downloads, and another run would make them anew meanwhile.
alone() {
    [ -z "${is_alone:-}" ] || return 0
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { echo "deps: waiting for another build, which is fetching into $cache"; flock 9; }
    is_alone=yes
}

# apt_ready KIND - makes apt use lists of its own of that kind (deb or deb-src), from the machine's mirror.
apt_ready() {
    [ "${ready:-}" != "$1" ] || return 0
    unset APT_CONFIG
    command -v apt-get >/dev/null || fail "this is not a Debian system (no apt-get): put the files by their hash into $cache/files"
    base=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk '$2 == "bookworm" || $2 == "trixie" { print $1; exit }')
    [ -n "$base" ] || fail "apt of this machine knows no mirror of Debian $suites: put the files by their hash into $cache/files"
    mkdir -p "$cache/$1/partial" "$cache/archives/partial"
    for suite in $suites; do
        echo "$1 [signed-by=$keys] $base $suite main"
    done >"$cache/sources.list"
    {
        echo "Dir::Etc::sourcelist \"$cache/sources.list\";"
        echo 'Dir::Etc::sourceparts "-";'
        echo "Dir::State::Lists \"$cache/$1\";"
        echo "Dir::Cache \"$cache\";"
        echo 'APT::Sandbox::User "root";'
        echo 'Acquire::Languages "none";'
        echo 'Acquire::Retries "3";'
    } >"$cache/apt.conf"
    export APT_CONFIG="$cache/apt.conf"
    echo "deps: reading the package lists"
    apt-get -qq update >&2 || fail "the package lists cannot be read; without network, put the files by their hash into $cache/files"
    ready=$1
}

# fetch_source NAME FILE HASH
fetch_source() {
    apt_ready deb-src
    version=$(apt-cache showsrc "$1" | awk -v s="$3" '/^Version:/ { v = $2 } index($0, s) { print v; exit }')
    [ -n "$version" ] || fail "source $1: no version in $suites has $2 with the hash $3; the lock needs a newer one"
    url=$(apt-get --print-uris source --only-source "$1=$version" | awk -F"'" -v s="$3" 'index($0, s) { print $2 }')
    [ -n "$url" ] || fail "source $1: apt does not say where $2 is"
    "$apt_helper" -q download-file "$url" "$work/$2" "SHA256:$3" >&2 || fail "source $1: $2 cannot be fetched"
    keep "$work/$2" "$3"
}

# A package that is used whole is kept as its unpacked files and its version: it is only run, never a part of what is
# built, and so the signed index of apt is what it is trusted by.
fetch_whole() {
    apt_ready deb
    echo "deps: fetching $1"
    rm -rf "$work/whole" && mkdir -p "$work/whole/root"
    (cd "$work/whole" && apt-get -qq -t "${suites%% *}" download "$1") >&2 || fail "deb $1: the package cannot be fetched"
    dpkg-deb -x "$work"/whole/*.deb "$work/whole/root"
    dpkg-deb -f "$work"/whole/*.deb Version >"$work/whole/root/.version"
    mkdir -p "$cache/packages"
    rm -rf "$cache/packages/$1.old"
    [ ! -d "$cache/packages/$1" ] || mv "$cache/packages/$1" "$cache/packages/$1.old"
    mv "$work/whole/root" "$cache/packages/$1"
    rm -rf "$cache/packages/$1.old"
}

# whole NAME - puts all files of a package into the folder, and says which version it is.
whole() {
    [ -f "$cache/packages/$1/.version" ] || alone
    [ -f "$cache/packages/$1/.version" ] || fetch_whole "$1" </dev/null
    rm -rf "${out:?}/$1" && mkdir -p "$out"
    cp -R "$cache/packages/$1" "$out/$1"
    echo "deps: $1 $(cat "$out/$1/.version")"
}

# download NAME VERSION - unpacks that version of a package into a folder of its own, once for all its files.
download() {
    [ ! -d "$work/deb/$1=$2" ] || return 0
    mkdir -p "$work/packed"
    rm -f "$work"/packed/*.deb
    (cd "$work/packed" && apt-get -qq download "$1=$2") >&2 || return 1
    mkdir -p "$work/deb/$1=$2"
    dpkg-deb -x "$work"/packed/*.deb "$work/deb/$1=$2"
}

# fetch_deb NAME PATH HASH - tries each version that the suites have.
fetch_deb() {
    apt_ready deb
    seen=
    for version in $(apt-cache madison "$1" | awk -F'|' '$3 ~ /Packages/ { gsub(/ /, "", $2); print $2 }' | uniq); do
        download "$1" "$version" || continue
        unpacked="$work/deb/$1=$version/$2"
        [ -f "$unpacked" ] || { seen="$seen $version: no $2;"; continue; }
        found=$(hash_of "$unpacked")
        [ "$found" != "$3" ] || { keep "$unpacked" "$3"; return 0; }
        seen="$seen $version: $found;"
    done
    fail "deb $1: $2 changed: the lock has $3, found${seen:- no version}"
}

# change NAME - applies our patches of a source, which lie beside the lock, in the order of their names.
change() {
    for patch in "$(dirname "$lock")/$1"/*.patch; do
        [ -f "$patch" ] || continue
        patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$out/$1" <"$patch" >&2 || fail "$patch does not fit $1"
    done
}

# unpack KIND NAME FILE HASH [FOLDER]
unpack() {
    case $1 in
    source)
        rm -rf "$out/$2" && mkdir -p "$out/$2"
        tar -x -f "$cache/files/$4" -C "$out/$2" --strip-components=1 --wildcards "*${5:+/$5/*}"
        change "$2"
        ;;
    deb)
        mkdir -p "$(dirname "$out/$2/$3")"
        cp "$cache/files/$4" "$out/$2/$3"
        ;;
    esac
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
number=0
while read -r kind name file hash folder rest; do
    number=$((number + 1))
    case $kind in '' | '#'*) continue ;; source | deb) ;; *) fail "$lock:$number: '$kind' is neither source nor deb" ;; esac
    case /$name/ in */../* | *//*) fail "$lock:$number: $name leads elsewhere" ;; esac
    if [ "$kind $file" = "deb *" ]; then
        [ -z "$hash" ] || fail "$lock:$number: a package that is used whole has no hash"
        whole "$name"
        continue
    fi
    printf '%s' "$hash" | grep -Eqx '[0-9a-f]{64}' || fail "$lock:$number: '$hash' is no SHA256 (64 digits 0-9 a-f)"
    [ -z "$rest" ] || fail "$lock:$number: '$rest' is more than a line has"
    [ "$kind" = source ] || [ -z "$folder" ] || fail "$lock:$number: '$folder' is more than a line has"
    case /$name/$file/ in */../* | *//*) fail "$lock:$number: $name $file leads elsewhere" ;; esac
    case /$folder/ in */../*) fail "$lock:$number: $folder leads elsewhere" ;; esac
    has "$hash" || alone
    if ! has "$hash"; then
        echo "deps: fetching $name ($file)"
        "fetch_$kind" "$name" "$file" "$hash" </dev/null
        has "$hash" || fail "$kind $name: $file has not the hash $hash"
    fi
    unpack "$kind" "$name" "$file" "$hash" "$folder"
done <"$lock"
