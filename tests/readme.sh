#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# readme.sh ROOT PROGRAM: what the README shows works: its scenario holds on every seed,
# and the paths it sends its reader to are there.
set -eu
root=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```lua$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >"$work/first.lua"
"$program" run "$work/first.lua" --seeds 50

status=0
# The backquotes are the README's.
# shellcheck disable=SC2016
for path in $(grep -o '`[a-z_]*/[a-z_/]*[.a-z]*`' "$root/README.md" | tr -d '`' | sort -u); do
    case $path in
    build/*) ;;
    *) [ -e "$root/$path" ] || { echo "readme: found $path, expected a path that exists"; status=1; } ;;
    esac
done
exit "$status"
