#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What editors are told of the language is true: scenarios/faultline.d.lua is what
# `faultline help lua` writes, every option that a table takes is in `faultline help
# api`, and the scenarios pass luacheck where it is installed. REWRITE=1 writes the
# definitions anew.
set -eu
program=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

"$program" help lua >"$work/faultline.d.lua"
if [ "${REWRITE:-}" = 1 ]; then
    cp "$work/faultline.d.lua" "$root/scenarios/faultline.d.lua"
elif ! diff "$root/scenarios/faultline.d.lua" "$work/faultline.d.lua"; then
    echo "scenarios/faultline.d.lua is not what faultline help lua writes: REWRITE=1 sh tests/script/editor.sh PROGRAM"
    failed=1
fi

# A key that no table has: the message names those it has.
"$program" help api | awk '/^options of/ { of = $3 } of != "" && NF > 0 { print of, $1 }' >"$work/known"
check() {
    printf 'scenario "x" { %s }\n' "$2" >"$work/x.lua"
    keys=$("$program" run "$work/x.lua" --seeds 1 --jobs 1 2>&1 | sed -n 's/.*[Ee]xpected one of: //p' | tr -d ',')
    [ -n "$keys" ] || { echo "$1: found no list of keys"; failed=1; }
    for key in $keys; do
        case $key in [a-z]*) ;; *) continue ;; esac
        grep -qx "$1 $key" "$work/known" || { echo "faultline help api: option $key of $1 is missing"; failed=1; }
    done
}
run='run = function(c) end'
check scenario "zzz = 1, $run"
check cluster "cluster = { zzz = 1 }, $run"
check network "network = { zzz = 1 }, $run"
check disk "disk = { zzz = 1 }, $run"
check cpu "cpu = { zzz = 1 }, $run"
check expect "expect = { { zzz = 1 } }, $run"
check load 'run = function(c) c:load { zzz = 1 } end'
check nemesis 'run = function(c) c:nemesis { zzz = 1, during = 1 } end'

if command -v luacheck >/dev/null; then
    cd "$root"
    luacheck -q tests/script/language.lua scenarios/examples scenarios/swarm scenarios/research scenarios/regressions || failed=1
    luacheck -q --only 1 -- scenarios || failed=1
fi
exit $failed
