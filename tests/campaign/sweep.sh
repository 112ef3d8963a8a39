#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sweep.sh PROGRAM: what an experiment leaves behind. Tables have what was recorded, a row a
# value, figures have every curve and what was published, and both are the same each time.
set -eu
program=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# is WHAT EXPECTED FOUND
is() {
    if [ "$2" != "$3" ]; then
        echo "$1: found $3, expected $2"
        failed=1
    fi
}

# ends STATUS WORD…: the program, which ends so; what it says is left in said.
ends() {
    wanted=$1 status=0
    shift
    "$program" "$@" >"$work/said" 2>&1 || status=$?
    is "faultline $*" "$wanted" "$status"
}

ends 0 sweep grid.lua -o "$work/a/b" --jobs 2
ends 0 sweep grid.lua -o "$work/again" --jobs 1
out="$work/a/b"
one=squares-by-side-and-sign two=squares-in-one-heap
is "values" 49 "$(wc -l <"$out/$one.csv")"
is "head" "side,sign,seed,metric,value" "$(head -n 1 "$out/$one.csv")"
is "a row" "2,minus,3,square,-4" "$(grep -m 1 '^2,minus,3' "$out/$one.csv")"
is "points" "3,plus,square,8,9,9,9.05,9.1,9.1,9.1" "$(grep '^3,plus' "$out/$one.points.csv")"
is "verdicts" "3,plus,median,square,9,5,0.1,,,yes,parts,nine is not five" "$(grep -m 1 ',nine' "$out/$one.expect.csv")"
is "curves" 2 "$(grep -c '^\$c[0-9]* <<' "$out/$one.gp")"
is "published" "2 4.1" "$(sed -n '/^\$p0/,/EOD/p' "$out/$one.gp" | sed -n 2p)"
for slug in $one $two; do
    grep -q '</svg>' "$out/$slug.svg" || is "$slug.svg" "a figure" "none"
    for kind in csv points.csv expect.csv gp svg; do
        cmp -s "$out/$slug.$kind" "$work/again/$slug.$kind" || is "$slug.$kind" "the same bytes" "others"
    done
done
ends 0 report "$out/results.db" -o "$work/report.html"
ends 0 sweep grid.lua --scenario "squares, by side and sign [side=2 sign=plus]"
grep -q 'met: expect max of square: found 4.1, expected 4.1 within 1% as published' "$work/said" || is "verdict" "met" "$(cat "$work/said")"
ends 1 sweep grid.lua --param least=100
ends 0 sweep grid.lua --param least=100 --trials 2
ends 0 replay grid.lua --seed 2 --scenario "squares, by side and sign [side=3 sign=minus]"
ends 2 run grid.lua
ends 2 sweep held.lua
ends 2 sweep grid.lua -o "$here/held.lua/below"
PATH=/nowhere ends 3 sweep grid.lua -o "$work/undrawn"
grep -q "gnuplot" "$work/said" || is "without gnuplot" "its name" "$(cat "$work/said")"
exit $failed
