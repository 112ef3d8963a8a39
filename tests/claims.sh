#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# claims.sh ROOT PROGRAM: every promise of the documentation is carried by a scenario,
# and for every mechanism without which it falls there is a planted bug that takes it
# out. That the bug is caught by the scenarios of that promise is tests/mutants/run.sh's
# to show.
set -eu
root=$1 program=$2
cd "$root"
status=0

"$program" list scenarios | sed -n 's/^ *claims: //p' | tr ' ' '\n' | sort -u >"${TMPDIR:-/tmp}/claims.$$"
trap 'rm -f "${TMPDIR:-/tmp}/claims.$$"' EXIT

# is_planted CLAIM MECHANISM: does a planted bug take it out?
is_planted() {
    for mutant in tests/mutants/*.mutant; do
        case " $(sed -n 's/^claims: //p' "$mutant") " in *" $1 "*) ;; *) continue ;; esac
        case ", $(sed -n 's/^without: //p' "$mutant"), " in *", $2, "*) return 0 ;; esac
    done
    return 1
}

claim=
while read -r first rest; do
    if [ "$first $(echo "$rest" | cut -d: -f1)" != "falls without" ]; then
        claim=$first
        grep -qx "$claim" "${TMPDIR:-/tmp}/claims.$$" || {
            echo "claims: $claim: found no scenario that carries it"
            status=1
        }
        continue
    fi
    mechanisms=$(echo "$rest" | cut -d: -f2 | sed -e 's/^ //' -e 's/, /,/g')
    while [ -n "$mechanisms" ]; do
        mechanism=${mechanisms%%,*}
        is_planted "$claim" "$mechanism" || {
            echo "claims: $claim: found no planted bug that takes out: $mechanism"
            status=1
        }
        case $mechanisms in *,*) mechanisms=${mechanisms#*,} ;; *) mechanisms= ;; esac
    done
done <<LIST
$("$program" list --claims)
LIST

# A planted bug names claims that there are.
for claim in $(sed -n 's/^claims: //p' tests/mutants/*.mutant | tr ' ' '\n' | sort -u); do
    "$program" list --claims | grep -q "^$claim " || {
        echo "claims: found $claim in a planted bug, expected one of faultline list --claims"
        status=1
    }
done
exit $status
