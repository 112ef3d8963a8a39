#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what building, running and testing need and this machine lacks, from Debian's
# packages. Says nothing and asks nobody when all is there.
set -eu

wanted="gcc g++ cmake make pkg-config libcriterion-dev liblua5.4-dev libpcg-cpp-dev libmimalloc-dev uthash-dev
libsqlite3-dev libjansson-dev libxml2-dev libzstd-dev gnuplot-nox clang libclang-rt-14-dev llvm-14"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install: found no dpkg, expected Debian; what is needed is, by its names there:" >&2
    echo "$wanted" >&2
    exit 0
fi

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root="env"
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install: found neither root nor sudo, expected one of them to install:$missing" >&2
        exit 2
    fi
    as_root="sudo env"
fi

# Both lists are words of a command.
# shellcheck disable=SC2086
get() {
    $as_root DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2
}
echo "installing$missing" >&2
get update
# shellcheck disable=SC2086
get install --no-install-recommends $missing
