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
"$program" help api | awk '/^options of/ { of = $3; next } of != "" && NF > 0 { print of, $1 }' >"$work/known"
check() {
    printf 'scenario "x" { %s }\n' "$2" >"$work/x.lua"
    keys=$("$program" run "$work/x.lua" --seeds 1 --jobs 1 2>&1 | sed -n 's/.*[Ee]xpected one of: //p' | tr -d ',')
    [ -n "$keys" ] || { echo "$1: found no list of keys"; failed=1; }
    for key in $keys; do
        case $key in [a-z]*) ;; *) continue ;; esac
        grep -qx "$1 $key" "$work/known" || { echo "faultline help api: option $key of $1 is missing"; failed=1; }
    done
    for key in $(sed -n "s/^$1 //p" "$work/known"); do
        case " "$(echo $keys)" " in *" $key "*) ;; *) echo "faultline help api: $1 has no option $key"; failed=1 ;; esac
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
while IFS='|' read -r of call; do
    check "$of" "run = function(c) local cli = c:client() $call end"
done <<'CALLS'
at|at("commit", { zzz = 1 }, function() end)
eventually|eventually(function() end, { zzz = 1 })
always|always(function() end, { zzz = 1 })
bootstrap|c:bootstrap { zzz = 1 }
bootstrap_member|c:bootstrap { member = { [1] = { zzz = 1 } } }
await_leader|c:await_leader { zzz = 1 }
await_healthy|c:await_healthy { zzz = 1 }
await_applied|c:await_applied(1, { zzz = 1 })
await_converged|c:await_converged { zzz = 1 }
network|c:link(1, 2, { zzz = 1 })
add_member|c:add_member { zzz = 1 }
change_members|c:change_members { zzz = 1 }
replace_member|c:replace_member(c[1], { zzz = 1 })
restore|c:restore("", { zzz = 1 })
client|c:client { zzz = 1 }
keepalive|c:client { keepalive = { zzz = 1 } }
put|cli:put("k", "v", { zzz = 1 })
range|cli:range("k", "l", { zzz = 1 })
delete|cli:delete("k", nil, { zzz = 1 })
txn|cli:txn { zzz = 1 }
watch|cli:watch("k", { zzz = 1 })
lock|cli:lock("k", { zzz = 1 })
member_restart|c[1]:restart { zzz = 1 }
member_stall|c[1]:stall { zzz = 1 }
member_disk|c[1]:disk { zzz = 1 }
disk_error|c[1]:disk { error = { zzz = 1 } }
member_clock|c[1]:clock { zzz = 1 }
CALLS
check nemesis 'run = function(c) c:nemesis { zzz = 1, during = 1 } end'

if command -v luacheck >/dev/null; then
    cd "$root"
    luacheck -q tests/script/language.lua scenarios/examples scenarios/swarm scenarios/research scenarios/regressions || failed=1
    luacheck -q --only 1 -- scenarios || failed=1
fi
exit $failed
