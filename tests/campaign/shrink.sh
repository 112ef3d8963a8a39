#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shrink.sh PROGRAM: failing runs become small scenarios that break the same promise, the
# same bytes each time; and what cannot be shrunk is told from what need not be.
set -eu
program=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "shrink: $*"
    failed=1
}

# status EXPECTED WORD…: the program ends so; what it says is in $work/said.
status() {
    expected=$1 got=0
    shift
    "$program" "$@" >"$work/said" 2>&1 || got=$?
    [ "$got" = "$expected" ] || complain "found exit status $got, expected $expected: $*: $(cat "$work/said")"
}

# shrunk JUDGE SEED ACTIONS WORD…: the run breaks the judge's promise, and so does what it
# is shrunk to, in at most so many actions.
shrunk() {
    judge=$1 seed=$2 most=$3
    shift 3
    rm -f "$work/small.lua"
    status 1 shrink "$@" --seed "$seed" -o "$work/small.lua"
    actions=$(sed -n 's/^[0-9]* actions* → \([0-9]*\),.*/\1/p' "$work/said")
    [ "${actions:-1000}" -le "$most" ] || complain "found $actions actions, expected at most $most: $*"
    grep -q "^-- Breaks \"$judge\"" "$work/small.lua" || complain "found another judge, expected $judge: $*"
    ! grep -nE 'require|param\(|random|shuffle|choose' "$work/small.lua" || complain "found what is no literal: $*"
    status 1 run "$work/small.lua" --seed "$seed"
    grep -q "^$judge: " "$work/said" || complain "found something else broken, expected $judge: $*"
    cp "$work/small.lua" "$work/first.lua"
    status 1 shrink "$@" --seed "$seed" --jobs 2 -o "$work/small.lua"
    cmp "$work/first.lua" "$work/small.lua" || complain "found other bytes with other processes: $*"
}

# The scenario's own demand: the crash stays, for without it there is nothing to wait for.
shrunk expect 4 2 broken.lua
grep -q 'crash()' "$work/small.lua" || complain "found no crash, expected what the demand is about"
shrunk persisted 1 2 lies.lua --scenario "three disks lie"
shrunk persisted 2 2 lies.lua --scenario "three disks lie" --param rate=10

# What stands on its own goes to standard output as well.
"$program" shrink broken.lua --seed 4 2>/dev/null | grep -v '^--' >"$work/out.lua" || true
status 1 run "$work/out.lua" --seed 4

# Nothing is shrunk, and nothing is written over.
echo kept >"$work/small.lua"
status 0 shrink held.lua --seed 1 -o "$work/small.lua"
grep -q 'holds' "$work/said" || complain "found no word of a seed that holds"
[ "$(cat "$work/small.lua")" = kept ] || complain "found the file written over by a seed that holds"
status 2 shrink
status 2 shrink held.lua
status 2 shrink held.lua --seed x
status 2 shrink held.lua --seed 1 --time 0
status 2 shrink nowhere.lua --seed 1
status 2 shrink syntax.lua --seed 1
status 2 shrink wrong.lua --seed 1
status 2 shrink lies.lua --seed 1
grep -q -- '--scenario' "$work/said" || complain "found no word of --scenario for a file with several"
status 2 shrink broken.lua --seed 4 -o "$work/no/such/folder.lua"
exit "$failed"
