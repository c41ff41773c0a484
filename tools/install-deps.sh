#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install-deps.sh GROUP... - installs the Debian packages of the given groups of tools/packages.txt
# that are missing, saying which and why. Needs only a POSIX shell and what every Debian has.
# Where it cannot install, it lists the packages and fails. DEPS=no (see the Makefile) skips it.
# In a package's name VERSION stands for that of this release's clang.

set -eu

table=$(dirname "$0")/packages.txt
groups=" $* "

# clang_version - prints the version that the package clang stands for, when it is known.
clang_version() {
    depends=$(dpkg-query --show --showformat='${Depends}' clang 2>/dev/null) || true
    [ -n "$depends" ] || depends=$(apt-cache show clang 2>/dev/null) || true
    echo "$depends" | sed -n 's/.*clang-\([0-9][0-9]*\) .*/\1/p' | sed 1q
}

# needed - prints "package reason" for each line of the table whose group was asked for.
needed() {
    while read -r package group reason; do
        case $package in '' | '#'*) continue ;; esac
        case $groups in *" $group "*) printf '%s %s\n' "$package" "$reason" ;; esac
    done <"$table" | sed "s/-VERSION-/-${version:-VERSION}-/"
}

# installed - prints the packages among the arguments that are fully installed.
installed() {
    # The exit status only says that some package is unknown, which is what is being asked.
    dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p' || true
}

give_up() {
    echo "install-deps: $1" >&2
    echo "install-deps: install what provides these Debian packages, then run make again" >&2
    echo "install-deps: (make DEPS=no skips this check once the tools are there):" >&2
    for package in $missing; do
        echo "    $package" >&2
    done
    exit 1
}

version=$(clang_version)
wanted=$(needed | cut -d' ' -f1)
missing=$wanted

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    give_up "this is not a Debian system (no dpkg or apt-get), so nothing was installed"
fi

# shellcheck disable=SC2086 # package names are words
have=" $(installed $wanted | tr '\n' ' ')"
missing=
for package in $wanted; do
    case $have in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    give_up "you are not root and there is no sudo, so nothing was installed"
fi

echo "install-deps: these packages are missing and will be installed:"
needed | while read -r package reason; do
    case "$missing " in *" $package "*) printf '    %-20s %s\n' "$package" "$reason" ;; esac
done

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"
}

apt update || give_up "apt-get update failed"
if [ -z "$version" ]; then
    version=$(clang_version)
    missing=$(echo "$missing" | sed "s/-VERSION-/-${version:-VERSION}-/")
fi
# shellcheck disable=SC2086
apt install --no-install-recommends $missing || give_up "apt-get install failed"
