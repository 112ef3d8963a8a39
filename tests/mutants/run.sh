#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plant published bugs in a copy of the core, one at a time, and see each caught.
#
#   sh tests/mutants/run.sh [--only ID]… [--file F]… [--seeds N] [--jobs J]
#
# A bug is a small file NAME.mutant beside this script: lines "id:", "source:", "file:"
# (in the tree), "breaks:" (the promise) and "finds:" (arguments of faultline run),
# then the exact lines to find between "--- find" and "--- replace", and what stands
# in their place up to the next "--- find" or "--- end". One that takes out a mechanism without which claims fall
# (faultline list --claims) names them, "claims: ID…", and it, "without: …". Lines before
# the sections that begin with # are comments. A bug with a text that is not
# found exactly once fails the suite. It counts as caught when its campaign ends with exit
# status 1 and the replay line that was printed breaks a promise again, and when each of
# its claims falls by a scenario that carries it. --file takes a bug from elsewhere
# instead; --seeds overrides how many seeds each hunt gets.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/mutants
work=${FAULTLINE_MUTANTS:-$root/build-mutants}
only= files= seeds= jobs=$(nproc)

usage() {
    echo "usage: sh tests/mutants/run.sh [--only ID]… [--file F]… [--seeds N] [--jobs J]" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --only) only="$only $2" ;;
    --file) files="$files $2" ;;
    --seeds) seeds=$2 ;;
    --jobs) jobs=$2 ;;
    *) usage ;;
    esac
    shift 2
done

get() { perl "$here/apply.pl" --get "$1" "$2"; }

# The planted bugs to hunt, one path a line.
mutants() {
    if [ -n "$files" ]; then
        printf '%s\n' $files
    else
        ls "$here"/*.mutant
    fi
}

is_wanted() {
    [ -n "$only" ] || return 0
    for id in $only; do
        [ "$id" = "$1" ] && return 0
    done
    return 1
}

# Bring the copy back to the tree as it is; unchanged files keep their times.
refresh() {
    for folder in core sim reports; do
        mkdir -p "$work/tree/$folder"
        (cd "$root/$folder" && find . -type f) | sort >"$work/want"
        (cd "$work/tree/$folder" && find . -type f) | sort >"$work/have"
        comm -13 "$work/want" "$work/have" | while read -r file; do rm -f "$work/tree/$folder/$file"; done
        while read -r file; do
            if ! cmp -s "$root/$folder/$file" "$work/tree/$folder/$file"; then
                mkdir -p "$work/tree/$folder/$(dirname "$file")"
                cp "$root/$folder/$file" "$work/tree/$folder/$file"
            fi
        done <"$work/want"
    done
    cmp -s "$root/CMakeLists.txt" "$work/tree/CMakeLists.txt" || cp "$root/CMakeLists.txt" "$work/tree/"
}

build() {
    cmake --build "$work/build" --target faultline -j "$jobs" >"$work/build.log" 2>&1
}

# Hunt with one line of arguments; what it says is in $work/hunt.log.
hunt() {
    # The line is split as a shell would, so that a filter may be quoted.
    eval "set -- $1"
    [ -z "$seeds" ] || set -- "$@" --seeds "$seeds"
    status=0
    (cd "$root" && "$work/build/faultline" run "$@" --jobs "$jobs" --fail-fast) >"$work/hunt.log" 2>&1 || status=$?
    [ "$status" = 1 ]
}

replays() {
    line=$(sed -n 's/^ *\(faultline replay .*\)$/\1/p' "$work/hunt.log" | head -n 1)
    [ -n "$line" ] || return 1
    status=0
    (cd "$root" && PATH="$work/build:$PATH" && eval "$line") >"$work/replay.log" 2>&1 || status=$?
    [ "$status" = 1 ]
}

# The first claim of a planted bug's that holds in spite of it; none when all fall.
unfallen() {
    finds=$(get finds "$1")
    for claim in $(get claims "$1"); do
        case $finds in *"--claim $claim "*) continue ;; esac
        hunt "scenarios/failures --claim $claim --seeds 100" || {
            echo "$claim"
            return
        }
    done
}

mkdir -p "$work/tree"
passed=0 failed=0


refresh
[ -f "$work/build/CMakeCache.txt" ] ||
    cmake -S "$work/tree" -B "$work/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF >"$work/build.log" 2>&1 || {
    cat "$work/build.log"
    exit 3
}

for mutant in $(mutants); do
    id=$(get id "$mutant") || { failed=$((failed + 1)); continue; }
    is_wanted "$id" || continue
    refresh
    verdict=
    if ! why=$(perl "$here/apply.pl" "$mutant" "$work/tree" 2>&1); then
        verdict="FAIL $id: $why"
    elif ! build; then
        verdict="FAIL $id: does not build: $(grep -m 1 -E 'error' "$work/build.log" || tail -n 1 "$work/build.log")"
    elif ! hunt "$(get finds "$mutant")"; then
        verdict="FAIL $id: not caught (exit status $status) by faultline run $(get finds "$mutant")"
    elif ! replays; then
        verdict="FAIL $id: caught, but its replay line does not break the promise again: ${line:-none was printed}"
    else
        claim=$(unfallen "$mutant")
        [ -z "$claim" ] || verdict="FAIL $id: $claim holds in spite of it"
    fi
    if [ -z "$verdict" ]; then
        passed=$((passed + 1))
        echo "ok $id: $(get breaks "$mutant"): ${line#faultline }"
    else
        failed=$((failed + 1))
        echo "$verdict"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
