#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# determinism.sh PROGRAM [OTHER…] -- PATH… [option…]: one seed, one digest. Runs the same
# campaign under one program in many environments, and under other builds of it, and
# compares the whole reports, which hold the digest of every run.
set -eu
programs=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    programs="$programs $1"
    shift
done
[ $# -gt 1 ] || { echo "usage: determinism.sh PROGRAM [OTHER…] -- PATH… [option…]" >&2; exit 2; }
shift
# shellcheck disable=SC2086
first=$(set -- $programs && echo "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0

# try NAME COMMAND…: run the campaign through COMMAND; its report is to be as the first was.
try() {
    name=$1
    shift
    status=0
    "$@" --json "$work/now.json" >"$work/out" 2>&1 || status=$?
    if [ "$status" -gt 1 ]; then
        echo "determinism: $name: exit status $status"
        cat "$work/out"
        failed=$((failed + 1))
        return
    fi
    # Which compiler it was is the one line that may differ.
    grep -v '^ "build"' "$work/now.json" >"$work/now"
    [ -f "$work/expected" ] || cp "$work/now" "$work/expected"
    if cmp -s "$work/expected" "$work/now"; then
        passed=$((passed + 1))
    else
        echo "determinism: $name: the report differs from the first one:"
        diff "$work/expected" "$work/now" | head -n 12
        failed=$((failed + 1))
    fi
}

try "as it is" "$first" run "$@"
try "one worker" "$first" run "$@" --jobs 1
try "five workers, every seed twice" "$first" run "$@" --jobs 5 --verify
try "no environment" env -i "$first" run "$@"
try "another locale and time zone" env LC_ALL=tr_TR.UTF-8 TZ=Asia/Kathmandu "$first" run "$@"
if setarch -R true 2>/dev/null; then
    try "no address randomisation" setarch -R "$first" run "$@"
fi
for fill in 1 254; do
    try "memory filled with $fill" env GLIBC_TUNABLES=glibc.malloc.tcache_count=0 MALLOC_PERTURB_=$fill \
        "$first" run "$@"
done
for program in $programs; do
    [ "$program" = "$first" ] || try "$program" "$program" run "$@"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
