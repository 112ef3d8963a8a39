#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli.sh PROGRAM: type what people type, and what they mistype; compare all that is said,
# and every exit status, with cli.txt. REWRITE=1 writes it anew, for review as a diff.
set -eu
program=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# try WORD…: what the program says to standard output and error, and its status.
try() {
    echo "\$ faultline $*"
    status=0
    "$program" "$@" 2>&1 || status=$?
    echo "[$status]"
    echo
}

# The same for what a world decides: numbers become #, rows of events one row, and what
# was found "…". The shape is what people and other programs rely on.
shape() {
    try "$@" | sed -E -e '1!{/^\[/!s/[0-9]+(\.[0-9]+)?/#/g;}' -e 's/found .*, expected/found …, expected/' \
        -e 's/^seeds: .*/seeds: …/' -e '/^unarmed:/d' -e 's/^  +#s  .*/  #s …/' -e 's/digest .*/digest …/' \
        -e 's/ +unarmed:.*/  unarmed …/' | uniq
}

{
    try rum
    try xyzzy
    try help nothing
    try run
    try run --sedes 3 held.lua
    try run held.lua --seeds
    try run held.lua --seeds 0
    try run held.lua --seeds=9..3
    try run held.lua --jobs none
    try run held.lua --colour
    try run held.lua --verify=yes
    try run held.lua --param novalue
    try run held.lua --shard 3/2
    try run held.lua --time soon
    try run nowhere.lua
    try run held.lua --json /nowhere/report.json
    try run held.lua --filter nothing
    try run held.lua --tag nothing
    try run held.lua --claim nothing
    try replay held.lua
    try replay held.lua --seed x
    try shrink held.lua
    try shrink held.lua --seed x
    try shrink held.lua --seed 5
    try shrink lies.lua --seed 5
    try shrink broken.lua --seed 4 -o no/such/folder.lua
    try list --chekcs
    try list --checks
    try list --claims
    try bench wrold
    try bench --jsn
    try version --now
    try list .
    shape run held.lua
    shape run held.lua --seeds 3..5 -v
    shape run held.lua --seed 18446744073709551615
    try run held.lua --seeds 1..18446744073709551615
    try run held.lua --seeds 1 --shard 2/2
    shape run held.lua broken.lua --seeds 3 --claims
    shape run broken.lua --seeds 10
    shape run broken.lua --seed 1 --param within=0.5
    shape run broken.lua --seeds 10 --param within=5 -q
    shape run wrong.lua
    try run syntax.lua
    shape replay held.lua --seed 5
    shape replay held.lua --seed 5 --until 1.2s -v
    shape replay broken.lua --seed 4
    try replay held.lua --seed 5 --perfetto nowhere/run.json
    try replay held.lua --seed 5 --html nowhere/run.html
    try replay held.lua broken.lua --seed 5 --perfetto nowhere/run.json
    shape run held.lua broken.lua --tap --seeds 5
    try merge nothing.db -o other.db
    try merge held.lua -o other.db
    try report other.db
    try merge -o other.db
    try help --help
    try report held.lua -o report.html
} >"$work/now"

if [ "${REWRITE:-}" = 1 ]; then
    cp "$work/now" cli.txt
fi
diff cli.txt "$work/now"
